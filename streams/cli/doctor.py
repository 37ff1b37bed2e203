"""``veille doctor``: checks settings, broker and topics, and says the mend."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from streams.cli.options import Broker, Json, Run, load_settings, run_async
from streams.engine.stage import Record
from streams.errors import BadInput, VeilleError
from streams.plurals import counted
from streams.respond.settings import RespondSettings
from streams.settings import Settings, variables

HELP = """Check settings, broker and topics; each line says what holds and what to mend.

Example: veille doctor --broker kafka:9092

Exit codes: 0 everything holds; 1 a check does not hold; 3 no broker; 4 bad settings."""

#: These share a brand's key: a brand must have the same partition in each.
EQUAL = ("mentions.enriched", "brand.signals", "crisis.commands", "crisis.events")


class Check(NamedTuple):
    """One check: ``level`` is ok, warning or wrong; ``mend`` says what to do."""

    name: str
    level: str
    word: str
    mend: str = ""


def command(broker: Broker = None, run: Run = None, json: Json = False) -> None:
    """Run all checks and print them."""
    import typer

    from streams.cli.output import emit

    settings = load_settings(broker=broker, run=run)
    checks = check_settings(settings)
    code = 0
    try:
        checks += run_async(_check_broker(settings))
    except VeilleError as error:
        code = error.exit_code
        checks.append(Check("broker", "wrong", error.word, error.mend))
    for check in checks:
        mend = f"  -> {check.mend}" if check.mend else ""
        emit(msgspec.json.encode(check._asdict()) if json else f"{check.level:<8} {check.name:<12} {check.word}{mend}")
    if code:
        raise typer.Exit(code)
    if any(check.level == "wrong" for check in checks):
        raise typer.Exit(1)


def _check_cell(settings: RespondSettings) -> list[Check]:
    """Judge what the cell is told by: playbooks and routes."""
    from streams.respond.playbook import load
    from streams.respond.routes import load_routes

    found = []
    try:
        plans = load(settings.playbooks, settings.language)
        found.append(Check("playbooks", "ok", ", ".join(plan.id for plan in plans)))
    except BadInput as error:
        found.append(Check("playbooks", "wrong", str(error), "veille playbook check names every line to mend"))
    try:
        found.append(Check("routes", "ok", ", ".join(load_routes(settings))))
    except BadInput as error:
        found.append(Check("routes", "wrong", str(error), "see docs/notifications.md"))
    return found


def check_settings(settings: Settings) -> list[Check]:
    """Judge what can be judged without a broker."""
    from streams.enrich.settings import EnrichSettings
    from streams.enrich.watchlist import load_watchlist

    found = [Check("settings", "ok", f"broker {settings.broker}, group {settings.group_id}, stages {settings.stages}")]
    for name, near in misspelt(os.environ):
        found.append(Check("environment", "warning", f"nothing reads {name}", f"did you mean {near}?"))
    known = {"enrich", "detect", "commands", "crisis", "evidence", "respond"}
    unknown = sorted({name.strip() for name in settings.stages.split(",")} - known)
    if unknown:
        found.append(Check("stages", "wrong", f"unknown: {', '.join(unknown)}", f"VEILLE_STAGES takes {', '.join(sorted(known))}"))
    if settings.enrich.author_key == EnrichSettings.model_fields["author_key"].default:
        mend = "set VEILLE_ENRICH__AUTHOR_KEY to a secret of your own; changing it later separates old from new authors"
        found.append(Check("author key", "warning", "author ids are hashed with the key that everybody knows", mend))
    if settings.respond.webhook_url and not settings.respond.webhook_secret:
        found.append(Check("webhook", "wrong", "posts would not be signed", "set VEILLE_RESPOND__WEBHOOK_SECRET (whsec_...)"))
    found += _check_cell(settings.respond)
    if settings.http.host not in ("127.0.0.1", "::1", "localhost"):
        found.append(
            Check("http", "warning", f"/metrics answers on {settings.http.host}", "make sure that only your monitoring reaches it")
        )
    if settings.watchlist:
        try:
            brands = len(load_watchlist(Path(settings.watchlist)).brands)
            found.append(Check("watchlist", "ok", f"{settings.watchlist}: {counted(brands, 'brand')}"))
        except BadInput as error:
            found.append(Check("watchlist", "wrong", str(error), "mend that line"))
    else:
        found.append(Check("watchlist", "ok", "from the topic watchlist (veille watchlist apply FILE)"))
    return found


def misspelt(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return (name, nearest setting) of the environment's names that look like a setting and are none.

    >>> misspelt(["VEILLE_BROKER", "VEILLE_BROKERS", "VEILLE_ENGINE_STALL_SECONDS", "VEILLE_BY", "HOME"])
    [('VEILLE_BROKERS', 'VEILLE_BROKER'), ('VEILLE_ENGINE_STALL_SECONDS', 'VEILLE_ENGINE__STALL_SECONDS')]
    """
    known = {"VEILLE_BY", "VEILLE_ROLE", *variables()}
    found = []
    for name in sorted(name for name in names if name.startswith("VEILLE_") and name.upper() not in known):
        if near := difflib.get_close_matches(name.upper(), sorted(known), 1, 0.9):
            found.append((name, near[0]))
    return found


async def _check_broker(settings: Settings) -> list[Check]:
    from schemas.topics import load_topics
    from streams.cli.connection import consumer, partition_counts
    from streams.cli.doctor_feeds import recent

    async with consumer(settings) as client:
        counts = await partition_counts(client, *map(settings.topic, load_topics()))
        signals = [record async for record in recent(client, settings.topic("brand.signals"))]
    broker = Check("broker", "ok", f"{settings.broker} answers, {len(counts)} topics")
    return [broker, *check_topics(settings, counts), *check_feeds(signals)]


def check_feeds(signals: Iterable[Record]) -> list[Check]:
    """Judge the feeds by the last signals of the brands."""
    from streams.cli.doctor_feeds import feed_words

    suspect, silent = feed_words(signals)
    found = []
    if suspect:
        mend = "many brands are loud on it at once: ask its vendor, see docs/runbooks.md#veillesuspectfeed"
        found.append(Check("feeds", "warning", f"suspect: {suspect}", mend))
    if silent:
        found.append(Check("feeds", "warning", f"silent: {silent}", "nobody watches it: start that source again"))
    return found or [Check("feeds", "ok", "none is silent or suspect, as the brands' last signals tell")]


def check_topics(settings: Settings, counts: dict[str, int]) -> list[Check]:
    """Judge the topics that the broker has: ``counts`` is {broker's name: partitions}."""
    from schemas.topics import load_topics
    from streams.engine.topics import apply_words

    missing = [settings.topic(name) for name in load_topics() if settings.topic(name) not in counts]
    if missing:
        found = [Check("topics", "wrong", f"missing: {', '.join(missing)}", apply_words(settings))]
    else:
        found = [Check("topics", "ok", "all there")]
    equal = {settings.topic(name): counts[settings.topic(name)] for name in EQUAL if settings.topic(name) in counts}
    if len(set(equal.values())) > 1:
        words = ", ".join(f"{name} {count}" for name, count in equal.items())
        mend = "partition counts of these must be equal: a brand would leave its state. Create the odd ones anew, or use --run NAME"
        found.append(Check("partitions", "wrong", words, mend))
    elif equal:
        found.append(Check("partitions", "ok", f"{next(iter(equal.values()))} each"))
    return found
