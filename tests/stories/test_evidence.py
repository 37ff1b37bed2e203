"""What is kept of a crisis, from the command that captures it to the list that a person reads."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from typer.testing import CliRunner
from warcio.archiveiterator import ArchiveIterator

from schemas.topics import load_topics
from streams.cli.connection import producer
from streams.cli.main import app
from streams.engine.topics import partition_counts
from streams.errors import VeilleError
from streams.settings import Settings
from tests.stories.road import read_all, story_settings, worker

RUN = "proof"


class Desk:
    """A person at the command line, on the topics of one story."""

    def __init__(self, broker: str) -> None:
        self._place = ("--broker", broker, "--run", RUN)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command; return exit code, stdout, and what is told on stderr."""
        shown = CliRunner().invoke(app, [*words, *self._place])
        if isinstance(shown.exception, VeilleError):
            return shown.exception.exit_code, shown.stdout, str(shown.exception)
        return shown.exit_code, shown.stdout, shown.stderr

    def json(self, *words: str) -> list[dict[str, Any]]:
        """Run a command that must succeed; return the objects printed."""
        code, out, told = self.run(*words, "--json")
        assert code == 0, told
        return [json.loads(line) for line in out.splitlines()]

    def decide(self, *words: str) -> dict[str, Any]:
        """Run a command of the desk; return the card that it is answered with."""
        card: dict[str, Any] = self.json("crisis", *words, "--by", "ada", "--role", "lead", "--wait", "60")[0]["data"]
        return card


async def deliver_again(settings: Settings) -> None:
    """Send every receipt once more, as a worker does after a crash."""
    lying = await read_all(settings, "crisis.evidence")
    topic = settings.topic("crisis.evidence")
    async with producer(settings, topic) as client:
        for record in lying:
            await client.send_and_wait(topic, record.value, key=record.key, headers=list(record.headers))


def wait_for(desk: Desk, crisis: str, count: int) -> list[dict[str, Any]]:
    """Return the list of a crisis as soon as it has ``count`` receipts."""
    while len(found := desk.json("evidence", "list", crisis)) < count:
        pass
    return found


def test_evidence_of_a_crisis_that_merges_and_comes_back(embedded_broker: str, tmp_path: Path) -> None:
    """Receipts are listed once and in order: also those of a crisis that was merged, after a reopening, and delivered again."""
    settings = story_settings(embedded_broker, RUN)
    settings = settings.model_copy(update={"stages": "enrich,detect,commands,crisis,evidence,respond"})
    watchlist, letter, kept = tmp_path / "watchlist.yaml", tmp_path / "letter.eml", tmp_path / "kept.eml"
    watchlist.write_text("brands:\n  - {id: acme, names: [Acme]}\n", "utf-8")
    letter.write_bytes(b"Dear Acme,\n\x00\xff")
    asyncio.run(partition_counts(settings, list(load_topics())))
    desk = Desk(embedded_broker)
    with worker(settings, watchlist, tmp_path / "worker.log"):
        one = desk.decide("open", "--brand", "acme", "--headline", "Fire in the plant", "--terms", "fire")["crisis_id"]
        assert desk.run("evidence", "list", one)[1:] == ("", f"nothing was kept of {one} so far\n")
        two = desk.decide("open", "--brand", "acme", "--headline", "Strike in the plant", "--terms", "strike")["crisis_id"]
        desk.decide("capture", one, "--file", str(letter))
        desk.decide("capture", two, "--target", "https://example.org/post")
        desk.decide("merge", two, "--into", one)
        desk.decide("close", one)
        desk.decide("reopen", one)
        desk.decide("capture", one, "--target", "https://example.org/other")
        listed = wait_for(desk, one, 3)
        assert [(r["evidence_id"], r["what"], r["name"], r["url"]) for r in listed] == [
            (f"{one}/1", "command", "letter.eml", ""), (f"{one}/2", "command", "", "https://example.org/other"),
            (f"{two}/1", "command", "", "https://example.org/post"),
        ]  # fmt: skip
        assert (listed[0]["size"], listed[0]["by"]) == (len(letter.read_bytes()), "ada")
        listed = _page(desk, one, tmp_path)
        asyncio.run(deliver_again(settings))
        assert desk.json("evidence", "list", one) == listed
    code, shown, _ = desk.run("evidence", "list", one, "--language", "fr")
    assert (code, len(shown.splitlines())) == (0, 5)
    assert shown.startswith("identifiant")
    code, shown, _ = desk.run("evidence", "show", f"{one}/1", "--out", str(kept))
    assert (code, kept.read_bytes()) == (0, letter.read_bytes())
    assert "letter.eml" in shown
    code, _, told = desk.run("evidence", "show", f"{one}/2", "--out", str(kept))
    assert (code, kept.read_bytes()) == (1, letter.read_bytes()), "a file that is there is left as it is"
    _exported(desk, one, two, tmp_path)
    for words, why in ((("show", f"{one}/9"), "there is no receipt"), (("list", "acme-20200101T000000-9"), "there is no crisis")):
        code, shown, told = desk.run("evidence", *words)
        assert (code, shown) == (4, "")
        assert why in told


def _page(desk: Desk, crisis: str, folder: Path) -> list[dict[str, Any]]:
    """A page is fetched and becomes a receipt like any other; one inside is not asked. Returns the list with it."""
    asked: list[str] = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<p>The belt burned.</p>")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{site.server_address[1]}/post"
        code, shown, told = desk.run("evidence", "page", crisis, url, "--by", "ada")
        assert (code, shown, asked) == (1, "", [])
        assert "private address range" in told
        page = ("evidence", "page", crisis, url, "--by", "ada", "--wait", "60", "--allow-internal", "--no-screenshot")
        code, shown, told = desk.run(*page, "--language", "fr")
        site.shutdown()
    assert (code, asked) == (0, ["/post"])
    assert "page.warc.gz\u00a0: tout ce qui est venu" in told
    assert crisis in shown
    listed = wait_for(desk, crisis, 4)
    assert (listed[2]["name"], listed[2]["url"], listed[2]["by"]) == ("page.warc.gz", url, "ada")
    out = folder / "page.warc.gz"
    assert desk.run("evidence", "show", listed[2]["evidence_id"], "--out", str(out))[0] == 0
    with out.open("rb") as file:
        bodies = [record.content_stream().read() for record in ArchiveIterator(file) if record.rec_type == "response"]
    assert bodies == [b"<p>The belt burned.</p>"]
    return listed


def _exported(desk: Desk, one: str, two: str, folder: Path) -> None:
    """The receipts that were listed can be taken along, and hold there as they hold in the topic."""
    code, shown, _ = desk.run("evidence", "verify", one)
    assert (code, shown.splitlines()[0]) == (0, "it holds")
    (held,) = desk.json("evidence", "verify", one)
    for out in (folder / "bundle.zip", folder / "bundle"):
        code, shown, told = desk.run("evidence", "export", one, "--out", str(out), "--language", "fr")
        assert (code, told) == (0, "")
        assert [line.split("\u00a0")[0] for line in shown.splitlines()] == [one, two]
        (found,) = desk.json("evidence", "verify", str(out))
        assert found == held
        assert (found["holds"], [chain["receipts"] for chain in found["chains"]]) == (True, [3, 1])
        assert desk.run("evidence", "export", one, "--out", str(out))[0] == 4, "a bundle takes no other file's place"
    code, shown, told = desk.run("evidence", "export", one, "--out", str(folder / "stamped"), "--tsa", "http://127.0.0.1:1/")
    assert code == 1
    assert "no time stamp: http://127.0.0.1:1/ gave none" in told
    assert desk.run("evidence", "verify", str(folder / "stamped"))[0] == 0
    letter = folder / "bundle" / "files" / "0001.eml"
    letter.write_bytes(letter.read_bytes() + b"!")
    code, shown, _ = desk.run("evidence", "verify", str(folder / "bundle"), "--language", "fr")
    assert (code, shown.splitlines()) == (1, [
        "files/0001.eml : pas le fichier que nomme SHA256SUMS", f"{one}/1 : ses octets ne sont pas ceux qui ont été capturés",
    ])  # fmt: skip
    assert desk.run("evidence", "verify", str(folder / "none.zip"))[0] == 4
