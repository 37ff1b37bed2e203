"""What ``crisis.tasks``, ``crisis.statements`` and ``crisis.notifications`` carry."""

from __future__ import annotations

import msgspec

from schemas.crisis import Crisis


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a playbook for one crisis.

    ``state``: open, late (its deadline passed), escalated (the deputy has it), done, skipped (with ``reason``), or refused: the
    answer to a command that fits no task. ``title`` is in the plan's language; `title_in` gives it in the reader's, where the plan
    has it. ``people`` are those who hold its role now; empty: whoever takes it.
    """

    task_id: str
    crisis_id: str
    brand: str
    step: str
    title: str
    #: The title in English, where ``title`` is not.
    title_en: str = ""
    #: The title in French.
    title_fr: str = ""
    role: str = ""
    people: tuple[str, ...] = ()
    deputy: str = ""
    channel: str = ""
    state: str = "open"
    opened_at: str | None = None
    due_at: str | None = None
    done_by: str = ""
    done_at: str | None = None
    reason: str = ""
    #: The command that this record answers.
    command_id: str = ""
    seq: int = 0

    def title_in(self, language: str) -> str:
        """Return the title in ``language`` ("en" or "fr"), or else as the plan has it."""
        return (self.title_fr if language == "fr" else self.title_en) or self.title


class Claim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the claims ledger. ``status``: open, verified (by ``evidence``) or refuted."""

    claim_id: str
    crisis_id: str
    brand: str
    text: str
    status: str
    by: str
    evidence: tuple[str, ...] = ()
    command_id: str = ""
    seq: int = 0


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A text for the outside. ``state``: draft, approved, released, published, needs_correction, retracted, refused.

    ``kind``: substantive, holding, or refusal. ``text_hash`` is the SHA-256 of the exact text; approvals bind it, and any edit voids them.
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
    command_id: str = ""
    seq: int = 0


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one target. ``id`` is derived from its inputs and ends in the route's name: the same over every repeat.

    ``route`` names the target in the settings; ``event`` is the CloudEvents type of the crisis event, or ``veille.task.opened``,
    ``.late``, ``.escalated`` where ``tasks`` are what it is about. Else ``tasks`` are those that are due. ``time`` is event time.
    """

    id: str
    route: str
    event: str
    time: str
    crisis: Crisis
    tasks: tuple[Task, ...] = ()
