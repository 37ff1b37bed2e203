"""An uploaded file: its event carries the bytes, what is kept for as long as the crisis lasts does not."""

from __future__ import annotations

import base64
import hashlib

import msgspec

from streams.crisis.settings import CrisisSettings
from streams.crisis.stage import CrisisPartition
from tests.crisis.make import command, log, signal

UPLOAD = b"Subject: your seats\r\n\r\nmay we quote you?"


def test_the_state_holds_the_hash_of_an_upload() -> None:
    """The event that evidence reads has the bytes; ``crisis.state`` and the changelog have their SHA-256, and the rest of the card."""
    stage = CrisisPartition(0, CrisisSettings())
    stage.restore({}, None)
    opened = list(stage.process(log(*(signal(n, 5 * n, over=True, margin=20.0) for n in range(1, 4)))))
    crisis_id = msgspec.json.decode(next(o.value for o in opened if o.topic == "crisis.events" and o.key and o.value))["crisis_id"]
    coded = base64.b64encode(UPLOAD).decode()
    sent = list(stage.process(log(command("capture", 1, crisis_id=crisis_id, name="letter.eml", bytes_b64=coded), start=3)))
    [event] = [msgspec.json.decode(o.value) for o in sent if o.topic == "crisis.events" and o.key and o.value]
    [state] = [msgspec.json.decode(o.value) for o in sent if o.topic == "crisis.state" and o.value]
    assert event["decision"]["args"]["bytes_b64"] == coded
    assert state["decision"]["args"] == {"name": "letter.eml", "sha256": hashlib.sha256(UPLOAD).hexdigest()}
    assert {**event, "decision": None} == {**state, "decision": None}
    kept = stage.checkpoint(4, full=True).states
    assert kept
    assert all(coded.encode() not in (one.value or b"") and UPLOAD not in (one.value or b"") for one in kept)
