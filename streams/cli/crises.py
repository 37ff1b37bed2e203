"""``veille crises``: subscribes to ``crisis.events``."""

from __future__ import annotations

from collections import OrderedDict
from operator import itemgetter
from typing import Annotated

import typer

from streams.cli.options import Broker, Json, Language, Run, language_of, load_settings, run_async
from streams.settings import Settings

HELP = """Print the crises of crisis.events, each event once.

Without --follow it ends when everything that is there has been printed, in the order of time; --json prints it as it is read.

Example: veille crises --follow --json | jq .data.headline

Exit codes: 0 done; 3 no broker; 4 bad settings; 130 interrupted."""

#: Where there is nothing to print: no topic, nothing in it, nothing of the brand.
_NOTES = {
    "en": ("there is no topic {topic} yet: {apply} creates it, a worker fills it", "{topic} holds no crisis yet",
           "{topic} holds no crisis of {brand}"),
    "fr": ("le topic {topic} n'existe pas encore : {apply} le crée, un worker le remplit",
           "{topic} ne contient encore aucune crise", "{topic} ne contient aucune crise de {brand}"),
}  # fmt: skip
#: Ids that are remembered to drop second deliveries: far more than one restart can repeat.
_REMEMBERED = 100_000


class Once:
    """Says whether an id is new; remembers the latest 100,000."""

    def __init__(self, capacity: int = _REMEMBERED) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._capacity = capacity

    def new(self, identity: str) -> bool:
        """Return True the first time that ``identity`` is given."""
        if identity in self._seen:
            return False
        self._seen[identity] = None
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return True


def command(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more, until Ctrl-C.")] = False,
    json: Json = False,
    language: Language = "",
    brand: Annotated[str | None, typer.Option("--brand", metavar="ID", help="Only this brand.")] = None,
    broker: Broker = None,
    run: Run = None,
) -> None:
    """Read the whole topic from its start."""
    settings = load_settings(broker=broker, run=run)
    run_async(_print(settings, follow=follow, json=json, brand=brand, language=language_of(language, settings)))


async def _print(settings: Settings, *, follow: bool, json: bool, brand: str | None, language: str) -> None:
    import msgspec

    from schemas.crisis import Crisis
    from streams.cli.connection import consumer, places_of
    from streams.cli.crisis_words import crisis_line
    from streams.cli.output import cloudevent, emit, event_line, note
    from streams.engine.topics import apply_words
    from streams.reading import reader

    once, read = Once(), reader(Crisis)
    # Partitions come one after the other: what people read at once is put in the order of time.
    waiting: list[tuple[str, str]] = []
    async with consumer(settings) as client:
        topic = settings.topic("crisis.events")
        places = await places_of(client, topic)
        if not places:
            note(_NOTES[language][0].format(topic=topic, apply=apply_words(settings)))
            return
        client.assign(places)
        ends = await client.end_offsets(places)
        while follow or [place for place in places if await client.position(place) < ends[place]]:
            for records in (await client.getmany(timeout_ms=200)).values():
                for record in records:
                    if record.key is None:
                        continue  # how far event time is: no event of a crisis
                    try:
                        read(record.value)
                    except msgspec.DecodeError:
                        note(f"{record.topic}[{record.partition}] offset {record.offset} is no crisis event: passed over")
                        continue
                    event = cloudevent(record.headers, record.value)
                    if not once.new(event.get("id") or f"{record.partition}/{record.offset}"):
                        continue
                    if brand is not None and (record.key or b"").decode("utf-8", "replace") != brand:
                        continue
                    if json or follow:
                        emit(event_line(event) if json else crisis_line(event, language))
                    else:
                        waiting.append((str(event.get("time", "")), crisis_line(event, language)))
    for _, line in sorted(waiting, key=itemgetter(0)):
        emit(line)
    if not waiting and not json:
        note(_NOTES[language][1 if brand is None else 2].format(topic=topic, brand=brand))
