"""Captures a page for a crisis: fetches it, hands its files in as ``capture`` commands, and says what was kept of it."""

from __future__ import annotations

import base64
import uuid
from typing import NamedTuple

import msgspec

from schemas.command import Command
from streams.cli.answer import give
from streams.cli.crisis import MAX_FILE, command_of
from streams.cli.crisis_words import answer_line
from streams.cli.output import cloudevent, emit, event_line, note
from streams.clock import wall_ms
from streams.evidence.page import SHOT_NAME, WARC_NAME, Captured, capture
from streams.evidence.words import plain
from streams.respond.brief import unbroken
from streams.settings import Settings

_WORDS = {
    "en": {
        "page": "{url}: http {status}, {bytes} bytes from {address}",
        "moved": "{url}, after {n} redirect(s): http {status}, {bytes} bytes from {address}",
        "length": "it has more than was read: the rest is not kept", "time": "it came too slowly: only what came in time is kept",
        "disconnect": "it broke off: only what came is kept",
        "all": "{name}: all that came",
        "some": "{name}: the first {held} of {bytes} bytes, as a capture holds no more; the SHA-256 of all is in it",
        "shot": "{name}: the whole page as a picture", "top": "{name}: the top {height} of {of} pixels as a picture",
        "refused": "{n} of the things that the page loads did not come, so they are not in the picture",
        "none": "no picture: {why}",
    },
    "fr": {
        "page": "{url} : http {status}, {bytes} octets de {address}",
        "moved": "{url}, après {n} redirection(s) : http {status}, {bytes} octets de {address}",
        "length": "elle est plus grande que ce qui a été lu : le reste n'est pas conservé",
        "time": "elle est venue trop lentement : seul ce qui est venu à temps est conservé",
        "disconnect": "elle s'est interrompue : seul ce qui est venu est conservé",
        "all": "{name} : tout ce qui est venu",
        "some": "{name} : les {held} premiers des {bytes} octets, une capture n'en contient pas plus ; le SHA-256 du tout y est",
        "shot": "{name} : la page entière en image", "top": "{name} : les {height} pixels du haut, sur {of}, en image",
        "refused": "{n} des éléments que la page charge ne sont pas venus, ils manquent dans l'image",
        "none": "pas d'image : {why}",
    },
}  # fmt: skip
_WHY = {
    "not_asked": ("none was asked for", "aucune n'a été demandée"),
    "no_page": ("what it answered is no page that a browser shows", "ce qu'elle a répondu n'est pas une page qu'un navigateur montre"),
    "no_playwright": ("install veille[capture] and a Chromium", "installez veille[capture] et un Chromium"),
    "root": ("as root Chromium has no sandbox; run it as another user",
             "en root Chromium n'a pas de bac à sable ; lancez-le sous un autre compte"),
    "cut": ("the page is too large, or did not come whole", "la page est trop grande, ou n'est pas venue entière"),
    "too_large": ("no picture of it is small enough", "aucune image n'en est assez petite"),
    "failed": ("Chromium did not start, or did not end in time", "Chromium n'a pas démarré, ou n'a pas fini à temps"),
}  # fmt: skip


def told(found: Captured, language: str) -> list[str]:
    """Return what was fetched, what was kept of it, and what was not, in sentences."""
    words, last = _WORDS[language], found.hops[-1]
    page = words["moved" if len(found.hops) > 1 else "page"]
    lines = [page.format(url=plain(last.url), n=len(found.hops) - 1, status=last.status, bytes=len(last.body), address=last.address)]
    lines += [words[last.cut]] if last.cut else []
    lines.append(words["all" if found.held == len(last.body) else "some"].format(name=WARC_NAME, held=found.held, bytes=len(last.body)))
    if found.shot is None:
        lines.append(words["none"].format(why=_WHY[found.why][language == "fr"]))
    else:
        shot = found.shot
        lines.append(words["shot" if shot.height >= shot.of else "top"].format(name=SHOT_NAME, height=shot.height, of=shot.of))
        lines += [words["refused"].format(n=shot.refused)] if shot.refused else []
    return [unbroken(line) for line in lines] if language == "fr" else lines


class Errand(NamedTuple):
    """What is to be captured, for which crisis, by whom, and how."""

    crisis: str
    url: str
    by: str
    role: str
    wait: float
    picture: bool
    allow_private: bool


async def captured(settings: Settings, errand: Errand, language: str, json: bool) -> bool:
    """Capture a page and hand it in; print the answers. Returns whether each was recorded."""
    given = {"crisis": errand.crisis, "target": errand.url, "brand": "", "by": errand.by, "role": errand.role, "identity": ""}
    empty = command_of("capture", given, wall_ms(), str(uuid.uuid4()))  # what is wrong with it is told before anything is fetched
    found = await capture(errand.url, MAX_FILE, picture=errand.picture, allow_private=errand.allow_private)
    lines = told(found, language)
    for line in lines:
        note(line)
    files = [(WARC_NAME, found.warc)] + ([(SHOT_NAME, found.shot.data)] if found.shot is not None else [])
    # One after the other: each must be answered before the next says anything.
    recorded = [await _hand_in(settings, _with(empty, name, data, lines[0]), errand.wait, language, json) for name, data in files]
    return all(recorded)


def _with(command: Command, name: str, data: bytes, text: str) -> Command:
    args = {**command.args, "text": text, "name": name, "bytes_b64": base64.b64encode(data).decode()}
    return msgspec.structs.replace(command, id=str(uuid.uuid4()), args=args)


async def _hand_in(settings: Settings, command: Command, wait: float, language: str, json: bool) -> bool:
    recorded = True
    async for headers, value in give(settings, command, "", wait):
        event = cloudevent(headers, value)
        recorded = recorded and event.get("type") != "veille.crisis.refused"
        emit(event_line(event) if json else answer_line(event, language))
    return recorded
