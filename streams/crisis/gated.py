"""Where a command meets the verification gate: before its event is told, so that nothing counts what the gate refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from schemas.command import Command
from schemas.crisis import Crisis
from streams.crisis.state import BrandState, Life
from streams.gate.decide import Answer, Plan, decide, rules_of
from streams.gate.ledger import Ledger


class Cell(NamedTuple):
    """What the plans say: who holds which role in any of them (see `schemas.desk.may_hold`), and what the plan of one crisis says.

    ``language`` is that of the gate's words. ``own`` says of the brands of the watchlist at the start {brand: (its time zone, from which
    severity on it pages)}, for what is declared before the watch has spoken of them.
    """

    people: Mapping[str, frozenset[str]] = {}
    plan_of: Callable[[Crisis], Plan] = lambda crisis: Plan()
    language: str = "en"
    own: Mapping[str, tuple[str, int]] = {}


def ask(state: BrandState, life: Life, command: Command, now_ms: int, cell: Cell) -> Answer:
    """Put a command to the gate of its crisis; changes the crisis's ledger where it is let through."""
    name = life.card.crisis_id
    life.ledger = life.ledger or Ledger()
    rules = rules_of(cell.plan_of(life.card), state.registers, name, cell.language)
    return decide(life.ledger, name, state.brand, command, now_ms, rules)
