"""The exam of kinds and severities: its truth, its figures, and what the cards say on the simulator's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.crisis import Crisis
from schemas.enriched import Enriched
from streams.errors import BadInput
from streams.evaluate.desk import Reading, evaluate_desk, kind_figures, severity_figures, told, true_severity
from streams.evaluate.report import report
from streams.settings import Settings
from streams.simulate import simulate


def said(n: int, **more: Any) -> Enriched:
    """One mention by an author of its own."""
    base: dict[str, Any] = {"network": "x", "author": f"a{n}"}
    return Enriched(brand="a", id=str(n), partition=0, offset=n, applies_ms=n, published_ms=n, **{**base, **more})


def test_the_true_severity() -> None:
    """Distinct authors still to come in usual days, moved by press, a second kind of network, or professional networks alone."""
    hundred = [said(n) for n in range(100)]
    assert [true_severity(hundred, hundred, usual) for usual in (5, 15, 50, 200, 1000)] == [5, 4, 3, 2, 1]
    assert true_severity([said(0)] * 100, hundred, 50) == 1
    assert true_severity(hundred, [*hundred, said(100, author_marks=("press",))], 50) == 4
    assert true_severity(hundred, [*hundred, said(100, network_class="review")], 50) == 4
    assert true_severity(hundred, [said(n, network_class="professional") for n in range(100)], 50) == 2


def test_the_figures() -> None:
    """A right and a wrong reading give accuracy a half, their confusion, and a score between perfect and worst."""
    right = Reading("rumour", "rumour", {"rumour": 0.8, "snowball": 0.2}, 3, (0, 0, 1, 0, 0), 3)
    wrong = Reading("snowball", "rumour", {"rumour": 0.1, "snowball": 0.9}, 1, (1, 0, 0, 0, 0), 5)
    kinds = kind_figures([right, wrong])
    assert kinds["kind_accuracy"] == 0.5
    assert kinds["confusion"]["rumour"] == {"snowball": 1, "corporate": 0, "rumour": 1, "own_post": 0}
    severities = severity_figures([right, wrong])
    assert severities["severity_rps"] == 0.5
    assert severities["severity_exact"] == severities["severity_within_one"] == 0.5
    assert severities["severity_confusion"] == {"3": {"3": 1}, "5": {"1": 1}}
    assert kinds["kind_reliability"]["rumour"] == {"said": 0.45, "came": 1.0}
    assert severities["severity_rps_by_class"]["3"]["rps"] == 0.0
    assert severities["severity_reliability"]["5"] == {"said": 0.0, "came": 0.5}
    page = report("desk", {"opening": {**kinds, **severities}}, ["x"])
    assert page.count("<svg") == 5


def test_the_simulator_s_kinds_are_told(tmp_path: Path) -> None:
    """Of five planted crises each is one crisis, its kind is told within the hour, and no severity is far off."""
    simulate(12).write(tmp_path)
    found = evaluate_desk([tmp_path], Settings(_env_file=None))
    assert found["opened"] == found["events"] == 5
    assert found["hour"]["kind_accuracy"] >= 0.8
    assert found["hour"]["severity_within_one"] >= 0.8
    assert found["crises_per_event"] <= 1.2
    counts = found["told"]
    assert counts["opened"] >= 5
    assert counts["grew again"] <= counts["eased"] <= 3 * counts["opened"]
    assert counts["message opened"] == counts["opened"]
    assert counts["message eased"] <= counts["eased"]


def test_what_is_told_is_counted() -> None:
    """Events by type, and each time that a crisis left "eased" for worse; another crisis of the brand is another life."""
    phases = [("a", "opened", "open"), ("a", "eased", "eased"), ("b", "opened", "open"),
              ("a", "updated", "eased"), ("a", "updated", "open"), ("a", "eased", "eased"), ("a", "escalated", "escalated"),
              ("a", "resolved", "resolved")]  # fmt: skip
    rows = [(word, 0, Crisis(crisis_id=name, brand="acme", phase=phase, onset="", headline="")) for name, word, phase in phases]
    assert told({"acme": rows}) == {"opened": 2, "eased": 2, "updated": 2, "escalated": 1, "resolved": 1, "grew again": 2}


def test_a_truth_without_kinds_says_so(tmp_path: Path) -> None:
    """A folder whose truth names no kind is bad input."""
    made = simulate(1, days=2)
    made.write(tmp_path)
    truth = (tmp_path / "truth.json").read_text("utf-8").replace('"kind": "corporate"', '"kind": "unheard of"')
    (tmp_path / "truth.json").write_text(truth, "utf-8")
    with pytest.raises(BadInput, match="data-leak"):
        evaluate_desk([tmp_path], Settings(_env_file=None))
