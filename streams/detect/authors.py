"""Distinct and effective authors in little memory."""

from __future__ import annotations

import math

import msgspec

from streams.detect.names import number_of

#: Authors that are counted exactly; beyond, a sketch counts them.
EXACT = 48
_BITS = 8
_REGISTERS = 1 << _BITS


class Authors(msgspec.Struct, array_like=True, gc=False):
    """Distinct authors, and effective authors exp(entropy of their shares): a flood by few accounts shows as few.

    Exact up to 48 authors; then a HyperLogLog of 256 registers (Flajolet et al. 2007, error about 6.5 %), and the entropy
    takes every mention by an author outside the table as one more of equal weight.

    >>> a = Authors()
    >>> for i in range(30):
    ...     new = a.learn_one("bot" if i % 3 else f"user{i}")
    >>> a.distinct(), round(a.effective(), 1)
    (11, 4.1)
    """

    #: {number of an author (see `names`): mentions}
    counts: dict[int, int] = {}
    total: int = 0
    others: int = 0
    registers: bytearray = msgspec.field(default_factory=bytearray)
    #: Sum of c ln c over the table; sum of 2^-register and number of empty registers.
    spent: float = 0.0
    harmonic: float = 0.0
    empty: int = 0

    def learn_one(self, author: str) -> bool:
        """Take one mention by ``author`` (a keyed hash; "" counts as someone new). Return whether it is a new name."""
        return self.learn_number(number_of(author or f"?{self.total + 1}"))

    def learn_number(self, author: int) -> bool:
        """Take one mention by the author of this number."""
        self.total += 1
        counts = self.counts
        count = counts.get(author)
        if count is not None:
            counts[author] = count + 1
            self.spent += (count + 1) * math.log(count + 1) - (count * math.log(count) if count > 1 else 0.0)
            return False
        if len(counts) < EXACT:
            counts[author] = 1
            return True
        self.others += 1
        if not self.registers:
            self._start()
        return self._put(author)

    def _start(self) -> None:
        self.registers = bytearray(_REGISTERS)
        self.harmonic, self.empty = float(_REGISTERS), _REGISTERS
        for author in self.counts:
            self._put(author)

    def _put(self, author: int) -> bool:
        return self._raise(author & (_REGISTERS - 1), 33 - _BITS - (author >> _BITS).bit_length())

    def _raise(self, place: int, rank: int) -> bool:
        """Let a register hold at least ``rank``. The sum of powers of two stays exact, so its order does not matter."""
        before = self.registers[place]
        if rank <= before:
            return False
        self.registers[place] = rank
        self.harmonic += 2.0**-rank - 2.0**-before
        self.empty -= not before
        return True

    def distinct(self) -> int:
        """Return the number of distinct authors (estimated beyond 48)."""
        if not self.registers:
            return len(self.counts)
        raw = 0.7183 * _REGISTERS * _REGISTERS / self.harmonic
        empty = self.empty
        if empty and raw < 2.5 * _REGISTERS:
            raw = _REGISTERS * math.log(_REGISTERS / empty)
        return max(len(self.counts), min(self.total, round(raw)))

    def effective(self) -> float:
        """Return exp(H), H the entropy of the mentions' shares over authors."""
        if not self.total:
            return 0.0
        n = float(self.total)
        spent = self.spent
        if self.others:
            each = max(1.0, self.others / max(1, self.distinct() - len(self.counts)))
            spent += self.others * math.log(each)
        return math.exp(math.log(n) - spent / n)

    def merge(self, other: Authors) -> None:
        """Take over another's authors."""
        for author, count in other.counts.items():
            if author in self.counts:
                self.counts[author] += count
                self.total += count
            else:
                self.learn_number(author)
                self.total += count - 1
                if author in self.counts:
                    self.counts[author] = count
                else:
                    self.others += count - 1
        self.total += other.others
        self.others += other.others
        if other.registers:
            if not self.registers:
                self._start()
            for place, rank in enumerate(other.registers):
                self._raise(place, rank)
        self.spent = math.fsum(c * math.log(c) for c in self.counts.values() if c > 1)
