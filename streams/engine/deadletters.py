"""Dead letters: how many records may be refused, and the headers that say why.

A stage refuses a record by sending it to a topic whose name ends in ``.rejected``; the engine counts those outputs against
the records it fed, but for the ones marked ``veille-expected: 1``. A bad mention is set aside and the rest goes on. A bad
deploy refuses nearly all: then setting aside would empty the input into the rejected topic, so the worker stops instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from aiokafka import TopicPartition

from streams.engine.stage import Output, Record
from streams.errors import TooManyRejected

SUFFIX = ".rejected"
#: With the value ``1``: the record was set aside as it should be (a duplicate, say), which says nothing of the deploy.
EXPECTED_HEADER = "veille-expected"
_OFFSET = "__connect.errors.offset"
#: Header of a record that is too large to be set aside whole: how many bytes of key and value were left out.
LEFT_OUT_HEADER = "veille-left-out"
#: Bytes of key, value and headers that are sent on (the outbox takes a million in all).
_MOST = 998_000


def rejected_headers(topic: str, partition: int, offset: int, stage: str, reason: str, message: str = "") -> list[tuple[str, bytes]]:
    """Return headers as Kafka Connect's dead letter queue writes them.

    ``topic`` is the input's name, ``reason`` a fixed word, ``message`` an explanation. Neither may hold text of the record.
    """
    return [
        ("__connect.errors.topic", topic.encode()),
        ("__connect.errors.partition", b"%d" % partition),
        (_OFFSET, b"%d" % offset),
        ("__connect.errors.stage", stage.encode()),
        ("__connect.errors.exception.class.name", reason.encode()),
        ("__connect.errors.exception.message", (message or reason).encode("utf-8", "replace")),
    ]


def set_aside(topic: str, record: Record, headers: list[tuple[str, bytes]]) -> Output:
    """Return the untouched bytes of ``record`` for the rejected ``topic``.

    What would be over the broker's limit with its reason goes there without its bytes, or nothing after it would ever be read; it still
    lies where the headers say.
    """
    size = len(record.key or b"") + len(record.value or b"")
    if size + sum(len(name) + len(value) for name, value in headers) > _MOST:
        return Output(topic, None, None, [*headers, (LEFT_OUT_HEADER, b"%d" % size)])
    return Output(topic, record.key, record.value, headers)


class DeadLetterLimit:
    """Stops a worker that refuses too much of one partition.

    Two limits, from `EngineSettings`: ``rejected_share_limit``, the share of refused records over the last 1000 (judged once
    1000 were seen), and ``rejected_run_limit``, refused records in a row. A partition that carries few records is judged by
    the run alone. Records seen a second time after a restart count again: the windows live in memory.
    """

    def __init__(self, place: TopicPartition, share_limit: float, run_limit: int, *, window: int = 1000) -> None:
        self._place = place
        self._share_limit = share_limit
        self._run_limit = run_limit
        self._window = window
        #: Pieces in the window as (records, refused); their records sum to at most ``window`` plus one piece.
        self._pieces: deque[tuple[int, int]] = deque()
        self._seen = 0
        self._refused = 0
        self._run = 0

    def count(self, records: Sequence[Record], outputs: Sequence[Output]) -> int:
        """Note a piece of input and what came of it; return how many of its records were refused.

        Raises `TooManyRejected`. Outputs that name their input's offset (`rejected_headers`) are placed exactly.
        """
        refused = {
            _offset_of(output, place)
            for place, output in enumerate(outputs)
            if output.topic.endswith(SUFFIX) and (EXPECTED_HEADER, b"1") not in output.headers
        }
        number = min(len(refused), len(records))
        self._follow_run(records, refused, number)
        self._pieces.append((len(records), number))
        self._seen += len(records)
        self._refused += number
        while self._pieces and self._seen - self._pieces[0][0] >= self._window:
            old, old_refused = self._pieces.popleft()
            self._seen -= old
            self._refused -= old_refused
        if self._seen >= self._window and self._refused > self._share_limit * self._seen:
            share = self._refused / self._seen
            raise TooManyRejected(
                f"{share:.0%} of the last {self._seen} records of {self._place.topic}[{self._place.partition}] were refused "
                f"(limit {self._share_limit:.0%}): look at the rejected topic, mend the cause, start again"
            )
        return number

    def _follow_run(self, records: Sequence[Record], refused: set[int], number: int) -> None:
        if not number:
            self._run = 0
        elif number == len(records):
            self._run += number
        else:
            for record in records:
                self._run = self._run + 1 if record.offset in refused else 0
                if self._run >= self._run_limit:
                    break
        if self._run >= self._run_limit:
            raise TooManyRejected(
                f"{self._run} records of {self._place.topic}[{self._place.partition}] in a row were refused "
                f"(limit {self._run_limit}): look at the rejected topic, mend the cause, start again"
            )


def _offset_of(output: Output, place: int) -> int:
    for name, value in output.headers:
        if name == _OFFSET and value.isdigit():
            return int(value)
    return -1 - place
