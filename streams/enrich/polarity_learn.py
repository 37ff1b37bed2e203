"""What people's verdicts on single mentions teach about one brand's words, beside the shipped model and never below it.

For each brand a softmax regression (river) sees the shipped model's log-odds and a few hundred hashed tokens. Every verdict is first
predicted by both, the shipped and the learned, then learned from (progressive validation, Blum et al. 1999). The learned answer
counts only while its log loss over the last verdicts is lower by a margin; it moves no log-odds further than a bound. All is
decided by the order of the verdicts alone. What is learned takes effect as a new version of the watchlist, at its markers.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
from river import linear_model, optim

from schemas.brand import LearnedPolarity
from streams.enrich.polarity import LABELS, Polarity
from streams.enrich.polarity_brands import UNIT, Score, bounded, inputs_of, learned_scores, softmax
from streams.errors import BadInput

#: Verdicts over which both are compared, how many there must be, and by how much the learned must lead in mean log loss.
WINDOW, LEAST, MARGIN = 200, 40, 0.02
#: Brands that are learned for; a further brand stays with the shipped model.
BRANDS = 10_000

_FLOOR = 1e-3


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of one mention; one line of a file of verdicts."""

    brand: str
    text: str
    lang: str
    label: Literal["negative", "neutral", "positive"]


def read_verdicts(path: Path) -> list[Verdict]:
    """Read a JSONL file of verdicts, the oldest first. Raises `BadInput` with the line and what is wrong there."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(f"verdicts {path}: {error.strerror}") from None
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(msgspec.json.decode(line, type=Verdict))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise BadInput(f"{path}, line {number}: {error}; a verdict has brand, text, lang and label") from None
    return found


@dataclass
class Learned:
    """State of one brand: the regression, the last losses of both models, and how many verdicts came."""

    model: Any = field(default_factory=lambda: linear_model.SoftmaxRegression(optimizer=optim.SGD(0.05), l2=1e-3))
    shipped_losses: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    learned_losses: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    history: str = ""
    verdicts: int = 0

    @property
    def leads(self) -> bool:
        """Whether the learned answer was better than the shipped one over the window, by the margin."""
        count = len(self.shipped_losses)
        return count >= LEAST and math.fsum(self.learned_losses) + MARGIN * count < math.fsum(self.shipped_losses)

    def weights(self) -> dict[str, tuple[int, int, int]]:
        """Return the regression's weights in whole units, those of what it has seen; with them it judges, too."""
        classes = [self.model.weights.get(label, {}) for label in LABELS]
        names = sorted({name for own in classes for name in own})
        rows = {name: tuple(round(own.get(name, 0.0) / UNIT) for own in classes) for name in names}
        return {name: (row[0], row[1], row[2]) for name, row in rows.items() if any(row)}


class BrandPolarity:
    """The shipped model with what was learned for each brand. ``learn`` takes verdicts, ``learned`` says what counts."""

    def __init__(self, shipped: Polarity) -> None:
        """Start with nothing learned: every answer is the shipped model's."""
        self.shipped = shipped
        self.brands: dict[str, Learned] = {}

    def learn(self, brand: str, text: str, lang: str, label: str) -> None:
        """Take one verdict: ``label`` is negative, neutral or positive. An unknown language or brand beyond the limit teaches nothing."""
        if label not in LABELS or lang not in self.shipped.languages:
            return
        state = self.brands.get(brand)
        if state is None:
            if len(self.brands) >= BRANDS:
                return
            state = self.brands[brand] = Learned()
        shipped = self.shipped.probabilities([text], [lang])[0][0].tolist()
        (seen,) = inputs_of([text], [shipped])
        learned = bounded(shipped, softmax(state.weights(), seen)) if state.verdicts else shipped
        place = LABELS.index(label)
        state.shipped_losses.append(-math.log(max(shipped[place], _FLOOR)))
        state.learned_losses.append(-math.log(max(learned[place], _FLOOR)))
        state.model.learn_one(seen, label)
        state.verdicts += 1
        told = f"{state.history}\0{lang}\0{label}\0".encode() + text.encode("utf-8", "surrogatepass")
        state.history = hashlib.sha256(told).hexdigest()

    def learned(self) -> dict[str, LearnedPolarity]:
        """Return what counts: brand to weights, for the brands alone whose learned answer leads."""
        return {
            brand: LearnedPolarity(
                shipped=self.shipped.version,
                version=f"{state.verdicts}-{state.history[:12]}",
                verdicts=state.verdicts,
                weights=state.weights(),
            )
            for brand, state in sorted(self.brands.items())
            if state.leads
        }

    def score(self, brand: str, texts: Sequence[str], langs: Sequence[str]) -> list[Score]:
        """Return (negative, positive) in thousandths and the label of each text, as the brand's records would have them now."""
        own = self.learned().get(brand)
        return self.shipped.score(texts, langs) if own is None else learned_scores(self.shipped, own, texts, langs)
