"""Quix Streams: a streaming data frame with an update; it checkpoints (commits) every five seconds."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from quixstreams import Application
from quixstreams.models import BytesDeserializer

from streams.evaluate.bench.contestants.work import Tally, decode, job


def _main(folder: str) -> None:
    todo = job()
    tally = Tally(todo["records"])
    app = Application(
        broker_address=todo["broker"], consumer_group=todo["group"], auto_offset_reset="earliest", state_dir=folder,
        commit_interval=5.0, auto_create_topics=False, consumer_extra_config={"queued.min.messages": 200_000, "fetch.min.bytes": 65536},
        loglevel="ERROR",
    )  # fmt: skip
    # A deserialiser of its own kind: bytes in, our decoder in the step, so that all decode alike.
    topic = app.topic(todo["topic"], key_deserializer=BytesDeserializer(), value_deserializer=BytesDeserializer())
    counts = tally.counts

    def count(value: bytes, key: Any, timestamp: int, headers: Any) -> None:
        tally.begin()
        decode(value)
        counts[key] = counts.get(key, 0) + 1
        tally.done += 1
        if tally.done == tally.wanted:
            tally.end()
            app.stop()

    app.dataframe(topic).update(count, metadata=True)
    app.run()
    tally.finish()


if __name__ == "__main__":
    os.environ.setdefault("QUIXSTREAMS_LOGLEVEL", "ERROR")
    with tempfile.TemporaryDirectory() as _folder:
        _main(_folder)
