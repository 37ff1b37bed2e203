"""The loudest texts of a story."""

from __future__ import annotations

#: (mention id, network, text, loudness)
Sample = tuple[str, str, str, int]

#: A story keeps two texts of 140 characters until it has this many mentions, then four of 280: most never get there.
_SMALL, _FEW, _SHORT = 6, 2, 140
_MANY, _LONG = 4, 280


def keep(samples: list[Sample], mention_id: str, network: str, text: str, loud: int, mentions: int) -> None:
    """Take a text into ``samples``, the loudest first, where it is loud enough for a story of so many mentions."""
    most, length = (_FEW, _SHORT) if mentions < _SMALL else (_MANY, _LONG)
    if not text or (len(samples) >= most and loud <= samples[-1][3]):
        return
    cut = text[:length]
    if any(sample[2] == cut for sample in samples):
        return
    place = len(samples)
    while place and samples[place - 1][3] < loud:
        place -= 1
    samples.insert(place, (mention_id, network, cut, loud))
    del samples[most:]
