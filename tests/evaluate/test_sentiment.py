"""The sentiment exam: its figures and its folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from streams.errors import BadInput
from streams.evaluate.sentiment import calibration_error, evaluate_sentiment, macro_f1, macro_recall

TEXTS = ["I hate this, awful", "It is on Monday", "I love it, great!", "worst service ever", "the shop opens at nine", "so happy, thanks"]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "sentiment_umsab"


def _write(folder: Path, split: str, texts: list[str], labels: Sequence[int | str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{split}_text.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    (folder / f"{split}_labels.txt").write_text("\n".join(map(str, labels)) + "\n", encoding="utf-8")


def test_figures_by_hand() -> None:
    """Macro F1 and recall are what they are by hand."""
    labels, guesses = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
    assert macro_f1(labels, guesses) == pytest.approx(100 * (2 / 3 + 2 / 3 + 1) / 3)
    assert macro_recall(labels, guesses) == pytest.approx(100 * (0.5 + 1 + 1) / 3)


def test_perfect_certainty_has_no_calibration_error() -> None:
    """A model that is sure and right is calibrated; one that is sure and wrong is off by all."""
    sure = np.eye(3)
    assert calibration_error(np.array([0, 1, 2]), sure) == 0
    assert calibration_error(np.array([1, 2, 0]), sure) == 1


def test_exam_reads_folders(tmp_path: Path) -> None:
    """A folder of languages gives one object each, test before val, with the bounds around the figure."""
    _write(tmp_path / "english", "val", TEXTS[:3], [0, 1, 2])
    _write(tmp_path / "english", "test", TEXTS, [0, 1, 2, 0, 1, 2])
    _write(tmp_path / "sv", "test", TEXTS, [0, 1, 2, 0, 1, 2])
    whole = evaluate_sentiment([tmp_path])
    found = whole["languages"]
    assert set(found) == {"english"}
    assert whole["skipped"] == {"sv": "sv"}
    english = found["english"]
    assert english["n"] == 6
    assert english["split"] == "test"
    assert english["us_per_text"] > 0
    assert english["seen_share"] == 0
    for name in ("macro_f1", "macro_recall", "calibration_error", "abstained"):
        assert english[f"{name}_low"] <= english[f"{name}_high"]
    assert evaluate_sentiment([tmp_path / "english"])["languages"]["english"]["n"] == 6


def test_nothing_to_measure_is_bad_input(tmp_path: Path) -> None:
    """An empty or missing folder, or one whose labels do not fit, is told as such."""
    with pytest.raises(BadInput):
        evaluate_sentiment([tmp_path])
    with pytest.raises(BadInput):
        evaluate_sentiment([tmp_path / "missing"])
    _write(tmp_path / "french", "val", TEXTS, [0])
    with pytest.raises(BadInput):
        evaluate_sentiment([tmp_path])


def test_labels_may_be_named(tmp_path: Path) -> None:
    """Names in any case, Windows' line ends, a byte-order mark and empty lines at the end give the figures that numbers give."""
    _write(tmp_path / "english", "test", TEXTS, [0, 1, 2, 0, 1, 2])
    _write(tmp_path / "named" / "english", "test", TEXTS, ["negative", "Neutral", "POSITIVE", " 0", "1 ", "positive"])
    for name in ("test_text.txt", "test_labels.txt"):
        path = tmp_path / "named" / "english" / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\n")
    one, other = (evaluate_sentiment([folder])["languages"]["english"] for folder in (tmp_path / "english", tmp_path / "named"))
    assert {**one, "us_per_text": 0} == {**other, "us_per_text": 0}


@pytest.mark.parametrize("label", ["3", "-1", "good", "", "0 1"])
def test_a_label_that_is_none_is_told_with_file_and_line(tmp_path: Path, label: str) -> None:
    """The message says which file, which line and what a label is."""
    _write(tmp_path / "french", "val", TEXTS[:3], [0, label, 2])
    with pytest.raises(BadInput, match=r"french/val_labels\.txt, line 2: a label is 0, 1 or 2, or negative"):
        evaluate_sentiment([tmp_path])


def test_files_that_do_not_fit_are_told(tmp_path: Path) -> None:
    """Fewer labels than texts, no labels at all, and bytes that are no text are told by file and line."""
    _write(tmp_path / "french", "val", TEXTS, [0, 1])
    with pytest.raises(BadInput, match=r"val_labels\.txt ends at line 2, val_text\.txt at line 6"):
        evaluate_sentiment([tmp_path])
    (tmp_path / "french" / "val_text.txt").write_bytes(b"bien\nmal \xff\n")
    with pytest.raises(BadInput, match=r"french/val_text\.txt, line 2: not UTF-8"):
        evaluate_sentiment([tmp_path])
    (tmp_path / "french" / "val_labels.txt").unlink()
    (tmp_path / "french" / "val_text.txt").write_text("bien\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"french/val_labels\.txt is missing"):
        evaluate_sentiment([tmp_path])


def test_shared_data_has_all_languages() -> None:
    """Every language of the data folder is examined, and the figures say that the model learned from these texts."""
    if not SHARED.is_dir():
        pytest.skip("the data folder is missing")
    found = evaluate_sentiment([SHARED])["languages"]
    assert len(found) == 8
    assert all(figures["seen_share"] > 0.99 for figures in found.values())
