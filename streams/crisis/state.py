"""What the crisis stage remembers of a brand: its crises, their clocks, and how far it has read."""

from __future__ import annotations

from collections.abc import Iterable

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
#: So much of what two stories are angry about is the same, of at least so many crisis words (assumed).
_SAME_ANGER, _LEAST_ANGER = 0.6, 5


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
    of the smaller one's terms, half of the terms of one with what is said in the other, or what they are angry about (categories of
    crisis words). A brand-wide ring belongs to whatever burns.
    """
    if lead is None or (not life.story_ids and not life.terms):
        return True
    known = life.story_ids
    if lead.story_id in known or any(story in known for story in lead.merged):
        return True
    mine, theirs = life.terms, lead.terms
    if not mine or not theirs:
        return True
    shared = sum(1 for term in theirs if term in mine)
    if shared * 4 >= min(len(mine), len(theirs)):
        return True
    said = {*life.words, *mine}
    heard = {*sample_words(signal, lead), *theirs}
    if 2 * sum(term in said for term in theirs) >= len(theirs) or 2 * sum(term in heard for term in mine) >= len(mine):
        return True
    here, there = _angers(life.readings.values()), _angers([lead])
    return sum(min(share, there.get(category, 0.0)) for category, share in here.items()) >= _SAME_ANGER


def _angers(stories: Iterable[StoryReading]) -> dict[str, float]:
    """Return {category of crisis words: its share}; nothing where too few were said to tell."""
    counts: dict[str, int] = {}
    for story in stories:
        for word, count in story.crisis_words.items():
            category = word.partition(":")[0]
            counts[category] = counts.get(category, 0) + count
    total = sum(counts.values())
    return {category: count / total for category, count in counts.items()} if total >= _LEAST_ANGER else {}
