"""The pages that Veille writes, in a real browser: narrow and wide, light and dark, with hostile texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from streams.evaluate.report import report
from streams.evidence.bundle import build
from streams.respond.drill_report import page as drill_page
from tests.browser.conftest import barriers
from tests.evaluate.test_report import VOLUME
from tests.evidence.test_bundle import chained, sample
from tests.respond import test_drill as drills

pytestmark = pytest.mark.browser

HOSTILE = "<img src=//example.org/x onerror=alert(1)><script>alert(2)</script>" + "w" * 300

#: Every text with too little contrast to what lies behind it (WCAG 2.2, 1.4.3: 4.5, and 3 for large or bold headings).
FAINT = """() => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement, said = texts.currentNode.textContent.trim();
    if (!said || element.closest('title, style')) continue;
    const style = getComputedStyle(element);
    const ink = parse(element instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(element))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) found.push(said.slice(0, 40) + ' ' + ratio.toFixed(2));
  }
  return found;
}"""


def exam() -> str:
    """The report of an exam over data with a hostile name."""
    found = {**VOLUME, "series": [{"name": HOSTILE, "standard": 41.0}], HOSTILE[:80]: 1.0}
    return report("volume", found, [HOSTILE])


def drill(language: str) -> str:
    """The report of a drill over a crisis with a hostile headline, and a cell that speaks hostile text."""
    acts = drills.CELL + f'+95 bo/on_call claim-add evil text="{HOSTILE}"'
    run = drills.run(acts)
    run.card = msgspec.structs.replace(run.card, headline=HOSTILE)
    return drill_page(run, HOSTILE, language)


def evidence(language: str) -> str:
    """Return the page of a bundle whose receipts are full of hostile words."""
    kept = [(HOSTILE, HOSTILE, HOSTILE, b"x", "", "x/y"), sample(HOSTILE)] * 2
    return build("acme-20260302T081500-1", {"acme-20260302T081500-1": chained("acme-20260302T081500-1", kept)}, language)[
        "index.html"
    ].decode()


PAGES: dict[str, Callable[[], str]] = {
    "exam": exam, "drill-en": lambda: drill("en"), "drill-fr": lambda: drill("fr"),
    "evidence-en": lambda: evidence("en"), "evidence-fr": lambda: evidence("fr"),
}  # fmt: skip
Scheme = Literal["light", "dark"]


@pytest.fixture(params=[(360, 740, "light"), (360, 740, "dark"), (1400, 900, "light"), (1400, 900, "dark")], ids=str)
def opened(request: pytest.FixtureRequest, chromium: Browser, name: str, tmp_path: Path) -> Iterator[tuple[Page, list[str]]]:
    """The page in a window, and what it did that it should not: requests, dialogs, errors."""
    width, height, scheme = request.param
    file = tmp_path / "page.html"
    file.write_text(PAGES[name](), "utf-8")
    view = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=cast(Scheme, scheme))
    wrong: list[str] = []

    def refuse(dialog: Any) -> None:
        wrong.append("dialog")
        dialog.dismiss()

    view.on("dialog", refuse)
    view.on("request", lambda asked: wrong.append(asked.url) if asked.url != file.as_uri() else None)
    view.on("pageerror", lambda error: wrong.append(str(error)))
    view.goto(file.as_uri())
    yield view, wrong
    view.close()


@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_fits_is_legible_and_does_nothing(opened: tuple[Page, list[str]]) -> None:
    """Nothing sticks out of the window (what is wide scrolls in its own box), every text has contrast, and hostile texts stay texts."""
    page, wrong = opened
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert page.evaluate(FAINT) == []
    assert barriers(page) == []
    assert page.locator("script, img, iframe, link, object").count() == 0
    assert "onerror=alert(1)" in page.inner_text("body")
    assert wrong == []


@pytest.mark.parametrize("name", list(PAGES))
def test_what_scrolls_is_reached_by_key_and_has_a_name(opened: tuple[Page, list[str]]) -> None:
    """A box that scrolls takes the keyboard's focus and says what it is; the page says its language and one heading tells what it is."""
    page, _ = opened
    boxes = page.locator(".scroll")
    assert boxes.count() > 0
    for place in range(boxes.count()):
        box = boxes.nth(place)
        assert box.get_attribute("tabindex") == "0"
        assert box.get_attribute("aria-label") or box.get_attribute("aria-labelledby")
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") in ("en", "fr")
