"""Every rule of order has a test, and the test fails once the rule is taken out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.rule import Rule
from tests.contract.rules import RULES, table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "order.md"


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_the_rule_has_its_test_and_its_line_in_the_docs(rule: Rule) -> None:
    """The rule's test is there, and docs/order.md names both."""
    path, _, function = rule.test.partition("::")
    assert f"def {function}(" in (ROOT / path).read_text("utf-8")
    assert f"| {rule.says} | `{path}` `{function}` |" in PAGE.read_text("utf-8")


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_the_rule_stands_once_in_our_source(rule: Rule) -> None:
    """The text that carries the rule is there, exactly once, so that the slow test takes out what it means to."""
    assert (ROOT / f"{rule.module.replace('.', '/')}.py").read_text("utf-8").count(rule.old) == 1


def test_the_docs_have_no_other_rule() -> None:
    """The page's table has one line for each rule, in their order, and none that is gone."""
    assert len({rule.name for rule in RULES}) == len(RULES)
    current = table() in PAGE.read_text("utf-8")
    assert current, "docs/order.md is behind: python -m tests.contract.rules"


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
        "timeout=60",  # without a deadline or a fence some wait for ever: that is their failure
        rule.test,
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"VEILLE_TEST_MUTATION": rule.name}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, f"without {rule.name} the test says:\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
    assert "1 failed" in done.stdout
