"""The loudest texts of a story."""

from __future__ import annotations

#: (mention id, network, text, loudness)
Sample = tuple[str, str, str, int]

#: (mentions of a story, texts that it keeps, characters of each): most stories never have more than a few mentions.
_SIZES = ((4, 1, 140), (8, 2, 140))
_MOST = (4, 280)


def keep(samples: list[Sample], mention_id: str, network: str, text: str, loud: int, mentions: int) -> None:
    """Take a text into ``samples``, the loudest first, where it is loud enough for a story of so many mentions."""
    most, length = next((size[1:] for size in _SIZES if mentions < size[0]), _MOST)
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
