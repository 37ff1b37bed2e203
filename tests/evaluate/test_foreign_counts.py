"""The exams on counts over folders that others made: the same figures however they are written, or a sentence that says what to mend."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from streams.errors import BadInput
from streams.evaluate.counts_data import read_profiles, read_series
from streams.evaluate.volume import evaluate_budget, evaluate_volume

BEGIN = datetime(2015, 3, 1, tzinfo=UTC)


def stamp(row: int) -> str:
    """Return the time of a row, five minutes after the one before."""
    return f"{BEGIN + timedelta(minutes=5 * row):%Y-%m-%d %H:%M:%S}"


def counts(seed: int, rows: int = 4000, burst: int = 3000) -> list[tuple[str, int]]:
    """Return two weeks of about ten mentions in five minutes with one burst of an hour."""
    random = Random(seed)
    return [(stamp(row), random.randrange(7, 14) + (200 if burst <= row < burst + 12 else 0)) for row in range(rows)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two series with a window each, around their burst."""
    place = tmp_path / "counts"
    place.mkdir()
    for number in (1, 2):
        lines = ["timestamp,value", *(f"{time},{value}" for time, value in counts(number))]
        (place / f"s{number}.csv").write_text("\n".join(lines) + "\n")
    windows = {f"s{number}.csv": [[stamp(2990), stamp(3050)]] for number in (1, 2)}
    (place / "windows.json").write_text(json.dumps(windows))
    return place


def lines_of(folder: Path) -> list[str]:
    """Return the lines of the first series."""
    return (folder / "s1.csv").read_text().splitlines()


def test_bursts_inside_their_windows_are_a_full_score(folder: Path) -> None:
    """Both bursts ring, in the first third of their windows, and nothing else does: at least 90 of 100."""
    found = evaluate_volume([folder])
    assert found["windows"] == {"total": 2, "hit": 2}
    assert found["standard"] > 90
    # A day is long enough to hold the burst still, once the hour is over.
    assert sum(row["false_alarms"] for row in found["series"]) <= 2
    # 4,000 rows less 600 that are not judged and a window of 61, of five minutes, twice.
    assert found["brand_days"] == pytest.approx(2 * 3339 * 300 / 86_400, abs=0.01)


def rewritten(change: Callable[[list[str]], bytes]) -> Callable[[Path], Any]:
    """Return what rewrites the first series by its lines."""
    return lambda folder: (folder / "s1.csv").write_bytes(change(lines_of(folder)))


def zipped(folder: Path) -> None:
    """Zip the first series."""
    (folder / "s1.csv.gz").write_bytes(gzip.compress((folder / "s1.csv").read_bytes()))
    (folder / "s1.csv").unlink()


def columns(line: str) -> str:
    """Put a column between and turn the two around."""
    time, value = line.split(",")
    return f"{value},{'more' if value == 'value' else 'x'},{time}"


def zoned(line: str) -> str:
    """Write the time in another zone."""
    time, value = line.split(",")
    if value == "value":
        return line
    moment = datetime.fromisoformat(time).replace(tzinfo=UTC) + timedelta(hours=2)
    return f"{moment:%Y-%m-%dT%H:%M:%S}+02:00,{value}"


def longer(folder: Path) -> None:
    """Write the labels as the whole benchmark has them."""
    labels = json.loads((folder / "windows.json").read_text())
    (folder / "windows.json").write_text(json.dumps({f"tweets/{name}": spans for name, spans in labels.items()} | {"a/b.csv": []}))


SAME: dict[str, Callable[[Path], Any]] = {
    "crlf and a byte order mark": rewritten(lambda lines: b"\xef\xbb\xbf" + "\r\n".join(lines).encode()),
    "another order of columns": rewritten(lambda lines: "\n".join(map(columns, lines)).encode()),
    "another order of rows": rewritten(lambda lines: "\n".join([lines[0], *reversed(lines[1:])]).encode()),
    "another zone": rewritten(lambda lines: "\n".join(map(zoned, lines)).encode()),
    "empty lines and quotes": rewritten(lambda lines: "\n\n".join('"' + line.replace(",", '","') + '"' for line in lines).encode()),
    "gzip": zipped,
    "other files beside": lambda folder: [(folder / name).write_bytes(b"\xff\x00") for name in (".DS_Store", "README.txt", "._s1.csv")],
    "labels as the whole benchmark has them": longer,
}  # fmt: skip


@pytest.mark.parametrize("change", list(SAME))
def test_what_a_file_looks_like_changes_nothing(folder: Path, change: str) -> None:
    """The figures are the same, to the last digit."""
    before = evaluate_volume([folder])
    SAME[change](folder)
    assert evaluate_volume([folder]) == before


def test_the_folders_name_and_a_link_change_nothing(folder: Path, tmp_path: Path) -> None:
    """A link under another name gives the same."""
    before = evaluate_volume([folder])
    (tmp_path / "nab_tweets_b").symlink_to(folder)
    assert evaluate_volume([tmp_path / "nab_tweets_b"]) == before


def text(name: str, content: str | bytes) -> Callable[[Path], Any]:
    """Return what writes one file of the folder."""
    return lambda folder: (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def swapped(row: int, line: str) -> Callable[[Path], Any]:
    """Return what replaces one line of the first series."""
    return rewritten(lambda lines: "\n".join([*lines[:row], line, *lines[row + 1 :]]).encode("latin-1"))


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no labels": (lambda folder: (folder / "windows.json").unlink(), r"windows\.json is missing"),
    "labels that are no JSON": (text("windows.json", '{"s1.csv": [\n'), r"windows\.json, line 2"),
    "labels that are a list": (text("windows.json", "[]"), "must be an object"),
    "a window of one date": (text("windows.json", '{"s1.csv": [["2015-03-03"]]}'), r"window of s1\.csv must be"),
    "a window that ends before it starts": (text("windows.json", '{"s1.csv": [["2015-03-03", "2015-03-02"]]}'), "two dates in order"),
    "windows that overlap": (
        text("windows.json", '{"s1.csv": [["2015-03-02", "2015-03-04"], ["2015-03-03", "2015-03-05"]]}'),
        r"two windows of s1\.csv overlap",
    ),
    "an empty file": (text("s1.csv", ""), r"s1\.csv is empty; its first line names the columns timestamp, value"),
    "a header alone": (text("s1.csv", "timestamp,value\n"), "at least two"),
    "one time only": (text("s1.csv", "timestamp,value\n2015-03-01,1\n2015-03-01,2\n"), "at least two"),
    "counts by day": (text("s1.csv", "timestamp,value\n2015-03-01,1\n2015-03-02,2\n"), "more than an hour"),
    "no column": (text("s1.csv", "time,value\n"), r"s1\.csv, line 1: no column timestamp"),
    "nan": (swapped(7, f"{stamp(6)},nan"), r"s1\.csv, line 8: value must be 0 or more"),
    "minus one": (swapped(7, f"{stamp(6)},-1"), r"line 8: value must be 0 or more"),
    "no number": (swapped(7, f"{stamp(6)},many"), "line 8: value is no number"),
    "no date": (swapped(7, "soon,3"), "line 8: timestamp is no date"),
    "a row's number for a date": (swapped(7, "7,3"), "line 8: timestamp is no date"),
    "a year that is none of its": (swapped(7, "9999-12-31 23:59:59,3"), "line 8: more than a year"),
    "a year long ago": (swapped(7, "1971-01-01,3"), "line 8: more than a year"),
    "a cell too few": (swapped(7, stamp(6)), "line 8: 1 cells, where the first line names 2"),
    "no UTF-8": (swapped(7, "\xe9,3"), "line 8: not UTF-8"),
    "a quote without end": (swapped(7, f'"{stamp(6)},3'), "line 8: a quote is opened here"),
    "a file twice": (lambda folder: (folder / "s1.csv.gz").write_bytes(b""), r"s1\.csv and s1\.csv\.gz"),
    "a cut gzip": (lambda folder: (folder / "s3.csv.gz").write_bytes(gzip.compress(b"timestamp,value\n" + bytes(99))[:-12]), "damaged"),
    "profiles without weights": (text("profiles.json", '{"standard": {}}'), "needs a CostMatrix"),
}


@pytest.mark.parametrize("what", list(WRONG))
def test_what_is_wrong_is_said_with_file_and_line(folder: Path, what: str) -> None:
    """Nothing is guessed, and nothing is left out in silence."""
    change, words = WRONG[what]
    change(folder)
    with pytest.raises(BadInput, match=words):
        evaluate_volume([folder])


def test_what_is_left_out_is_said(folder: Path) -> None:
    """Windows outside the rows, labels of other series, and series without labels are told."""
    said: list[str] = []
    labels = {"s1.csv": [[stamp(2990), stamp(3050)], ["2016-01-01", "2016-01-02"]], "gone.csv": []}
    (folder / "windows.json").write_text(json.dumps(labels))
    series = read_series([folder], said.append)
    assert [len(one.windows) for one in series] == [1, 0]
    assert any("1 of its 2 windows lie outside" in line for line in said)
    assert any("labels of 1 series that are not there" in line for line in said)
    assert any("s2.csv: windows.json does not name it" in line for line in said)


def test_one_series_has_no_interval_and_no_window_no_score(folder: Path) -> None:
    """What cannot be known is nan, which JSON carries as null; false alarms are counted all the same."""
    (folder / "s2.csv").unlink()
    found = evaluate_volume([folder])
    assert found["standard"] > 90
    assert found["standard_low"] != found["standard_low"]
    (folder / "windows.json").write_text("{}")
    found = evaluate_volume([folder])
    assert found["standard"] != found["standard"]
    assert found["best_threshold"] == {"standard": None, "value": None}
    assert found["false_alarms_per_brand_day"] > 0.0


def test_a_series_all_window_has_no_rate(folder: Path) -> None:
    """Where no row lies outside windows there is no time to count false alarms in."""
    (folder / "s2.csv").unlink()
    (folder / "windows.json").write_text(json.dumps({"s1.csv": [[stamp(0), stamp(9999)]]}))
    assert evaluate_volume([folder])["false_alarms_per_brand_day"] is None
    assert {row["ratio"] for row in evaluate_budget([folder])["rows"]} == {None}


def test_labels_do_not_reach_the_run(folder: Path) -> None:
    """Without labels and with labels that lie elsewhere the same alarms ring."""
    (folder / "windows.json").write_text(json.dumps({"s1.csv": [[stamp(3900), stamp(3950)]], "s2.csv": []}))
    elsewhere = [row["false_alarms"] for row in evaluate_volume([folder])["series"]]
    (folder / "windows.json").write_text("{}")
    assert [row["false_alarms"] for row in evaluate_volume([folder])["series"]] == elsewhere
    assert min(elsewhere) >= 1


def test_profiles_that_differ_are_not_mixed(folder: Path, tmp_path: Path) -> None:
    """A profile that a folder lacks is the benchmark's own; two that differ are refused."""
    matrix = {"standard": {"CostMatrix": {"tpWeight": 1, "fnWeight": 1, "fpWeight": 0.5}}, "mine": {}}
    (folder / "profiles.json").write_text(json.dumps(matrix))
    profiles = read_profiles([folder])
    assert profiles["standard"].false_alarm == 0.5
    assert profiles["reward_low_FN_rate"].miss == 2.0
    other = tmp_path / "other"
    other.mkdir()
    matrix["standard"]["CostMatrix"]["fpWeight"] = 0.1
    (other / "profiles.json").write_text(json.dumps(matrix))
    with pytest.raises(BadInput, match="differently"):
        read_profiles([folder, other])


def test_two_folders_may_hold_series_of_one_name(folder: Path, tmp_path: Path) -> None:
    """Published scores belong to the series of their own folder, and to the rows that they were made for."""
    scores = folder / "published_anomaly_scores"
    (scores / "other").mkdir(parents=True)
    (scores / "thresholds.json").write_text('{"other": {"standard": {"threshold": 0.5}}}')
    for number in (1, 2):
        lines = ["timestamp,anomaly_score", *(f"{time},{int(value > 100)}" for time, value in counts(number))]
        (scores / "other" / f"other_s{number}.csv").write_text("\n".join(lines))
    assert evaluate_volume([folder])["published"]["other"]["standard"] > 80
    (folder / "s1.csv").write_text("\n".join(lines_of(folder)[:-5]))
    said: list[str] = []
    assert evaluate_volume([folder], say=said.append)["published"] == {}
    assert any("other is left out" in line for line in said)
