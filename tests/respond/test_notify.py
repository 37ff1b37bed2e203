"""Messages against local servers that check signatures, schemas and limits, fail, stall and redirect."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import threading
import traceback
from typing import Any

import jsonschema
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from schemas.crisis import Sample
from schemas.response import Task
from streams.engine.stage import InputRecord
from streams.errors import BadInput
from streams.respond.notify import REJECTED_TOPIC
from streams.respond.webhook import MAX_BODY_BYTES, Signer, body
from tests.respond.local import DRIP, LIMITS, SCHEMAS, mail_server, server
from tests.respond.make import CRISIS, FORMS, NEW, OLD, POSTED, note, noted_record, worker


def hostile() -> Any:
    """A notification whose mentions, headline and task try to ping, to link, to format, to steer and to be too long."""
    text = "<!channel> @everyone <@U1> *x* [a](http://b) \u202e\x1b[31m\r\nBcc: x@example.org <b>" * 8
    return note(
        headline=text, caveats=tuple(text for _ in range(40)),
        samples=tuple(Sample(mention_id=str(i), network="x<!here>", text=text) for i in range(80)),
    )  # fmt: skip


async def test_signed_and_repeated_under_one_id() -> None:
    """A failing receiver gets the message again, later and later, under the same id and with a valid signature."""
    waits: list[float] = []
    async with server(lambda n: "500 Oops" if n < 3 else "204 Fine") as (url, seen):
        one = worker(url, waits=waits)
        assert await one.handle([noted_record(note())]) == []
        await one.close()
    assert len(seen) == 3
    assert len({headers["webhook-id"] for headers, _ in seen}) == 1
    for headers, packed in seen:
        assert Webhook(NEW).verify(packed, headers)["subject"] == note().crisis.crisis_id
        with pytest.raises(WebhookVerificationError):
            Webhook(OLD).verify(packed, headers)
    assert 0 < waits[0] <= 2 < waits[1] * 2 <= 8


async def test_both_secrets_sign_during_a_rotation() -> None:
    """While secrets rotate, holders of the old and of the new one can both check."""
    async with server(lambda n: "200 OK") as (url, seen):
        one = worker(url, secret=f"{OLD} {NEW}")
        await one.handle([noted_record(note())])
        await one.close()
    for secret in (OLD, NEW):
        Webhook(secret).verify(seen[0][1], seen[0][0])


@pytest.mark.parametrize("form", POSTED)
async def test_each_format_keeps_its_schema_and_limits(form: str) -> None:
    """Opening, end and reminders fit what the service documents, also when every text is hostile and too long."""
    task = Task(
        task_id="t", crisis_id=CRISIS, brand="acme", step="pause", title="<!here> Pause", role="lead", due_at="2014-05-13T17:10:00Z"
    )
    notes = [hostile(), note(name="resolved", phase="resolved"), note(name="noted", acknowledged_by="ann")]
    notes.append(
        type(notes[0])(id="x", route="r", event="veille.task.late", time="2014-05-13T17:10:00Z", crisis=notes[0].crisis, tasks=(task,))
    )
    async with server(lambda n: "202 OK") as (url, seen):
        one = worker(url, form)
        assert await one.handle([noted_record(n) for n in notes]) == []
        await one.close()
    assert len(seen) == len(notes)
    for headers, packed in seen:
        assert headers["content-type"] == "application/json"
        assert len(packed) < LIMITS.get(form, 40_000)
        jsonschema.Draft202012Validator(SCHEMAS[form], format_checker=jsonschema.FormatChecker()).validate(json.loads(packed))
        assert not {"\u202e", "\x1b", "\r"} & set(json.loads(packed)["text"] if form == "slack" else "")


async def test_no_mention_pings_or_formats_in_slack() -> None:
    """Control sequences, links and marks of a mention are escaped in the text and in the top-level text."""
    async with server(lambda n: "200 OK") as (url, seen):
        one = worker(url, "slack")
        await one.handle([noted_record(hostile())])
        await one.close()
    sent = json.loads(seen[0][1])
    shown = sent["text"] + sent["blocks"][1]["text"]["text"]
    assert not {"<", ">", "*", "`", "_"} & set(shown)
    assert "&lt;!channel&gt;" in shown


async def test_paging_follows_the_life_of_the_crisis() -> None:
    """Trigger, acknowledge and resolve name one incident: the crisis."""
    async with server(lambda n: "202 OK") as (url, seen):
        one = worker(url, "pagerduty")
        names = [note(), note(name="noted", acknowledged_by="ann"), note(name="merged", phase="merged"), note(name="cancelled")]
        await one.handle([noted_record(n) for n in names])
        await one.close()
    sent = [json.loads(packed) for _, packed in seen]
    assert [event["event_action"] for event in sent] == ["trigger", "acknowledge", "resolve", "resolve"]
    assert {event["dedup_key"] for event in sent} == {CRISIS}


async def test_alertmanager_receivers_see_firing_and_resolved() -> None:
    """The end carries its time; both share the fingerprint that receivers group by."""
    async with server(lambda n: "200 OK") as (url, seen):
        one = worker(url, "alertmanager")
        await one.handle([noted_record(note()), noted_record(note(name="resolved", phase="resolved"))])
        await one.close()
    first, last = (json.loads(packed) for _, packed in seen)
    assert (first["status"], last["status"]) == ("firing", "resolved")
    assert last["alerts"][0]["endsAt"] == note().time
    assert first["alerts"][0]["fingerprint"] == last["alerts"][0]["fingerprint"]


async def test_mail_is_taken_and_repeated() -> None:
    """A mail server that is busy gets the mail again; one crisis is one thread."""
    async with mail_server(lambda n: "451 busy" if n < 3 else "250 fine") as (url, took):
        one = worker(url, "email")
        assert await one.handle([noted_record(hostile())]) == []
        await one.close()
    assert len(took) == 1
    assert f"References: <{CRISIS}@veille>" in took[0].replace("\r\n ", " ")
    assert "\r\nBcc:" not in took[0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("reply", "tries", "reason"),
    [
        ("503 Busy", 3, "http 503"),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", 1, "http 302"),
        ("307 Moved\r\nLocation: http://169.254.169.254/", 1, "http 307"),
        (None, 3, "timeout"),
        ("410 Gone", 1, "http 410"),
        ("400 Bad", 1, "http 400"),
    ],
)
async def test_dead_letters(form: str, reply: str | None, tries: int, reason: str) -> None:
    """A target that fails, redirects, stalls or is gone ends in a dead letter with the reason; redirects are not followed."""
    calls: list[int] = []

    def answer(number: int) -> str | None:
        calls.append(number)
        if form != "email" or reply is None:
            return reply
        return "451 busy" if tries > 1 else "550 no"

    async with mail_server(answer) if form == "email" else server(answer) as (url, _):
        one = worker(url, form)
        dead = await one.handle([noted_record(note())])
        await one.close()
    assert len(calls) == tries
    assert [d.topic for d in dead] == [REJECTED_TOPIC]
    if form == "email" and reply is not None:
        reason = "smtp 451" if tries > 1 else "smtp 550"
    assert dict(dead[0].headers)["veille-reason"].decode() in ((reason, "TimeoutError") if form == "email" else (reason,))
    assert dead[0].value == noted_record(note()).value


async def test_a_dead_target_holds_up_no_batch() -> None:
    """Once a route's message was given up, the next ones are tried once each, until one gets through."""
    async with server(lambda n: "500 Oops" if n <= 5 else "200 OK") as (url, seen):
        one = worker(url)
        dead = await one.handle([noted_record(note(seq=seq)) for seq in range(1, 6)])
        await one.close()
    assert [dict(d.headers)["veille-attempts"] for d in dead] == [b"3", b"1", b"1"]
    assert len(seen) == 7


async def test_nobody_listens() -> None:
    """A closed port, garbage and an unknown route are dead letters, never exceptions."""
    one = worker("http://127.0.0.1:9/")
    records = [noted_record(note()), noted_record(note("nobody")), noted_record(note())._replace(value=b"{")]
    dead = await one.handle(records)
    await one.close()
    reasons = [dict(d.headers)["veille-reason"] for d in dead]
    assert reasons == [b"ConnectError", b"no such route", b"unreadable"]


def test_bodies_stay_small() -> None:
    """A card that would be too long loses its lists, and says which."""
    packed = body(hostile())
    assert len(packed) < MAX_BODY_BYTES
    assert "samples" in json.loads(packed)["veilleshed"]
    assert "veilleshed" not in json.loads(body(note()))


@pytest.mark.parametrize("secret", ["", "whsec_é", "whsec_", "short", "whsec_" + base64.b64encode(b"s" * 23).decode()])
def test_a_bad_secret_says_the_mend(secret: str) -> None:
    """A secret that is none, or one that could be guessed, is refused at start."""
    with pytest.raises(BadInput, match="whsec_"):
        Signer(secret)


async def test_a_dead_letter_is_never_too_large_to_be_sent() -> None:
    """What nobody can read is set aside whole as far as the broker takes it, and never with headers without a value or without end."""
    one = worker("https://example.org/x")
    hostile_headers: Any = [("ce_type", None), ("x", b"x" * 90_000), ("ce_id", b"1")]
    dead = await one.handle([InputRecord(0, 0, b"k", b"{" * size, hostile_headers) for size in (900_000, 1_040_000)])
    await one.close()
    assert [len(letter.value or b"") for letter in dead] == [900_000, 0]
    assert [dict(letter.headers).get("veille-left-out") for letter in dead] == [None, b"1040001"]
    assert [[name for name, _ in letter.headers if name in ("ce_type", "x", "ce_id")] for letter in dead] == [["ce_id"], ["ce_id"]]


async def test_a_mail_server_that_never_comes_to_an_end_holds_no_thread() -> None:
    """Each line comes in time, the answer never ends: the attempt is cut off, and so is what waited for it."""
    before = {thread.ident for thread in threading.enumerate()}
    async with mail_server(lambda _: DRIP) as (url, _):
        one = worker(url, "email")
        dead = await one.handle([noted_record(note())])
        await one.close()
        assert dict(dead[0].headers)["veille-reason"] == b"timeout"
        async with asyncio.timeout(5):
            while any(_waits_for_mail(thread) for thread in threading.enumerate() if thread.ident not in before):
                await asyncio.sleep(0.02)


def _waits_for_mail(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)
    return any("smtplib" in line.filename for line in traceback.extract_stack(frame)) if frame is not None else False
