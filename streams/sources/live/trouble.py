"""What keeps a source from going on for now."""

from __future__ import annotations

from streams.errors import Mended


class Trouble(Exception):
    """A source cannot go on; it is tried again. ``after`` is how many seconds the other side asks to wait.

    ``said`` is made of fixed words and what the operator wrote, never of what a stranger sent.
    """

    def __init__(self, word: str, mend: str, *, after: float = 0.0) -> None:
        self.said = Mended(word, mend)
        self.after = after
        super().__init__(str(self.said))
