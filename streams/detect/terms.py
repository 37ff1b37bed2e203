"""Terms that come up together all of a sudden."""

from __future__ import annotations

import math

import msgspec

HOUR = 3_600_000.0
_RECENT, _PAST = 3.0 * HOUR, 72.0 * HOUR
MAX_TERMS = 400
MAX_PAIRS = 96
#: Distinct authors that make a pair a story.
SUPPORT = 3
_PER_MENTION = 10


class Terms(msgspec.Struct, array_like=True):
    """Emerging pairs of terms, after SigniTrend (Schubert, Weiler, Kriegel, KDD 2014), in fixed memory.

    For each term two decayed sums of votes: the last 3 h and the last 3 days. A term is up when the recent sum is at least 3 and
    3.5 standard deviations above its past share of all that is said now, so that a busy evening raises no term; the deviation
    is never below sqrt(0.5) (the paper's bias term against rare words). Two terms that are up and stand together in
    mentions of 3 distinct authors make a pair.
    Past the capacity the terms with the smallest past go.

    >>> terms = Terms()
    >>> found = []
    >>> for i in range(6):
    ...     found += terms.learn_one(i * 60_000, ("glass", "soup"), f"author{i}", 1.0)
    >>> found
    ['glass|soup']
    """

    #: {term: [recent sum, past sum, ms of the last update]}
    table: dict[str, list[float]] = {}
    #: {pair: authors so far}
    pairs: dict[str, list[str]] = {}
    #: The same two sums over all mentions: what a term may expect is its share of them.
    total: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0, 0.0])

    def learn_one(self, t_ms: float, terms: tuple[str, ...], author: str, vote: float) -> list[str]:
        """Take one mention's terms; return the pairs of it that are emerging, in the order of its terms."""
        total = self.total
        _fade(total, t_ms)
        total[0] += vote
        ratio = total[0] / max(total[1], 1.0)
        table = self.table
        up: list[str] = []
        for term in terms[:_PER_MENTION]:
            entry = table.get(term)
            if entry is None:
                table[term] = [vote, 0.0, t_ms]
                continue
            _fade(entry, t_ms)
            entry[0] += vote
            if entry[0] >= SUPPORT:
                usual = entry[1] * ratio
                if entry[0] - usual >= 3.5 * math.sqrt(usual + 0.5):
                    up.append(term)
        if len(table) > MAX_TERMS:
            self._forget(t_ms)
        if len(up) < 2:
            return []
        up = sorted(up[:6])
        found = []
        for i, first in enumerate(up):
            for second in up[i + 1 :]:
                pair = f"{first}|{second}"
                authors = self.pairs.setdefault(pair, [])
                if len(authors) < SUPPORT and author not in authors:
                    authors.append(author)
                if len(authors) >= SUPPORT:
                    found.append(pair)
        while len(self.pairs) > MAX_PAIRS:
            del self.pairs[next(iter(self.pairs))]
        return found

    def _forget(self, t_ms: float) -> None:
        """Drop a quarter of the terms: those with least in both sums."""

        def worth(item: tuple[str, list[float]]) -> tuple[float, str]:
            term, (recent, past, last) = item
            dt = t_ms - last
            return recent * math.exp(-dt / _RECENT) + 0.2 * past * math.exp(-dt / _PAST), term

        ranked = sorted(self.table.items(), key=worth)
        for term, _ in ranked[: MAX_TERMS // 4]:
            del self.table[term]


def _fade(entry: list[float], t_ms: float) -> None:
    """Move [recent sum, past sum, ms] on to ``t_ms``. What fades from the recent sum is past: a burst is not its own background."""
    dt = t_ms - entry[2]
    recent = entry[0] * math.exp(-dt / _RECENT)
    entry[1] = entry[1] * math.exp(-dt / _PAST) + (entry[0] - recent)
    entry[0], entry[2] = recent, t_ms
