"""Feeds: new items are published once, over restarts and outages; a broken document holds up no other, and stops the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from streams.enrich.decode import decode
from streams.sources.live.apart import FeedReader
from streams.sources.live.config import Feeds
from streams.sources.live.entries import NoFeed, read_feed
from streams.sources.live.feeds import FeedsSource
from streams.sources.live.post import Post
from streams.sources.live.trouble import Trouble
from tests.sources.live.desk import NOW, Desk, site

BOMB = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><rss version="2.0"><channel>
<item><title>&b;</title></item></channel></rss>"""


def item(number: int, minutes_ago: float = 5, text: str = "Acme loses bags") -> str:
    """Return an RSS item."""
    at = format_datetime(datetime.fromtimestamp((NOW - minutes_ago * 60_000) / 1000, UTC))
    return (
        f"<item><title>{text} {number}</title><link>https://news.example/{number}</link><guid isPermaLink='false'>n{number}</guid>"
        f"<description><![CDATA[<p>It was <b>{number}</b> bags.</p><script>alert(1)</script>]]></description><pubDate>{at}</pubDate></item>"
    )


def rss(*items: str) -> str:
    """Return an RSS document."""
    head = '<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><language>en-GB</language>'
    return f"{head}{''.join(items)}</channel></rss>"


class Paper:
    """A site whose documents the test sets, by path; it keeps what it was asked."""

    def __init__(self, **documents: Response | str) -> None:
        self.documents: dict[str, Response | str] = dict(documents)
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Response:
        """Answer a request: a text with an ETag, and 304 to who has it."""
        self.asked.append(request)
        found = self.documents.get(request.url.path.strip("/"), Response(status_code=404))
        if isinstance(found, Response):
            return found
        etag = f'"{hash(found)}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304)
        return Response(found, headers={"etag": etag}, media_type="application/rss+xml")


_reader: list[FeedReader] = []


@pytest.fixture(autouse=True)
async def reader() -> AsyncIterator[FeedReader]:
    """The process that reads feeds, one for each test."""
    _reader[:] = [FeedReader()]
    yield _reader[-1]
    await _reader[-1].close()


def source(desk: Desk, url: str, *paths: str, private: bool = True, post: Post | None = None) -> FeedsSource:
    """Return a feeds source as a new process would make it."""
    config = Feeds("one", tuple(f"{url}/{path}" for path in paths), allow_private=private)
    return FeedsSource(config, post or desk.post("feeds"), _reader[-1])


async def once(desk: Desk, url: str, *paths: str, private: bool = True) -> None:
    """A new process that runs one round."""
    await source(desk, url, *paths, private=private).run()


async def test_items_become_mentions(tmp_path: Path) -> None:
    """Title and description as plain text, the item's link, date and language, press as its network; the latest comes last."""
    desk, paper = Desk(tmp_path), Paper(rss=rss(item(2, 5), item(1, 10)))
    async with site(paper) as url:
        await once(desk, url, "rss")
    assert desk.kept.ids == ["127.0.0.1:n1", "127.0.0.1:n2"]
    assert desk.kept.mentions[0] == {
        "id": "127.0.0.1:n1", "network": "press", "kind": "article", "source": "one", "lang": "en-GB",
        "text": "Acme loses bags 1\nIt was 1 bags.", "url": "https://news.example/1",
        "published_at": "2026-09-21T14:03:20Z", "collected_at": "2026-09-21T14:13:20Z",
    }  # fmt: skip


async def test_an_atom_entry_becomes_a_mention(tmp_path: Path) -> None:
    """Atom with an id of its own, an author and HTML content."""
    atom = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><entry><id>tag:b.example,2026:7</id><title>Acme</title>
    <author><name>Ann Example</name></author><updated>2026-09-21T14:00:00+00:00</updated><link href="https://b.example/7"/>
    <content type="html">&lt;p&gt;Des valises &amp;amp; des sacs&lt;/p&gt;</content></entry></feed>"""
    desk, paper = Desk(tmp_path), Paper(atom=atom)
    async with site(paper) as url:
        await once(desk, url, "atom")
    (found,) = desk.kept.mentions
    assert found["id"] == "tag:b.example,2026:7"
    assert found["text"] == "Acme\nDes valises & des sacs"
    assert found["author"] == {"name": "Ann Example"}
    assert found["lang"] == "fr"
    assert found["published_at"] == "2026-09-21T14:00:00Z"


async def test_what_is_old_at_the_first_look_is_no_news(tmp_path: Path) -> None:
    """A document that is new to us brings its last hour; from then on whatever is new in it, however it is dated, or not at all."""
    bare = "<item><guid>https://news.example/b{}</guid><title>Acme</title></item>"
    desk, paper = Desk(tmp_path), Paper(rss=rss(item(2, 30), item(1, 3000), bare.format(1)))
    async with site(paper) as url:
        one = source(desk, url, "rss")
        await one.run()
        assert desk.kept.ids == ["127.0.0.1:n2"]
        paper.documents["rss"] = rss(bare.format(2), item(3, 600), item(2, 30), item(1, 3000), bare.format(1))
        await one.run()
    assert desk.kept.ids == ["127.0.0.1:n2", "127.0.0.1:n3", "https://news.example/b2"]


async def test_a_restart_goes_on(tmp_path: Path) -> None:
    """A new process asks with the ETag of the old one, and publishes what came meanwhile, once."""
    desk, paper = Desk(tmp_path), Paper(rss=rss(item(1)))
    async with site(paper) as url:
        await once(desk, url, "rss")
        await once(desk, url, "rss")
        assert paper.asked[-1].headers["if-none-match"]
        assert len(desk.kept.ids) == 1
        paper.documents["rss"] = rss(item(2), item(1))
        await once(desk, url, "rss")
    assert desk.kept.ids == ["127.0.0.1:n1", "127.0.0.1:n2"]


async def test_what_the_broker_did_not_take_comes_again(tmp_path: Path) -> None:
    """Stopped while the broker is away, nothing is remembered: the next process publishes it."""
    desk, paper = Desk(tmp_path), Paper(rss=rss(item(1)))
    desk.kept.open.clear()
    async with site(paper) as url:
        stuck = asyncio.create_task(once(desk, url, "rss"))
        while not desk.kept.tried:
            await asyncio.sleep(0.01)
        assert not stuck.done()
        stuck.cancel()
        await asyncio.gather(stuck, return_exceptions=True)
        desk.kept.open.set()
        await once(desk, url, "rss")
    assert desk.kept.ids == ["127.0.0.1:n1"]


async def test_a_site_that_dies_and_comes_back(tmp_path: Path) -> None:
    """While it is away the clock stands still; what it published meanwhile comes when it is back."""
    desk, paper = Desk(tmp_path), Paper(rss=rss(item(1)))
    post = desk.post("feeds")
    async with site(paper) as url:
        one = source(desk, url, "rss", post=post)
        await one.run()
        assert post.reached_ms == NOW
        desk.now += 60_000
        kept, paper.documents = paper.documents, {"rss": Response(status_code=500)}
        with pytest.raises(Trouble, match="it answers 500"):
            await one.run()
        assert post.reached_ms == NOW
        paper.documents = {**kept, "rss": rss(item(2), item(1))}
        desk.now += 600_000
        await one.run()
    assert post.reached_ms == NOW + 660_000
    assert desk.kept.ids == ["127.0.0.1:n1", "127.0.0.1:n2"]


async def test_one_broken_document_holds_up_no_other(tmp_path: Path) -> None:
    """The others are asked for at every round; the broken one as late as it wants, and the source's clock waits for it."""
    desk = Desk(tmp_path)
    paper = Paper(a=Response(status_code=429, headers={"retry-after": "900"}), b=rss(item(1)))
    post = desk.post("feeds")
    async with site(paper) as url:
        one = source(desk, url, "a", "b", post=post)
        for _ in range(3):
            with pytest.raises(Trouble, match=r"feed 1 \(127.0.0.1\): it answers 429") as caught:
                await one.run()
            desk.now += 120_000
        assert caught.value.after == 120
        assert [one.url.path for one in paper.asked] == ["/a", "/b", "/b", "/b"]
        assert (desk.kept.ids, post.reached_ms) == (["127.0.0.1:n1"], None)
        paper.documents["a"] = rss()
        desk.now += 900_000
        await one.run()
    assert post.reached_ms == desk.now


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (Response(status_code=404), "404; check the URL"),
        (Response(status_code=410), "take it out"),
        (Response("<html><body>Hello</body></html>", media_type="text/html"), "neither RSS nor Atom"),
        (Response('{"items": []}', media_type="application/json"), "neither RSS nor Atom"),
        (Response(b""), "neither RSS nor Atom"),
        (Response(BOMB), "declares entities"),
        (Response(BOMB.encode("utf-16")), "declares entities"),
        (Response(b"<rss>" + b" " * (5 << 20)), "too large"),
        (RedirectResponse("http://10.0.0.1/"), "after 1 redirect: .*private"),
        (RedirectResponse("file:///etc/passwd"), "only http and https"),
    ],
    ids=["404", "410", "html", "json", "empty", "bomb", "bomb16", "huge", "inside", "file"],
)
async def test_what_is_no_feed_is_named(document: Response, said: str, tmp_path: Path) -> None:
    """Each is trouble with its mend, and nothing is published."""
    desk = Desk(tmp_path)
    async with site(Paper(rss=document)) as url:
        with pytest.raises(Trouble, match=said):
            await once(desk, url, "rss")
    assert desk.kept.outputs == []


async def test_a_document_that_is_cut_gives_what_it_has(tmp_path: Path) -> None:
    """Broken XML is read as far as it goes, as browsers do."""
    desk = Desk(tmp_path)
    async with site(Paper(rss=rss(item(1), item(2))[:-40])) as url:
        await once(desk, url, "rss")
    assert "127.0.0.1:n1" in desk.kept.ids


async def test_a_private_address_needs_to_be_allowed(tmp_path: Path) -> None:
    """Without `allow_private` nothing inside the network is asked."""
    desk, paper = Desk(tmp_path), Paper(rss=rss(item(1)))
    async with site(paper) as url:
        with pytest.raises(Trouble, match="allow_private"):
            await once(desk, url, "rss", private=False)
    assert paper.asked == []


async def test_a_document_that_would_take_hours_is_given_up() -> None:
    """The process that reads it ends, by the kernel's hand; the next document is read by another."""
    costly = b"<rss version='2.0'><channel><item><author>" + b"a" * 2_000_000 + b"@</author></item></channel></rss>"
    one = FeedReader(cpu_seconds=1.0)
    try:
        for _ in range(2):
            with pytest.raises(NoFeed, match="too long to read"):
                await one.read(costly, {}, "https://a.example/", "one", "press", NOW)
            found = await one.read(rss(item(1)).encode(), {}, "https://a.example/", "one", "press", NOW)
            assert [entry.mention is not None for entry in found] == [True]
    finally:
        await one.close()


async def test_a_reader_that_was_left_in_the_middle_is_replaced(reader: FeedReader) -> None:
    """A source that is stopped while a document is read leaves nothing behind, and the answer goes to nobody else."""
    stopped = asyncio.create_task(reader.read(rss(item(1)).encode(), {}, "https://a.example/", "one", "press", NOW))
    await asyncio.sleep(0.01)
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    (found,) = await reader.read(rss(item(2)).encode(), {}, "https://a.example/", "one", "press", NOW)
    assert found.mention is not None
    assert found.mention.id == "a.example:n2"


_WORDS = st.sampled_from(
    ["<rss version='2.0'>", "<channel>", "<item>", "</item>", "<title>", "</title>", "<guid>", "<link>", "<pubDate>Mon, 99 Foo</pubDate>",
     "<pubDate>Thu, 01 Jan 2026 00:00:00 EST</pubDate>", "<![CDATA[", "]]>", "&#xD800;", "&#0;", "&amp;", "<a href='http://[x'>", "<feed>",
     "<entry>", "<id>", "<content type='xhtml'>", "<link href='http://[::1'/>", "\x00", "é"]
)  # fmt: skip


@given(st.binary() | st.lists(_WORDS | st.text(max_size=20), max_size=30).map(lambda parts: "".join(parts).encode("utf-8", "replace")))
@example(b"<rss><channel><item><title>&#xD800;x</title><pubDate>Thu, 01 Jan 0001 00:00:00 GMT</pubDate></item></channel></rss>")
def test_any_bytes_are_a_feed_or_none(body: bytes) -> None:
    """Nothing but `NoFeed` is raised, and what is found is a mention for enrichment too."""
    try:
        entries = read_feed(body, {}, "https://a.example/", "one", "press", NOW)
    except NoFeed:
        return
    for entry in entries:
        if entry.mention is not None:
            assert decode(entry.mention.value)[0].network == "press"
