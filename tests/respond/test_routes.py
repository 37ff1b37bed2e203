"""Routes: who is told of what, and what a wrong file is told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from streams.errors import BadInput
from streams.respond.routes import PAGERDUTY_URL, Route, load_routes
from streams.respond.settings import RespondSettings
from tests.respond.make import card


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, True),
        ({"brands": ("acme",)}, True),
        ({"brands": ("other",)}, False),
        ({"kinds": ("rumour",)}, False),
        ({"severity": 4}, False),
        ({"events": ("opened",)}, True),
        ({"events": ("task.late",)}, False),
        ({"paged_only": True}, True),
        ({"only_steps": True}, False),
        ({"hours": (18, 22)}, True),
        ({"hours": (22, 6)}, False),
        ({"hours": (17, 18)}, False),
    ],
)
def test_a_route_takes_what_it_asks_for(fields: dict[str, Any], wanted: bool) -> None:
    """By brand, kind, severity, event, and the hour of the brand's own day (17:00 UTC is 19:00 in Paris)."""
    route = Route(name="r", format="log", **fields)
    assert route.wants("opened", card(timezone="Europe/Paris"), datetime.fromisoformat("2014-05-13T17:00:00Z")) is wanted


def test_night_goes_round_midnight() -> None:
    """Hours from 22 to 6 hold 23:00 and 05:59, not 06:00."""
    night = Route(name="r", format="log", hours=(22, 6))
    hours = {h: night.wants("opened", card(), datetime.fromisoformat(f"2014-05-13T{h}:00Z")) for h in ("23:00", "05:59", "06:00", "12:00")}
    assert hours == {"23:00": True, "05:59": True, "06:00": False, "12:00": False}


def test_a_file_of_routes(tmp_path: Path) -> None:
    """A secret may stand in the environment, PagerDuty's address is known, and the language is that of the settings."""
    file = tmp_path / "routes.yaml"
    file.write_text(
        "routes:\n  - {name: pd, format: pagerduty, secret: $PD_KEY, severity: 4}\n  - {name: m, format: email, url: smtp://m, to: [a@b]}\n"
    )
    found = load_routes(RespondSettings(routes=str(file), language="fr"), {"PD_KEY": "k"})
    assert list(found) == ["log", "pd", "m"]
    assert (found["pd"].secret, found["pd"].url) == ("k", PAGERDUTY_URL)
    assert {route.language for route in found.values()} == {"fr"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{name: a, format: fax, url: x}", "unknown format"),
        ("{name: a, format: slack}", "needs a url"),
        ("{name: a, format: webhook, url: x}", "needs a secret"),
        ("{name: a, format: slack, url: x, kinds: [storm]}", "no kind"),
        ("{name: a, format: slack, url: x, events: [closed]}", "no event"),
        ("{name: a, format: slack, url: x, hours: [8, 25]}", "between 0 and 24"),
        ("{name: a, format: slack, url: x, language: de}", "neither en nor fr"),
        ("{name: a, format: webhook, url: x, secret: $NO}", "not set"),
        ("{name: a, format: pagerduty}", "routing key"),
        ("{name: a, format: email, url: x}", "`to`"),
        ("{name: a, format: slack, uri: x}", "uri"),
        ("{name: log, format: slack, url: https://x/}", "stands twice"),
        ("{name: a, format: slack, url: x}", "only http and https"),
        ("{name: a, format: slack, url: 'https://[::1'}", "the URL is none"),
        ("{name: a, format: slack, url: https://a..b/}", "the name of the host is none"),
        ("{name: a, format: email, url: https://x/, to: [a@b]}", "only smtp and smtps"),
        ('{name: a, format: email, url: smtp://x/, to: ["a@b\\nBcc: c@d"]}', "line break"),
        ("{name: a, hours: " + "[" * 3000 + "]" * 3000 + "}", "nested too deeply"),
        ("{name: a, hours: 2026-13-45}", "put it in quotes"),
        ("&a [*a]", "an alias stands for itself"),
        ("[", "routes.yaml"),
    ],
)
def test_a_wrong_file_says_the_mend(tmp_path: Path, line: str, words: str) -> None:
    """Each mistake is named with the route and what it needs."""
    (tmp_path / "routes.yaml").write_text(f"routes:\n  - {line}\n")
    with pytest.raises(BadInput, match="routes") as caught:
        load_routes(RespondSettings(routes=str(tmp_path / "routes.yaml")), {})
    assert words in str(caught.value)


@pytest.mark.parametrize("line", ["{name: a, secret: whsec_hidden: x}", "{name: a, secret: 'whsec_hidden}", "{name: hidden}: ["])
def test_a_wrong_file_keeps_its_secrets(tmp_path: Path, line: str) -> None:
    """A line that is no YAML is named by its number: quoted, it would put a secret into a terminal or a log."""
    (tmp_path / "routes.yaml").write_text(f"routes:\n  - {line}\n")
    with pytest.raises(BadInput, match=r"routes routes.yaml: line \d+: no YAML") as caught:
        load_routes(RespondSettings(routes=str(tmp_path / "routes.yaml")), {})
    assert "hidden" not in str(caught.value)
