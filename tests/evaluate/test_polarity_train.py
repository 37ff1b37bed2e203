"""Training the polarity model: what is shipped is what was learned, again and again."""

from __future__ import annotations

import numpy as np
import pytest

from streams.enrich.polarity import Polarity
from streams.evaluate import polarity_data, polarity_train
from streams.evaluate.polarity_data import Example, sameness
from streams.evaluate.polarity_train import arrays_of, design, folds_of, lexicon_of, softmax, train

WORDS = {0: ["dreadful", "rotten", "nasty"], 1: ["monday", "station", "paper"], 2: ["lovely", "superb", "sunny"]}
OWN = [
    Example(f"{word} {other} number {turn}", label)
    for turn in range(4)
    for label, words in WORDS.items()
    for word in words
    for other in words
]
LEXICON = {"dreadful": -3.0, "lovely": 2.5, "two words": 1.0, "nothing": 0.0}


def test_training_repeats_itself() -> None:
    """Trained twice on the same texts, the model file is the same to the last bit."""
    lexicon = lexicon_of(LEXICON)
    files = [arrays_of({"en": train(OWN, [], lexicon)}, {"en": lexicon}) for _ in range(2)]
    assert files[0].keys() == files[1].keys()
    for name, array in files[0].items():
        assert np.array_equal(array, files[1][name]), name


def test_whole_numbers_say_what_the_floats_said() -> None:
    """Rounding the weights to eight bits moves no probability by more than two hundredths."""
    lexicon = lexicon_of(LEXICON)
    model = train(OWN, [Example("nasty paper", 0, 0.5)], lexicon)
    texts = ["dreadful station", "not lovely at all", "superb paper on monday", ""]
    shipped = Polarity(arrays_of({"en": model}, {"en": lexicon})).probabilities(texts, ["en"] * 4)[0]
    exact = softmax((design(texts, lexicon) @ model.weights + model.bias) / model.temperature)
    assert np.abs(shipped - exact).max() < 0.02
    assert shipped[0].argmax() == 0


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
    monkeypatch.setattr(polarity_data.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(polarity_data.BadInput, match="vaderSentiment"):
        polarity_data.lexicons()


def test_settings_are_used() -> None:
    """A text whose best label is below the threshold gets none."""
    lexicon = lexicon_of({})
    model = Polarity(arrays_of({"en": train(OWN, [], lexicon)}, {"en": lexicon}))
    assert model.abstains_below("en") == polarity_train.ABSTAIN_BELOW
    assert model.abstains_below("xx") == 1.0
    probabilities, doubtful = model.probabilities(["zzz", "superb sunny lovely"], ["en", "en"])
    assert (doubtful == (probabilities.max(axis=1) < polarity_train.ABSTAIN_BELOW)).all()
