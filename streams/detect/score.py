"""The score: four groups of reasons, each within bounds, and what each adds in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from schemas.signal import Contribution
from streams.detect.formulas import clip, count_tail, gamma_above
from streams.detect.stories import Story
from streams.rounding import six

GROUPS = ("volume", "growth", "tone", "spread")
#: Bounds of a group's log-odds, and what the weaker reasons of a group still count: they are one burst seen several times. More may speak
#: against a crisis than for one: praise by a crowd outweighs the complaints that its size brings by misreading.
LEAST, BOUND, WEAKER = -6.0, 4.0, 0.25
#: Votes that a usual share stands for, and as many texts of a story what is said around it (assumed).
_PRIOR = 4.0
#: log10 of the hours for which a sum over six hours stays about the same.
_RUNS = math.log10(6.0)

_TEXTS = {
    "volume.story": "{trouble} worrying mentions in about 3 h, {times} times what the brand's largest story usually has",
    "volume.mentions": "{count} mentions in {window}, {expected} expected",
    "volume.mentions+all": "{count} mentions in {window}, {expected} expected ({all} with repeats and copies)",
    "volume.mentions+before": "{count} mentions in {window}, {expected} expected ({all} with repeats, copies and {before} of a past alarm)",
    "volume.negative": "{count} negative mentions in {window}, {expected} expected",
    "volume.negative+before": "{count} negative mentions in {window}, {expected} expected (not counting {before} of a past alarm)",
    "volume.calls": "{count} calls for a boycott or petition in about 6 h, {expected} expected",
    "volume.cold": "no baseline: judged by growth and words alone",
    "volume.searched": "one of many pairs of words that were looked at",
    "growth.rate": "{rate} worrying mentions an hour now",
    "growth.reproduction": "each mention brings {r} more (probability of growing {p})",
    "tone.negative": "{share}% negative, usually {usual}%",
    "tone.crisis": "crisis words in {share}% of mentions",
    "tone.complaint": "what comes on top of the usual talk complains about the brand",
    "tone.praise": "what comes on top of the usual talk praises the brand",
    "tone.calls": "people call on others to act against the brand",
    "tone.doubt": "hearsay, doubt or denial in {share}% of mentions",
    "spread.authors": "{authors} authors, who count as {effective} independent people",
    "spread.people": "{mentions} mentions in the last hour, which count as {effective} independent people",
    "spread.networks": "reached {networks} networks",
    "spread.press": "{press} mentions by the press",
    "spread.organic": "only {organic}% looks like independent people",
    "spread.copies": "{copies}% are copies of each other",
}


#: Numbers that fill the words of a reason, with their decimals; the last ones may be missing.
_VALUES: dict[str, tuple[tuple[str, int], ...]] = {
    "volume.story": (("trouble", 1), ("times", 1)),
    "volume.mentions": (("count", 0), ("expected", 2), ("window", 0), ("all", 0), ("before", 0)),
    "volume.negative": (("count", 0), ("expected", 2), ("window", 0), ("before", 0)),
    "volume.calls": (("count", 1), ("expected", 2)),
    "growth.rate": (("rate", 1),),
    "growth.reproduction": (("r", 2), ("p", 2)),
    "tone.negative": (("share", 0), ("usual", 0)),
    "tone.crisis": (("share", 0),),
    "tone.doubt": (("share", 0),),
    "spread.authors": (("authors", 0), ("effective", 1)),
    "spread.people": (("mentions", 0), ("effective", 0)),
    "spread.networks": (("networks", 0),),
    "spread.press": (("press", 0),),
    "spread.organic": (("organic", 0),),
    "spread.copies": (("copies", 0),),
}
_GROUP = {name: GROUPS.index(name.partition(".")[0]) for name in _TEXTS}

#: One reason: ``group.name``, its log-odds, and the numbers that fill its words, as `_VALUES` names them.
Part = tuple[str, float, tuple[float | str, ...]]
#: {story: (its mentions, the parts that change with them alone)}
Lasting = dict[str, tuple[int, list[Part]]]
#: Offset, and the weights of the four groups.
Weights = tuple[float, float, float, float, float]
SHIPPED: Weights = (0.0, 1.0, 1.0, 1.0, 1.0)


class Scored(msgspec.Struct, frozen=True, gc=False):
    """A score in log-odds: its sum, each group's bounded sum before its weight, the parts, and the weights."""

    total: float
    groups: tuple[float, ...]
    parts: list[Part]
    weights: Weights

    def contributions(self) -> tuple[Contribution, ...]:
        """Return the parts that matter as they count, largest first, with their words in English."""
        raws, most = _grouped(self.parts)
        scales, strongest = [], [True] * len(GROUPS)
        for group, bounded in enumerate(self.groups):
            raw, weight = raws[group], self.weights[group + 1]
            scales.append(weight * bounded / raw if raw else weight)
        counted = []
        for name, odds, values in self.parts:
            group = _GROUP[name]
            fully = strongest[group] and odds == most[group]
            strongest[group] = strongest[group] and not fully
            counted.append((odds * scales[group] * (1.0 if fully else WEAKER), name, values))
        ranked = sorted((one for one in counted if abs(one[0]) >= 0.1), key=lambda one: (-abs(one[0]), one[1]))
        found = []
        for odds, name, values in ranked:
            named = {
                key: value if isinstance(value, str) else round(value, digits) if digits else round(value)
                for (key, digits), value in zip(_VALUES.get(name, ()), values, strict=False)
            }
            found.append(Contribution(name=name, log_odds=six(odds), text=words(name, named), values=named))
        return tuple(found)


class Usual(msgspec.Struct, frozen=True, gc=False):
    """What is usual for the brand: shares of votes, and the largest story (mean and deviation of ln(1 + trouble))."""

    negative: float
    crisis: float
    doubt: float
    story_mean: float
    story_deviation: float
    hour_authors: float
    #: Calls to act against the brand: expected an hour, and how many that rests on.
    hour_calls: float
    known_calls: float
    #: Log-odds of a crowd that complains against one that praises.
    crowd: float = 0.0


def words(name: str, values: Mapping[str, float | str]) -> str:
    """Return a reason in English.

    >>> words("volume.negative", {"count": 12, "expected": 3.1, "window": "24 h", "before": 40})
    '12 negative mentions in 24 h, 3.1 expected (not counting 40 of a past alarm)'
    """
    shown = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in values.items()}
    more = next((key for key in ("before", "all") if key in values), "")
    return _TEXTS[f"{name}+{more}" if more else name].format(**shown)


def combine(parts: list[Part], weights: Weights = SHIPPED) -> Scored:
    """Add parts up: within a group the strongest fully and the others a quarter, each group within -6 and 4 and by its weight.

    >>> combine([("tone.negative", 6.0, (1, 1)), ("tone.crisis", 2.0, (1,)), ("growth.rate", 1.0, (1,))]).total
    5.0
    """
    (volume, growth, tone, spread), _ = _grouped(parts)
    volume = LEAST if volume < LEAST else BOUND if volume > BOUND else volume
    growth = LEAST if growth < LEAST else BOUND if growth > BOUND else growth
    tone = LEAST if tone < LEAST else BOUND if tone > BOUND else tone
    spread = LEAST if spread < LEAST else BOUND if spread > BOUND else spread
    offset, one, two, three, four = weights
    total = offset + one * volume + two * growth + three * tone + four * spread
    return Scored(total, (volume, growth, tone, spread), parts, weights)


def _grouped(parts: list[Part]) -> tuple[list[float], list[float]]:
    """Return of each group its log-odds before they are bounded, and the strongest of them."""
    sums, most, sizes = [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]
    for name, odds, _ in parts:
        group = _GROUP[name]
        sums[group] += odds
        size = -odds if odds < 0.0 else odds
        if size > sizes[group]:
            sizes[group], most[group] = size, odds
    # Written out: this is done for every story of every brand at every line.
    (a, b, c, d), (e, f, g, h) = sums, most
    return [e + WEAKER * (a - e), f + WEAKER * (b - f), g + WEAKER * (c - g), h + WEAKER * (d - h)], most


def _logit(p: float) -> float:
    return math.log(p / (1.0 - p))


def share_odds(count: float, total: float, usual: float, wait: float = 3.0) -> float:
    """Return how far a share lies above the usual one, in log-odds, shrunk while there is little to see (``wait``: votes that count half).

    >>> round(share_odds(9.0, 10.0, 0.2), 1), share_odds(0.0, 0.0, 0.2)
    (1.7, 0.0)
    """
    if total <= 0.0:
        return 0.0
    usual = clip(usual, 0.02, 0.9)
    share = clip((count + _PRIOR * usual) / (total + _PRIOR), 0.005, 0.995)
    return math.log(share * (1.0 - usual) / (usual * (1.0 - share))) * total / (total + wait)


def tone_parts(votes: float, negative: float, crisis: float, doubt: float, usual: Usual, wait: float = 3.0) -> list[Part]:
    """Return of the tone group negative share, crisis words and doubt, each against what is usual."""
    share = 100.0 * negative / votes if votes > 1e-9 else 0.0
    parts: list[Part] = [("tone.negative", share_odds(negative, votes, usual.negative, wait), (share, 100.0 * usual.negative))]
    if crisis > 0.0:
        odds = share_odds(crisis, votes, max(usual.crisis, 0.04), wait)
        if odds > 0.0:
            parts.append(("tone.crisis", odds, (100.0 * crisis / votes,)))
    if doubt > 0.0:
        odds = share_odds(doubt, votes, max(usual.doubt, 0.08), wait)
        if odds > 0.0:
            parts.append(("tone.doubt", odds, (100.0 * doubt / votes,)))
    return parts


def crowd_parts(crowd: float) -> list[Part]:
    """Return of the tone group what is said beyond the usual."""
    return [("tone.praise" if crowd < 0.0 else "tone.complaint", crowd, ())] if crowd else []


def _lasting(story: Story, usual: Usual, known: Lasting) -> list[Part]:
    """Return the parts that change with what is said, not with time: ``known``, where the story has no more mentions than it had then.

    Tone is that of its texts: who passes a text on adds weight to it, and no new reading of what it says.
    """
    found = known.get(story.id)
    if found is not None and found[0] == story.mentions:
        return found[1]
    effective = story.authors.effective()
    parts = tone_parts(story.told, story.told_negative, story.told_crisis, story.told_doubt, usual, 0.0)
    odds = clip(1.3 * math.log((effective + 0.5) / 6.0), -2.5, 3.0)
    parts.append(("spread.authors", odds, (story.authors.distinct(), effective)))
    if story.by == "terms":
        parts.append(("volume.searched", -1.0, ()))
    reached = len([count for count in story.networks.values() if count >= 2])
    if reached >= 2:
        parts.append(("spread.networks", 0.8 * min(reached - 1, 3), (reached,)))
    if story.press:
        parts.append(("spread.press", min(2.5, 1.0 + 0.7 * math.log(story.press)), (story.press,)))
    parts += _doubtful(story)
    known[story.id] = story.mentions, parts
    return parts


def _score_calls(story: Story, t_ms: int, usual: Usual, weights: Weights) -> Scored:
    """Score calls to act against the brand: all rests on how many there are beside the usual, since what makes this story is what it says.

    - volume: 1.5 s - 2, where s is -log10 of the probability that a run of hours with so many calls begins. Sums of about six hours
      hardly change within six, so that is a sixth of p;
      Half a call comes on top of what is expected as long as none was seen (assumed);
    - growth: 0.9 ln(calls an hour / 1.5 more than usual); tone: the group's bound; less for what looks inorganic or copied.
    """
    hour, six_hours = story.decayed(t_ms)
    mean = 0.5 / (1.0 + usual.known_calls) + 6.0 * usual.hour_calls
    surprise = count_tail(six_hours, mean, 1.5 * mean + mean * mean / (usual.known_calls + 1.0))
    parts: list[Part] = [
        ("volume.calls", clip(1.5 * (surprise + _RUNS) - 2.0, -4.0, 4.0), (six_hours, mean)),
        ("growth.rate", clip(0.9 * math.log((hour + 0.3) / (usual.hour_calls + 1.5)), -2.0, 4.0), (hour,)),
        ("tone.calls", BOUND, ()),
        *_doubtful(story),
    ]
    return combine(parts, weights)


def score_story(story: Story, t_ms: int, usual: Usual, weights: Weights = SHIPPED, known: Lasting | None = None) -> Scored:
    """Score one story at ``t_ms``. Values are assumed; the sum is recalibrated on the brand's own history.

    ``known``: what lasts of the stories scored within this hour, which is added to.

    - volume: 1.5 z - 2, where z places ln(1 + trouble of about 3 h) among the brand's usual largest stories;
    - growth: 0.9 ln(trouble an hour / 1.5), and half the log-odds of R > 1;
    - tone: `tone_parts`, and what is said around it as long as its own texts are few;
    - spread: 1.3 ln(effective authors / 6), networks, press, less for what looks inorganic or copied.
    """
    story.sum_up()
    if story.by == "calls":
        return _score_calls(story, t_ms, usual, weights)
    hour, six_hours = story.decayed(t_ms)
    recent = hour + 0.4 * max(0.0, six_hours - hour)
    z = (math.log1p(recent) - usual.story_mean) / usual.story_deviation
    shape, rate = story.growth.posterior(t_ms)
    growing = gamma_above(shape, rate, 1.0)
    parts: list[Part] = [
        ("volume.story", clip(1.5 * z - 2.0, -4.0, 4.0), (recent, recent / max(0.1, math.expm1(usual.story_mean)))),
        ("growth.rate", clip(0.9 * math.log((hour + 0.3) / 1.5), -2.0, 4.0), (hour,)),
        ("growth.reproduction", 0.5 * clip(_logit(clip(growing, 0.01, 0.99)), -4.0, 4.0), (shape / rate, growing)),
        *_lasting(story, usual, {} if known is None else known),
        *crowd_parts(usual.crowd * _PRIOR / (_PRIOR + story.told)),
    ]
    return combine(parts, weights)


def _doubtful(story: Story) -> list[Part]:
    """Return what speaks against a story: accounts that do not look like people, copies of each other."""
    parts: list[Part] = []
    organic = story.organic
    if organic < 0.6:
        parts.append(("spread.organic", -4.0 * clip((0.6 - organic) / 0.3, 0.0, 1.0), (100.0 * organic,)))
    if story.originals >= 8 and story.copies > 0.5 * story.originals:
        share = story.copies / story.originals
        parts.append(("spread.copies", -4.0 * (share - 0.5) * 2.0, (100.0 * share,)))
    return parts
