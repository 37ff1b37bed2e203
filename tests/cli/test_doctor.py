"""The doctor finds what would go wrong, and says the mend."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from schemas.cloudevents import header_maker
from schemas.signal import Signal
from schemas.topics import load_topics
from streams.cli.connection import producer
from streams.cli.doctor import EQUAL, Check, check_feeds, check_settings, check_topics
from streams.cli.main import app
from streams.cli.topics import wanted
from streams.engine.connection import no_broker
from streams.engine.embedded import EmbeddedBroker
from streams.engine.stage import InputRecord
from streams.engine.topics import partition_counts
from streams.errors import Mended, Unreachable
from streams.settings import Settings
from tests.stories.road import story_settings


def test_the_known_author_key_is_a_warning() -> None:
    """Hashing authors with the shipped key is pointed out; a key of one's own is not."""
    assert [check.level for check in check_settings(Settings()) if check.name == "author key"] == ["warning"]
    mended = Settings(enrich={"author_key": "a secret of our own"})
    assert not [check for check in check_settings(mended) if check.name == "author key"]


def test_an_unknown_stage_is_wrong() -> None:
    """A stage that does not exist would silently not run: it is named."""
    (check,) = (check for check in check_settings(Settings(stages="enrich,detekt")) if check.name == "stages")
    assert check.level == "wrong"
    assert "detekt" in check.word


def test_an_unsigned_webhook_is_wrong() -> None:
    """A webhook without a secret would post unsigned."""
    settings = Settings(respond={"webhook_url": "https://example.org/hook"})
    assert "wrong" in [check.level for check in check_settings(settings) if check.name == "webhook"]


def test_a_cell_that_cannot_be_told_is_wrong(tmp_path: Path) -> None:
    """Playbooks and routes that stop a worker are found before it starts, with line and mend."""
    (tmp_path / "plan.yaml").write_text("id: p\ntitel: t\n")
    (tmp_path / "routes.yaml").write_text("routes:\n  - {name: a, format: fax}\n")
    settings = Settings(respond={"playbooks": str(tmp_path), "routes": str(tmp_path / "routes.yaml")})
    found = {check.name: check for check in check_settings(settings)}
    assert (found["playbooks"].level, found["routes"].level) == ("wrong", "wrong")
    assert "plan.yaml, line 2" in found["playbooks"].word
    assert {check.level for check in check_settings(Settings()) if check.name in ("playbooks", "routes")} == {"ok"}


def test_missing_topics_and_unequal_counts_are_wrong() -> None:
    """A brand must have the same partition in every topic that its key leads to."""
    settings = Settings(run="try")
    counts = {settings.topic(want.name): want.partitions for want in wanted(settings)}
    assert {check.level for check in check_topics(settings, counts)} == {"ok"}
    assert [check.level for check in check_topics(settings, {})] == ["wrong"]
    counts[settings.topic(EQUAL[1])] += 1
    assert [check.name for check in check_topics(settings, counts) if check.level == "wrong"] == ["partitions"]


def test_topics_follow_the_settings() -> None:
    """Partitions without a number in the file are those of the settings, changelogs as their input."""
    found = {want.name: want for want in wanted(Settings(partitions=7, group="g"))}
    assert found["mentions.raw"].partitions == 7
    assert found["watchlist"].partitions == 1
    assert found["g-detect-changelog"].partitions == 7
    assert found["g-detect-changelog"].config["cleanup.policy"] == "compact"
    assert found["crisis.events"].config["retention.ms"] == str(1095 * 86_400_000)


def _signals(*signals: Signal) -> list[InputRecord]:
    return [
        InputRecord(place, 0, signal.brand.encode(), msgspec.json.encode(signal), header_maker("veille.signal")("x", signal.brand, ""))
        for place, signal in enumerate(signals)
    ]


def test_feeds_that_are_silent_or_suspect_are_named() -> None:
    """The latest signal of each brand counts: what is over is not told, and nobody's text reaches the terminal as it stands."""
    at = 1_772_439_300_000
    found = check_feeds(
        _signals(
            Signal(brand="a", seq=1, at_ms=at, kind="suspect_feed", suspect={"ven\x1b[31mdor": at}),
            Signal(brand="b", seq=4, at_ms=at, kind="suspect_feed", suspect={"ven\x1b[31mdor": at - 60_000}, blind={"press": at}),
            Signal(brand="c", seq=1, at_ms=at, kind="suspect_feed", suspect={"old": at}),
            Signal(brand="c", seq=2, at_ms=at, kind="suspect_feed"),
        )
    )
    assert [(check.name, check.level) for check in found] == [("feeds", "warning"), ("feeds", "warning")]
    assert "(2 brands)" in found[0].word
    assert "2026-03-02T08:14:00" in found[0].word
    assert "\x1b" not in found[0].word
    assert "old" not in found[0].word
    assert found[1].word.startswith("silent: press since 2026-03-02T08:15:00")
    assert [check.level for check in check_feeds(_signals(Signal(brand="a", seq=1, at_ms=at)))] == ["ok"]


async def test_the_doctor_reads_the_end_of_the_signals(embedded_broker: str) -> None:
    """From a broker that has signals the last of each partition are looked at."""
    settings = story_settings(embedded_broker, "doctor")
    await partition_counts(settings, list(load_topics()))
    signal = Signal(brand="acme", seq=3, at_ms=1_772_439_300_000, kind="suspect_feed", suspect={"vendor": 1_772_439_300_000})
    async with producer(settings) as writer:
        for record in _signals(signal):
            await writer.send_and_wait(settings.topic("brand.signals"), record.value, key=record.key, headers=list(record.headers))
    shown = await asyncio.to_thread(CliRunner().invoke, app, ["doctor", "--broker", embedded_broker, "--run", "doctor"])
    assert "feeds" in shown.stdout
    assert "suspect: vendor since 2026-03-02T08:15:00" in shown.stdout


@pytest.mark.parametrize(
    ("said", "word", "mend"),
    [
        (no_broker("a;b:1; c"), "no Kafka answers at a;b:1; c", "start one (make kafka) or set --broker / VEILLE_BROKER"),
        ("k:1 does not offer PLAIN: set it; twice", "k:1 does not offer PLAIN: set it; twice", ""),
    ],
)
def test_what_a_broker_says_is_not_cut_at_its_signs(monkeypatch: pytest.MonkeyPatch, said: str | Mended, word: str, mend: str) -> None:
    """The mend stands apart where the error has it apart, whatever signs an address or a sentence holds."""

    async def away(settings: Settings) -> list[Check]:
        raise Unreachable(said)

    monkeypatch.setattr("streams.cli.doctor._check_broker", away)
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 3
    assert msgspec.json.decode(done.stdout.splitlines()[-1]) == {"name": "broker", "level": "wrong", "word": word, "mend": mend}


def test_topics_of_the_embedded_broker_are_taken_as_it_makes_them() -> None:
    """Who tries Veille applies the topics and is told of no mend, the second time and after a worker made them too."""
    with EmbeddedBroker() as broker:
        first, second = (CliRunner().invoke(app, ["topics", "apply", "--broker", broker.bootstrap]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "watchlist: created, 4 partitions" in first.stdout
    assert "watchlist: there, 4 partitions" in second.stdout
