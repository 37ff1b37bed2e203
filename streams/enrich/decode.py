"""Raw bytes to a valid mention: a fast strict path, and a lenient one for what publishers get wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import ftfy
import msgspec

from schemas.mention import KINDS, MAX_RECORD_BYTES, MAX_TEXT_BYTES, Author, Engagement, Mention
from streams.enrich.fold import clean, without_surrogates
from streams.enrich.times import EPOCH, loose_ms, rfc3339_ms
from streams.errors import Rejected

#: What no rule foresaw is still a result: the record goes on to the rejected topic, whole.
UNFORESEEN = (ValueError, OverflowError, RecursionError)
UNREADABLE = "unreadable"

_decode = msgspec.json.Decoder(Mention).decode
_date = datetime.fromisoformat
_NOT_STRICT = (msgspec.MsgspecError, *UNFORESEEN, TypeError)
_KINDS = frozenset(KINDS)
_MAX_ID = 512
_MAX_NETWORK = 64
#: Beyond this many bytes a record that is not strictly right is not repaired: it would cost too much.
_MAX_LENIENT = 64 * 1024
_MAX_NUMBER = 2**53
#: Characters of a text that are read at all: names and handles are looked for in these, all else in `EnrichSettings`' limits.
READ_CHARACTERS = 8192
#: Longer texts are not searched for mojibake: repairing costs milliseconds.
_MAX_REPAIRED = 4000
#: Years 1 to 9999.
EARLIEST_MS, LATEST_MS = -62_135_596_800_000, 253_402_300_799_999


def decode(value: bytes | None) -> tuple[Mention, int]:
    """Return the mention with clean ``text``, as far as it is read, and when it was published, in ms.

    Raises `Rejected` with a fixed word.
    """
    if not value:
        raise Rejected("empty")
    if len(value) > MAX_RECORD_BYTES:
        raise Rejected("too_large")
    try:
        mention = _decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        mention, published = _lenient(value)
    else:
        try:
            published = rfc3339_ms(mention.published_at)
        except (ValueError, OverflowError):
            published = _time(mention.published_at)
    _tidy(mention)
    return mention, published


def decode_all(values: Sequence[bytes | None]) -> list[tuple[Mention, int] | str]:
    """Return for each value what `decode` returns, or the word with which it is rejected."""
    found: list[tuple[Mention, int] | str] = []
    for value in values:
        try:
            if value is None or len(value) > MAX_RECORD_BYTES:
                raise ValueError
            mention = _decode(value)
            # As `rfc3339_ms` reads what is right, without the calls and the division of long numbers.
            since = _date(mention.published_at) - EPOCH
            published = since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
            # Most mentions are plain, so that nothing needs to be looked at again.
            text, network = mention.text, mention.network
            plain = text.isascii() and text.isprintable() and len(text) <= READ_CHARACTERS and mention.kind in _KINDS
            if not (plain and 0 < len(mention.id) <= _MAX_ID and network.islower() and len(network) <= _MAX_NETWORK):
                _tidy(mention)
        except Rejected as error:
            found.append(error.reason)
        except _NOT_STRICT:
            found.append(_alone(value))
        else:
            found.append((mention, published))
    return found


def _alone(value: bytes | None) -> tuple[Mention, int] | str:
    try:
        return decode(value)
    except Rejected as error:
        return error.reason
    except UNFORESEEN:
        return UNREADABLE


def _tidy(mention: Mention) -> None:
    """Give a mention its clean text, as far as it is read. Raises `Rejected`."""
    if not mention.id or len(mention.id) > _MAX_ID:
        raise Rejected("bad_id")
    network = mention.network
    if not network.islower():
        mention.network = network = network.lower()
    if not network or len(network) > _MAX_NETWORK:
        raise Rejected("bad_network")
    text = mention.text
    if len(text) * 4 > MAX_TEXT_BYTES and (len(text) > MAX_TEXT_BYTES or len(text.encode()) > MAX_TEXT_BYTES):
        raise Rejected("text_too_long")
    if len(text) > READ_CHARACTERS:
        mention.text = text = text[:READ_CHARACTERS]
    if not text.isascii():
        if len(text) < _MAX_REPAIRED and _mojibake(text):
            text = ftfy.fix_encoding(text)
        mention.text = clean(text)
    elif not text.isprintable():
        mention.text = clean(text)
    if mention.kind not in _KINDS:
        mention.kind = "post"


def _mojibake(text: str) -> bool:
    """Say whether a text holds what UTF-8 read as Latin-1 or Windows-1252 nearly always contains."""
    return "Ã" in text or "Â" in text or "â€" in text or "ðŸ" in text or "Ø§" in text or "à¤" in text


def _time(value: object) -> int:
    try:
        published = loose_ms(value)
    except (ValueError, OverflowError, TypeError):
        raise Rejected("bad_time") from None
    if not EARLIEST_MS <= published <= LATEST_MS:
        raise Rejected("bad_time")
    return published


def _lenient(value: bytes) -> tuple[Mention, int]:
    """Read what is nearly a mention: numbers for texts, wrong types in optional fields, broken UTF-8, a BOM."""
    if len(value) > _MAX_LENIENT:
        raise Rejected("not_json")
    try:
        data = json.loads(value.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise Rejected("not_json") from None
    if not isinstance(data, dict):
        raise Rejected("not_object")
    identity, network, text = data.get("id"), data.get("network"), data.get("text")
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        raise Rejected("bad_id")
    if not isinstance(network, str):
        raise Rejected("bad_network")
    if not isinstance(text, str):
        raise Rejected("no_text")
    if isinstance(identity, int) and abs(identity) >= 2**256:
        raise Rejected("bad_id")
    published = _time(data.get("published_at"))
    if len(text) * 4 > MAX_TEXT_BYTES and len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise Rejected("text_too_long")
    # Cut before they are mended, since mending is dear; an id or network that is too long stays so.
    mention = Mention(
        id=without_surrogates(str(identity)[: _MAX_ID + 1]),
        network=without_surrogates(network[: _MAX_NETWORK + 1]),
        text=without_surrogates(text[:READ_CHARACTERS]),
        published_at="",
    )
    for name in ("url", "lang", "parent_id", "root_id", "country", "source", "collected_at"):
        setattr(mention, name, _text(data.get(name)))
    mention.kind = _text(data.get("kind")) or "post"
    mention.author = _author(data.get("author"))
    mention.engagement = _engagement(data.get("engagement"))
    return mention, published


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return without_surrogates(value[:8192])
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**256:
        return str(value)
    return None


def _count(value: object) -> int | None:
    if isinstance(value, str):
        value = value.strip()
        if not value.isascii() or not value.isdigit() or len(value) > 15:
            return None
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if -_MAX_NUMBER < value < _MAX_NUMBER else None


def _author(value: object) -> Author | None:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return Author(handle=_text(value))
    if not isinstance(value, dict):
        return None
    fields: dict[str, Any] = {name: _text(value.get(name)) for name in ("id", "handle", "name", "created_at", "bio")}
    fields |= {name: _count(value.get(name)) for name in ("followers", "following", "posts")}
    verified = value.get("verified")
    return Author(**fields, verified=verified if isinstance(verified, bool) else None)


def _engagement(value: object) -> Engagement | None:
    if not isinstance(value, dict):
        return None
    return Engagement(**{name: _count(value.get(name)) for name in ("replies", "reshares", "quotes", "likes", "views")})
