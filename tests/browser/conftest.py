"""A real Chromium for the pages that Veille writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine (`make system`). It ends with its module: while it runs, no other test may run an event loop."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("chromium is not installed: make system, as root")
    with sync_playwright() as play:
        # As root there is no sandbox; the pages are our own and ask nothing of the network.
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds in the page that keeps somebody out (WCAG 2.2 A and AA, and what its makers count as good practice)."""
    # Evaluated, so that the page's own Content-Security-Policy stays in force for the page.
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run().then(found => found.violations)")
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary']}" for one in found for node in one["nodes"]]
