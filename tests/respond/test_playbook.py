"""Playbooks are checked like code: errors name the line and the mend."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from schemas.crisis import KINDS
from schemas.desk import ROLES
from streams.errors import BadInput
from streams.gate.ledger import text_hash
from streams.respond.playbook import SHIPPED, holdings, load, named, of_brands, people, pick
from streams.respond.playbook_check import check, not_ready
from tests.respond.make import card

PLAN = """id: p
title: t
roles:
  lead: {title: Lead, deputy: second}
  second: {title: Second}
steps:
  - {id: pause, title: Pause scheduled posts, role: lead, within_minutes: 10, escalate_minutes: 20}
  - {id: ask, title: Ask, role: second, within_minutes: 10, kinds: [rumour], severity: 3, networks: [x]}
channels: [our website]
holding:
  - {id: aware, text: "Next word at {time} on {channel}."}
drafts:
  - {audience: press, channel: our website, text: "..."}
tests:
  - {kind: rumour, severity: 3, networks: [x], expect: [pause, ask]}
"""


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*/*.yaml")), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_shipped_plans_hold(path: Path) -> None:
    """Every shipped plan passes its own check and tests, verifies first, and starts with the pause that goes out over a webhook."""
    plan, problems = check(path.read_text("utf-8"))
    assert problems == []
    assert plan is not None
    assert (plan.language, plan.id) == (path.parent.name, path.stem)
    assert (plan.steps[0].id, plan.steps[0].route) == ("pause", "pause")
    assert "verify" in [step.id for step in plan.steps]
    assert set(plan.roles) <= set(ROLES)
    assert plan.tests
    assert plan.drafts
    assert len(not_ready(plan, 0)) == len(plan.holding), "a shipped text is approved by nobody"


def test_the_article_stands_in_the_plans() -> None:
    """A rumour: medium, capture, author, risk, proof. An own post: never deleted, measured, adapted, on the right channels."""
    for language in ("en", "fr"):
        plans = {plan.id: [step.id for step in plan.due_steps(plan.id, 1, ())] for plan in load(language=language)}
        assert [i for i in plans["rumour"] if i in ("verify", "capture", "medium", "author", "risk", "answer")] == [
            "verify", "capture", "medium", "author", "risk", "answer",
        ]  # fmt: skip
        assert plans["own_post"] == ["pause", "keep", "verify", "measure", "adapt", "channels"]


def test_both_languages_have_the_same_steps() -> None:
    """French and English plans differ in words alone, and cover every kind."""
    english, french = load(language="en"), load(language="fr")
    for one, other in zip(english, french, strict=True):
        assert [(s.id, s.role, s.within_minutes, s.escalate_minutes, s.severity, s.networks) for s in one.steps] == [
            (s.id, s.role, s.within_minutes, s.escalate_minutes, s.severity, s.networks) for s in other.steps
        ]
        assert [d.audience for d in one.drafts] == [d.audience for d in other.drafts]
    assert {kind for plan in english for kind in plan.kinds} == set(KINDS)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("role: lead,", "role: leed,"), 7, "leed is no role of this plan; did you mean lead?"),
        (("within_minutes: 10, esc", "within_minutes: 0, esc"), 7, "deadline"),
        (("escalate_minutes: 20", "escalate_minutes: 5"), 7, "after its deadline"),
        (("id: pause", "id: other"), 7, "first step"),
        (("minutes: 20}", "minutes: 20, severity: 2}"), 7, "for every crisis"),
        (("title: t", "titel: t"), 2, "unknown key titel: did you mean title?"),
        (("severity: 3, networks", "severty: 3, networks"), 8, "unknown key severty: did you mean severity?"),
        (("kinds: [rumour]", "kinds: [rumor]"), 8, "rumor is no kind; did you mean rumour?"),
        (("title: t", "title: t\ntitle: u"), 3, "stands twice"),
        (("title: Pause scheduled posts", "title: Delete the post"), 7, "never deleted"),
        (("title: Ask", "title: Ask, title_fr: Supprimer la publication"), 8, "never deleted"),
        (("roles:", "roles: ["), 5, "YAML"),
        (("deputy: second", "deputy: secnd"), 4, "did you mean second?"),
        (("deputy: second", "deputy: lead"), 4, "own deputy"),
        (("{time}", "{claim}"), 11, "claim is not allowed"),
        (("channels: [our website]\n", ""), 10, "say in `channels:`"),
        (('channel}."}', 'channel}.", hash: abc}'), 11, "approved anew"),
        (("audience: press", "audience: pres"), 13, "did you mean press?"),
        (("channel: our website,", "channel: our web,"), 13, "did you mean our website?"),
        (("[pause, ask]", "[pause]"), 15, "gives the steps pause, ask"),
        (("within_minutes: 10, kinds", "within_minutes: soon, kinds"), 8, "Expected `int`"),
    ],
)
def test_errors_name_line_and_mend(change: tuple[str, str], line: int, words: str) -> None:
    """A wrong plan is refused with the line and what to do."""
    assert check(PLAN)[1] == []
    assert change[0] in PLAN
    plan, problems = check(PLAN.replace(change[0], change[1], 1))
    assert plan is None
    assert (problems[0].line, words in problems[0].text) == (line, True), problems


def test_an_approver_is_of_the_cell() -> None:
    """Where the plan names its people, nobody else approves a holding statement beforehand."""
    plan = PLAN.replace("title: Lead", "title: Lead, people: [Ann]").replace('channel}."}', 'channel}.", approved_by: [ann, Bo]}')
    _, problems = check(plan)
    assert [(problem.line, problem.text[:21]) for problem in problems] == [(11, "Bo is nobody of this ")]


def test_every_problem_is_named_at_once() -> None:
    """Three mistakes are named on their lines, and so is the test of the plan that no longer holds for them."""
    _, problems = check(PLAN.replace("role: lead", "role: leed").replace("[rumour]", "[rumor]").replace("press", "prss"))
    assert [problem.line for problem in problems] == [7, 8, 13, 15]


def test_an_approved_holding_statement_is_ready() -> None:
    """With two people, the text's hash and an end that lies ahead nothing is missing; the end is seen when it comes."""
    text = "Next word at {time} on {channel}."
    done = PLAN.replace('channel}."}', f'channel}}.", hash: {text_hash(text)}, approved_by: [Ann, Bo], expires: 2027-01-01T00:00:00Z}}')
    plan, problems = check(done)
    assert problems == []
    assert plan is not None
    assert not_ready(plan, 0) == []
    assert "expired" in not_ready(plan, 1_900_000_000_000)[0]
    assert text_hash(text) in not_ready(plan, 1_900_000_000_000)[0]


def test_a_brand_may_have_its_own_plan() -> None:
    """The plan for the brand goes before the plan for all, the plan for the kind before the plan for every kind."""
    more = {
        "all": "", "rumours": "kinds: [rumour]", "acme": "brands: [acme]", "other": "brands: [other]",
        "acmes": "brands: [acme]\nkinds: [rumour]",
    }  # fmt: skip
    plans = [check(PLAN.replace("id: p", f"id: {name}\n{lines}", 1))[0] for name, lines in more.items()]
    found = [plan for plan in plans if plan is not None]
    assert pick(found, card(kind="rumour")).id == "acmes"
    assert pick(found, card(kind="snowball")).id == "acme"
    assert pick(found[:2], card(kind="rumour")).id == "rumours"
    assert pick(found[:2], card(kind="snowball")).id == "all"
    known = holdings(found, found[2], "acme")
    assert known["aware"].id == "acme/aware"
    assert "other/aware" not in known


def test_people_are_who_holds_a_role_or_stands_in() -> None:
    """Names of all plans are gathered by role, deputies with them, as names are compared."""
    plan, _ = check(
        PLAN.replace("title: Lead,", "title: Lead, people: [Ann Lee],").replace("title: Second", "title: Second, people: [ BO ]")
    )
    assert plan is not None
    assert people([plan]) == {"lead": {"ann lee", "bo"}, "second": {"bo"}}


def test_plans_are_named_by_file_or_as_shipped(tmp_path: Path) -> None:
    """A path, a shipped plan in the language of the settings, or one of another language; else the choice is listed."""
    assert named("rumour", "fr") == SHIPPED / "fr" / "rumour.yaml"
    assert named("en/rumour", "fr") == SHIPPED / "en" / "rumour.yaml"
    with pytest.raises(BadInput, match="en/own_post"):
        named("rumor")
    with pytest.raises(BadInput):
        load(str(tmp_path))


def test_a_brand_names_its_plan_in_the_watchlist(tmp_path: Path) -> None:
    """The file is looked for beside the watchlist, and serves its brand alone; a wrong one stops the start with line and mend."""
    (tmp_path / "acme.yaml").write_text(PLAN)
    (tmp_path / "bad.yaml").write_text(PLAN.replace("title: t", "titel: t", 1))
    plans = (*of_brands({"acme": "acme.yaml"}, tmp_path), *load())
    assert pick(plans, card(kind="rumour")).id == "p"
    assert pick(plans, msgspec.structs.replace(card(kind="rumour"), brand="other")).id == "rumour"
    with pytest.raises(BadInput, match=r"bad.yaml, line 2"):
        of_brands({"acme": "bad.yaml"}, tmp_path)
    with pytest.raises(BadInput, match="FileNotFoundError"):
        of_brands({"acme": "none.yaml"}, tmp_path)
