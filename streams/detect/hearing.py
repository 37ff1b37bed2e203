"""What detect learns of what people say about its alarms."""

from __future__ import annotations

from schemas.command import Command
from streams.detect.brand import Brand


def hear(brand: Brand, command: Command, t_ms: int) -> None:
    """Take a person's word: a confirmed alarm is given back to the budget, and every verdict moves the weights of the score."""
    word, label = command.command, command.args.get("label") if command.command == "vote" else ""
    if word in ("open", "ack", "close") or label == "yes":
        brand.budget.confirm(t_ms)
    if word in ("ack", "close", "cancel"):
        brand.told(confirmed=word != "cancel")
    elif label in ("yes", "no"):  # the answer to a near miss
        brand.told(confirmed=label == "yes", missed=True)
    elif word == "missed" or (word == "open" and brand.ring is None):
        brand.told(confirmed=True, missed=True)
