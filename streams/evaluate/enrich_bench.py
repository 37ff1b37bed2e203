"""The bench ``enrich``: µs a mention by part, on one core, with VADER and a stock stack beside it."""

from __future__ import annotations

import gc
import importlib
import json
import re
import time
from collections.abc import Callable, Sequence
from itertools import islice
from statistics import median
from typing import Any

from schemas.brand import Brand, Watchlist
from streams.engine.stage import InputRecord
from streams.enrich.brands import BrandMatcher
from streams.enrich.decode import decode, decode_all
from streams.enrich.duplicates import SeenIds
from streams.enrich.features import TextReader
from streams.enrich.fold import fold_all
from streams.enrich.outputs import Job, RecordMaker
from streams.enrich.polarity import Polarity
from streams.enrich.settings import EnrichSettings
from streams.enrich.stage import AT_ONCE, EnrichPartition, Slots
from streams.enrich.stories import copy_keys, without_links_all
from streams.enrich.watchlist import Watchlists, parse_watchlist

_BATCH = 2000


def simulated(count: int) -> tuple[list[bytes], Watchlist]:
    """Return ``count`` raw mentions of the seeded simulation, and its watchlist."""
    from streams.simulate import simulate
    from streams.simulate.brands import demo_watchlist

    values = [bytes(value) for _, value, _ in islice(simulate(7).rows(), count)]
    return values, parse_watchlist(demo_watchlist(), "demo")


def _per_item(work: Callable[[], object], items: int, rounds: int) -> float:
    """Return the median over rounds of CPU time for one item, in µs."""
    times = []
    for _ in range(rounds):
        begin = time.process_time_ns()
        work()
        times.append((time.process_time_ns() - begin) / items / 1000)
    return round(median(times), 2)


def enrich_bench(
    values: Sequence[bytes],
    watchlist: Watchlist,
    *,
    rounds: int = 7,
    brands: Sequence[int] = (100, 100_000),
    polarity: Polarity | None = None,
) -> dict[str, Any]:
    """Measure enrichment of raw mentions. Returns ``parts``, ``total_us``, ``peers``, ``brands`` and ``rounds``; times in µs of CPU.

    ``total_us`` is the whole stage from raw bytes to encoded outputs; ``rest`` in ``parts`` is what the named parts leave of it.
    ``brands`` holds the matcher's cost with so many brands.
    """
    gc.collect()
    gc.freeze()
    calm = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        return _measure(values, watchlist, rounds, brands, polarity or Polarity.load())
    finally:
        gc.set_threshold(*calm)
        gc.unfreeze()


class _Tapped(EnrichPartition):
    """The stage, keeping what its second half gets: the same inputs for the parts as for the whole."""

    jobs: list[Job]

    def _finish(self, jobs: list[Job], slots: Slots) -> None:
        self.jobs += jobs
        super()._finish(jobs, slots)


def _measure(values: Sequence[bytes], watchlist: Watchlist, rounds: int, brands: Sequence[int], polarity: Polarity) -> dict[str, Any]:
    watchlists = Watchlists()
    watchlists.add(watchlist)
    matcher = watchlists.versions()[watchlist.version]
    settings = EnrichSettings()
    far = 4_000_000_000_000
    records = [InputRecord(offset, far, None, value) for offset, value in enumerate(values)]

    def run(stage: EnrichPartition) -> None:
        stage.restore({}, None)
        for start in range(0, len(records), _BATCH):
            stage.process(records[start : start + _BATCH])

    tapped = _Tapped(0, settings, watchlists, watchlist.version, polarity)
    tapped.jobs = []
    run(tapped)
    jobs = tapped.jobs
    stage = EnrichPartition(0, settings, watchlists, watchlist.version, polarity)
    reader, maker = TextReader(), RecordMaker(0, settings)
    mentions = [decode(value)[0] for value in values]
    texts = [mention.text for mention in mentions]
    plains = [plain for plain, _ in without_links_all(texts)]
    folded = fold_all(plains)
    said = [reader.read(job.plain, job.folded, job.mention.lang, job.links) for job in jobs]
    keys = copy_keys([one[4] for one in said])
    spoken, languages = [job.mention.text for job in jobs], [one[0] for one in said]
    scores = polarity.score(spoken, languages)

    def seen() -> None:
        ids = SeenIds(86_400_000, 2_000_000)
        for offset, mention in enumerate(mentions):
            ids.judge(mention.network, mention.id, offset, 0, mention.engagement)

    def read() -> None:
        for start in range(0, len(jobs), AT_ONCE):
            some = jobs[start : start + AT_ONCE]
            columns = zip(*((job.plain, job.folded, job.mention.lang, job.links) for job in some), strict=True)
            copy_keys([one[4] for one in reader.read_all(*columns)])

    def scored() -> None:
        for start in range(0, len(spoken), AT_ONCE):
            polarity.score(spoken[start : start + AT_ONCE], languages[start : start + AT_ONCE])

    def made() -> None:
        for start in range(0, len(jobs), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            maker.outputs(jobs[part], said[part], keys[part], scores[part], {})

    works: dict[str, Callable[[], object]] = {
        "decode": lambda: decode_all(values),
        "fold": lambda: fold_all([plain for plain, _ in without_links_all(texts)]),
        "brands": lambda: _matched(matcher, plains, folded),
        "duplicates": seen,
        "language_words_stories": read,
        "polarity": scored,
        "author_and_encoding": made,
        "total": lambda: run(stage),
    }
    parts = {name: _per_item(work, len(values), rounds) for name, work in works.items()}
    total = parts.pop("total")
    parts["rest"] = round(total - sum(parts.values()), 2)
    return {
        "rounds": rounds,
        "mentions": len(values),
        "parts": parts,
        "total_us": total,
        "peers": _peers(values, watchlist, texts, min(rounds, 3)),
        "brands": [{"count": n, "us": _brand_cost(n, texts, rounds)} for n in brands],
    }


def _brand_cost(count: int, texts: Sequence[str], rounds: int) -> float:
    """Return µs a mention of the matcher with ``count`` brands, one of which every fourth text names."""
    matcher = BrandMatcher(
        Watchlist(brands=tuple(Brand(id=f"b{n}", names=(f"Marque{n} Maison",), handles={"*": (f"marque{n}",)}) for n in range(count)))
    )
    plains = [f"{text} Marque{place % count} Maison" if place % 4 == 0 else text for place, text in enumerate(texts)]
    folds = fold_all(plains)
    return _per_item(lambda: _matched(matcher, plains, folds), len(plains), rounds)


def _matched(matcher: BrandMatcher, plains: Sequence[str], folds: Sequence[str]) -> None:
    """Match texts in runs, as the stage does, of nobody in particular."""
    for start in range(0, len(plains), AT_ONCE):
        some, few = plains[start : start + AT_ONCE], folds[start : start + AT_ONCE]
        nobody = [""] * len(some)
        matcher.match_all(some, few, ["x"] * len(some), nobody, nobody)


def _peers(values: Sequence[bytes], watchlist: Watchlist, texts: Sequence[str], rounds: int) -> dict[str, float]:
    """Return µs a mention of what a stock stack would use; a peer that is not installed is left out."""
    peers: dict[str, float] = {}
    names = sorted({re.escape(name.lower()) for brand in watchlist.brands for name in brand.names})
    pattern = re.compile(r"\b(?:" + "|".join(names) + r")\b")
    some = texts[:1000]
    peers["json_and_regex"] = _per_item(
        lambda: [pattern.findall(json.loads(value)["text"].lower()) for value in values], len(values), rounds
    )
    cld = importlib.import_module("pycld2")
    peers["pycld2"] = _per_item(lambda: [cld.detect(text, isPlainText=True) for text in some], len(some), rounds)
    langid = importlib.import_module("py3langid")
    peers["py3langid"] = _per_item(lambda: [langid.classify(text) for text in some[:200]], min(len(some), 200), 1)
    try:
        vader = importlib.import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    except ImportError:
        return peers
    peers["vader"] = _per_item(lambda: [vader.polarity_scores(text) for text in some], len(some), rounds)
    peers["stock_stack"] = round(peers["json_and_regex"] + peers["pycld2"] + peers["vader"], 2)
    return peers
