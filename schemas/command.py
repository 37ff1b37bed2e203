"""What ``crisis.commands`` carries: what people decide."""

from __future__ import annotations

import msgspec

COMMANDS = (
    "open", "note", "capture", "claim-add", "claim-verify", "claim-refute", "draft", "approve", "release", "published",
    "correct", "retract", "task-done", "task-skip", "delete-own-post", "merge", "split", "reopen", "hold", "missed", "ack", "assign",
    "set-kind", "mute", "snooze", "cancel", "close", "vote",
)  # fmt: skip


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision of a person. CloudEvents type ``veille.command``, key: brand id.

    ``id`` is the command's own id (a second delivery under the same id is dropped). ``at_ms`` is when the person
    gave it. ``args`` depend on ``command``; see the table in ``schemas.desk``.
    """

    id: str
    command: str
    brand: str
    by: str
    at_ms: int
    role: str = ""
    crisis_id: str = ""
    args: dict[str, str | int | float | bool | list[str]] = {}


class ForwardedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command as it stands in the brand's partition of ``brand.signals``, with where it came from."""

    command: Command
    partition: int
    offset: int
