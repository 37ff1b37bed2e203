"""How a planted event spreads: a branching process with heavy-tailed audiences, a finite crowd, sleep, and jumps between networks."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from random import Random

from streams.simulate.rhythm import HOUR_MS, normal, poisson, reaction_delay, when_awake


@dataclass(frozen=True)
class Spread:
    """How an event spreads.

    ``crowd``: people it can reach at most; ``reproduction``: mean reactions to one mention while the whole crowd is fresh;
    ``first``: mean reactions to the root; ``audience``: spread (sigma) of audiences; ``pace`` stretches all delays;
    ``half_hours``: half of all mentions come within this time; ``roles``: weights of reply, quote, reshare, independent.
    """

    crowd: int
    reproduction: float = 1.7
    first: float = 9.0
    audience: float = 1.1
    pace: float = 1.0
    half_hours: float = 9.0
    roles: dict[str, float] = field(default_factory=lambda: {"reply": 34, "quote": 14, "reshare": 18, "independent": 34})


@dataclass(eq=False, slots=True)
class Node:
    """One mention of the process: when, what it is to its parent, and its parent."""

    ms: int
    role: str
    parent: Node | None


def spread(rng: Random, start_ms: int, end_ms: int, how: Spread, offset_hours: int) -> list[Node]:
    """Draw one course of the event, by time. The first node is the root; a node's parent always comes before it."""
    root = Node(start_ms, "root", None)
    serial = 0
    waiting: list[tuple[int, int, Node]] = [(start_ms, serial, root)]
    done: list[Node] = []
    names = list(how.roles)
    total = sum(how.roles.values())
    while waiting:
        _, _, node = heapq.heappop(waiting)
        done.append(node)
        fresh = max(0.0, 1.0 - (len(done) + len(waiting)) / how.crowd)
        audience = math.exp(how.audience * normal(rng) - how.audience**2 / 2)
        mean = how.first if node is root else how.reproduction * fresh * min(audience, 25.0)
        for _ in range(poisson(rng, mean)):
            ms = when_awake(rng, node.ms + reaction_delay(rng, how.pace), offset_hours)
            rest = rng.random() * total
            role = names[-1]
            for name in names:
                rest -= how.roles[name]
                if rest < 0:
                    role = name
                    break
            if ms < end_ms:
                serial += 1
                heapq.heappush(waiting, (ms, serial, Node(ms - ms % 1000, role, node)))
    return done


def spread_of_size(seed: str, start_ms: int, end_ms: int, how: Spread, offset_hours: int, least: int, most: int) -> list[Node]:
    """Draw courses until one has between ``least`` and ``most`` mentions, half of them in time; after 200 the one closest to that.

    A course that only smoulders and flares up on another day would be another story than the one that is told.
    """
    best: list[Node] = []
    distance = math.inf
    for attempt in range(200):
        nodes = spread(Random(f"{seed}/{attempt}"), start_ms, end_ms, how, offset_hours)
        off = max(least - len(nodes), len(nodes) - most, 0)
        if nodes[len(nodes) // 2].ms - start_ms > how.half_hours * HOUR_MS:
            off += most
        if off == 0:
            return nodes
        if off < distance:
            best, distance = nodes, off
    return best
