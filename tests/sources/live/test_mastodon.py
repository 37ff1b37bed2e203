"""Hashtags of a Mastodon instance: every status once, oldest first, over pages, restarts, limits and outages."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from streams.clock import rfc3339
from streams.enrich.decode import decode
from streams.sources.live.config import Mastodon
from streams.sources.live.mastodon import PAGE, MastodonSource
from streams.sources.live.post import Post
from streams.sources.live.toots import read_status
from streams.sources.live.trouble import Trouble
from tests.sources.live.desk import NOW, Desk, site

MINUTE = 60_000


def status(minutes_ago: float = 5, extra: int = 0, **more: Any) -> dict[str, Any]:
    """Return a status as Mastodon 4 gives it; its number is the time at which it was written."""
    ms = round(NOW - minutes_ago * MINUTE)
    number = (ms << 16) + extra
    account = {
        "id": "9", "username": "ann", "acct": "ann", "display_name": "Ann", "uri": "https://m.example/users/ann", "note": "<p>I fly.</p>",
        "followers_count": 12, "following_count": 3, "statuses_count": 40, "created_at": "2020-01-01T00:00:00.000Z",
    }  # fmt: skip
    return {
        "id": str(number), "created_at": rfc3339(ms), "in_reply_to_id": None, "spoiler_text": "", "visibility": "public", "language": "en",
        "uri": f"https://m.example/users/ann/statuses/{number}", "url": f"https://m.example/@ann/{number}", "replies_count": 1,
        "reblogs_count": 2, "favourites_count": 3, "reblog": None, "account": account, "media_attachments": [],
        "content": '<p><a href="https://m.example/tags/Acme" class="mention hashtag">#<span>Acme</span></a> lost my bag</p>', **more,
    }  # fmt: skip


class Instance:
    """An instance: tags with their statuses, answered as Mastodon does, newest first; ``fails`` are answers that come first."""

    def __init__(self, **tags: list[dict[str, Any]]) -> None:
        self.tags = tags
        self.fails: list[Response] = []
        self.headers: dict[str, str] = {}
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Response:
        """Answer a request for a tag."""
        self.asked.append(request)
        if self.fails:
            return self.fails.pop(0)
        found = re.fullmatch(r"/api/v1/timelines/tag/(\w+)", request.url.path)
        if found is None:
            return Response(status_code=404)
        rows = sorted(self.tags.get(found[1], []), key=lambda one: int(one["id"]))
        if (least := request.query_params.get("min_id")) is not None:
            rows = [one for one in rows if int(one["id"]) > int(least)][: int(request.query_params["limit"])]
        else:
            rows = rows[-int(request.query_params["limit"]) :]
        return JSONResponse(rows[::-1], headers=self.headers)


def source(desk: Desk, url: str, *tags: str, post: Post | None = None, token: str = "") -> MastodonSource:
    """Return a source as a new process would make it."""
    return MastodonSource(Mastodon("one", url, tags or ("acme",), token=token, allow_private=True), post or desk.post(url))


async def once(desk: Desk, url: str, *tags: str) -> None:
    """A new process that runs one round."""
    await source(desk, url, *tags).run()


async def test_a_status_becomes_a_mention(tmp_path: Path) -> None:
    """Text without HTML, its author with followers, engagement, address, language; the id is that of the whole network."""
    desk = Desk(tmp_path)
    one = status(5)
    async with site(Instance(acme=[one])) as url:
        await once(desk, url)
    assert desk.kept.mentions == [
        {
            "id": one["uri"], "network": "mastodon", "text": "#Acme lost my bag", "published_at": "2026-09-21T14:08:20Z",
            "author": {
                "id": "https://m.example/users/ann", "handle": "ann@127.0.0.1", "name": "Ann", "followers": 12, "following": 3, "posts": 40,
                "created_at": "2020-01-01T00:00:00.000Z", "bio": "I fly.",
            },
            "url": one["url"], "lang": "en", "engagement": {"replies": 1, "reshares": 2, "likes": 3},
            "source": "one", "collected_at": "2026-09-21T14:13:20Z",
        }
    ]  # fmt: skip


async def test_replies_quotes_and_warnings(tmp_path: Path) -> None:
    """A reply names what it answers by the same id that that has, or by the instance's number; a warning and a poll are text."""
    desk = Desk(tmp_path)
    first = status(9)
    rows = [
        first,
        status(8, in_reply_to_id=first["id"]),
        status(7, in_reply_to_id="77"),
        status(6, quote={"state": "accepted", "quoted_status": {"uri": "https://q.example/1"}}),
        status(5, spoiler_text="Bags", poll={"options": [{"title": "Yes"}, {"title": "No"}]}),
        status(4, visibility="private"),
        status(3, content=""),
    ]
    async with site(Instance(acme=rows)) as url:
        await once(desk, url)
    found = [(one.get("kind", "post"), one.get("parent_id")) for one in desk.kept.mentions]
    assert found == [
        ("post", None), ("reply", first["uri"]), ("reply", "127.0.0.1:77"), ("quote", "https://q.example/1"), ("post", None),
    ]  # fmt: skip
    assert desk.kept.mentions[-1]["text"] == "Bags\n#Acme lost my bag\nYes\nNo"
    assert desk.metric("veille_source_refused_total") == 2


async def test_pages_and_restarts(tmp_path: Path) -> None:
    """More than a page is new after an outage of ours: all of it comes, oldest first, each once, and replies still find their parent."""
    desk, instance = Desk(tmp_path), Instance(acme=[status(50), status(3000)])
    async with site(instance) as url:
        await once(desk, url)
        assert desk.kept.ids == [status(50)["uri"]]  # what is older than an hour is no news at the first look
        desk.now += 600 * MINUTE
        later = [status(-n, in_reply_to_id=status(50)["id"]) for n in range(1, 2 * PAGE + 10)]
        instance.tags["acme"] += later
        await once(desk, url)
        await once(desk, url)
    assert desk.kept.ids == [status(50)["uri"], *(one["uri"] for one in later)]
    assert {one["parent_id"] for one in desk.kept.mentions[1:]} == {status(50)["uri"]}


async def test_what_arrives_late_is_not_missed(tmp_path: Path) -> None:
    """A status of another server is numbered by when it was written: one that comes minutes late is below what is known already."""
    desk, instance = Desk(tmp_path), Instance(acme=[status(5)])
    async with site(instance) as url:
        one = source(desk, url)
        await one.run()
        instance.tags["acme"].append(status(8))
        await one.run()
        await one.run()
    assert desk.kept.ids == [status(5)["uri"], status(8)["uri"]]


async def test_a_status_under_two_tags_has_one_id(tmp_path: Path) -> None:
    """It is published once by one process, and under one id by two."""
    desk, instance = Desk(tmp_path), Instance(acme=[status(5)], bags=[status(5)])
    async with site(instance) as url:
        await once(desk, url, "acme", "bags")
    assert len(desk.kept.ids) == 1


async def test_a_tag_without_a_status_is_followed_from_the_first_on(tmp_path: Path) -> None:
    """Nothing was there at the first look: what comes then is new."""
    desk, instance = Desk(tmp_path), Instance()
    async with site(instance) as url:
        one = source(desk, url)
        await one.run()
        instance.tags["acme"] = [status(1)]
        desk.now += 120 * MINUTE
        await one.run()
    assert len(desk.kept.ids) == 1


async def test_limits_are_heeded(tmp_path: Path) -> None:
    """With no question left, nothing is asked until the limit is renewed; 429 says when."""
    desk, instance = Desk(tmp_path), Instance(acme=[status(5)])
    instance.headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": rfc3339(NOW + 200_000)}
    async with site(instance) as url:
        one = source(desk, url, "acme", "bags")
        with pytest.raises(Trouble, match="limit") as caught:
            await one.run()
        assert caught.value.after == 200
        assert len(instance.asked) == 1
        desk.now += 200_000
        instance.headers = {}
        instance.fails = [Response(status_code=429, headers={"x-ratelimit-reset": rfc3339(desk.now + 90_000)})]
        with pytest.raises(Trouble, match="429") as caught:
            await one.run()
        assert caught.value.after == 90
        desk.now += 90_000
        await one.run()
    assert desk.kept.ids == [status(5)["uri"]]


async def test_an_instance_that_dies_and_comes_back(tmp_path: Path) -> None:
    """A page in the middle of a round fails: what was published before it is not asked for again, and the clock waits."""
    desk, instance = Desk(tmp_path), Instance(acme=[status(30)])
    post = desk.post("m")
    async with site(instance) as url:
        one = source(desk, url, post=post)
        await one.run()
        assert post.reached_ms == NOW
        desk.now += 10 * MINUTE
        instance.tags["acme"] += [status(20 - n / 10) for n in range(PAGE + 5)]
        answers = iter([None, Response(status_code=502)])

        def failing(request: Request, take: Any = instance.__call__) -> Response:
            return next(answers, None) or take(request)

        async with site(failing) as broken:
            one._config = Mastodon("one", broken, ("acme",), allow_private=True)
            with pytest.raises(Trouble, match="502"):
                await one.run()
            assert post.reached_ms == NOW
            assert len(desk.kept.ids) == PAGE
            await one.run()
    assert post.reached_ms == desk.now
    assert len(desk.kept.ids) == len(set(desk.kept.ids)) == PAGE + 6


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response(status_code=401), "give a token"),
        (Response(status_code=422), "give a token"),
        (Response(status_code=404), "check the URL"),
        (Response("<html>", media_type="text/html"), "no list of statuses"),
        (JSONResponse({"error": "no"}), "no list of statuses"),
        (RedirectResponse("http://192.168.1.1/"), "after 1 redirect: .*private"),
        (Response(b"[" + b" " * (5 << 20) + b"]"), "too large"),
    ],
    ids=["401", "422", "404", "html", "object", "inside", "huge"],
)
async def test_what_is_no_instance_is_named(answer: Response, said: str, tmp_path: Path) -> None:
    """Each is trouble with its mend; nothing is published, and the position stays."""
    desk, instance = Desk(tmp_path), Instance(acme=[status(5)])
    instance.fails = [answer]
    async with site(instance) as url:
        with pytest.raises(Trouble, match=said):
            await once(desk, url)
        assert desk.kept.outputs == []
        await once(desk, url)
    assert len(desk.kept.ids) == 1


async def test_a_token_is_sent_and_never_told(tmp_path: Path) -> None:
    """It goes in the header alone."""
    desk, instance = Desk(tmp_path), Instance()
    async with site(instance) as url:
        one = source(desk, url, token="hunter2")
        await one.run()
    assert instance.asked[0].headers["authorization"] == "Bearer hunter2"
    assert "hunter2" not in str(instance.asked[0].url) + (tmp_path / "one.json").read_text()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
_STATUS = st.fixed_dictionaries(
    {}, optional={name: _JSON | st.just(value) for name, value in status().items()} | {"quote": _JSON, "poll": _JSON}
)


@given(_JSON | _STATUS)
def test_any_json_is_a_mention_or_none(found: Any) -> None:
    """Nothing is raised, and what is found is a mention for enrichment too."""
    mention = read_status(found, "m.example", "one", NOW, lambda number: None)
    if mention is not None:
        assert decode(mention.value)[0].network == "mastodon"


@given(st.lists(_JSON | _STATUS, max_size=5))
def test_any_page_is_survived(page: list[Any]) -> None:
    """Whatever an instance answers, a round ends and the position can be saved."""

    async def scenario() -> None:
        with tempfile.TemporaryDirectory() as folder:
            found = MastodonSource(Mastodon("one", "https://m.example", ("acme",)), Desk(Path(folder)).post())
            at: dict[str, Any] = {"tags": {}, "uris": {}}

            async def answer(tag: str, since: str) -> list[Any]:
                return page

            found._page = answer  # type: ignore[method-assign]
            await found._follow("acme", at)
            await found._follow("acme", at)
            assert at["tags"]["acme"].isdigit()

    asyncio.run(scenario())
