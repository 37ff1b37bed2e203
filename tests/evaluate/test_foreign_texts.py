"""The exam on texts over folders that others made, and its figures by another reckoning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streams.errors import BadInput
from streams.evaluate.sentiment import calibration_error, evaluate_sentiment, macro_f1, macro_recall


def languages(place: Path, name: str, texts: list[str], labels: list[Any], split: str = "test") -> None:
    """Write one language."""
    (place / name).mkdir(parents=True, exist_ok=True)
    (place / name / f"{split}_text.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    (place / name / f"{split}_labels.txt").write_text("\n".join(map(str, labels)) + "\n")


FRENCH = ["quelle belle journée, merci pour tout", "le train est encore en retard, c'est une honte", "la réunion est demain à dix heures"]
DUTCH = ["wat een mooie dag vandaag, dank je wel", "de trein is weer te laat en niemand zegt iets", "de vergadering is morgen om tien uur"]


def test_a_language_is_what_the_name_says_or_the_texts_are_in(tmp_path: Path) -> None:
    """``fr``, ``fr-CA``, ``tweets_french_b`` and a folder of French texts without a name are French; Dutch is left out, and said."""
    for name in ("fr", "fr-CA", "tweets_french_b", "sentiment_x"):
        languages(tmp_path, name, FRENCH, [2, 0, 1])
    languages(tmp_path, "dutch", DUTCH, [2, 0, 1])
    said: list[str] = []
    found = evaluate_sentiment([tmp_path], say=said.append)
    assert {name: row["language"] for name, row in found["languages"].items()} == dict.fromkeys(
        ("fr", "fr-CA", "tweets_french_b", "sentiment_x"), "fr"
    )
    assert found["skipped"] == {"dutch": "nl"}
    assert any("dutch is left out" in line for line in said)
    figures = [{**row, "us_per_text": 0} for row in found["languages"].values()]
    assert all(one == figures[0] for one in figures)


def test_folders_of_one_language_are_pooled(tmp_path: Path) -> None:
    """French from two places is one row of both."""
    languages(tmp_path / "a", "french", FRENCH[:1], [2])
    languages(tmp_path / "b", "french", FRENCH[1:], [0, 1])
    found = evaluate_sentiment([tmp_path / "a", tmp_path / "b"])["languages"]["french"]
    assert found["n"] == 3
    assert evaluate_sentiment([tmp_path / "a"])["languages"]["french"]["macro_f1_low"] is None


def test_a_text_file_that_was_cut_is_told(tmp_path: Path) -> None:
    """Fewer lines of texts than labels are no empty texts."""
    languages(tmp_path, "french", FRENCH[:1], [2, 0, 1])
    with pytest.raises(BadInput, match=r"test_labels\.txt ends at line 3, test_text\.txt at line 1"):
        evaluate_sentiment([tmp_path])
    languages(tmp_path, "french", [FRENCH[0], "", ""], [2, 0, 1])
    assert evaluate_sentiment([tmp_path])["languages"]["french"]["n"] == 3


def test_figures_of_classes_by_another_reckoning() -> None:
    """Macro-F1, balanced accuracy and calibration error, from their definitions in plain loops, on random tables."""
    random = np.random.default_rng(3)
    for size in (1, 5, 40, 400):
        labels, chances = random.integers(0, 3, size), random.dirichlet((1.0, 1.0, 1.0), size)
        guesses = chances.argmax(axis=1)
        f1, recall = [], []
        for one in range(3):
            true = sum(a == one and b == one for a, b in zip(labels, guesses, strict=True))
            real, said = sum(labels == one), sum(guesses == one)
            precision, hit = (true / said if said else 0.0), (true / real if real else 0.0)
            if real or said:
                f1.append(2 * precision * hit / (precision + hit) if true else 0.0)
            if real:
                recall.append(hit)
        assert macro_f1(labels, guesses) == pytest.approx(100 * np.mean(f1))
        assert macro_recall(labels, guesses) == pytest.approx(100 * np.mean(recall))
        gap = 0.0
        for step in range(10):
            mine = [i for i in range(size) if step / 10 <= chances[i].max() < (step + 1) / 10 or (step == 9 and chances[i].max() == 1.0)]
            if mine:
                right = np.mean([guesses[i] == labels[i] for i in mine])
                gap += len(mine) / size * abs(right - np.mean([chances[i].max() for i in mine]))
        assert calibration_error(labels, chances) == pytest.approx(gap)
