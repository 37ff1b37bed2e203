"""Alert rules, dashboard and runbooks hold against the catalogue of metrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from streams.metrics import exposed_names

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "infra" / "prometheus" / "rules.yml"
#: Series of the catalogue; a name with a level before it is a recording rule.
_NAME = re.compile(r"(?<![:\w])veille_\w+(?![:\w])")


def _rules() -> list[dict[str, object]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def test_rules_use_series_of_the_catalogue() -> None:
    """No alert watches a metric that does not exist."""
    used = {name for rule in _rules() for name in _NAME.findall(str(rule["expr"]))}
    assert used
    assert used <= exposed_names()


def test_the_dashboard_uses_series_of_the_catalogue() -> None:
    """No panel shows a metric that does not exist."""
    board = json.loads((ROOT / "infra" / "grafana" / "veille.json").read_text("utf-8"))
    used = {name for panel in board["panels"] for target in panel["targets"] for name in _NAME.findall(target["expr"])}
    assert used
    assert used <= exposed_names()


def test_every_alert_has_a_runbook() -> None:
    """Each alert is CamelCase, links its section of docs/runbooks.md, and no section is left over."""
    alerts = {str(rule["alert"]): rule for rule in _rules() if "alert" in rule}
    sections = set(re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbooks.md").read_text("utf-8"), re.MULTILINE))
    assert set(alerts) == sections
    for name, rule in alerts.items():
        assert re.fullmatch(r"Veille([A-Z][a-z]+)+", name)
        assert str(rule["annotations"]["runbook_url"]).endswith(f"docs/runbooks.md#{name.lower()}")  # type: ignore[index]


@pytest.mark.system
def test_promtool_agrees() -> None:
    """Prometheus's own checker takes the configuration, and the alerts fire when they should and only then."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing: make system installs it")
    for words in (["check", "rules", "rules.yml"], ["check", "config", "prometheus.yml"], ["test", "rules", "rules_test.yml"]):
        result = subprocess.run([promtool, *words], cwd=RULES.parent, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
