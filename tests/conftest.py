"""What every test gets: a clean environment, and no silent gaps where nothing may be left out."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest

#: Set in CI after `make system`: a test that is skipped then counts as failed.
REQUIRE_ALL = os.environ.get("VEILLE_REQUIRE_ALL") == "1"

_KEPT = ("VEILLE_REQUIRE", "VEILLE_FAULT", "VEILLE_TEST")
for _name in [name for name in os.environ if name.startswith("VEILLE_") and not name.startswith(_KEPT)]:
    # A developer's own settings must not decide what a test sees.
    del os.environ[_name]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Turn a skip into a failure where nothing may be left out."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"left out although VEILLE_REQUIRE_ALL=1: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[str]:
    """``host:port`` of a broker inside this process, or of the one that ``VEILLE_TEST_BROKER`` names."""
    given = os.environ.get("VEILLE_TEST_BROKER", "")
    if given:
        yield given
        return
    from streams.engine.embedded import EmbeddedBroker

    with EmbeddedBroker() as broker:
        yield broker.bootstrap
