"""The exam on rumours: both formats, order of time, refusals, and the shipped weights on real claims."""

from __future__ import annotations

import csv
import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from streams.claims import CUES, in_doubt, weights
from streams.enrich.features import TextReader
from streams.errors import BadInput
from streams.evaluate.rumour import evaluate_rumour, heard, read_claims

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def threads(folder: Path, count: int = 12) -> Path:
    """Write threads: every second one is doubted by its replies, which the file holds in another order than time."""
    folder.mkdir(parents=True)
    posts, structures, labels = {}, {}, []
    for number in range(count):
        root = f"t{number}"
        posts[root] = {"time": 100.0, "text": f"Something happened at place {number}"}
        inner: dict[str, Any] = {}
        for reply in range(8):
            text = "is this true? it is not true, a hoax" if number % 2 else "so sorry to read this today"
            posts[f"{root}-{reply}"] = {"time": 200.0 - reply, "text": f"{text} {reply}"}
            inner[f"{root}-{reply}"] = []
        structures[root] = {root: inner}
        labels.append(("0", "12"[number // 2 % 2])[number % 2])
    (folder / "posts.json").write_text(json.dumps(posts))
    (folder / "structures.json").write_text(json.dumps(structures))
    (folder / "thread_id.txt").write_text("\n".join(structures))
    (folder / "thread_label.txt").write_text("\n".join(labels))
    return folder


def cascades(folder: Path) -> Path:
    """Write cascades with Chinese texts; rumours are called so from the third repost on."""
    folder.mkdir(parents=True)
    rows: list[list[object]] = [["cascade_id", "t_s", "mid", "parent_mid", "user_hash", "text"]]
    for number in range(10):
        for event in range(8):
            text = "这是谣言吧？" if number % 2 and event >= 2 else "转发微博"
            rows.append([f"c{number}", 10 * event, f"m{event}", "", f"u{event}", text])
    with gzip.open(folder / "reposts.csv.gz", "wt", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    with (folder / "cascades.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(
            [["cascade_id", "label", "text"], *([f"c{i}", "rumor" if i % 2 else "nonrumor", "消息"] for i in range(10))]
        )
    return folder


def test_doubt_rises_with_each_cue_and_with_evidence() -> None:
    """Each cue speaks for doubt, more of it more so, and no weight speaks against it."""
    assert weights().measured_on
    assert all(weight >= 0.0 for weight in weights().weights)
    for cue in CUES:
        assert in_doubt({}, 20) <= in_doubt({cue: 2}, 20) <= in_doubt({cue: 10}, 20)
    assert 0.35 < in_doubt({}, 1) < 0.55


def test_replies_are_heard_in_the_order_of_time(tmp_path: Path) -> None:
    """The earliest reply comes first, whatever the file's order, and a claim has only the counts that it reached."""
    claim = read_claims([threads(tmp_path / "t")])[1]
    assert claim.texts[1].endswith("7")
    assert set(heard(claim, TextReader())) == {1, 5}


def test_both_formats_are_pooled(tmp_path: Path) -> None:
    """Threads and cascades in one exam: doubted claims are told from others by five reactions, false and unverified alike."""
    found = evaluate_rumour([threads(tmp_path / "t"), cascades(tmp_path / "c")])
    five = found["reactions"]["5"]
    assert five["n"] == 22
    assert five["macro_f1"] == 100.0
    assert five["macro_f1_low"] <= five["macro_f1"] <= five["macro_f1_high"]
    assert 0.0 <= five["calibration_error"] <= 0.5
    assert found["reactions"]["20"]["n"] == 0
    assert math.isnan(found["reactions"]["20"]["macro_f1"])


def test_other_folders_are_refused(tmp_path: Path) -> None:
    """A folder in neither format, a broken file and an unknown label each get a clear word."""
    with pytest.raises(BadInput, match="neither"):
        read_claims([tmp_path])
    broken = threads(tmp_path / "b")
    (broken / "thread_label.txt").write_text("0\n")
    with pytest.raises(BadInput, match="threads"):
        read_claims([broken])
    odd = cascades(tmp_path / "o")
    (odd / "cascades.csv").write_text("cascade_id,label,text\nc1,perhaps,x\n")
    with pytest.raises(BadInput, match="perhaps"):
        read_claims([odd])


@pytest.mark.skipif(not DATA.exists(), reason="the public claims are not here")
def test_more_reactions_tell_more_on_real_claims() -> None:
    """On Weibo twenty reactions tell more than one, and more than chance."""
    found = evaluate_rumour([DATA / "weibo_cascades"])["reactions"]
    assert found["20"]["macro_f1_low"] > found["1"]["macro_f1"] > 45.0
