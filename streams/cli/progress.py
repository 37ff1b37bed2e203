"""The progress bar of a replay, on stderr; on something that is no terminal a line at each tenth."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol, Self

from streams.clock import rfc3339


class Progressed(Protocol):
    """What a replay tells of itself."""

    mentions: int
    time_ms: int
    held_back: bool


class Bar:
    """Shows mentions sent of ``total`` and the time that the replay stands at."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._total = total
        self._quiet = quiet
        self._tenth = 0
        self.console = Console(stderr=True, highlight=False)
        self._terminal = self.console.is_terminal and not quiet
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=self.console, transient=True, disable=not self._terminal)
        self._task = self._progress.add_task("replay", total=total)

    def __call__(self, state: Progressed) -> None:
        """Show how far the replay is."""
        word = "readers catch up" if state.held_back else "replay"
        if self._terminal:
            moment = rfc3339(state.time_ms)[5:16].replace("T", " ")
            self._progress.update(self._task, completed=state.mentions, description=f"{moment}  {word}")
        elif not self._quiet and self._total and state.mentions * 10 // self._total > self._tenth:
            self._tenth = state.mentions * 10 // self._total
            sys.stderr.write(f"replayed {state.mentions} of {self._total} mentions\n")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()
