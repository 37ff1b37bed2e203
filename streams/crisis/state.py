"""What the crisis stage remembers of a brand: its crises, their clocks, and how far it has read."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from schemas.crisis import Crisis
from schemas.desk import ACTIVE
from schemas.signal import ImpactRow, Signal, StoryReading
from streams.captures import Register
from streams.crisis.effect import Answered
from streams.crisis.recent import Told
from streams.folding import words_of
from streams.gate.ledger import Ledger

MAX_STORIES = 20
MAX_TERMS = 24
MAX_WORDS = 150
#: Published statements of a crisis whose effect is looked for.
MAX_ANSWERED = 10
#: Shorter words tell no story from another.
_LEAST_LETTERS = 4
#: So much of terms, of words and of what two stories are angry about is the same, the last of at least so many crisis words (assumed).
_SAME_TERMS, _SAME_WORDS, _SAME_ANGER, _LEAST_ANGER = 0.25, 0.5, 0.6, 5
#: For so long after it was last over the threshold an open crisis counts as ringing, and after its stories' last mention one that has eased
#: takes a ring of the brand as a whole (assumed).
_STILL_RINGS_MS = 3_600_000
_RINGING = ("suspected", "open", "escalated")


class Life(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One crisis with what decides its next step. Times are event time in ms; 0 means never."""

    card: Crisis
    #: Every story id that ever belonged to it, oldest first (at most 200); the latest reading of the largest ones.
    story_ids: list[str] = []
    readings: dict[str, StoryReading] = {}
    terms: list[str] = []
    #: Words of its sample mentions (see `streams.folding`), the latest last.
    words: list[str] = []
    #: Steps of the grid that were over the threshold, of the last few.
    over_steps: list[int] = []
    last_over_ms: int = 0
    #: Patience (easing, resolving, withdrawing) counts from here, if later than `last_over_ms`: the sources came back, a person acted.
    watch_ms: int = 0
    risen_ms: int = 0
    #: When it was last told as growing again after it had eased.
    again_ms: int = 0
    #: When it began to page a person, since it last opened; a person's word confirmed it.
    paged_ms: int = 0
    confirmed: bool = False
    told_ms: int = 0
    told_mentions: int = 0
    closed_ms: int = 0
    muted_ms: int = 0
    #: The mute is a snooze: it ends when the crisis gets worse.
    snoozed: bool = False
    #: The severity that the numbers say now; the card's rises only when an event says so.
    severity_now: int = 0
    #: Whether a reading ever concerned it: a crisis that a person declared waits for its first one.
    seen: bool = False
    #: A person ended it: it comes back by a command or not at all.
    final: bool = False
    last_event: str = ""
    #: The table of what rings outside of any story; {network: posts of the brand since it rang}; what was published.
    whole: tuple[ImpactRow, ...] = ()
    own_networks: dict[str, int] = {}
    answered: list[Answered] = []
    #: Its claims and statements; None until the first one.
    ledger: Ledger | None = None


class BrandState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One brand: sequence numbers read and written, its crises, its blindness."""

    brand: str
    signal_seq: int = 0
    event_seq: int = 0
    #: Crises counted so far, for their ids.
    count: int = 0
    #: Event time that the brand's own records have reached.
    now_ms: int = 0
    #: {partition of crisis.commands: highest offset seen}.
    commands: dict[int, int] = {}
    command_ids: list[str] = []
    lives: list[Life] = []
    #: {crisis: what of it was captured}, and statements written so far: the gate's part.
    registers: dict[str, Register] = {}
    statement_seq: int = 0
    blind: dict[str, int] = {}
    #: {story: as it was told lately}; see `streams.crisis.recent`.
    told: dict[str, Told] = {}
    #: When the desk was last asked about near misses (event time, ms), the latest three.
    asked: list[int] = []
    page_severity: int = 3
    timezone: str = "UTC"


def leave_to_others(state: BrandState, life: Life) -> None:
    """Let a crisis that comes back leave those of its stories that another live one took over meanwhile: one story, one crisis."""
    taken = {story for other in state.lives if other is not life and other.card.phase in ACTIVE for story in other.story_ids}
    life.story_ids = [story for story in life.story_ids if story not in taken]
    life.readings = {story: reading for story, reading in life.readings.items() if story not in taken}


def sample_words(signal: Signal, story: StoryReading) -> list[str]:
    """Return the words of the samples of ``story`` that ``signal`` shows, each once."""
    texts = [text for name, _, text in signal.samples if name in story.samples]
    return [word for word in dict.fromkeys(words_of(" ".join(texts)).split()) if len(word) >= _LEAST_LETTERS]


def matches(life: Life, signal: Signal, lead: StoryReading | None) -> bool:
    """Say whether what rings (its ``lead`` story, or none: the brand as a whole) belongs to ``life``.

    One cause makes several stories (a cascade, the links to it, copies). Stories are one crisis that share an id, a merged id, a quarter
    of the smaller one's terms, half of the terms or words of one with what is said in the other, or what they are angry about (categories
    of crisis words). Of stories held together by no terms nobody can tell: they belong to what still rang when they began. So an alarm
    that was none does not hide the crisis after it; nor does it where the brand rings as a whole: that belongs to what burns, to what rang
    by the brand's count alone, and to what eased while its own stories are still spoken of.
    """
    if lead is None:
        spoken_of = max((story.last_ms for story in life.readings.values()), default=signal.at_ms)
        return life.card.phase in _RINGING or signal.at_ms - spoken_of <= _STILL_RINGS_MS
    if any(story in life.story_ids for story in (lead.story_id, *lead.merged)):
        return True
    mine, theirs, words, told = life.terms, lead.terms, life.words, sample_words(signal, lead)
    if max(_part(mine, theirs), _part(theirs, mine)) >= _SAME_TERMS:
        return True
    if max(_part(theirs, {*words, *mine}), _part(mine, {*told, *theirs}), _part(told, words), _part(words, told)) >= _SAME_WORDS:
        return True
    here, there = _angers(life.readings.values()), _angers([lead])
    if sum(min(share, there.get(category, 0.0)) for category, share in here.items()) >= _SAME_ANGER:
        return True
    patience = _STILL_RINGS_MS if life.card.phase in _RINGING else 0
    return not (mine and theirs) and lead.onset_ms <= life.last_over_ms + patience


def _part(words: Collection[str], among: Collection[str]) -> float:
    """Return what share of ``words`` is among others; 0 where there are none."""
    return sum(word in among for word in words) / len(words) if words else 0.0


def _angers(stories: Iterable[StoryReading]) -> dict[str, float]:
    """Return {category of crisis words: its share}; nothing where too few were said to tell."""
    counts: dict[str, int] = {}
    for story in stories:
        for word, count in story.crisis_words.items():
            category = word.partition(":")[0]
            counts[category] = counts.get(category, 0) + count
    total = sum(counts.values())
    return {category: count / total for category, count in counts.items()} if total >= _LEAST_ANGER else {}
