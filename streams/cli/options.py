"""Options that several commands share, and the settings that they override."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from streams.errors import BadInput
from streams.settings import Settings

T = TypeVar("T")

Broker = Annotated[str | None, typer.Option("--broker", metavar="HOST:PORT", help="Kafka bootstrap servers (VEILLE_BROKER).")]
Run = Annotated[str | None, typer.Option("--run", metavar="NAME", help="Topics and group of a replay of its own (VEILLE_RUN).")]
Watchlist = Annotated[Path | None, typer.Option("--watchlist", metavar="FILE", help="Watchlist file (VEILLE_WATCHLIST).")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="JSONL or CSV, plain or gzipped; merged in time order.")]
Map = Annotated[list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column gives a field. Repeatable.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field's value for every row. Repeatable.")]
MappingFile = Annotated[Path | None, typer.Option("--mapping", metavar="FILE", help="YAML file with `map` and `set`.")]
Tail = Annotated[float, typer.Option("--tail", metavar="HOURS", min=0, help="How far the clock goes on after the last mention.")]
Language = Annotated[str, typer.Option("--language", metavar="en|fr", help="English or French (VEILLE_LANGUAGE).")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; ``overrides`` that are not None win. Raises `BadInput` with each wrong name and the mend."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        words = []
        for wrong in error.errors():
            name = "__".join(str(part) for part in wrong["loc"]).upper()
            words.append(f"VEILLE_{name}: {wrong['msg']}")
        raise BadInput("settings cannot be used: " + "; ".join(words)) from None
    except SettingsError as error:
        raise BadInput(f"settings cannot be used: {error}") from None


def language_of(given: str, settings: Settings) -> str:
    """Return the language that ``--language`` asks for, or else the one of the settings. Raises `BadInput`."""
    if given not in ("", "en", "fr"):
        raise BadInput("--language is en or fr")
    return given or settings.language


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; Ctrl-C and SIGTERM cancel it, and its cleaning up is waited for (exit codes 130 and 143)."""

    async def guarded() -> T:
        task = asyncio.current_task()
        if task is not None and threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise typer.Exit(128 + signal.SIGTERM) from None
