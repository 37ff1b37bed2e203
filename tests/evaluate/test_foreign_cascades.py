"""The exams on cascades and claims over folders that others made, and their figures by other reckonings."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from streams.cli.evaluate import known
from streams.errors import BadInput
from streams.evaluate.cascades import evaluate_cascades
from streams.evaluate.cascades_data import read_cascades
from streams.evaluate.resample import auc, bootstrap
from streams.evaluate.rumour import evaluate_rumour

HEAD = ["cascade_id", "t_s", "mid", "parent_mid", "user_hash", "text"]
Change = Callable[[Path], Any]


def table(rows: list[list[Any]]) -> bytes:
    """Return rows as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def events() -> list[list[Any]]:
    """Return 45 cascades of 5 to 93 reposts, the faster the larger, many at the same second."""
    random = Random(5)
    rows: list[list[Any]] = []
    for number in range(45):
        for event in range(5 + 2 * number):
            second = int(random.expovariate(1.0) * 40_000 / (1 + number))
            rows.append(
                [f"c{number}", second, f"m{number:02}{event:04}", random.choice(["", "m"]), f"u{random.randrange(99)}", "一\n假的, 二"]
            )
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in Weibo's format, every second claim in doubt."""
    place = tmp_path / "made"
    place.mkdir()
    about: list[list[Any]] = [["cascade_id", "label", "text"]]
    about += [[f"c{number}", "rumor" if number % 2 else "nonrumor", "网传"] for number in range(45)]
    (place / "cascades.csv").write_bytes(table(about))
    (place / "reposts.csv").write_bytes(table([HEAD, *events()]))
    return place


def turned(rows: list[list[Any]]) -> list[list[Any]]:
    """Return the rows with their columns in another order and one more."""
    return [[*reversed(row), "more"] for row in rows]


def zipped(folder: Path) -> None:
    """Zip the reactions."""
    (folder / "reposts.csv.gz").write_bytes(gzip.compress((folder / "reposts.csv").read_bytes()))
    (folder / "reposts.csv").unlink()


SAME: dict[str, Change] = {
    "rows in another order": lambda folder: (folder / "reposts.csv").write_bytes(table([HEAD, *reversed(events())])),
    "columns in another order": lambda folder: (folder / "reposts.csv").write_bytes(table(turned([HEAD, *events()]))),
    "crlf and a byte order mark": lambda folder: (folder / "cascades.csv").write_bytes(
        b"\xef\xbb\xbf" + (folder / "cascades.csv").read_bytes().replace(b"\n", b"\r\n")
    ),
    "gzip": zipped,
    "rows of nobody and before the root": lambda folder: (folder / "reposts.csv").write_bytes(
        table([HEAD, ["zz", 1, "m", "", "u", ""], ["c1", -5, "m", "", "u", ""], *events()])
    ),
    "files of the system": lambda folder: (folder / ".DS_Store").write_bytes(b"\0\xff"),
}


@pytest.mark.parametrize("change", list(SAME))
def test_what_a_folder_looks_like_changes_nothing(folder: Path, change: str) -> None:
    """Both exams that read cascades give the same, to the last digit."""
    before = known([evaluate_cascades([folder]), evaluate_rumour([folder])])
    SAME[change](folder)
    assert known([evaluate_cascades([folder]), evaluate_rumour([folder])]) == before


def test_a_link_under_another_name_changes_nothing(folder: Path) -> None:
    """The name of a folder says nothing of its cascades."""
    (folder.parent / "twitter16_cascades").symlink_to(folder)
    assert known(evaluate_cascades([folder.parent / "twitter16_cascades"])) == known(evaluate_cascades([folder]))


def test_what_is_left_out_is_said(folder: Path) -> None:
    """Rows of unknown cascades, rows from before the root and cascades without reactions are counted on stderr."""
    said: list[str] = []
    SAME["rows of nobody and before the root"](folder)
    with (folder / "cascades.csv").open("a") as stream:
        stream.write("silent,rumor,x\n")
    read_cascades([folder], say=said.append)
    assert len(said) == 3
    assert "1 rows of cascades that" in said[0]
    assert "1 rows from before their root" in said[1]
    assert "1 of 46 cascades have no reaction" in said[2]


def put(name: str, rows: list[list[Any]]) -> Change:
    """Return what writes one CSV."""
    return lambda folder: (folder / name).write_bytes(table(rows))


WRONG: dict[str, tuple[Change, str]] = {
    "a delay that is none": (put("reposts.csv", [HEAD, ["c1", "soon", "m", "", "u", ""]]), r"reposts\.csv, line 2: t_s is no number"),
    "a delay without end": (put("reposts.csv", [HEAD, ["c1", "inf", "m", "", "u", ""]]), "line 2: t_s must be a finite number"),
    "a row too short, after a text of two lines": (
        put("reposts.csv", [HEAD, ["c1", 1, "m", "", "u", "a\nb"], ["c1", 2]]), "line 4: 2 cells, where the first line names 6"
    ),
    "another label": (put("cascades.csv", [["cascade_id", "label"], ["c1", "rumor"], ["c1", "nonrumor"]]), "line 3: this cascade"),
    "no reactions": (lambda folder: (folder / "reposts.csv").write_bytes(b""), r"reposts\.csv is empty"),
    "no file of reactions": (lambda folder: (folder / "reposts.csv").unlink(), r"reshares\.csv is missing"),
    "both kinds of reactions": (put("reshares.csv", [HEAD]), "holds reshares and reposts"),
    "no cascade at all": (put("cascades.csv", [["cascade_id", "label"]]), "no cascade with any reaction"),
    "too few": (put("cascades.csv", [["cascade_id", "label"], ["c1", "rumor"]]), "too few"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRONG))
def test_what_is_wrong_is_said_with_file_and_line(folder: Path, what: str) -> None:
    """No traceback, and nothing left out in silence."""
    change, words = WRONG[what]
    change(folder)
    with pytest.raises(BadInput, match=words):
        evaluate_cascades([folder])


def test_cascades_that_stay_small_have_no_figures_for_later_events(folder: Path) -> None:
    """Where none has fifty events the figures of the fiftieth are null, and the others stand; one event is a cascade."""
    small = [row for row in events() if int(row[2][3:]) < 12]
    (folder / "reposts.csv").write_bytes(table([HEAD, *small, ["c1", 9, "m", "", "u", ""]]))
    found = known(evaluate_cascades([folder]))
    assert found["events"]["50"]["n"] == 0
    assert {value for name, value in found["events"]["50"].items() if name != "n"} == {None}
    assert found["minutes"]["60"]["n"] == 45
    (folder / "reposts.csv").write_bytes(table([HEAD, *([f"c{number}", 9, "m", "", "u", ""] for number in range(45))]))
    found = known(evaluate_cascades([folder]))
    assert found["minutes"]["60"]["auc"] is None, "all end at the same size: nobody is in the top tenth alone"
    assert 0.0 <= found["interval_90_coverage"] <= 1.0


def test_folders_of_one_name_are_not_mixed(folder: Path, tmp_path: Path) -> None:
    """Two folders with the same last name are two sets: only cascades of one are compared."""
    other = tmp_path / "b" / "made"
    other.mkdir(parents=True)
    for file in folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    (other / "reposts.csv").write_bytes(table([HEAD, *([*row[:1], 50 * row[1], *row[2:]] for row in events())]))
    apart = [evaluate_cascades([one])["minutes"]["60"]["count_auc"] for one in (folder, other)]
    assert evaluate_cascades([folder, other])["minutes"]["60"]["count_auc"] == pytest.approx(np.mean(apart), abs=1e-4)


def test_labels_do_not_reach_the_reading(folder: Path) -> None:
    """With every label turned round each claim gets the same number: the ranks turn round, and nothing else."""
    before = evaluate_rumour([folder])["reactions"]["5"]
    text = (folder / "cascades.csv").read_text()
    (folder / "cascades.csv").write_text(text.replace("nonrumor", "X").replace("rumor", "nonrumor").replace("X", "rumor"))
    after = evaluate_rumour([folder])["reactions"]["5"]
    assert after["auc"] == pytest.approx(1.0 - before["auc"])
    assert after["base"] == pytest.approx(1.0 - before["base"], abs=1e-4)


def test_claims_of_one_class_have_no_auc(folder: Path) -> None:
    """All in doubt: the share is 1 and there is no AUC."""
    (folder / "cascades.csv").write_text((folder / "cascades.csv").read_text().replace("nonrumor", "rumor"))
    found = known(evaluate_rumour([folder]))["reactions"]["5"]
    assert (found["base"], found["auc"]) == (1.0, None)
    assert found["macro_f1"] is not None


def threads(place: Path) -> Path:
    """Write two threads, the second with a reply."""
    place.mkdir()
    posts = {"a": {"time": 10.0, "text": "x"}, "b": {"time": "2014-08-09T17:30:14Z", "text": "y"}, "c": {"time": 12, "text": "fake?"}}
    (place / "posts.json").write_text(json.dumps(posts))
    (place / "structures.json").write_text(json.dumps({"a": {"a": []}, "b": {"b": {"c": [], "gone": []}}}))
    (place / "thread_id.txt").write_text("a\nb\n")
    (place / "thread_label.txt").write_text("0\n2\n")
    return place


THREADS: dict[str, tuple[str, str, str]] = {
    "a label too few": ("thread_label.txt", "0\n", "names 2 threads, thread_label.txt holds 1 labels"),
    "a label of its own": ("thread_label.txt", "0\n3\n", "label 2: a label is 0"),
    "a thread twice": ("thread_id.txt", "a\na\n", "thread 2: it stands above"),
    "a thread of nobody": ("thread_id.txt", "a\nz\n", "structures.json|posts.json lacks thread 2"),
    "a post without a text": ("posts.json", '{"a": {"time": 1}, "b": {"time": 2, "text": "y"}}', "a post needs a text"),
    "no JSON": ("posts.json", "{\n,", r"posts\.json, line 2: no JSON"),
    "a list": ("posts.json", "[]", "must be objects"),
}


@pytest.mark.parametrize("what", list(THREADS))
def test_threads_that_do_not_fit_are_told(tmp_path: Path, what: str) -> None:
    """Each gets a sentence."""
    name, content, words = THREADS[what]
    place = threads(tmp_path / "t")
    (place / name).write_text(content)
    with pytest.raises(BadInput, match=words):
        evaluate_rumour([place])


def test_one_claim_with_a_reply_has_no_interval(tmp_path: Path) -> None:
    """A single sample has a figure, and no bounds; replies without a text are told."""
    said: list[str] = []
    found = known(evaluate_rumour([threads(tmp_path / "t")], say=said.append))["reactions"]
    assert (found["1"]["n"], found["5"]["n"]) == (1, 0)
    assert found["1"]["macro_f1_low"] is None
    assert found["5"]["macro_f1"] is None
    assert any("1 replies" in line for line in said)


def test_auc_and_its_interval_by_another_reckoning() -> None:
    """The AUC is the share of pairs in the right order; the paired bootstrap has the width of DeLong's variance."""
    random = np.random.default_rng(2)
    yes = random.random(300) < 0.3
    scores = np.round(random.normal(size=300) + yes, 1)
    above = scores[yes][:, None] - scores[~yes][None, :]
    pairs = (above > 0) + 0.5 * (above == 0)
    assert auc(scores, yes) == pytest.approx(pairs.mean())
    other = np.round(scores + random.normal(size=300), 1)
    low, high = bootstrap(300, lambda draw: auc(scores[draw], yes[draw]) - auc(other[draw], yes[draw]), rounds=1500)
    theirs = other[yes][:, None] - other[~yes][None, :]
    difference = pairs - ((theirs > 0) + 0.5 * (theirs == 0))
    error = math.sqrt(difference.mean(axis=1).var(ddof=1) / yes.sum() + difference.mean(axis=0).var(ddof=1) / (~yes).sum())
    assert high - low == pytest.approx(2 * 1.645 * error, rel=0.15)
    assert low < difference.mean() < high
