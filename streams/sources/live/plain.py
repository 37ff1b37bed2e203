"""HTML of a post to the text that a reader sees, in one pass: what a stranger writes costs no more than its length.

`html.parser` is not used: on markup that never ends it takes time in the square of its length, and on some it raises.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

_BLOCKS: Final = frozenset(
    ["p", "div", "br", "li", "ul", "ol", "tr", "table", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article"]
)
#: What is in these nobody reads.
_UNSEEN: Final = {
    tag: re.compile(rf"</{tag}[^<>]*+>", re.IGNORECASE) for tag in ("script", "style", "template", "iframe", "object", "noscript", "svg")
}
#: Characters of HTML that are looked at.
_MOST: Final = 200_000
#: A comment's beginning, a tag, or a declaration. Possessive, so that nothing is tried twice.
_MARKUP: Final = re.compile(r"<!--|<(/?)([a-zA-Z][a-zA-Z0-9]*+)([^<>]*+)>|<[!?][^<>]*+>")
_ATTRIBUTE: Final = re.compile(r"""(?<![\w-])(href|class)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""", re.IGNORECASE)
_BLANKS: Final = re.compile(r"[ \t\r\f\v\u00a0]++")
_LINES: Final = re.compile(r" ?\n[ \n]*+")


def plain(html: str) -> str:
    r"""Return the text of ``html``, blocks on lines of their own; any text is fine.

    Of a link to elsewhere the address is kept in place of what is shown, which is often cut.

    >>> plain('<p>Hello <a class="mention" href="https://m.example/@ann">@<span>ann</span></a>,<br>see '
    ...       '<a href="https://a.example/long/path"><span class="invisible">https://</span>a.ex</a></p><p>Bye &amp; thanks</p>')
    'Hello @ann,\nsee https://a.example/long/path\nBye & thanks'
    """
    html = html[:_MOST]
    parts: list[str] = []
    at, link, begin = 0, "", 0
    while (found := _MARKUP.search(html, at)) is not None:
        parts.append(unescape(html[at : found.start()]))
        at = found.end()
        if found[0] == "<!--":
            end = html.find("-->", at)
            at = len(html) if end < 0 else end + 3
            continue
        tag = (found[2] or "").lower()
        if tag in _BLOCKS:
            parts.append("\n")
        elif tag == "a" and found[1]:
            if link:
                shown = "".join(parts[begin:]).strip()
                if not shown or shown.startswith(("https://", "http://")):
                    parts[begin:] = [link]
            link = ""
        elif tag == "a":
            link, begin = _elsewhere(found[3]), len(parts)
        elif tag in _UNSEEN and not found[1]:
            closing = _UNSEEN[tag].search(html, at)
            at = len(html) if closing is None else closing.end()
    parts.append(unescape(html[at:]))
    return _LINES.sub("\n", _BLANKS.sub(" ", "".join(parts))).strip()


def _elsewhere(attributes: str) -> str:
    """Return where a link leads; "" for one to a person or a hashtag: what it shows is what was written."""
    given = {name.lower(): unescape(double or single) for name, double, single in _ATTRIBUTE.findall(attributes[:4096])}
    href = given.get("href", "")
    inside = {"mention", "hashtag"} & set(given.get("class", "").split())
    return href if not inside and href.startswith(("https://", "http://")) else ""
