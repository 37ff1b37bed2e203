"""`veille crisis` and `veille brief`: words of the command line become commands of the desk."""

from __future__ import annotations

import base64
import json
import shlex
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.desk import NONE, TABLE, judge
from streams.cli.answer import NoAnswer
from streams.cli.crisis import MAX_FILE, brand_of, command_of, example
from streams.cli.crisis_words import answer_line
from streams.cli.main import app
from streams.engine.embedded import EmbeddedBroker
from streams.errors import BadInput

RUNNER = CliRunner()
C1 = "acme-20260101T060000-1"


def given(name: str, **more: Any) -> dict[str, Any]:
    """What Typer hands over where nothing is said."""
    base = dict.fromkeys(["brand", "by", "role", "identity"], "") | {arg.name: None for arg in TABLE[name].args}
    return {**base, "crisis": C1, **more}


@pytest.mark.parametrize("name", TABLE)
def test_every_command_of_the_table_has_help(name: str) -> None:
    """Each command names its arguments, shows an example and says what its exit codes mean."""
    shown = RUNNER.invoke(app, ["crisis", name, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for word in (
        f"Example: veille crisis {name}",
        "Exit codes: ",
        *(f"--{arg.name}" for arg in TABLE[name].args if arg.name != "bytes_b64"),
        *(("Role: " + ", ".join(TABLE[name].roles),) if TABLE[name].roles[0] else ()),
    ):
        assert word in shown.stdout


@pytest.mark.parametrize("name", TABLE)
def test_an_example_gives_what_the_table_needs(name: str) -> None:
    """The command line that help shows would not be refused for what it lacks."""
    words = shlex.split(example(name))
    assert not {"WORDS", "ID"} & {*words}, "something that could be typed"
    args: dict[str, object] = {}
    for arg in TABLE[name].args:
        if f"--{arg.name}" in words:
            args[arg.name] = arg.choices[0] if arg.choices else {"text": "x", "list": ["x"], "whole": 60, "flag": True}[arg.form]
    role = words[words.index("--role") + 1] if "--role" in words else ""
    phase = NONE if "--brand" in words else TABLE[name].phases[0]
    event, why = judge(name, role, phase, args)
    assert event or why == TABLE[name].why


def test_the_brand_comes_from_the_crisis(monkeypatch: pytest.MonkeyPatch) -> None:
    """The id of a crisis names its brand; who and role come from the environment where they are not said."""
    monkeypatch.setenv("VEILLE_BY", "ada")
    monkeypatch.setenv("VEILLE_ROLE", "lead")
    made = command_of("mute", given("mute", minutes=30), 5, "k1")
    assert (made.id, made.brand, made.by, made.role, made.args, made.at_ms) == ("k1", "acme", "ada", "lead", {"minutes": 30}, 5)
    assert command_of("ack", given("ack", by="sam", role="watch", identity="mine"), 5, "k1").id == "mine"
    assert brand_of("no crisis") == ""
    with pytest.raises(BadInput, match="--brand"):
        command_of("open", given("open", crisis=""), 5, "k1")


def test_a_file_goes_with_a_capture(tmp_path: Path) -> None:
    """A file travels with its name and bytes; one that is too large or missing says what to do."""
    file = tmp_path / "mail.eml"
    file.write_bytes(b"Subject: hello")
    args = command_of("capture", given("capture", target="a journalist", file=file), 5, "k").args
    assert base64.b64decode(str(args["bytes_b64"])) == b"Subject: hello"
    assert args["name"] == "mail.eml"
    file.write_bytes(b"x" * (MAX_FILE + 1))
    with pytest.raises(BadInput, match="smaller"):
        command_of("capture", given("capture", file=file), 5, "k")
    with pytest.raises(BadInput, match="No such file"):
        command_of("capture", given("capture", file=tmp_path / "none"), 5, "k")


def test_a_line_cannot_steer_the_terminal() -> None:
    """What people wrote is shown without control characters."""
    data = {"crisis_id": C1, "phase": "open", "note": "bad \x1b[2J words", "brand": "acme"}
    shown = answer_line({"type": "veille.crisis.noted", "data": data})
    assert shown.isprintable()
    assert shown.startswith(f"noted  {C1}  open")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["note", C1, "--text", "x" * 40_000], "at most 32 kB"), (["note", C1, "--text", "x", "--by", "b" * 201], "at most 200 characters"),
        (["open", "--brand", "a\nb", "--headline", "x"], "the brand's id"),
        (["capture", C1, "--file", "/dev/zero"], "more than 500000 bytes"),
    ],
)  # fmt: skip
def test_what_the_desk_could_not_read_is_not_sent(words: list[str], said: str) -> None:
    """It would be recorded as unreadable under an id that nobody waits for: the command line says what to mend, before any broker."""
    done = RUNNER.invoke(app, ["crisis", *words, "--broker", "127.0.0.1:1"])
    assert isinstance(done.exception, BadInput)
    assert said in str(done.exception)


def test_a_broker_that_goes_while_an_answer_is_awaited() -> None:
    """The command is out, and nobody answers: that is said, with exit code 1, and not taken for a signal."""
    with EmbeddedBroker() as broker:
        address = broker.bootstrap
        assert RUNNER.invoke(app, ["topics", "apply", "--broker", address]).exit_code == 0
        threading.Timer(2.0, broker.close).start()
        done = RUNNER.invoke(app, ["crisis", "open", "--brand", "acme", "--headline", "x", "--wait", "4", "--broker", address])
    assert isinstance(done.exception, NoAnswer)
    assert "is a worker running?" in str(done.exception)


def test_none_is_given_as_it_stands() -> None:
    """`--minutes 0` reaches the desk, which says what may be; a number that was not given is none."""
    assert command_of("mute", given("mute", minutes=0), 0, "i").args == {"minutes": 0}
    assert command_of("open", given("open", headline="", severity=None, terms=[]), 0, "i").args == {}


def test_a_declaration_looks_for_its_brand_in_the_watchlist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A declaration under a misspelt name would collect nothing, without a word; it is recorded all the same.

    One of a brand that is watched brings the brand's time zone, since its first card is made before the watch speaks of it.
    """
    (tmp_path / "brands.yaml").write_text("brands:\n  - {id: acme, names: [Acme], timezone: Europe/Paris}\n", "utf-8")
    monkeypatch.setenv("VEILLE_WATCHLIST", str(tmp_path / "brands.yaml"))
    with EmbeddedBroker() as broker:
        assert RUNNER.invoke(app, ["topics", "apply", "--broker", broker.bootstrap]).exit_code == 0
        for brand, said in (("acme", False), ("acne", True)):
            words = ["crisis", "open", "--brand", brand, "--headline", "Fire", "--by", "ann", "--json", "--broker", broker.bootstrap]
            done = RUNNER.invoke(app, words)
            assert json.loads(done.stdout)["data"]["args"].get("timezone") == ("Europe/Paris" if brand == "acme" else None)
            assert done.exit_code == 0
            assert ("acne is no brand of the watchlist (acme)" in done.stderr) is said
