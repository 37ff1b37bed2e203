"""Terms that come up together all of a sudden."""

from __future__ import annotations

import math

import msgspec

from streams.detect.names import number_of
from streams.rounding import GRID, on_grid

HOUR = 3_600_000.0
MINUTE_MS = 60_000
_RECENT, _PAST = 3.0 * HOUR, 72.0 * HOUR
#: Weights are counted from a landmark; it moves on before they grow by more than e^8.
_MOVE = 8.0 * _RECENT
MAX_TERMS = 200
MAX_PAIRS = 48
#: Distinct authors that make a pair a story.
SUPPORT = 3
_PER_MENTION = 8
#: Standard deviations by which a term must be above its past.
_SIGMA = 3.5
#: Places in an entry: recent sum, long sum, recent sum that must be reached, minute in which that was computed.
_A, _B, _NEED, _MINUTE = range(4)


class Terms(msgspec.Struct, array_like=True, gc=False):
    """Emerging pairs of terms, after SigniTrend (Schubert, Weiler, Kriegel, KDD 2014), in fixed memory.

    For each term two decayed sums of votes, of about the last 3 h and the last 3 days; what the second holds beyond the first is
    the past. A term is up when the recent sum is at least 3 and 3.5 standard deviations above its past share of all that is said now,
    so that a busy evening raises no term; the deviation is never below sqrt(0.5) (the paper's bias term against rare words). Two terms
    that are up and stand together in mentions of 3 distinct authors make a pair. Past the capacity those with the smallest sums go.

    Sums decay forward: they are kept as they would be at a landmark, so that a mention costs one addition for each sum (Cormode,
    Shkapenyuk, Srivastava, Xu, ICDE 2009). Time is that of the minute; what a term must reach is computed once a minute.

    >>> terms = Terms()
    >>> found = []
    >>> for i in range(6):
    ...     found += terms.learn_one(i * 60_000, ("glass", "soup"), f"author{i}", 1.0)
    >>> found[:1]
    ['glass|soup']
    """

    table: dict[str, list[float]] = {}
    #: {pair: numbers of its authors so far, of 16 bits}
    pairs: dict[str, list[int]] = {}
    #: The same two sums over all mentions: what a term may expect is its share of them.
    total: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0])
    landmark_ms: int = 0
    #: The running minute and the weight of one vote in it, for both sums.
    minute: int = -1
    grown: list[float] = msgspec.field(default_factory=lambda: [1.0, 1.0])

    def learn_one(self, t_ms: int, terms: tuple[str, ...], author: str, vote: float, known: bool = True) -> list[str]:
        """Take one mention's terms; return the pairs of it that are emerging, in the order of the alphabet.

        Unless usual talk is ``known``, everything would emerge and nothing does.
        """
        minute = t_ms // MINUTE_MS
        if minute > self.minute:
            self._turn(minute)
        grown_a, grown_b = self.grown
        # As `on_grid` rounds, without the calls.
        a, b, first = (vote * grown_a + GRID) - GRID, (vote * grown_b + GRID) - GRID, 0.0
        total = self.total
        total[0] += a
        total[1] += b
        table = self.table
        find = table.get
        up: list[str] | None = None
        for term in terms[:_PER_MENTION]:
            entry = find(term)
            if entry is None:
                first = first or on_grid(SUPPORT * grown_a)
                table[term] = [a, b, first, -1.0]
                continue
            recent, long, need, computed = entry
            entry[_A] = recent = recent + a
            entry[_B] = long + b
            if recent >= need:
                if computed != self.minute:
                    self._require(entry)
                    need = entry[_NEED]
                if recent >= need:
                    if up is None:
                        up = [term]
                    else:
                        up.append(term)
        if len(table) > MAX_TERMS:
            self._forget()
        return self._pair(up, author) if up is not None and known and len(up) >= 2 else []

    def _require(self, entry: list[float]) -> None:
        """Compute what the term must reach in this minute."""
        grown_a, grown_b = self.grown
        recent, past = entry[_A] / grown_a, max(0.0, entry[_B] / grown_b - entry[_A] / grown_a)
        all_recent = self.total[0] / grown_a
        all_past = max(1.0, self.total[1] / grown_b - all_recent)
        usual = past * all_recent / all_past
        need = max(float(SUPPORT), usual + _SIGMA * math.sqrt(usual + 0.5))
        # What is up stays up for the minute, and what is not has to be looked at again only when it may be.
        entry[_NEED] = on_grid(min(need, recent) * grown_a if recent >= need else need * grown_a)
        entry[_MINUTE] = float(self.minute)

    def _pair(self, up: list[str], author: str) -> list[str]:
        up = sorted(up[:6])
        found, number = [], number_of(author) & 0xFFFF
        for i, first in enumerate(up):
            for second in up[i + 1 :]:
                pair = f"{first}|{second}"
                authors = self.pairs.setdefault(pair, [])
                if len(authors) < SUPPORT and number not in authors:
                    authors.append(number)
                if len(authors) >= SUPPORT:
                    found.append(pair)
        while len(self.pairs) > MAX_PAIRS:
            del self.pairs[next(iter(self.pairs))]
        return found

    def _turn(self, minute: int) -> None:
        """Begin a minute; move the landmark on when weights have grown much."""
        t_ms = minute * MINUTE_MS
        if not self.landmark_ms or t_ms - self.landmark_ms > _MOVE:
            age = t_ms - self.landmark_ms if self.landmark_ms else 0
            fade_a, fade_b = math.exp(-age / _RECENT), math.exp(-age / _PAST)
            for entry in (*self.table.values(), self.total):
                entry[_A], entry[_B] = on_grid(entry[_A] * fade_a), on_grid(entry[_B] * fade_b)
            for entry in self.table.values():
                entry[_NEED] = on_grid(entry[_NEED] * fade_a)
            # A term that nobody said for days goes with the landmark.
            for term in [term for term, entry in self.table.items() if entry[_B] < 0.2]:
                del self.table[term]
            self.landmark_ms = t_ms
        self.minute = minute
        age = t_ms - self.landmark_ms
        self.grown = [math.exp(age / _RECENT), math.exp(age / _PAST)]

    def _forget(self) -> None:
        """Drop half of the terms: those with least in both sums, of equal ones those that came last."""
        recent, long = 0.8 / self.grown[0], 0.2 / self.grown[1]
        worth = [recent * entry[_A] + long * entry[_B] for entry in self.table.values()]
        least = sorted(worth, reverse=True)[MAX_TERMS // 2]
        kept = {term: entry for (term, entry), value in zip(self.table.items(), worth, strict=True) if value > least}
        for (term, entry), value in zip(self.table.items(), worth, strict=True):
            if len(kept) >= MAX_TERMS // 2:
                break
            if value == least:
                kept[term] = entry
        self.table = kept
