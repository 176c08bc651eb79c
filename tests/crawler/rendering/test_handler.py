"""The download handler: which requests it hands to a renderer, and what it says where it cannot."""

from pathlib import Path

from fullshot.crawler.browser import find_chromium
from tests.crawler.rendering.conftest import Crawl
from tests.crawler.rendering.site import Site


def test_plain_requests_load_no_renderer(site: Site, crawl: type[Crawl]) -> None:
    page, _ = crawl([{"url": site.html("/page", "plain")}], [site.host]).results()
    assert (page["body"], page["modules"], page["flags"]) == ("plain", [], [])


def test_selenium_without_a_chromedriver_says_so(site: Site, crawl: type[Crawl], tmp_path: Path) -> None:
    request = {"url": site.html("/page", "page"), "renderer": "selenium"}
    chromium = str(find_chromium())
    result, _ = crawl([request], [site.host], environment={"PATH": str(tmp_path)}, FULLSHOT_CHROMIUM=chromium).results()
    assert result["error"] == "fullshot.crawler.rendering.errors.RendererMissing"
    assert "apt-get install chromium-driver" in result["message"]


def test_an_unknown_renderer_is_a_mistake(site: Site, crawl: type[Crawl]) -> None:
    result, _ = crawl([{"url": site.base, "renderer": "lynx"}], [site.host]).results()
    assert result["error"] == "fullshot.core.errors.UserError"
    assert result["message"].startswith("expected the renderer to be one of playwright, selenium")
