"""What people's verdicts on single mentions teach about one brand's words, beside the shipped model and never below it.

For each brand a softmax regression (river) sees the shipped model's log-odds and a few hundred hashed tokens. Every verdict is first
predicted by both, the shipped and the learned, then learned from (progressive validation, Blum et al. 1999). The learned answer
counts only while its log loss over the last verdicts is lower by a margin; it moves no log-odds further than a bound. All is
decided by the order of the verdicts alone: what is learned takes effect as a new version, which ``Learned.version`` names.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import linear_model, optim

from streams.enrich.polarity import LABELS, Polarity
from streams.enrich.polarity_features import features

#: Token buckets of a brand, as a power of two: bounds its memory to 3 x 512 weights.
TOKEN_BITS = 9
#: The learned answer may move the odds of two labels against each other by this much at most (natural log).
BOUND = 1.5
#: Verdicts over which both are compared, how many there must be, and by how much the learned must lead in mean log loss.
WINDOW, LEAST, MARGIN = 200, 40, 0.02
#: Brands that are learned for; a further brand stays with the shipped model.
BRANDS = 10_000

_FLOOR = 1e-3


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

    @property
    def version(self) -> str:
        """Return the name of what was learned, the same for the same verdicts in the same order."""
        return f"{self.verdicts}-{self.history[:12]}" if self.verdicts else "0"


class BrandPolarity:
    """The shipped model with what was learned for each brand. ``learn`` takes verdicts, ``score`` answers as ``Polarity.score``."""

    def __init__(self, shipped: Polarity) -> None:
        """Start with nothing learned: every answer is the shipped model's."""
        self.shipped = shipped
        self.brands: dict[str, Learned] = {}

    def version(self, brand: str) -> str:
        """Return the version in force for ``brand``; the shipped model's own where nothing learned counts."""
        state = self.brands.get(brand)
        return f"{self.shipped.version}+{state.version}" if state is not None and state.leads else self.shipped.version

    def learn(self, brand: str, text: str, lang: str, label: str) -> None:
        """Take one verdict: ``label`` is negative, neutral or positive. An unknown language or brand beyond the limit teaches nothing."""
        if label not in LABELS or lang not in self.shipped.languages:
            return
        state = self.brands.get(brand)
        if state is None:
            if len(self.brands) >= BRANDS:
                return
            state = self.brands[brand] = Learned()
        shipped = self.shipped.probabilities([text], [lang])[0][0]
        seen = _inputs(text, shipped)
        learned = _bounded(shipped, state.model.predict_proba_one(seen))
        place = LABELS.index(label)
        state.shipped_losses.append(-math.log(max(float(shipped[place]), _FLOOR)))
        state.learned_losses.append(-math.log(max(float(learned[place]), _FLOOR)))
        state.model.learn_one(seen, label)
        state.verdicts += 1
        told = f"{state.history}\0{lang}\0{label}\0".encode() + text.encode("utf-8", "surrogatepass")
        state.history = hashlib.sha256(told).hexdigest()

    def score(self, brand: str, texts: Sequence[str], langs: Sequence[str]) -> list[tuple[int, int, str]]:
        """Return (negative, positive) in thousandths and the label of each text, as the version in force for ``brand`` says."""
        state = self.brands.get(brand)
        if state is None or not state.leads:
            return self.shipped.score(texts, langs)
        probabilities, _ = self.shipped.probabilities(texts, langs)
        found = []
        for text, lang, shipped in zip(texts, langs, probabilities, strict=True):
            if lang not in self.shipped.languages:
                found.append((0, 0, ""))
                continue
            learned = _bounded(shipped, state.model.predict_proba_one(_inputs(text, shipped)))
            best = int(learned.argmax())
            if learned[best] < self.shipped.abstains_below(lang):
                found.append((0, 0, ""))
            else:
                found.append((round(float(learned[0]) * 1000), round(float(learned[2]) * 1000), LABELS[best]))
        return found


def _inputs(text: str, shipped: NDArray[np.float64]) -> dict[str, float]:
    """Return what the regression sees: log-odds over neutral, and the tokens as buckets scaled by their number."""
    logs = np.log(np.maximum(shipped, _FLOOR))
    seen = {"negative": float(logs[0] - logs[1]), "positive": float(logs[2] - logs[1]), "bias": 1.0}
    buckets = sorted({int(token) >> (32 - TOKEN_BITS) for token in features([text]).tokens[1:]})
    for bucket in buckets:
        seen[f"token-{bucket}"] = 1.0 / math.sqrt(len(buckets))
    return seen


def _bounded(shipped: NDArray[np.float64], told: dict[str, float]) -> NDArray[np.float64]:
    """Return the learned probabilities, each log kept within half of BOUND of the shipped one before they are scaled to sum 1."""
    base = np.log(np.maximum(shipped, _FLOOR))
    wanted = np.log(np.maximum([told.get(label, 0.0) for label in LABELS], _FLOOR)) if told else base
    moved = np.exp(base + np.clip(wanted - base, -BOUND / 2, BOUND / 2))
    return np.asarray(moved / moved.sum(), dtype=np.float64)
