"""The sources file: what is wrong with it is one sentence with its line, and no secret stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import BadInput
from streams.sources.live.config import Bluesky, Feeds, Mastodon, Webhook, parse_sources

ROOT = Path(__file__).parents[3]
GOOD = """sources:
  - {name: hook, kind: webhook, port: 9000, token: $HOOK}
  - {name: press-fr, kind: feeds, urls: [https://example.org/rss], interval: 60}
  - {name: toots, kind: mastodon, instance: https://m.example/, tags: ["#Acme", bags], token: file:token.txt}
  - {name: sky, kind: bluesky}
"""


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """Every kind with its defaults; secrets come from the environment or from a file beside it."""
    (tmp_path / "token.txt").write_text("t0ken\n")
    hook, feeds, toots, sky = parse_sources(GOOD, "s.yaml", {"HOOK": "sesame"}.get, tmp_path)
    assert isinstance(hook, Webhook)
    assert (hook.host, hook.port, hook.door.open) == ("127.0.0.1", 9000, False)
    assert feeds == Feeds("press-fr", ("https://example.org/rss",), interval=60)
    assert toots == Mastodon("toots", "https://m.example", ("acme", "bags"), token="t0ken")
    assert sky == Bluesky("sky")
    assert "sesame" not in repr(hook)
    assert "t0ken" not in repr(toots)


def test_the_example_is_the_one_of_the_docs() -> None:
    """What docs/sources.md shows is examples/collect/sources.yaml, and can be used."""
    example = (ROOT / "examples" / "collect" / "sources.yaml").read_text("utf-8")
    assert example.partition("\n")[2] in (ROOT / "docs" / "sources.md").read_text("utf-8")
    kinds = [type(one) for one in parse_sources(example, "s.yaml", {"HOOK_TOKEN": "x"}.get)]
    assert kinds == [Webhook, Feeds, Mastodon, Bluesky]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{name: a, kind: feed}", "one of webhook, feeds, mastodon, bluesky"),
        ("{name: a}", "no 'kind'"),
        ("{name: A b, kind: bluesky}", "a-z, 0-9"),
        ("{name: ../a, kind: bluesky}", "a-z, 0-9"),
        ("{name: replay, kind: bluesky}", "not 'replay'"),
        ("{name: a, kind: feeds, url: [https://a.example/]}", "the nearest known key is 'urls'"),
        ("{name: a, kind: feeds, urls: []}", "one or several"),
        ("{name: a, kind: feeds, urls: [file:///etc/passwd]}", "only http and https"),
        ("{name: a, kind: feeds, urls: ['https://user:pass@a.example/']}", "no credentials"),
        ("{name: a, kind: feeds, urls: [https://a.example/], interval: 900}", "from 10 to 240"),
        ("{name: a, kind: feeds, urls: [https://a.example/], allow_private: maybe}", "true or false"),
        ("{name: a, kind: mastodon, instance: m.example, tags: [a]}", "https://mastodon.social"),
        ("{name: a, kind: mastodon, instance: https://m.example, tags: ['a/../b']}", "one or several words"),
        ("{name: a, kind: mastodon, instance: https://m.example, tags: [a], token: hunter2}", "a secret does not stand in this file"),
        ("{name: a, kind: mastodon, instance: https://m.example, tags: [a], token: $NONE}", "$NONE is not set"),
        ("{name: a, kind: mastodon, instance: https://m.example, tags: [a], token: 'file:none'}", "cannot be read"),
        ("{name: a, kind: bluesky, url: https://jetstream.example/}", "only ws and wss"),
        ("{name: a, kind: webhook, host: 0.0.0.0}", "needs a token or a secret"),
        ("{name: a, kind: webhook, secret: $SHORT}", "at least 24 bytes"),
        ("{name: a, kind: webhook, secret: $SHORT, token: $SHORT}", "not both"),
        ("{name: a, kind: webhook, interval: 60}", "nearest known key"),
        ("{name: ok, kind: bluesky}", "comes twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(source: str, said: str) -> None:
    """The line is that of the source, and a secret that was written down is not repeated."""
    with pytest.raises(BadInput) as caught:
        parse_sources(f"sources:\n  - {{name: ok, kind: bluesky}}\n  - {source}\n", "s.yaml", {"SHORT": "whsec_YQ=="}.get)
    assert str(caught.value).startswith("s.yaml, line 3: ")
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "sources: []", "sources: x", "- a", "sources: [", "other: 1"])
def test_no_sources_at_all(text: str) -> None:
    """A file without a source is said to have none."""
    with pytest.raises(BadInput, match=r"s\.yaml"):
        parse_sources(text, "s.yaml")
