"""The rules of time, order and second deliveries, each with its test and with the edit of our source that takes it out.

`test_rules.py` makes each edit and asserts that the test then fails: a check that cannot fail is worth nothing.

    python -m tests.contract.rules    write the table of docs/order.md anew
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.contract.rule import Rule
from tests.contract.rules_of_state import LOGS, STATE
from tests.contract.rules_of_time import ORDER, TIME

RULES: tuple[Rule, ...] = (*TIME, *ORDER, *STATE, *LOGS)


def table() -> str:
    """Return the table of docs/order.md."""
    rows = [f"| {rule.says} | `{path}` `{function}` |" for rule in RULES for path, _, function in [rule.test.partition("::")]]
    return "\n".join(["| rule | test |", "|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    PAGE = Path(__file__).parents[2] / "docs" / "order.md"
    before, after = re.split(r"\| rule \| test \|\n(?:\|.*\n)*", PAGE.read_text("utf-8"))
    PAGE.write_text(before + table() + after, "utf-8")
