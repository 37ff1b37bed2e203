"""HTML of a post to the text that a reader sees."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_BLOCKS: Final = frozenset(
    ["p", "div", "br", "li", "ul", "ol", "tr", "table", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article"]
)
#: What is in these nobody reads.
_UNSEEN: Final = frozenset(["script", "style", "template", "iframe", "object", "noscript", "head", "svg"])
#: Characters of HTML that are looked at.
_MOST: Final = 200_000
_BLANKS: Final = re.compile(r"[ \t\r\f\v\u00a0]+")
_LINES: Final = re.compile(r" ?\n[ \n]*")


class _Reader(HTMLParser):
    """Collects the text. Of a link to elsewhere the address is kept in place of what is shown, which is often cut."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0
        self._link = ""
        self._begin = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")
        elif tag == "a":
            given = dict(attrs)
            # Mentions of people and hashtags are links too; what they show is what was written.
            inside = {"mention", "hashtag"} & set((given.get("class") or "").split())
            href = given.get("href") or ""
            self._link = href if not inside and href.startswith(("https://", "http://")) else ""
            self._begin = len(self.parts)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")
        elif tag == "a" and self._link:
            shown = "".join(self.parts[self._begin :]).strip()
            if shown.removesuffix("…").startswith(("https://", "http://")) or not shown:
                self.parts[self._begin :] = [self._link]
            self._link = ""

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def plain(html: str) -> str:
    r"""Return the text of ``html``, blocks on lines of their own; any text is fine.

    >>> plain('<p>Hello <a class="mention" href="https://m.example/@ann">@<span>ann</span></a>,<br>see '
    ...       '<a href="https://a.example/long/path"><span class="invisible">https://</span>a.ex</a></p><p>Bye &amp; thanks</p>')
    'Hello @ann,\nsee https://a.example/long/path\nBye & thanks'
    """
    reader = _Reader()
    reader.feed(html[:_MOST])
    reader.close()
    return _LINES.sub("\n", _BLANKS.sub(" ", "".join(reader.parts))).strip()
