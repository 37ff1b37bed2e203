"""Invented authors: accounts with an age, an audience and a pseudonym made of everyday words. Nobody real."""

from __future__ import annotations

from random import Random
from typing import Final

from schemas.mention import Author
from streams.clock import rfc3339
from streams.simulate.rhythm import DAY_MS, lognormal

_FIRST: Final = (
    "petit", "grand", "vieux", "doux", "joli", "brave", "green", "silent", "rusty", "lucky", "sunny", "tiny", "happy", "lazy",
    "misty", "bold", "calm", "salty", "fuzzy", "quick",
)  # fmt: skip
_SECOND: Final = (
    "loup", "renard", "moineau", "hibou", "lapin", "chaton", "tilleul", "galet", "nuage", "canard", "otter", "badger", "maple",
    "pebble", "teapot", "walnut", "heron", "lantern", "biscuit", "mitten",
)  # fmt: skip
_BIOS: Final = (
    "thé et vélo", "maman de deux", "jardin, pain, musique", "curieux de tout", "tea and trains", "dog person", "plants and books",
    "football on Sundays", "nuits courtes", "amateur de randonnée", "learning to cook", "",
)  # fmt: skip


class People:
    """A fixed crowd; who writes often is drawn often."""

    def __init__(self, rng: Random, size: int, now_ms: int) -> None:
        self._crowd = [self._person(rng, number, now_ms) for number in range(size)]

    @staticmethod
    def _person(rng: Random, number: int, now_ms: int) -> Author:
        followers = min(1_500_000, round(lognormal(rng, 210.0, 1.7)))
        age_days = 60 + 5200 * rng.random() ** 1.4
        handle = f"{_FIRST[int(rng.random() * 20)]}_{_SECOND[int(rng.random() * 20)]}{number}"
        return Author(
            id=f"a{number:06d}",
            handle=handle,
            name=handle.replace("_", " ").rstrip("0123456789"),
            followers=followers,
            following=round(lognormal(rng, 260.0, 1.0)),
            posts=round(lognormal(rng, 900.0, 1.4)),
            created_at=rfc3339(now_ms - round(age_days * DAY_MS) // 1000 * 1000),
            verified=True if followers > 60_000 and rng.random() < 0.4 else None,
            bio=_BIOS[int(rng.random() * len(_BIOS))] or None,
        )

    def regular(self, rng: Random) -> Author:
        """Draw somebody; some write far more often than others."""
        return self._crowd[int(len(self._crowd) * rng.random() ** 1.8)]

    def anyone(self, rng: Random) -> Author:
        """Draw somebody, each with the same chance: who joins in when it burns."""
        return self._crowd[int(len(self._crowd) * rng.random())]


def bot(rng: Random, number: int, now_ms: int) -> Author:
    """Make an account of a bot farm: days old, no picture of itself, a default name."""
    return Author(
        id=f"b{number:06d}",
        handle=f"user{10_000_000 + int(rng.random() * 89_999_999)}",
        followers=int(rng.random() * 7),
        following=int(rng.random() * 900),
        posts=int(rng.random() * 4000),
        created_at=rfc3339(now_ms - round((1 + 11 * rng.random()) * DAY_MS) // 1000 * 1000),
    )


def official(handle: str, followers: int) -> Author:
    """Make the account that speaks for a brand."""
    return Author(id=f"o-{handle}", handle=handle, name=handle, followers=followers, following=120, posts=5200, verified=True,
                  created_at="2012-05-14T08:00:00Z")  # fmt: skip


def newsroom(domain: str) -> Author:
    """Make the account of a press site."""
    return Author(id=f"p-{domain}", handle=domain, name=domain, followers=180_000, posts=90_000, verified=True,
                  created_at="2010-01-11T08:00:00Z")  # fmt: skip
