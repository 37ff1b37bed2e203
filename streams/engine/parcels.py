"""What the outbox fills: one producer batch after the other for each output partition."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any


class Parcel:
    """One producer batch on its way."""

    __slots__ = ("builder", "delivered", "size")

    def __init__(self, builder: Any, delivered: asyncio.Future[None]) -> None:
        self.builder = builder
        self.size = 0
        self.delivered = delivered


class Place:
    """One output partition: the parcel being filled, and those that wait to be handed over, in order."""

    __slots__ = ("due", "filling", "partition", "ready", "task", "topic")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.filling: Parcel | None = None
        self.ready: deque[Parcel] = deque()
        self.due = False
        self.task: asyncio.Task[None] | None = None
