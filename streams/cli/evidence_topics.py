"""Reads receipts from the topics, for the commands of ``veille evidence``."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from schemas.evidence import Evidence
from streams.cli.crisis import brand_of
from streams.cli.output import note
from streams.errors import BadInput
from streams.evidence.shelf import Shelf, merged
from streams.reading import reader
from streams.settings import Settings


class _Card(msgspec.Struct):
    crisis_id: str
    merged_into: str = ""


_read_card = reader(_Card)


async def receipts_of(settings: Settings, crisis: str, *, alone: bool = False) -> dict[str, list[Evidence]]:
    """Return the receipts of ``crisis``, and unless ``alone`` of the crises that became part of it: a chain each, that of ``crisis`` first.

    Raises `BadInput` where nothing is known of the crisis.
    """
    from streams.cli.connection import consumer, places_of, records_of
    from streams.engine.partitioning import partition_of

    brand = brand_of(crisis)
    if not brand:
        raise BadInput(f"{crisis} is no id of a crisis: veille crises prints them")
    async with consumer(settings) as client:
        cards: dict[str, str] = {}
        async for records in records_of(client, [] if alone else await places_of(client, settings.topic("crisis.state"))):
            for record in records:
                with suppress(msgspec.DecodeError):  # nothing of ours
                    card = _read_card(record.value)
                    cards[card.crisis_id] = card.merged_into
        shelf = Shelf(merged(cards.items(), crisis))
        places = await places_of(client, settings.topic("crisis.evidence"))
        async for records in records_of(client, [places[partition_of(brand.encode(), len(places))]] if places else []):
            for record in records:
                if record.key == brand.encode():
                    shelf.take(record.value)
    chains = shelf.chains()
    if not alone and crisis not in cards and not chains:
        raise BadInput(f"there is no crisis {crisis}: veille crises prints their ids (crisis_id in --json)")
    if shelf.unread:
        note(f"{settings.topic('crisis.evidence')}: records of {brand} that are no receipts, passed over: {shelf.unread}")
    return chains
