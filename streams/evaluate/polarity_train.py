"""Train the polarity model: ``python -m streams.evaluate.polarity_train --data ../shared/data --out streams/enrich/data/polarity.npz``.

One multinomial logistic regression a language over the hashed features of ``streams.enrich.polarity_features``, four sums of lexicon
valences and, in English, a sum of word vectors, fitted by L-BFGS from zero; hashed features count by their rarity. Five-fold
cross-validation gives the figures, the temperature and the place where the model abstains; the shipped weights come from all texts.
Everything is fixed by the data and one seed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize, minimize_scalar

from streams.enrich.polarity import LAYOUT, PLAIN_LENGTH, SLOT_BITS, Polarity
from streams.enrich.polarity_features import CHAR_BITS, WORD_BITS, features
from streams.evaluate.polarity_data import Example, fingerprints, further_english, lexicons, sameness, umsab
from streams.evaluate.polarity_lexicon import PACKAGE, Lexicon, lexicon_of, read_vectors
from streams.evaluate.sentiment import calibration_error, macro_f1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEED = 20_240_501
FOLDS = 5
#: Strength of the data against the penalty, and how much more a token or a lexicon sum moves than an n-gram: by cross-validation.
STRENGTH = 0.01
WORD_GAIN = 2.0
LEXICON_GAIN = 3.0
VECTOR_GAIN = 0.5
#: Rare features count more, by this power of their inverse document frequency (Sparck Jones 1972).
RARITY = 0.5
ROUNDS = 60
ENGLISH_IN_HINDI = 0.5
#: The model abstains below this probability of its best label; with three classes a third is no knowledge at all.
ABSTAIN_BELOW = 0.42

#: Logits that one unit of a lexicon's or vector's whole number is worth.
WHOLE = 1e-4

CHARS, WORDS = 1 << CHAR_BITS, 1 << WORD_BITS
HASHED = CHARS + WORDS


def _entries(tokens: NDArray[np.uint32], hashes: NDArray[np.uint32]) -> Ints:
    """Return the place of each token among ``hashes``, of which no two share a slot, or -1."""
    place = np.full(1 << SLOT_BITS, -1, dtype=np.int64)
    place[hashes >> np.uint32(32 - SLOT_BITS)] = np.arange(len(hashes))
    entry = place[tokens >> np.uint32(32 - SLOT_BITS)]
    return np.where((entry >= 0) & (np.append(hashes, np.uint32(0))[entry] == tokens), entry, -1)


def design(texts: Sequence[str], lexicon: Lexicon) -> Any:
    """Return the matrix (texts, chars + words + 4 lexicon sums + a sum of vectors) as CSR, scaled as the model will scale its sums."""
    batch = features(texts)
    rows, columns, values = [], [], []
    inside = np.zeros(len(batch.chars[0]) + 1, dtype=np.int64)
    np.add.at(inside, batch.char_starts, 1)
    np.add.at(inside, batch.char_ends, -1)
    char_owner = np.repeat(np.arange(len(texts)), np.diff(batch.char_starts, append=len(batch.chars[0])))
    owner = np.repeat(np.arange(len(texts)), np.diff(batch.word_starts, append=len(batch.tokens)))
    groups = ((batch.chars, char_owner, np.cumsum(inside[:-1]) > 0, 0, 1.0), (batch.words, owner, True, CHARS, WORD_GAIN))
    for sorts, owners, within, offset, gain in groups:
        for buckets in sorts:
            used = (buckets != 0) & within
            rows.append(owners[used])
            columns.append(buckets[used].astype(np.int64) + offset)
            values.append(np.full(int(used.sum()), gain))
    entry = _entries(batch.tokens, lexicon.hashes)
    hit = entry >= 0
    valence = lexicon.valences[entry[hit]].astype(np.float64)
    rows.append(owner[hit])
    columns.append(HASHED + (valence < 0) + 2 * batch.turned[hit])
    values.append(np.abs(valence) / 10 * LEXICON_GAIN)
    shape = len(texts), HASHED + 4
    counted = sparse.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    entry = _entries(batch.tokens, lexicon.vectors.hashes)
    known = entry >= 0
    of = sparse.csr_matrix((np.ones(int(known.sum())), (owner[known], entry[known])), shape=(len(texts), len(lexicon.vectors.rows)))
    plain = sparse.hstack([counted, sparse.csr_matrix(of @ lexicon.vectors.rows * VECTOR_GAIN)])
    return (sparse.diags(np.sqrt(PLAIN_LENGTH / np.maximum(batch.lengths, PLAIN_LENGTH))) @ plain).tocsr()


def softmax(logits: Floats) -> Floats:
    """Return probabilities of rows of logits."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit(matrix: Any, labels: Ints, weights: Floats) -> tuple[Floats, Floats]:
    """Return weights (columns, 3) and bias (3) with the least weighted log loss times STRENGTH plus half the squared weights."""
    active = np.flatnonzero(np.asarray(matrix.getnnz(axis=0)).ravel() > 0)
    used = matrix[:, active].tocsr()
    turned = used.T.tocsr()
    size = len(active)
    wanted = np.eye(3)[labels]

    def loss(vector: Floats) -> tuple[float, Floats]:
        own, bias = vector[: size * 3].reshape(size, 3), vector[size * 3 :]
        found = softmax(used @ own + bias)
        miss = (found - wanted) * (weights * STRENGTH)[:, None]
        value = -STRENGTH * float(weights @ np.log(np.maximum((found * wanted).sum(axis=1), 1e-12)))
        value += 0.5 * float((own * own).sum()) + 0.005 * float(bias @ bias)
        return value, np.concatenate([(turned @ miss + own).ravel(), miss.sum(axis=0) + 0.01 * bias])

    result = minimize(loss, np.zeros(size * 3 + 3), jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS, "maxcor": 6})
    full = np.zeros((matrix.shape[1], 3))
    full[active] = result.x[: size * 3].reshape(size, 3)
    return full, result.x[size * 3 :]


def rarity(matrix: Any) -> Floats:
    """Return what each column of ``matrix`` counts: more where few texts have it, the same on average; 1 beyond the hashed ones."""
    energy = np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()[:HASHED]
    texts = matrix.shape[0]
    found = np.ones(matrix.shape[1])
    rare = np.log((texts + 1) / (matrix.getnnz(axis=0)[:HASHED] + 1)) ** RARITY
    found[:HASHED] = rare / np.sqrt((energy * rare * rare).sum() / energy.sum())
    return found


def balanced(logits: Floats, bias: Floats) -> Floats:
    """Return the bias with which the mean probabilities of ``logits`` (without bias) are a third each."""
    bias = bias.copy()
    for _ in range(50):
        bias -= np.log(softmax(logits + bias).mean(axis=0) * 3)
    return bias


def folds_of(examples: Sequence[Example]) -> Ints:
    """Return a fold number for each example; copies of one text share theirs."""
    keys = [sameness(example.text) for example in examples]
    distinct = sorted(set(keys))
    order = np.random.default_rng(SEED).permutation(len(distinct))
    number = {key: int(order[place]) % FOLDS for place, key in enumerate(distinct)}
    return np.array([number[key] for key in keys], dtype=np.int64)


@dataclass(frozen=True)
class Trained:
    """One language: float weights, bias (3), temperature, what cross-validation found, and fingerprints of the texts it learned from."""

    weights: Floats
    bias: Floats
    temperature: float
    figures: dict[str, float]
    seen: NDArray[np.uint32]


def train(own: Sequence[Example], further: Sequence[Example], lexicon: Lexicon) -> Trained:
    """Fit one language; ``own`` is cross-validated, ``further`` is only ever learned from."""
    matrix = design([example.text for example in own], lexicon)
    labels = np.array([example.label for example in own], dtype=np.int64)
    extra = design([example.text for example in further], lexicon) if further else None
    extra_labels = np.array([example.label for example in further], dtype=np.int64)
    extra_weights = np.array([example.weight for example in further], dtype=np.float64)

    def fitted(chosen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        part = matrix[chosen]
        stacked = part if extra is None else sparse.vstack([part, extra]).tocsr()
        counts = rarity(stacked)
        weights, bias = fit(
            (stacked @ sparse.diags(counts)).tocsr(),
            np.concatenate([labels[chosen], extra_labels]),
            np.concatenate([np.ones(int(chosen.sum())), extra_weights]),
        )
        weights *= counts[:, None]
        return weights, balanced(part @ weights, bias)

    folds = folds_of(own)
    held = np.zeros((len(own), 3))
    for fold in range(FOLDS):
        weights, bias = fitted(folds != fold)
        held[folds == fold] = matrix[folds == fold] @ weights + bias
    rows = np.arange(len(labels))
    best = minimize_scalar(
        lambda log: -float(np.log(softmax(held / np.exp(log))[rows, labels]).mean()), bounds=(-1.5, 2.0), method="bounded"
    )
    temperature = float(np.exp(best.x))
    probabilities = softmax(held / temperature)
    sure = probabilities.max(axis=1) >= ABSTAIN_BELOW
    figures = {
        "macro_f1": macro_f1(labels, probabilities.argmax(axis=1)),
        "macro_f1_where_sure": macro_f1(labels[sure], probabilities.argmax(axis=1)[sure]),
        "abstained": float(1 - sure.mean()),
        "calibration_error": calibration_error(labels, probabilities),
        "temperature": temperature,
        "n": len(labels),
    }
    weights, bias = fitted(np.ones(len(own), dtype=np.bool_))
    return Trained(weights, bias, temperature, figures, fingerprints([example.text for example in (*own, *further)]))


def further_of(name: str, labelled: dict[str, list[Example]], data: Path) -> list[Example]:
    """Return what a language learns from beyond its own texts: English the other sources, Hindi English, which its texts are mixed with."""
    if name == "en":
        return further_english(data, labelled["en"])
    return [replace(example, weight=ENGLISH_IN_HINDI) for example in labelled["en"]] if name == "hi" else []


def arrays_of(models: dict[str, Trained], words: dict[str, Lexicon]) -> dict[str, NDArray[Any]]:
    """Return the model file: whole-number weights relative to neutral, and the logits that one unit of each group is worth.

    ``chars`` (languages, CHARS, 2) and ``words`` (languages, WORDS, 2) int8 in units of ``scales`` (languages, 3: chars, words,
    lexicon); ``lexicon_effect`` (languages, 4, 2) int32 a tenth of valence; ``vector_weight`` (words, 2) int16 in units of the third
    scale; ``bias`` (languages, 2); ``abstain`` (languages,).
    """
    languages = sorted(models)
    shape = len(languages)
    found: dict[str, NDArray[Any]] = {
        "chars": np.zeros((shape, CHARS, 2), dtype=np.int8),
        "words": np.zeros((shape, WORDS, 2), dtype=np.int8),
        "lexicon_effect": np.zeros((shape, 4, 2), dtype=np.int32),
        "scales": np.zeros((shape, 3)),
        "bias": np.zeros((shape, 2)),
    }
    weights = []
    for place, name in enumerate(languages):
        model = models[name]
        relative = (model.weights[:, [0, 2]] - model.weights[:, [1]]) / model.temperature
        parts = (relative[:CHARS], relative[CHARS:HASHED] * WORD_GAIN)
        for column, (key, part) in enumerate(zip(("chars", "words"), parts, strict=True)):
            # None is cut off: the strongest are those of marks that half of all texts have.
            unit = float(np.abs(part).max()) / 127
            found[key][place] = np.rint(part / unit)
            found[key][place, 0] = 0
            found["scales"][place, column] = unit
        found["scales"][place, 2] = WHOLE
        found["lexicon_effect"][place] = np.rint(relative[HASHED : HASHED + 4] * LEXICON_GAIN / 10 / WHOLE)
        worth = words[name].vectors.rows @ relative[HASHED + 4 :] * VECTOR_GAIN / WHOLE
        weights.append(np.clip(np.rint(worth), -32_767, 32_767).astype(np.int16))
        found["bias"][place] = (model.bias[[0, 2]] - model.bias[1]) / model.temperature
    found["trained_on"] = np.unique(np.concatenate([models[name].seen for name in languages]))
    found["abstain"] = np.full(shape, ABSTAIN_BELOW)
    found["lexicon_hash"] = np.concatenate([words[name].hashes for name in languages])
    found["lexicon_valence"] = np.concatenate([words[name].valences for name in languages])
    found["lexicon_language"] = np.repeat(np.arange(shape, dtype=np.int8), [len(words[name].hashes) for name in languages])
    found["vector_hash"] = np.concatenate([words[name].vectors.hashes for name in languages])
    found["vector_weight"] = np.concatenate(weights)
    found["vector_language"] = np.repeat(np.arange(shape, dtype=np.int8), [len(words[name].vectors.hashes) for name in languages])
    digest = hashlib.sha256(b"".join(found[key].tobytes() for key in sorted(found))).hexdigest()[:12]
    return {**found, "languages": np.array(languages), "layout": np.array(LAYOUT), "version": np.array(f"polarity-{LAYOUT}-{digest}")}


def rounding(models: dict[str, Trained], words: dict[str, Lexicon], labelled: dict[str, list[Example]], model: Polarity) -> float:
    """Return by how much whole numbers move a probability of a labelled text at most."""
    most = 0.0
    for name, trained in models.items():
        texts = [example.text for example in labelled[name]]
        exact = softmax((design(texts, words[name]) @ trained.weights + trained.bias) / trained.temperature)
        most = max(most, float(np.abs(model.probabilities(texts, [name] * len(texts))[0] - exact).max()))
    return most


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, write the file, and print the cross-validated figures as JSON."""
    parser = argparse.ArgumentParser(prog="polarity_train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--vectors", type=Path, default=Path("build") / PACKAGE, help="the npm package of English word vectors")
    parser.add_argument("--out", type=Path, required=True, help="the model file to write (.npz)")
    parser.add_argument("--languages", default="", help="only these, for a trial (en,fr)")
    options = parser.parse_args(arguments)
    labelled = umsab(options.data)
    chosen = [name for name in options.languages.split(",") if name] or sorted(labelled)
    words = {name: lexicon_of(entries) for name, entries in lexicons().items() if name in chosen}
    if "en" in words:
        words["en"] = replace(words["en"], vectors=read_vectors(options.vectors, words["en"].hashes))
    models = {}
    for name in chosen:
        models[name] = train(labelled[name], further_of(name, labelled, options.data), words[name])
        print(name, json.dumps(models[name].figures), file=sys.stderr, flush=True)
    arrays = arrays_of(models, words)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out, allow_pickle=False, **arrays)
    moved = rounding(models, words, labelled, Polarity(arrays))
    report = {"version": str(arrays["version"]), "bytes": options.out.stat().st_size, "rounding": moved}
    print(json.dumps({**report, "cross_validation": {name: models[name].figures for name in chosen}}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
