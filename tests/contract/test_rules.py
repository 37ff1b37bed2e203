"""Every rule of order has a test, and the test fails once the rule is taken out."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.rules import RULES, Rule

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_the_rule_stands_in_code_tests_and_docs(rule: Rule) -> None:
    """The text that carries the rule is where the table says, its test is there, and docs/order.md names both."""
    spec = importlib.util.find_spec(rule.module)
    assert spec is not None
    assert spec.origin is not None
    place = f"the line that carries {rule.name} has moved: mend tests/contract/rules.py and run `make test-slow`"
    assert Path(spec.origin).read_text("utf-8").count(rule.old) == 1, place
    path, _, function = rule.test.partition("::")
    assert f"def {function}(" in (ROOT / path).read_text("utf-8")
    assert f"| {rule.says} | `{path}` `{function}` |" in (ROOT / "docs" / "order.md").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_without_the_rule_its_test_fails(rule: Rule) -> None:
    """The test sees that the rule is gone: it fails, and not for want of being collected."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "tests.contract.mutate",
        "-p",
        "no:cacheprovider",
        "-o",
        "timeout=60",
        rule.test,
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"VEILLE_TEST_MUTATION": rule.name}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, f"without {rule.name} the test says:\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
    assert "1 failed" in done.stdout
