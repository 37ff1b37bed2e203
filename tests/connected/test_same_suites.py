"""The suites that pass on the embedded broker pass on the real one, from the same test code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.kafka import KafkaCluster

pytestmark = pytest.mark.connected

ROOT = Path(__file__).parents[2]
#: Only the embedded broker deletes by size while a test can wait for it.
EMBEDDED_ONLY = "tests/engine/test_endings.py::test_input_deleted_before_it_was_read_is_told"


@pytest.mark.parametrize("suite", ["tests/engine", "tests/stories"])
def test_the_suite_passes_on_a_real_kafka(kafka: KafkaCluster, suite: str) -> None:
    """The fixture `broker` gives the real broker's address, and nothing else changes."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--deselect", EMBEDDED_ONLY, suite]
    environment = os.environ | {"VEILLE_TEST_BROKER": kafka.bootstrap}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
