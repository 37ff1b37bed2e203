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
    more than 2.5 standard deviations above what its past predicts, the deviation never below sqrt(1.5) (the paper's
    bias term against rare words). Two terms that are up and stand together in mentions of 3 distinct authors make a pair.
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
    started: float = -1.0

    def learn_one(self, t_ms: float, terms: tuple[str, ...], author: str, vote: float) -> list[str]:
        """Take one mention's terms; return the pairs of it that are emerging, in the order of its terms."""
        if self.started < 0.0:
            self.started = t_ms
        past_ms = max(t_ms - self.started, _RECENT)
        # How much of the past's time constant was lived through: before that the past sum is too small a promise.
        known = 1.0 - math.exp(-past_ms / _PAST)
        table = self.table
        up: list[str] = []
        for term in terms[:_PER_MENTION]:
            entry = table.get(term)
            if entry is None:
                table[term] = [vote, 0.0, t_ms]
                continue
            dt = t_ms - entry[2]
            recent = entry[0] * math.exp(-dt / _RECENT)
            # What fades from the recent sum is past: so a burst is not its own background.
            past = entry[1] * math.exp(-dt / _PAST) + (entry[0] - recent)
            entry[0], entry[1], entry[2] = recent + vote, past, t_ms
            if entry[0] >= SUPPORT:
                usual = past / known * (_RECENT / _PAST)
                if entry[0] - usual >= 2.5 * math.sqrt(usual + 1.5):
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
