"""A drill: a past or simulated crisis runs with status Exercise through gate and stage, and each step of the cell is timed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from schemas.cloudevents import header_maker, type_of
from schemas.command import Command
from schemas.crisis import Crisis
from schemas.desk import judge, may_hold
from schemas.response import Claim, Statement, Task
from schemas.signal import SignalWatermark
from streams import captures
from streams.clock import ms_of, rfc3339
from streams.engine.stage import Headers, InputRecord, Output
from streams.errors import BadInput
from streams.gate.decide import GATED, decide, rules_of
from streams.gate.ledger import Ledger
from streams.respond.playbook import Playbook, people, plan_of
from streams.respond.refusals import refusal_in
from streams.respond.settings import RespondSettings
from streams.respond.stage import RespondPartition
from streams.respond.tasks import DUE


class Entry(NamedTuple):
    """Something that happened in the drill at event time ``at_ms``: a crisis event (its type), or a record of the cell's."""

    at_ms: int
    what: str
    record: Crisis | Task | Statement | Claim


class Drill:
    """Runs the events of one crisis and the commands of the cell, in the order of their times.

    ``events`` are (type without prefix, card) in order; the drill begins with the one that opens the crisis. Raises `BadInput` where
    none does. Cards become Exercises, and the crisis is taken for one of the plan's kind.
    """

    def __init__(self, plan: Playbook, events: Sequence[tuple[str, Crisis]], language: str) -> None:
        opened = next((i for i, (name, card) in enumerate(events) if name == "opened"), None)
        if opened is None:
            raise BadInput("these events open no crisis: there is nothing to drill")
        first = events[opened][1]
        kind = plan.kinds[0] if plan.kinds and first.kind not in plan.kinds else ""
        changes: dict[str, str] = {"status": "Exercise", **({"kind": kind, "kind_set_by": "drill"} if kind else {})}
        self.plan = plan
        self.begin_ms = ms_of(first.updated_at)
        self.now_ms = self.begin_ms
        self.log: list[Entry] = []
        self.card = msgspec.structs.replace(first, decision=None, seq=0, **changes)
        self._coming = [(name, msgspec.structs.replace(card, decision=None, **changes)) for name, card in events[opened:]]
        # No route: whatever a drill says, nobody outside is told.
        self._own = msgspec.structs.replace(plan, brands=(), kinds=())
        self._stage = RespondPartition(0, RespondSettings(language=language), plans=[self._own], routes={})
        self._language = language
        self._ledger, self._registers = Ledger(), dict[str, captures.Register]()
        self._offset = 0
        self.advance(self.begin_ms)

    def advance(self, to_ms: int) -> list[Entry]:
        """Let time pass until ``to_ms``, events and deadlines of that moment included; return what happened."""
        at = len(self.log)
        while self._coming and ms_of(self._coming[0][1].updated_at) <= to_ms:
            name, card = self._coming.pop(0)
            self._tell(name, card)
        self.now_ms = max(self.now_ms, to_ms)
        self._feed(None, msgspec.json.encode(SignalWatermark(time_ms=to_ms + 1)), header_maker("veille.watermark")("", "", ""))
        return self.log[at:]

    def act(self, command: Command) -> list[Entry]:
        """Give one command of the cell at its own time; return what came of it, refusals included."""
        self.advance(max(command.at_ms, self.now_ms))
        at = len(self.log)
        rule_says = judge(command.command, command.role, self.card.phase, command.args)[1]
        why = rule_says or may_hold(command.role, command.by, people([self.plan]))
        never = command.command == "delete-own-post"
        if why and not never:
            why = refusal_in(why, self._language)
            why = why if why.startswith(f"{command.command} ") else f"{command.command}: {why}"
            refusal = Statement(
                statement_id=command.command, crisis_id=self.card.crisis_id, brand=self.card.brand, kind="refusal", state="refused",
                text="", text_hash="", author=command.by, reason=why, command_id=command.id,
            )  # fmt: skip
            self.log.append(Entry(self.now_ms, "veille.statement", refusal))
            return self.log[at:]
        fixes: tuple[str, ...] = ()
        if command.command in GATED:
            name = self.card.crisis_id
            rules = rules_of(plan_of([self._own], self.card), self._registers, name, self._language)
            answer = decide(self._ledger, name, self.card.brand, command, self.now_ms, rules)
            for record in answer.records:
                self.log.append(Entry(self.now_ms, "veille.claim" if isinstance(record, Claim) else "veille.statement", record))
            why, fixes = answer.why, answer.to_correct
        card = msgspec.structs.replace(self.card, decision=command, note=command.command, to_correct=fixes)
        self._tell("refused" if why else "noted", card)
        return self.log[at:]

    def statement_hash(self, statement: str) -> str:
        """Return the hash of a statement's text as it stands, or ""."""
        texts = [e.record.text_hash for e in self.log if isinstance(e.record, Statement) and e.record.statement_id == statement]
        return next((found for found in reversed(texts) if found), "")

    def due(self) -> list[Task]:
        """Return the tasks that are still to be done."""
        return [task for task in self.tasks().values() if task.state in DUE]

    def tasks(self) -> dict[str, Task]:
        """Return the latest state of each task, by step, in the order in which they opened."""
        found: dict[str, Task] = {}
        for entry in self.log:
            if isinstance(entry.record, Task) and entry.record.state != "refused":
                found[entry.record.step] = entry.record
        return found

    def _tell(self, name: str, card: Crisis) -> None:
        at_ms = max(ms_of(card.updated_at), self.now_ms)
        self.card = msgspec.structs.replace(card, seq=self.card.seq + 1, decision=None, to_correct=())
        told = msgspec.structs.replace(self.card, decision=card.decision, to_correct=card.to_correct, updated_at=rfc3339(at_ms))
        captures.take(self._registers, told.crisis_id, captures.captured(name, told))
        self.now_ms = at_ms
        if name not in ("noted", "refused"):
            self.log.append(Entry(at_ms, f"veille.crisis.{name}", self.card))
        headers = header_maker(f"veille.crisis.{name}")(f"{card.brand}-{told.seq}", card.crisis_id, told.updated_at)
        self._feed(card.brand.encode(), msgspec.json.encode(told), headers)

    def _feed(self, key: bytes | None, value: bytes, headers: Headers) -> None:
        record = InputRecord(self._offset, 0, key, value, headers)
        self._offset += 1
        for output in self._stage.process([record]):
            self._hear(output)

    def _hear(self, output: Output) -> None:
        if type_of(output.headers) == b"veille.task":
            at = next(value for name, value in output.headers if name == "ce_time").decode()
            self.log.append(Entry(ms_of(at), "veille.task", msgspec.json.decode(output.value or b"", type=Task)))
