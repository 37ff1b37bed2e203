"""crisis.events -> crisis.evidence: what an event shows is captured before it can be deleted."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from schemas.cloudevents import header_maker, type_of
from schemas.command import Command
from schemas.crisis import Crisis
from schemas.evidence import Evidence
from streams.captures import Register, captured, evidence_id, take, uploaded
from streams.engine.stage import Checkpoint, Output, Record, StateRecord
from streams.errors import LogGap
from streams.evidence.chain import digest, seal
from streams.reading import reader

_PREFIX = b"veille.crisis."
_headers = header_maker("veille.evidence")
_read_crisis = reader(Crisis)
_json = msgspec.json.Encoder()
_pack = msgspec.msgpack.Encoder()
_MAX_UPLOAD = 1_000_000


class BrandChains(msgspec.Struct, kw_only=True):
    """What the crises of one brand hold, {crisis: hash of its latest receipt}, and the last event read."""

    brand: str
    seq: int = 0
    registers: dict[str, Register] = {}
    last: dict[str, str] = {}


class EvidencePartition:
    """Makes receipts for one partition of ``crisis.events``.

    Captured are the samples that a card shows, each once and as the event held it, the originator's reference, and what
    people capture by command (``capture``: a target, and optionally the bytes in base64). An event whose ``seq`` it has is
    dropped; a hole raises `LogGap`.
    """

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self._brands: dict[str, BrandChains] = {}
        self._progress: dict[str, int] = {}
        self._dirty: dict[str, None] = {}
        self._next = 0

    def restore(self, states: Mapping[bytes, bytes], cut: bytes | None) -> None:
        """Take over chains and the next offset."""
        self._next = int(cut) if cut else 0
        for key in sorted(states):
            progress, brand = msgspec.msgpack.decode(states[key], type=tuple[int, BrandChains])
            self._brands[brand.brand] = brand
            self._progress[brand.brand] = max(progress, self._next)

    def process(self, records: Sequence[Record]) -> Iterable[Output]:
        """Return one ``veille.evidence`` for each thing captured, in order."""
        outputs: list[Output] = []
        for record in records:
            if type_of(record.headers).startswith(_PREFIX):
                try:
                    self._apply(record, outputs)
                except msgspec.DecodeError:
                    pass  # Nothing of ours: a lost event of ours would show as a hole in its brand's sequence.
            self._next = max(self._next, record.offset + 1)
        return outputs

    def _apply(self, record: Record, outputs: list[Output]) -> None:
        crisis = _read_crisis(record.value)
        name = crisis.brand
        if record.offset < self._progress.get(name, self._next):
            return
        brand = self._brands.setdefault(name, BrandChains(brand=name))
        self._progress[name] = record.offset + 1
        self._dirty[name] = None
        if crisis.seq <= brand.seq:
            return
        if brand.seq and crisis.seq != brand.seq + 1:
            raise LogGap(f"crisis.events: {name} jumps from {brand.seq} to {crisis.seq}")
        brand.seq = crisis.seq
        names = captured(type_of(record.headers).removeprefix(_PREFIX).decode(), crisis)
        if not names:
            return
        for name, number in take(brand.registers, crisis.crisis_id, names):
            self._capture(brand, crisis, number, name, outputs)
        brand.last = {key: brand.last[key] for key in brand.registers if key in brand.last}

    def _capture(self, brand: BrandChains, crisis: Crisis, number: int, name: str, outputs: list[Output]) -> None:
        kind, _, subject = name.partition(":")
        data, form, by, url, file = b"", "application/json", "", "", ""
        if kind == "originator":
            data = _json.encode(crisis.originator)
        elif kind == "sample":
            data = _json.encode(next(sample for sample in crisis.samples if sample.mention_id == subject))
        elif crisis.decision is not None:
            data, form = _upload(crisis.decision)
            url, file = (str(crisis.decision.args.get(arg, ""))[:2000] for arg in ("target", "name"))
            by = crisis.decision.by[:200]
        receipt = seal(
            Evidence(
                evidence_id=evidence_id(crisis.crisis_id, number), crisis_id=crisis.crisis_id, brand=crisis.brand,
                mention_id="" if kind == "command" else subject, captured_at=crisis.updated_at, sha256=digest(data), seq=number, url=url,
                content_type=form, bytes_b64=base64.b64encode(data).decode(), by=by, name=file,
            ), brand.last.get(crisis.crisis_id, ""),
        )  # fmt: skip
        brand.last[crisis.crisis_id] = receipt.chain
        headers = _headers(receipt.evidence_id, crisis.crisis_id, crisis.updated_at)
        outputs.append(Output("crisis.evidence", crisis.brand.encode(), _json.encode(receipt), headers))

    def checkpoint(self, next_offset: int, *, full: bool = False) -> Checkpoint:
        """Return changed brands, the next offset as the cut, and ``next_offset`` to commit."""
        names = list(self._brands) if full else list(self._dirty)
        self._dirty.clear()
        states = [StateRecord(n.encode(), self._progress[n], _pack.encode((self._progress[n], self._brands[n]))) for n in names]
        return Checkpoint(states, b"%d" % self._next, next_offset)


def _upload(command: Command) -> tuple[bytes, str]:
    """Return the bytes that a person captured and their content type; without a file, the command as it was given is the record."""
    if len(str(command.args.get("bytes_b64", ""))) <= _MAX_UPLOAD and (data := uploaded(command.args)) is not None:
        return data, "application/octet-stream"
    return _json.encode(command), "application/json"
