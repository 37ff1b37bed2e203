"""The lines of ``veille crises`` and of the answers to ``veille crisis``: no word twice, one language at a time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from schemas.cloudevents import header_maker
from schemas.command import Command
from schemas.crisis import EVENT_TYPES, Crisis
from schemas.signal import Contribution
from streams.cli.crisis_words import answer_line, crisis_line
from streams.cli.main import app
from streams.engine.embedded import EmbeddedBroker
from streams.respond.brief_words import EVENTS

C1 = "acme-20260101T060000-1"
RANG = Contribution(name="x", log_odds=1.0, text="many spoke", text_fr="beaucoup en ont parlé")


def event(word: str, command: str = "", **card: Any) -> dict[str, Any]:
    """An event of a crisis of acme, which ``command`` of ann made."""
    decision = Command(id="c", command=command, brand="acme", by="ann", at_ms=0, crisis_id=C1) if command else None
    given = {"crisis_id": C1, "brand": "acme", "phase": "open", "onset": "2026-01-01T06:00:00Z", "headline": "Fire",
             "headline_fr": "Incendie", "severity": 3, "kind": "own_post", "kinds": {"own_post": 1.0},
             "contributions": (RANG,), **card}  # fmt: skip
    data = msgspec.to_builtins(Crisis(**given, decision=decision))
    return {"type": f"veille.crisis.{word}", "time": "2026-01-01T06:00:00Z", "data": data}


@pytest.mark.parametrize(
    ("word", "command", "card", "english", "french"),
    [
        ("noted", "ack", {"note": "ack"}, "ack by ann", "ack par ann"),
        ("noted", "note", {"note": "call the plant"}, "note by ann: call the plant", "note par ann : call the plant"),
        (
            "refused",
            "ack",
            {"note": "acknowledged already"},
            "ack by ann: acknowledged already",
            "ack par ann : déjà prise en charge",
        ),
        (
            "refused",
            "capture",
            {"note": "capture needs target or bytes_b64"},
            "capture by ann: capture needs target or file",
            "capture par ann : capture demande target ou file",
        ),
        ("resolved", "close", {"note": "it was nothing"}, "close by ann: it was nothing", "close par ann : it was nothing"),
        ("opened", "open", {}, "open by ann: Fire", "open par ann : Incendie"),
        ("merged", "merge", {"note": f"took over {C1}"}, f"merge by ann: took over {C1}", f"merge par ann : a repris {C1}"),
        ("noted", "", {"note": "mute ended"}, "the mute has ended", "le silence est terminé"),
        ("updated", "", {"note": "blind"}, "a source has fallen silent", "une source est devenue muette"),
        ("updated", "", {}, "many spoke", "beaucoup en ont parlé"),
    ],
)
def test_a_line_says_who_decided_what_or_why_it_rang(word: str, command: str, card: dict[str, Any], english: str, french: str) -> None:
    """Each way to say a reason, once, in both languages; a person's words stay as they were written."""
    assert crisis_line(event(word, command, **card)).endswith(f"severity 3  own post   {english}")
    shown = crisis_line(event(word, command, **card), "fr").replace("\u00a0", " ")
    assert shown.endswith(f"gravité 3  publication     {french}")
    assert shown.startswith(f"2026-01-01 06:00 UTC  {EVENTS['fr'][word]} ")


@pytest.mark.parametrize(
    ("command", "args", "said"),
    [
        ("assign", {"to": "bo"}, "assign bo"), ("set-kind", {"kind": "rumour"}, "set-kind rumour"),
        ("mute", {"minutes": 30}, "mute 30 min"),
        ("release", {"statement": "s1"}, "release s1"), ("approve", {"statement": "s1", "hash": "9f"}, "approve s1"),
        ("hold", {"off": True}, "hold off"), ("hold", {}, "hold"), ("capture", {"target": "https://x.example"}, "capture https://x.example"),
        ("capture", {"bytes_b64": "eA=="}, "capture"), ("task-done", {"task": "pause"}, "task-done pause"), ("ack", {}, "ack"),
    ],
)  # fmt: skip
def test_a_line_names_what_was_decided_on(command: str, args: dict[str, Any], said: str) -> None:
    """Whom, which statement, for how long: with the unit, once; in the answer as in the list."""
    told = event("noted", command, note=command)
    told["data"]["decision"]["args"] = args
    assert crisis_line(told).endswith(f"  {said} by ann")
    assert answer_line(told) == f"noted  {C1}  open  {said}"
    told["data"]["note"] = "because"
    assert crisis_line(told).endswith(f"  {said} by ann: because")


def test_what_is_not_known_is_not_said() -> None:
    """A label of the brand, a command that names a crisis nobody knows, and what was declared before anything was seen of it."""
    assert "severity" not in crisis_line(event("noted", "missed", phase="none", note="a strike"))
    assert "  unknown    open" in crisis_line(event("opened", "open", kinds={}))
    assert "  inconnu         open" in crisis_line(event("opened", "open", kinds={}), "fr")
    assert "gravité" not in crisis_line(event("refused", "ack", phase="none", note="no such crisis"), "fr")


def test_every_event_has_its_french() -> None:
    """Nothing that can happen to a crisis is told in French by its English name."""
    assert {name.removeprefix("veille.crisis.") for name in EVENT_TYPES} <= set(EVENTS["fr"])


def test_an_answer_in_french() -> None:
    """What became of a command: of the crisis, of a statement that the gate refused, of a claim and of a task."""
    plain = {"statement_id": "h", "state": "refused", "text_hash": ""}
    answers = [
        (event("noted", "ack", note="ack"), f"noted  {C1}  open  ack", f"décision notée  {C1}  ouverte  ack"),
        ({"type": "veille.statement", "data": {**plain, "reason": "release: claim c1 is not verified"}},
         "h  refused  release: claim c1 is not verified", "h  refusé  release : l'affirmation c1 n'est pas vérifiée"),
        ({"type": "veille.statement", "data": {"statement_id": "s", "state": "draft", "text_hash": "9f", "approved_by": ["bo"]}},
         "s  draft, approved by bo  --hash 9f", "s  projet, approuvé par bo  --hash 9f"),
        ({"type": "veille.crisis.noted", "data": {"crisis_id": "", "brand": "acme", "phase": "none", "note": "a strike"}},
         "noted  acme  a strike", "décision notée  acme  a strike"),
        ({"type": "veille.statement", "data": {"statement_id": "s", "state": "retracted", "reason": "note: no such claim"}},
         "s  retracted  note: no such claim", "s  retiré  note: no such claim"),
        ({"type": "veille.claim", "data": {"claim_id": "c1", "status": "verified"}}, "c1  verified", "c1  vérifiée"),
        ({"type": "veille.command", "data": {"command": "ack", "id": "k"}}, "sent  ack  k", "envoyé  ack  k"),
    ]  # fmt: skip
    for answer, english, french in answers:
        assert answer_line(answer) == english
        assert answer_line(answer, "fr").replace("\u00a0", " ") == french


def test_the_command_takes_the_language_from_option_and_setting() -> None:
    """--language fr and VEILLE_LANGUAGE=fr say the same; JSON stays as it is."""
    card = Crisis(crisis_id=C1, brand="acme", phase="open", onset="2026-01-01T06:00:00Z", headline="Fire", headline_fr="Incendie")
    with EmbeddedBroker() as broker:
        sender = Producer({"bootstrap.servers": broker.bootstrap})
        headers = header_maker("veille.crisis.opened")("e1", C1, "2026-01-01T06:00:00Z")
        sender.produce("crisis.events", msgspec.json.encode(card), key=b"acme", partition=0, headers=headers)
        sender.flush(10)
        run = CliRunner().invoke
        asked, set_so, as_json = (
            run(app, ["crises", "--broker", broker.bootstrap, *words], env=env)
            for words, env in ((["--language", "fr"], {}), ([], {"VEILLE_LANGUAGE": "fr"}), (["--json", "--language", "fr"], {}))
        )
    assert asked.stdout == set_so.stdout
    assert "ouverte" in asked.stdout
    assert asked.stdout.rstrip().endswith("Incendie")
    assert msgspec.json.decode(as_json.stdout)["type"] == "veille.crisis.opened"
