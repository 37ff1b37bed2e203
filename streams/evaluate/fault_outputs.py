"""What a fault run left behind, as a consumer that drops equal ``ce_id`` sees it, and the comparison with an undisturbed run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

from streams.detect.stage import DetectPartition
from streams.engine.changelog import changelog_topic, recover
from streams.evaluate.fault_runs import PARTITIONS, consumer, settings_of

#: Topics that are compared; of the last two the ids end in the brand's ``seq``.
OUTPUTS = ("mentions.enriched", "mentions.rejected", "brand.signals", "crisis.events")
_WITH_SEQ = OUTPUTS[2:]


@dataclass(frozen=True)
class Written:
    """One record as a consumer sees it."""

    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class Outputs(dict[str, Written]):
    """Records of one topic by identity: ``ce_id``, or for a rejected record where it came from.

    ``repeats`` were the same again, ``contradictions`` had one identity and other bytes, ``disorder`` counts first deliveries whose
    ``seq`` does not follow the brand's last. ``sources`` are the raw records spoken of, as (partition, offset).
    """

    def __init__(self) -> None:
        super().__init__()
        self.repeats = self.contradictions = self.disorder = 0
        self.sources: set[tuple[int, int]] = set()
        self._seq: dict[str, int] = {}

    def take(self, topic: str, message: Any) -> None:
        """Note one record of ``topic`` (its logical name), in the order of the log."""
        headers = tuple(message.headers() or ())
        named = dict(headers)
        if topic == "mentions.rejected":
            source = (int(named["__connect.errors.partition"]), int(named["__connect.errors.offset"]))
            identity = f"{source[0]}-{source[1]}"
            self.sources.add(source)
        else:
            identity = named.get("ce_id", b"").decode()
        if topic == "mentions.enriched" and named.get("ce_type") == b"veille.enriched":
            partition, offset, _ = identity.split("-", 2)
            self.sources.add((int(partition), int(offset)))
        record = Written(message.key(), message.value() or b"", headers)
        known = self.get(identity)
        if known is not None:
            self.repeats += known == record
            self.contradictions += known != record
            return
        self[identity] = record
        if topic in _WITH_SEQ:
            brand, _, seq = identity.rpartition("-")
            self.disorder += int(seq) != self._seq.get(brand, 0) + 1
            self._seq[brand] = int(seq)


def read_outputs(broker: str, run: str) -> dict[str, Outputs]:
    """Return what a run wrote for each topic; control records (without a key) are left out, but for rejected ones."""
    settings = settings_of(broker, run)
    return {name: _read(broker, name, settings.topic(name)) for name in OUTPUTS}


def _read(broker: str, name: str, topic: str) -> Outputs:
    reader = consumer(broker, "compare")
    found = Outputs()
    try:
        for number in range(PARTITIONS):
            place = TopicPartition(topic, number, OFFSET_BEGINNING)
            _, end = reader.get_watermark_offsets(place, timeout=10)
            reader.assign([place])
            position = 0
            while position < end:
                for message in reader.consume(5000, 1.0):
                    if message.error():
                        raise KafkaException(message.error())
                    position = message.offset() + 1
                    if message.key() is not None or name == "mentions.rejected":
                        found.take(name, message)
            reader.unassign()
    finally:
        reader.close()
    return found


def read_digests(broker: str, run: str) -> dict[str, int]:
    """Return {brand: digest of the mentions that were counted for it, in order} from the saved states of detect."""
    settings = settings_of(broker, run)
    found: dict[str, int] = {}
    for number in range(PARTITIONS):
        saved = asyncio.run(recover(settings, changelog_topic(settings, "detect"), number))
        stage = DetectPartition(number, settings.detect, PARTITIONS)
        stage.restore(saved.states, saved.cut)
        found.update({brand.id: brand.digest for brand in stage.brands.values()})
    return found


@dataclass
class Comparison:
    """By topic: records of the calm run, how many the rough run lacks, has too many or has otherwise, and its repeats."""

    topics: dict[str, dict[str, int]]
    examples: dict[str, list[str]]

    @property
    def equal(self) -> bool:
        """Whether a consumer that drops equal ``ce_id`` could not tell the runs apart."""
        words = ("missing", "extra", "other", "contradictions", "disorder")
        return all(not counts[word] for counts in self.topics.values() for word in words)

    def lines(self) -> list[str]:
        """The summary for people; ids only."""
        found = [f"{name}: " + ", ".join(f"{count} {word}" for word, count in counts.items()) for name, counts in self.topics.items()]
        return found + [f"  {name}: {', '.join(ids)}" for name, ids in self.examples.items() if ids]


def compare(calm: dict[str, Outputs], rough: dict[str, Outputs]) -> Comparison:
    """Compare two runs, record by record under its identity (which holds brand and seq)."""
    topics, examples = {}, {}
    for name, before in calm.items():
        after = rough[name]
        missing = [identity for identity in before if identity not in after]
        extra = [identity for identity in after if identity not in before]
        other = [identity for identity, record in before.items() if identity in after and after[identity] != record]
        topics[name] = {
            "records": len(before), "missing": len(missing), "extra": len(extra), "other": len(other), "repeats": after.repeats,
            "contradictions": before.contradictions + after.contradictions, "disorder": before.disorder + after.disorder,
        }  # fmt: skip
        examples[name] = [*(f"-{i}" for i in missing[:4]), *(f"+{i}" for i in extra[:4]), *(f"!{i}" for i in other[:4])]
    return Comparison(topics, examples)
