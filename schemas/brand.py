"""Brand definitions: the watchlist file and the compacted topic ``watchlist``."""

from __future__ import annotations

import msgspec


class CalendarEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"start": "from", "end": "to"}):
    """A planned happening: volume of ``terms`` is expected to be ``expect`` times the usual."""

    start: str
    end: str
    terms: tuple[str, ...]
    expect: float = 5.0


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From which severity on a person is paged."""

    severity: int = 3


class Brand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One watched brand. Only ``id`` and ``names`` are required.

    ``handles`` maps a network to handles; the key ``*`` stands for every network (a plain list in the
    YAML file). ``alarms_per_week`` is the ceiling on false alarms that page a person. ``languages`` and ``sector`` are kept for who
    reads the list: nothing that Veille computes depends on them.
    """

    id: str
    names: tuple[str, ...]
    handles: dict[str, tuple[str, ...]] = {}
    hashtags: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()
    alarms_per_week: float = 0.5
    timezone: str = "UTC"
    languages: tuple[str, ...] = ()
    sector: str = ""
    people: tuple[str, ...] = ()
    plan: str = ""
    thresholds: Thresholds = Thresholds()
    calendar: tuple[CalendarEntry, ...] = ()


class LearnedPolarity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people's verdicts on one brand's mentions taught, beside the shipped polarity model ``shipped`` that it was better than.

    ``weights`` maps what the model sees (``negative``, ``positive``: log-odds over neutral; ``bias``; ``token-N``: a hash bucket) to
    weights for negative, neutral and positive, in 1/4096. ``version`` names the ``verdicts`` that it was made of.
    """

    shipped: str
    version: str
    verdicts: int
    weights: dict[str, tuple[int, int, int]]


class Watchlist(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All brands in force under one version, the press list added to the shipped one, and what was learned: brand id to polarity.

    ``alarms_per_week`` is a ceiling on false alarms that page a person for all brands together, beside that of each; 0: none.
    A list that is too long for one record comes in ``parts``, of which this is number ``part``: brands and what was learned of them.
    """

    brands: tuple[Brand, ...]
    press: tuple[str, ...] = ()
    version: int = 1
    learned: dict[str, LearnedPolarity] = {}
    alarms_per_week: float = 0.0
    part: int = 1
    parts: int = 1

    @property
    def share_per_week(self) -> float:
        """An even share of the common ceiling; 0: there is none. What one brand leaves unused no other spends, so the sum holds."""
        return self.alarms_per_week / max(1, len(self.brands))

    def asked_per_week(self, brand: Brand) -> float:
        """Return the alarms a week that ``brand`` may have: its own ceiling, at most its share of the common one."""
        return min(brand.alarms_per_week, self.share_per_week) if self.alarms_per_week else brand.alarms_per_week
