"""What ``crisis.tasks`` and ``crisis.statements`` carry."""

from __future__ import annotations

import msgspec


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a playbook for one crisis. ``state``: open, done, skipped, late, escalated."""

    task_id: str
    crisis_id: str
    brand: str
    step: str
    title: str
    title_fr: str = ""
    role: str = ""
    deputy: str = ""
    state: str = "open"
    due_at: str | None = None
    done_by: str = ""
    done_at: str | None = None
    reason: str = ""
    #: The command that this answers, "" where time or the plan made it.
    command_id: str = ""
    seq: int = 0


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A text for the outside. ``state``: draft, approved, released, published, needs_correction, retracted, refused.

    ``text_hash`` is the SHA-256 of the exact text; approvals bind it, and any edit voids them.
    """

    statement_id: str
    crisis_id: str
    brand: str
    kind: str
    state: str
    text: str
    text_hash: str
    author: str
    claims: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()
    released_by: str = ""
    url: str = ""
    reason: str = ""
    #: The command that this answers.
    command_id: str = ""
    seq: int = 0
