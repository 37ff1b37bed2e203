"""What a rule of the contract is, and where most of their tests are."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """``says`` is the rule; in ``module`` the text ``old`` (there exactly once) carries it, and ``new`` takes it out."""

    name: str
    says: str
    test: str
    module: str
    old: str
    new: str


SAME = "tests/detect/test_order.py::test_same_signals_whatever_the_order"
ENRICH = "tests/enrich/test_stage.py::test_"
RUNNER = "tests/engine/test_runner.py::test_"
CRASH = "tests/engine/test_crash_in_checkpoint.py::test_"
LOG = "tests/engine/test_changelog.py::test_"
OUTBOX = "tests/engine/test_outbox.py::test_"
PROGRESS = "tests/contract/test_progress.py::test_"
