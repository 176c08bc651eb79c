"""A Chromium without a network that reads pages from the disk; a conftest brings its fixtures in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from fullshot.crawler import HEADLESS_FLAGS, provide_chromium


@dataclass
class Opened:
    """A page in the browser."""

    page: Page
    requests: list[str]
    errors: list[str]

    def table(self, caption: str) -> dict[str, list[str]]:
        """The cells of a table that hold words, by the first of each row."""
        rows = self.page.locator("table").filter(has=self.page.locator("caption", has_text=caption)).first.locator("tr")
        words = [row.locator("th, td:not([aria-hidden])").all_inner_texts() for row in rows.all()]
        return {first.strip(): [word.strip() for word in rest] for first, *rest in words}

    def tiles(self) -> dict[str, str]:
        """The summary's numbers, by their names."""
        tiles = self.page.locator("#summary .tiles div").all()
        return {tile.locator("dt").inner_text().strip(): tile.locator("dd").inner_text().split()[0] for tile in tiles}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=provide_chromium(), args=list(HEADLESS_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Opened]]:
    """Open a file, with the network switched off and every request that is made noted."""
    contexts = []

    def read(path: Path, width: int = 1400) -> Opened:
        context = chromium.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        context.set_offline(True)
        # Of a page that never comes: a machine that does much else is no mistake of the page's.
        context.set_default_timeout(180_000)
        page = context.new_page()
        seen = Opened(page, [], [])
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("console", lambda message: seen.errors.append(message.text))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.goto(path.as_uri(), wait_until="load")
        return seen

    yield read
    for context in contexts:
        context.close()
