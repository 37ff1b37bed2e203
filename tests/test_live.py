"""What a live worker has done before it takes its first record."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streams import live
from streams.cli.demo import embedded_settings
from streams.cli.topics import create
from streams.engine.embedded import EmbeddedBroker
from streams.engine.ending import Guard
from streams.enrich import language


@pytest.mark.parametrize(("stages", "loaded"), [("enrich,detect", True), ("detect,crisis", False)])
def test_the_language_model_is_read_before_the_worker_runs(stages: str, loaded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model that doubtful texts need is there when work begins, in a worker that enriches and in no other."""
    seen: list[bool] = []

    async def run(*_: Any, **__: Any) -> int:
        seen.append(language._slow_classify.cache_info().currsize == 1)
        return 0

    monkeypatch.setattr(live, "run_worker", run)
    language._slow_classify.cache_clear()
    with EmbeddedBroker() as broker:
        settings = embedded_settings(broker.bootstrap).model_copy(update={"stages": stages})
        asyncio.run(create(settings))
        with Guard(settings.engine) as guard:
            assert asyncio.run(live._main(settings, guard)) == 0
    assert seen == [loaded]
