"""Numbers that stages know and metrics show: alarms, sampling, what enrich moved and forgot. Nothing here changes what a stage returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from weakref import WeakKeyDictionary

import msgspec

from schemas.brand import Watchlist
from schemas.cloudevents import type_of
from schemas.crisis import Crisis
from streams.crisis.gated import Cell
from streams.crisis.settings import CrisisSettings
from streams.crisis.stage import CrisisPartition
from streams.detect.stage import DetectPartition
from streams.engine.stage import Output, Record
from streams.enrich.stage import EnrichPartition
from streams.metrics import PrometheusMeter

_HOUR_MS = 3_600_000
_WEEK_MS = 168 * _HOUR_MS
_card = msgspec.json.Decoder(Crisis).decode


class CountedCrisis(CrisisPartition):
    """A crisis stage whose events are counted; what it returns is untouched. An event read again counts again."""

    def __init__(self, partition: int, settings: CrisisSettings, cell: Cell, meter: PrometheusMeter) -> None:
        super().__init__(partition, settings, cell)
        self._meter = meter
        self._told_hour = -1

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """As `CrisisPartition.process`."""
        outputs = list(super().process(records))
        for output in outputs:
            if output.topic == "crisis.events":
                card = _card(output.value or b"")
                self._meter.crisis_event(type_of(output.headers).decode(), card.kind, card.onset, card.updated_at)
                self._told_hour = -1
        return outputs

    def tell(self) -> None:
        """Show how many crises of the last week of event time paged a person, anew each hour and after every event."""
        hour = self.watermark // _HOUR_MS if self.watermark is not None else -1
        if hour == self._told_hour or self.watermark is None:
            return
        self._told_hour = hour
        confirmed, unconfirmed = self.paged(self.watermark - _WEEK_MS)
        for outcome, number in (("confirmed", confirmed), ("unconfirmed", unconfirmed)):
            self._meter.put("veille_paging_openings_last_week", number, str(self.partition), outcome)


class _Counted:
    """One counter of the catalogue, by partition, from totals that partitions keep."""

    def __init__(self, meter: PrometheusMeter, name: str) -> None:
        self._meter, self._name = meter, name
        #: By the partition's object: one that came back to this worker begins at 0 again.
        self._told: WeakKeyDictionary[EnrichPartition | DetectPartition, int] = WeakKeyDictionary()

    def tell(self, of: EnrichPartition | DetectPartition, total: int) -> None:
        """Count what ``total`` grew by since the last call."""
        before = self._told.get(of, 0)
        self._meter.count(self._name, total - before if total >= before else total, str(of.partition))
        self._told[of] = total


class EnrichTally:
    """What enrich's partitions moved to the clock, and which ids they had to forget, told to the meter as they go on."""

    def __init__(self, meter: PrometheusMeter) -> None:
        self._early, self._forgotten = _Counted(meter, "veille_mentions_early"), _Counted(meter, "veille_ids_forgotten")

    def tell(self, enrich: EnrichPartition) -> None:
        """Count what came since the last call."""
        self._early.tell(enrich, enrich.early)
        self._forgotten.tell(enrich, enrich.forgotten_ids)


class SamplingTally:
    """What detect's partitions left out of samples, told to the meter as they go on."""

    def __init__(self, meter: PrometheusMeter) -> None:
        self._meter = meter
        self._left_out = _Counted(meter, "veille_mentions_left_out")

    def tell(self, detect: DetectPartition) -> None:
        """Show the strongest sampling since the last call, and count what was left out since then."""
        self._left_out.tell(detect, detect.left_out)
        self._meter.put("veille_sampling_share", 1.0 / detect.hottest, str(detect.partition))
        detect.hottest = 1


def asked_per_week(watchlist: Watchlist) -> float:
    """Return the ceiling on false alarms that page a person, a week, of all brands of a watchlist."""
    return sum(map(watchlist.asked_per_week, watchlist.brands))
