"""All brands of a partition: those that are busy as objects, the others asleep as bytes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import islice

from schemas.enriched import BrandSettings
from streams.detect.brand import Brand
from streams.detect.packing import Packed, pack, told, unpack


class Shelf(Mapping[str, Brand]):
    """A brand that waits for nothing may sleep, and wakes with its next mention. When it does changes no result.

    ``most`` brands stay awake, more only while they wait for a grid line. As a mapping it is there to be looked at: it wakes nobody.
    """

    def __init__(self, most: int) -> None:
        self.awake: dict[str, Brand] = {}
        self.asleep: dict[str, Packed] = {}
        self._saved: dict[str, Packed] = {}
        self._most = self._limit = most

    def __getitem__(self, name: str) -> Brand:
        brand = self.awake.get(name)
        return unpack(self.asleep[name]) if brand is None else brand

    def __iter__(self) -> Iterator[str]:
        return iter((*self.awake, *self.asleep))

    def __len__(self) -> int:
        return len(self.awake) + len(self.asleep)

    def look(self, name: str) -> Brand | Packed | None:
        """Return what is there of a brand, awake or not."""
        return self.awake.get(name) or self.asleep.get(name)

    def wake(self, name: str) -> Brand | None:
        """Return the brand, ready to change; None where there is none of the name."""
        brand = self.awake.get(name)
        if brand is None and (packed := self.asleep.pop(name, None)) is not None:
            brand = self.awake[name] = unpack(packed)
        return brand

    def add(self, name: str) -> Brand:
        """Begin a brand."""
        brand = self.awake[name] = Brand(id=name)
        return brand

    def tell(self, settings: BrandSettings) -> bool:
        """Take the settings of a brand that is new; return False where it is known."""
        if settings.brand in self.awake or settings.brand in self.asleep:
            return False
        self.asleep[settings.brand] = told(settings)
        return True

    def fed_by(self, source: str, at_ms: int, *, silent: bool) -> list[str]:
        """Return brands, by name, that ``source`` feeds, that take it to be ``silent`` or not, and are no further than ``at_ms``."""
        found = []
        for name in sorted(self):
            one = self.look(name)
            if one is not None and one.w <= at_ms and source in one.sources and (source in one.blind) == silent:
                found.append(name)
        return found

    def knows(self, settings: BrandSettings) -> bool:
        """Whether a brand has these settings, newer ones, or a state that is ahead of them."""
        one = self.look(settings.brand)
        if one is None:
            return False
        if settings.applies_ms < one.w or settings.version < one.version:
            return True
        return settings.version == one.version and one.settled

    def save(self, names: Iterable[str], progress: int) -> Iterator[tuple[str, Packed]]:
        """Yield brands as bytes, computed up to ``progress`` at least; they are kept, for those that sleep before they change."""
        saved: dict[str, Packed] = {}
        for name in names:
            brand = self.awake.get(name)
            packed = self.asleep[name] if brand is None else pack(brand)
            packed.w = max(packed.w, progress)
            if brand is not None:
                brand.w, saved[name] = packed.w, packed
            yield name, packed
        self._saved = saved

    def make_room(self, changed: Container[str]) -> None:
        """Where too many are awake let some sleep, down to three quarters of what may be. ``changed``: since they were saved."""
        if len(self.awake) > self._limit:
            self.rest(self._most * 3 // 4, changed)
            # Those that wait for a line cannot sleep: do not look at them again at once.
            self._limit = max(self._most, len(self.awake) + self._most // 8)

    def rest(self, most: int, changed: Container[str]) -> None:
        """Let brands that wait for nothing sleep, those that woke first before others, until no more than ``most`` are awake."""
        awake, saved = self.awake, self._saved
        much = max(0, len(awake) - most)
        for name in list(islice((name for name, brand in awake.items() if not brand.timer), much)):
            brand = awake.pop(name)
            packed = saved.pop(name, None)
            self.asleep[name] = pack(brand) if packed is None or name in changed else packed
