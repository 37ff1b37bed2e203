"""Near-copy signatures on real reshares and syndicated texts."""

from __future__ import annotations

import csv
import gzip
import os
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from streams.detect.copies import DISTANCE
from streams.enrich.fold import clean, fold, words_of
from streams.enrich.stories import copy_distance, copy_keys, without_links
from streams.enrich.words import lexicon

DATA = Path(os.environ.get("VEILLE_DATA", "../shared/data"))
FILES = ("boycott_2012_2020/tweets", "fashion_2021/asos", "fashion_2021/shein", "fashion_2021/victoriassecret")


@pytest.mark.skipif(not (DATA / "fashion_2021").exists(), reason="the folder fashion_2021 is not there")
def test_real_copies_lie_within_the_distance_and_other_texts_do_not() -> None:
    """Of pairs of real texts that begin alike and share most words, four in five lie within detection's distance; random ones do not."""
    texts: set[str] = set()
    for name in FILES:
        with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            texts |= {row["text"] for row in csv.DictReader(file)}
    english = lexicon("en")
    words, votes = [], []
    for text in sorted(texts):
        folded = fold(without_links(clean(text))[0])
        distinct = dict.fromkeys(words_of(folded))
        vote = english.read(folded, distinct)[2]
        if vote:
            words.append(distinct)
            votes.append(vote)
    keys = copy_keys(votes)
    alike = defaultdict(list)
    for place, distinct in enumerate(words):
        begin = [word for word in distinct if word[0] != "@" and word not in ("rt", "via")][:6]
        alike[tuple(begin)].append(place)
    copies = []
    # Larger families are the listings of shops, each for another product.
    for places in (family for family in alike.values() if len(family) < 50):
        for one, other in pairwise(places):
            shared = len(words[one].keys() & words[other].keys())
            if words[one] != words[other] and shared >= 0.7 * len(words[one].keys() | words[other].keys()):
                copies.append(copy_distance(keys[one], keys[other]))
    rng = Random(1)
    strangers = [copy_distance(*rng.sample(keys, 2)) for _ in range(50_000)]
    assert len(copies) > 500
    assert sum(distance <= DISTANCE for distance in copies) >= 0.8 * len(copies)
    assert sum(distance <= 10 for distance in copies) >= 0.9 * len(copies)
    assert sum(distance <= DISTANCE for distance in strangers) <= 0.0005 * len(strangers)
    assert sum(distance <= 10 for distance in strangers) <= 0.001 * len(strangers)
