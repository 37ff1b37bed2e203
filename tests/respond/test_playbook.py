"""Playbooks are checked like code: errors name the line and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.crisis import KINDS
from streams.errors import BadInput
from streams.respond.playbook import SHIPPED, check, load

PLAN = """id: p
title: t
roles:
  lead: {title: Lead}
steps:
  - {id: pause, title: Pause scheduled posts, role: lead, within_minutes: 10}
"""


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*/*.yaml")), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_shipped_plans_hold(path: Path) -> None:
    """Every shipped plan passes its own check, verifies first, and starts with the pause."""
    plan, problems = check(path.read_text("utf-8"))
    assert problems == []
    assert plan is not None
    assert plan.language == path.parent.name
    assert "verify" in [step.id for step in plan.steps]


def test_both_languages_have_the_same_steps() -> None:
    """French and English plans differ in words alone, and cover every kind."""
    english, french = load(language="en"), load(language="fr")
    assert [[s.id for s in plan.steps] for plan in english] == [[s.id for s in plan.steps] for plan in french]
    assert {kind for plan in english for kind in plan.kinds} == set(KINDS)


@pytest.mark.parametrize(
    ("change", "line", "word"),
    [
        (("role: lead,", "role: boss,"), 6, "no role"),
        (("within_minutes: 10", "within_minutes: 0"), 6, "deadline"),
        (("id: pause", "id: other"), 6, "first step"),
        (("title: t", "titel: t"), 1, "titel"),
        (("title: Pause scheduled posts", "title: Delete the post"), 6, "never deleted"),
        (("roles:", "roles: ["), 5, "YAML"),
        (("title: Lead}", "title: Lead, deputy: x}"), 4, "add it to roles"),
    ],
)
def test_errors_name_line_and_mend(change: tuple[str, str], line: int, word: str) -> None:
    """A wrong plan is refused with the line and what to do."""
    plan, problems = check(PLAN.replace(*change))
    assert plan is None
    assert problems[0].line == line
    assert word in problems[0].text


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    """A folder without plans is named as such."""
    with pytest.raises(BadInput):
        load(str(tmp_path))
