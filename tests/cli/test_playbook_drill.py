"""``veille playbook check`` and ``veille drill`` as a user meets them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.main import app, main
from streams.respond.playbook import SHIPPED
from tests.respond.make import card, event


def _run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["veille", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_shipped_plans_pass(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit 0, one line for each plan; what nobody approved yet is named on stderr with the hash to write."""
    plans = [str(path) for path in sorted(SHIPPED.glob("*/*.yaml"))]
    assert _run(monkeypatch, "playbook", "check", *plans) == 0
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == len(plans) == 8
    assert "two different people must have approved it" in err


def test_a_wrong_plan_ends_with_1(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each problem is a line with file, line and mend."""
    plan = tmp_path / "plan.yaml"
    plan.write_text((SHIPPED / "en" / "rumour.yaml").read_text("utf-8").replace("role: legal", "role: leagl", 1), "utf-8")
    assert _run(monkeypatch, "playbook", "check", str(plan)) == 1
    out, err = capfd.readouterr()
    assert out.startswith(f"{plan}:")
    assert "did you mean legal?" in out
    assert "cannot be used" in err
    assert _run(monkeypatch, "playbook", "check", str(tmp_path / "none.yaml")) == 4


def _past(tmp_path: Path) -> Path:
    lines = []
    for name, one in (
        ("opened", card(1, kind="rumour")),
        ("resolved", card(2, at="2014-05-13T19:00:00Z", phase="resolved", kind="rumour")),
    ):
        record = event(name, one)
        lines.append(json.dumps({"type": dict(record.headers)["ce_type"].decode(), "data": json.loads(record.value or b"")}))
    file = tmp_path / "past.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_past_crisis_is_drilled(tmp_path: Path) -> None:
    """Acts from a file; JSON on stdout, the report in a file."""
    acts, report = tmp_path / "acts.txt", tmp_path / "report.html"
    acts.write_text("+4 ann/communication task-done pause\n+30 bo draft s text=x\n+31 cy/lead approve s\n")
    done = CliRunner().invoke(
        app, ["drill", "rumour", "--events", str(_past(tmp_path)), "--acts", str(acts), "--report", str(report), "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["status"], told["steps"][0]["took"], told["refused"]) == ("Exercise", 4, [])
    assert "verify" in told["late"]
    assert "EXERCISE" in report.read_text("utf-8")


def test_the_cell_speaks_at_the_keyboard(tmp_path: Path) -> None:
    """With --live lines of stdin are done as they come; one that cannot be read ends nothing."""
    words = ["drill", "fr/rumour", "--events", str(_past(tmp_path)), "--live", "--speed", "600", "--language", "fr"]
    said = "ann/communication task-done pause\nann dance\nend\n"
    done = subprocess.run([sys.executable, "-m", "streams.cli.main", *words], input=said, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "étape pause : faite" in done.stdout
    assert "ligne 2 : commande inconnue dance" in done.stderr


def test_wrong_input_says_the_mend(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file that is none, an act without a time, and no crisis chosen."""
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n")
    assert _run(monkeypatch, "drill", "rumour", "--events", str(bad)) == 4
    assert "bad.jsonl, line 1" in capfd.readouterr().err
    bad.write_text(_past(tmp_path).read_text().replace('"updated_at": "2', '"updated_at": "x2', 1))
    assert _run(monkeypatch, "drill", "rumour", "--events", str(bad)) == 4
    assert "no crisis event (Invalid isoformat" in capfd.readouterr().err
    acts = tmp_path / "acts.txt"
    acts.write_text("ann note x\n")
    assert _run(monkeypatch, "drill", "rumour", "--events", str(_past(tmp_path)), "--acts", str(acts)) == 4
    assert "begin it with +MINUTES" in capfd.readouterr().err
    assert _run(monkeypatch, "drill", "rumour") == 2


def test_the_terminal_speaks_the_language_of_the_drill(tmp_path: Path) -> None:
    """What is late, who did what after how many minutes, and where the report lies, in one language: never a word of the other."""
    acts, report = tmp_path / "acts.txt", tmp_path / "report.html"
    acts.write_text("+4 ann/communication task-done pause\n+5 bo/cook note x\n+6 bo/on_call release h\n")
    words = ["--events", str(_past(tmp_path)), "--acts", str(acts), "--hours", "1", "--report", str(report)]
    english = CliRunner().invoke(app, ["drill", "rumour", *words, "--language", "en"])
    assert "pause          due after   10 min  done after 4 min by ann\n" in english.stdout
    assert "not done, went to the deputy, 30 min late" in english.stdout
    assert english.stdout.splitlines()[-1] == "refused after 6 min to bo: release: no such statement"
    french = CliRunner().invoke(app, ["drill", "fr/rumour", *words, "--language", "fr"])
    shown = french.stdout.replace("\u00a0", " ")
    assert "pause          échéance après   10 min  faite après 4 min par ann\n" in shown
    assert "pas faite, passée au suppléant, 30 min de retard" in shown
    assert shown.splitlines()[-2:] == [
        "refusé après 5 min à bo : note : rôle inconnu ; il y a watch, on_call, lead, communication, legal, direction, customer_care",
        "refusé après 6 min à bo : release : cette déclaration n'existe pas",
    ]
    page = report.read_text("utf-8").replace("\u00a0", " ")
    assert "commande note : refusée" in page
    assert "message h : refusé<" in page
    assert re.findall(r"\b(due|done|late|after|by)\b", shown.replace("ann", "")) == []
    assert french.stderr.replace("\u00a0", " ").splitlines()[-1] == f"rapport : {report}"
    acts.write_text("ann note x\n")
    wrong = CliRunner().invoke(app, ["drill", "fr/rumour", *words, "--language", "fr"])
    assert str(wrong.exception) == f"{acts}, ligne 1 : commencez-la par +MINUTES depuis l'ouverture"


@pytest.mark.slow
def test_a_simulated_crisis_is_drilled() -> None:
    """A seed is a crisis: the same seed gives the same drill."""
    first, second = (CliRunner().invoke(app, ["drill", "rumour", "--simulate", "1", "--json"]).stdout for _ in range(2))
    assert json.loads(first)["source"] == "simulation 1"
    assert first == second
