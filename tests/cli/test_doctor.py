"""The doctor finds what would go wrong, and says the mend."""

from __future__ import annotations

from pathlib import Path

from streams.cli.doctor import EQUAL, check_settings, check_topics
from streams.cli.topics import wanted
from streams.settings import Settings


def test_the_known_author_key_is_a_warning() -> None:
    """Hashing authors with the shipped key is pointed out; a key of one's own is not."""
    assert [check.level for check in check_settings(Settings()) if check.name == "author key"] == ["warning"]
    mended = Settings(enrich={"author_key": "a secret of our own"})  # type: ignore[arg-type]
    assert not [check for check in check_settings(mended) if check.name == "author key"]


def test_an_unknown_stage_is_wrong() -> None:
    """A stage that does not exist would silently not run: it is named."""
    (check,) = (check for check in check_settings(Settings(stages="enrich,detekt")) if check.name == "stages")
    assert check.level == "wrong"
    assert "detekt" in check.word


def test_an_unsigned_webhook_is_wrong() -> None:
    """A webhook without a secret would post unsigned."""
    settings = Settings(respond={"webhook_url": "https://example.org/hook"})  # type: ignore[arg-type]
    assert "wrong" in [check.level for check in check_settings(settings) if check.name == "webhook"]


def test_a_cell_that_cannot_be_told_is_wrong(tmp_path: Path) -> None:
    """Playbooks and routes that stop a worker are found before it starts, with line and mend."""
    (tmp_path / "plan.yaml").write_text("id: p\ntitel: t\n")
    (tmp_path / "routes.yaml").write_text("routes:\n  - {name: a, format: fax}\n")
    settings = Settings(respond={"playbooks": str(tmp_path), "routes": str(tmp_path / "routes.yaml")})  # type: ignore[arg-type]
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
