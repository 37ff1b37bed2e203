"""Words of a text without case and accents, to look for other words in."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+")


def words_of(text: str) -> str:
    """Return the words of a text without case and accents, each between blanks.

    >>> words_of("Incendie à l'usine !")
    ' incendie a l usine '
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return f" {' '.join(_WORD.findall(plain))} "
