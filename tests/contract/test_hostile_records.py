"""Records made to stop a worker: read again after each restart, one that raises would stop it for good."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

import msgspec
import pytest

from schemas.cloudevents import SCHEMA_OF, Headers
from schemas.command import Command
from streams.crisis.forward import UNREADABLE, ForwardPartition
from streams.crisis.settings import CrisisSettings
from streams.crisis.stage import CrisisPartition
from streams.detect.settings import DetectSettings
from streams.detect.stage import DetectPartition
from streams.engine.stage import InputRecord, Output, PartitionStage
from streams.enrich.settings import EnrichSettings
from streams.enrich.stage import EnrichPartition
from streams.enrich.watchlist import Watchlists, parse_watchlist
from streams.evidence.stage import EvidencePartition
from streams.respond.settings import RespondSettings
from streams.respond.stage import RespondPartition
from tests.crisis.make import START, events, log, signal

#: What the outbox, and a broker with its default settings, take as one record.
MOST = 1_000_000
NOW = 1_767_225_600_000
DEEP = b"[" * 20_000 + b"]" * 20_000


def _enrich() -> EnrichPartition:
    watchlists = Watchlists()
    watchlists.add(parse_watchlist("brands:\n  - {id: acme, names: [Acme]}\n", "test"))
    return EnrichPartition(0, EnrichSettings(), watchlists)


STAGES: dict[str, Callable[[], PartitionStage]] = {
    "enrich": _enrich,
    "commands": lambda: ForwardPartition(0),
    "detect": lambda: DetectPartition(0, DetectSettings(), 1),
    "crisis": lambda: CrisisPartition(0, CrisisSettings()),
    "evidence": lambda: EvidencePartition(0),
    "respond": lambda: RespondPartition(0, RespondSettings(webhook_url="https://example.org/hook")),
}


def size(output: Output) -> int:
    """Return a record's bytes as the outbox counts them."""
    return len(output.key or b"") + len(output.value or b"") + 96 + sum(len(name) + len(value) for name, value in output.headers)


def commands(*given: Command, crisis: CrisisPartition | None = None, start: int = 0) -> tuple[list[Output], list[Output]]:
    """Put commands through the stages behind ``crisis.commands``; return all that they send, and of it the desk's."""
    forward, evidence, respond = (
        ForwardPartition(0),
        EvidencePartition(0),
        RespondPartition(0, RespondSettings(webhook_url="https://a.b/c")),
    )
    crisis = crisis or CrisisPartition(0, CrisisSettings())
    records = [InputRecord(start + n, 0, b"acme", msgspec.json.encode(one)) for n, one in enumerate(given)]
    sent = list(forward.process(records))
    told = list(crisis.process(_log((o for o in sent if o.topic == "brand.signals"), start + 1)))
    happened = _log((o for o in told if o.topic == "crisis.events"), 0)
    return [*sent, *told, *evidence.process(happened), *respond.process(happened)], told


def _log(outputs: Iterable[Output], start: int) -> list[InputRecord]:
    return [InputRecord(start + n, 0, output.key, output.value, output.headers) for n, output in enumerate(outputs)]


def command(name: str, identity: str = "c1", /, **args: object) -> Command:
    """Return a command of a person who leads the cell."""
    crisis = str(args.pop("crisis", ""))
    return Command(id=identity, command=name, brand="acme", by="ann", at_ms=START, role="lead", crisis_id=crisis, args=args)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", STAGES)
def test_what_nobody_can_read_stops_no_stage(name: str) -> None:
    """Broken UTF-8, endless nesting, no value, and headers without one, under every type that there is."""
    stage = STAGES[name]()
    values = [None, b"", b"null", b"\xff\xfe", DEEP, b'{"a":' + DEEP + b"}", b'{"brand":"\xff"}', b'{"source_id":"\xff","time_ms":1}']
    types: list[bytes | None] = [None, b"\xff", *(one.encode() for one in SCHEMA_OF), b"veille.crisis.opened"]
    records: list[InputRecord] = []
    for kind in types:
        headers: Headers = [("ce_type", kind), ("traceparent", None)]  # type: ignore[list-item]
        records += [InputRecord(len(records) + n, NOW, b"\xff\n\x1b[31m", value, headers) for n, value in enumerate(values)]
    for output in stage.process(records):
        assert all(value is not None for _, value in output.headers)
    assert stage.checkpoint(len(records), full=True).commit == len(records)


def test_a_refused_record_is_never_too_large_to_be_set_aside() -> None:
    """One near the broker's limit would outgrow it with its reason: it is set aside without its bytes, which stay where they lay."""
    stage = _enrich()
    whole, large = b"{" * 900_000, b"{" * 1_040_000
    records = [InputRecord(0, NOW, b"k", whole), InputRecord(1, NOW, b"k", large), InputRecord(2, NOW, b"k" * 500_000, b"{" * 500_000)]
    first, second, third = stage.process(records)
    assert (first.value, dict(first.headers).get("veille-left-out")) == (whole, None)
    assert (second.value, dict(second.headers)["veille-left-out"]) == (None, b"1040001")
    assert dict(second.headers)["__connect.errors.offset"] == b"1"
    assert all(size(output) <= MOST for output in (first, second, third))


def test_a_publisher_cannot_make_a_mention_too_large_to_be_sent() -> None:
    """Fields and a header that are longer than any are left out of what goes on; the mention counts."""
    said = b'{"id":"%d","network":"x","text":"Acme is on fire","published_at":"2026-01-01T00:00:00Z"%s}'
    fields = [b',"%s":"%s"' % (name, b"x" * 999_800) for name in (b"source", b"root_id", b"parent_id", b"country", b"url", b"lang")]
    records = [InputRecord(n, NOW, b"k", said % (n, field)) for n, field in enumerate(fields)]
    records.append(InputRecord(len(fields), NOW, b"k", said % (99, b""), [("traceparent", b"0" * 1_040_000)]))
    outputs = [o for o in _enrich().process(records) if o.topic == "mentions.enriched" and o.headers[0][1] == b"veille.enriched"]
    assert len(outputs) == len(records)
    assert all(size(output) < 5_000 for output in outputs)


@pytest.mark.parametrize("timestamp", [-(2**63), -1, 2**63 - 1])
def test_a_forged_timestamp_stops_nothing(timestamp: int) -> None:
    """Kafka's timestamp is the producer's word."""
    values = [
        (b'{"id":"1","network":"x","text":"Acme","published_at":"0001-01-01T00:00:00Z"}', b"veille.mention"),
        (b'{"version":1}', b"veille.watchlist.marker"), (b'{"source_id":"s","time_ms":9223372036854775807}', b"veille.clock"),
        (b'{"id":"2","network":"x","text":"Acme","published_at":"9999-12-31T23:59:59Z"}', b"veille.mention"),
    ]  # fmt: skip
    stage = _enrich()
    list(stage.process([InputRecord(n, timestamp, b"k", value, [("ce_type", kind)]) for n, (value, kind) in enumerate(values)]))
    assert stage.watermark is None, "a clock beyond the year 9999 is nobody's"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'"command":"open","at_ms":1,"args":{"headline":"h","severity":1%s}' % (b"0" * 30), "bad_number"),
        (b'"command":"open","at_ms":-1%s,"args":{}' % (b"0" * 30), "bad_number"),
        (b'"command":"open","at_ms":253402300799000,"args":{"headline":"h"}', "bad_time"),
        (b'"command":"note","at_ms":1,"args":{"text":%s}' % DEEP, "not_a_command"),
        (b'"command":"note","at_ms":1,"crisis_id":"%s"' % (b"c" * 201), "too_large"),
        (b'"command":"note","at_ms":1,"args":{"text":"%s"}' % (b"c" * 40_000), "too_large"),
    ],
)
def test_a_command_that_could_not_be_kept_is_refused_on_record(value: bytes, reason: str) -> None:
    """Numbers that no state holds, times without deadlines, texts that would stay for as long as the crisis: each is answered."""
    record = InputRecord(0, 0, b"acme", b'{"id":"c","brand":"acme","by":"x",%s}' % value)
    [output] = ForwardPartition(0).process([record])
    crisis = CrisisPartition(0, CrisisSettings())
    answered = list(crisis.process(_log([output], 0)))
    [(event, card)] = events(answered)
    assert card.decision is not None
    assert (event, card.decision.command, card.decision.args) == ("refused", UNREADABLE, {"reason": reason})
    crisis.checkpoint(1, full=True)


def test_the_largest_file_of_a_command_fits_into_its_receipt() -> None:
    """What the command line lets through (500 kB) is kept whole; a record without a file is kept as the command that it was."""
    crisis = CrisisPartition(0, CrisisSettings())
    [(_, card)] = events(list(crisis.process(log(signal(1, 0, over=True, margin=20.0)))))[-1:]
    file = base64.b64encode(b"y" * 500_000).decode()
    outputs, _ = commands(
        command("capture", "c1", crisis=card.crisis_id, bytes_b64=file, name="a.eml"),
        command("capture", "c2", crisis=card.crisis_id, bytes_b64="no base64 " * 60_000), crisis=crisis,
    )  # fmt: skip
    receipts = [msgspec.json.decode(output.value or b"") for output in outputs if output.topic == "crisis.evidence"]
    assert file in [receipt["bytes_b64"] for receipt in receipts]
    assert len(receipts) == 2 + len(card.samples) + (card.originator is not None)
    assert max(map(size, outputs)) <= MOST


def test_a_brand_can_always_be_saved() -> None:
    """Claims and drafts without end: before the state is too large for one record, commands that add to it are refused, on record."""
    crisis = CrisisPartition(0, CrisisSettings())
    [(_, card)] = events(list(crisis.process(log(signal(1, 0, over=True, margin=20.0)))))[-1:]
    said = [command("claim-add", f"c{n}", crisis=card.crisis_id, claim=f"k{n}", text="x" * 9_000) for n in range(120)]
    _, told = commands(*said, command("ack", "c120", crisis=card.crisis_id), crisis=crisis)
    found = events(told)
    assert [name for name, _ in found[:40]] == ["noted"] * 40
    assert found[-2][0] == "refused"
    assert "too much is kept" in found[-2][1].note
    assert found[-1][0] == "noted", "what adds nothing is still obeyed"
    assert all(len(state.value or b"") < MOST for state in crisis.checkpoint(200, full=True).states)
