"""Reports of exams."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.main import app
from streams.evaluate.report import report

VOLUME = {
    "standard": 75.0, "standard_low": 60.0, "standard_high": 90.0, "reward_low_FP_rate": 70.0, "reward_low_FN_rate": 80.0,
    "published": {"<b>bold</b>": {"standard": 68.0}}, "series": [{"name": "<script>alert(1)</script>", "standard": 41.0}],
}  # fmt: skip


class Tags(HTMLParser):
    """Counts tags, and notes every address that a page would ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.asked += [value or "" for name, value in attrs if name in ("src", "href")]


def test_names_from_data_are_escaped_and_nothing_is_asked_of_the_network() -> None:
    """A series or a detector with a hostile name is text; the page is whole in itself."""
    found = Tags()
    found.feed(report("volume", VOLUME, ["<i>folder</i>"]))
    assert "script" not in found.tags
    assert "b" not in found.tags
    assert not found.asked
    assert found.tags["svg"] == 3


def test_intervals_stand_beside_their_figure() -> None:
    """A figure with an interval is one row; its bounds are no rows of their own."""
    page = report("volume", VOLUME, ["x"])
    assert "75 (60 to 90)" in page
    assert "standard_low" not in page


def test_the_report_is_written_where_it_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--report FILE`` writes the page beside what is printed; a place that cannot be written is named."""
    monkeypatch.setattr("streams.cli.evaluate._run", lambda exam, folders: VOLUME)
    out = tmp_path / "volume.html"
    assert CliRunner().invoke(app, ["evaluate", "volume", str(tmp_path), "--report", str(out)]).exception is None
    assert "veille evaluate volume" in out.read_text("utf-8")
    result = CliRunner().invoke(app, ["evaluate", "volume", str(tmp_path), "--report", str(tmp_path / "no" / "out.html")])
    assert "cannot write" in str(result.exception)
