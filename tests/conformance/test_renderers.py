"""What every renderer does, with a real Chromium, whichever renderer it is."""

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fullshot.crawler.items import ProductFound
from fullshot.crawler.pages import PageOptions, parse
from fullshot.crawler.rendering import RENDERERS
from tests.crawler.rendering.conftest import DATA_SCRIPT, Crawl
from tests.crawler.rendering.site import BY_SCRIPT, PRODUCT, Site

AGENT = "fullshot-test/1.0"
_PATIENCE = 60.0
TIMED_OUT = 3


@pytest.fixture(params=RENDERERS.names(), scope="module")
def renderer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def tour(renderer: str) -> Iterator[tuple[Site, Site, dict[str, dict[str, Any]]]]:
    """One crawl past all kinds of pages: the site, the one that it must not lead to, and what came of each page."""
    site, friend, foreign = Site(), Site(), Site()
    lost = foreign.html("/lost", "lost")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        pages = {
            "product": site.html("/product", BY_SCRIPT),
            "agent": site.html("/agent", "<script>document.write(navigator.userAgent)</script>"),
            "404": site.base + "/nowhere",
            "503": site.html("/busy", "busy", 503, {"Retry-After": "7"}),
            "redirected": site.redirect("/moved", friend.html("/new", "the new place")),
            "off-host": site.redirect("/away", lost),
            "off-host by script": site.html("/leave", f"<script>location.href = '{lost}'</script>"),
            "window": site.html("/window", f"<a href='{lost}' target=_blank>x</a><script>open('{lost}')\n"
                                           "document.querySelector('a').click()</script>"),
            "large": site.html("/large", "x" * 100_000),
            "hanging": site.base + "/hold/page",
            "broken script": site.html("/broken", "<p>as it is</p>"),
            "refused": f"http://127.0.0.1:{port}/",
        }  # fmt: skip
        special: dict[str, dict[str, Any]] = {
            "large": {"download_maxsize": 50_000},
            "hanging": {"download_timeout": TIMED_OUT},
            "broken script": {"data_script": "return nothing.like.this"},
        }
        common = {"renderer": renderer, "data_script": DATA_SCRIPT}
        requests = [{**common, "url": url, **special.get(name, {})} for name, url in pages.items()]
        crawl = Crawl(requests, [site.host, friend.host, f"127.0.0.1:{port}"])
        *results, stats = crawl.results()
    crawl.end()
    yield site, foreign, {**dict(zip(pages, results, strict=True)), "stats": stats}
    for one in (site, friend, foreign):
        one.close()


Tour = tuple[Site, Site, dict[str, dict[str, Any]]]


def test_data_that_a_script_fetches_is_in_the_page(tour: Tour, renderer: str) -> None:
    site, _, came = tour
    page = came["product"]
    assert (page["status"], page["flags"], page["url"]) == (200, [renderer], f"{site.base}/product")
    found = parse(page["url"], page["body"].encode(), PageOptions(), "myntra")
    assert isinstance(found, ProductFound)
    assert found.product["name"] == PRODUCT["pdpData"]["name"]
    assert page["modules"] == [renderer]


def test_the_server_and_the_page_see_the_crawls_user_agent(tour: Tour) -> None:
    site, _, came = tour
    assert site.agents == {AGENT}
    assert AGENT in came["agent"]["body"]


@pytest.mark.parametrize(("name", "status"), [("404", 404), ("503", 503)])
def test_a_status_is_reported(tour: Tour, name: str, status: int) -> None:
    assert tour[2][name]["status"] == status


def test_a_header_of_the_answer_is_kept(tour: Tour) -> None:
    assert tour[2]["503"]["retry_after"] == "7"
    assert "busy" in tour[2]["503"]["body"]


def test_a_redirect_to_a_host_of_the_crawl_is_followed(tour: Tour) -> None:
    page = tour[2]["redirected"]
    assert page["url"].endswith("/new")
    assert "the new place" in page["body"]


@pytest.mark.parametrize("name", ["off-host", "off-host by script"])
def test_a_page_that_leads_to_another_host_is_refused_before_that_is_asked(tour: Tour, name: str) -> None:
    _, foreign, came = tour
    assert came[name]["error"] == "fullshot.crawler.rendering.errors.OffHost"
    assert f"{foreign.base}/lost" in came[name]["message"]
    assert not foreign.requests


def test_a_window_that_a_page_opens_asks_for_nothing(tour: Tour) -> None:
    _, foreign, came = tour
    assert came["window"]["status"] == 200
    assert not foreign.requests


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("large", "scrapy.exceptions.DownloadCancelledError"),
        ("hanging", "scrapy.exceptions.DownloadTimeoutError"),
        ("refused", "scrapy.exceptions.DownloadConnectionRefusedError"),
    ],
)
def test_what_goes_wrong_has_scrapys_own_name(tour: Tour, name: str, error: str) -> None:
    assert tour[2][name]["error"] == error


def test_a_page_whose_script_fails_comes_as_it_is(tour: Tour) -> None:
    assert "<p>as it is</p>" in tour[2]["broken script"]["body"]


def test_a_request_is_left_as_it_was(tour: Tour) -> None:
    """What a browser page leaves in it would be taken for its own by a retry, and cannot be written to a queue."""
    for name in ("hanging", "product"):
        assert not [key for key in tour[2][name]["meta"] if key.startswith("playwright")]


def test_no_page_stays_open(tour: Tour, renderer: str) -> None:
    if renderer == "playwright":
        assert tour[2]["stats"]["playwright/page_count/max_concurrent"] <= 2


def test_what_the_data_does_not_need_is_not_fetched(renderer: str, site: Site, crawl: type[Crawl]) -> None:
    rules = ",".join(f"MAP {name} {site.host}" for name in ("cdn.example", "www.google-analytics.com"))
    site.pages["/late.js"] = (200, {"Content-Type": "text/javascript"}, b"window.onload = () => { window.__myx = {} }")
    url = site.html(
        "/page",
        "<style>@font-face { font-family: x; src: url(/font.woff2) } body { font-family: x }"
        "i { background: url(/b.png) }</style>text<i>i</i><img src=/image.png>"
        "<video src=/video.mp4 autoplay></video><audio src=/audio.mp3 autoplay></audio>"
        "<iframe src=/frame></iframe><script>navigator.sendBeacon('/beacon')</script>"
        "<script src=http://www.google-analytics.com/t.js></script><script src=http://cdn.example/late.js></script>",
    )
    request = {"url": url, "renderer": renderer, "data_script": DATA_SCRIPT}
    page, _ = crawl([request], [site.host], flags=(f"--host-resolver-rules={rules}",)).results()
    assert "window.__myx = {}" in page["body"]
    assert set(site.requests) - {"/favicon.ico"} == {"/page", "cdn.example/late.js"}


def test_private_addresses_are_for_the_main_document_only(renderer: str, site: Site, crawl: type[Crawl]) -> None:
    other = f"http://localhost:{site.port}"
    site.redirect("/hop.js", f"{other}/hopped.js")
    url = site.html(
        "/page",
        f"<script src={other}/script.js></script><script src=http://cdn.example/hop.js></script>"
        "<script src=http://[::1]:1/six.js></script><script src=/own.js></script>",
    )
    flags = (f"--host-resolver-rules=MAP cdn.example {site.host}",)
    requests = [{"url": url, "renderer": renderer}]
    page, _ = crawl(requests, [site.host], flags=flags, FULLSHOT_ALLOW_PRIVATE=False).results()
    assert page["status"] == 200
    assert set(site.requests) - {"/favicon.ico"} == {"/page", "cdn.example/hop.js"}


def test_no_hop_of_a_redirect_goes_unasked(renderer: str, site: Site, crawl: type[Crawl]) -> None:
    """Many at once: Chromium says that a hop is held and what it is in an order that differs under load."""
    hops = [f"/hop{number}.js" for number in range(150)]
    for hop in hops:
        site.redirect(hop, f"http://localhost:{site.port}/hopped.js")
    url = site.html("/page", "".join(f"<script async src=http://cdn.example{hop}></script>" for hop in hops))
    flags = (f"--host-resolver-rules=MAP cdn.example {site.host}",)
    page, _ = crawl(
        [{"url": url, "renderer": renderer}], [site.host], flags=flags, FULLSHOT_ALLOW_PRIVATE=False
    ).results()
    assert page["status"] == 200
    assert set(site.requests) - {"/favicon.ico"} == {"/page", *(f"cdn.example{hop}" for hop in hops)}


def test_a_context_ends_after_some_pages_and_its_cookies_with_it(renderer: str, site: Site, crawl: type[Crawl]) -> None:
    urls = [site.html(f"/{number}", "page", headers={"Set-Cookie": "visited=1"}) for number in range(5)]
    requests = [{"url": url, "renderer": renderer, "data_script": "return true"} for url in urls]
    *_, stats = crawl(requests, [site.host], concurrency=1, FULLSHOT_CONTEXT_PAGES=2).results()
    assert site.cookies == ["", "visited=1", "", "visited=1", ""]
    if renderer == "playwright":
        assert stats["playwright/context_count"] == 3
        assert stats["playwright/context_count/max_concurrent"] == 1


def test_other_requests_go_on_while_a_page_is_rendered(renderer: str, site: Site, crawl: type[Crawl]) -> None:
    plain = [{"url": site.html(f"/while-held/{number}", "plain")} for number in range(20)]
    running = crawl([{"url": site.base + "/hold/slow", "renderer": renderer}, *plain], [site.host], plain=20)
    order = []
    for line in running.lines():
        if "number" in line:
            order.append(line["number"])
            if len(order) == len(plain):
                site.released.set()
    assert sorted(order[:-1]) == list(range(1, 21))
    assert order[-1] == 0


def test_a_browser_that_dies_is_replaced(renderer: str, site: Site, crawl: type[Crawl]) -> None:
    good = site.html("/good", "good")
    urls = [site.base + "/hold/page", good]
    running = crawl([{"url": url, "renderer": renderer} for url in urls], [site.host], concurrency=1)
    assert site.held.wait(_PATIENCE)
    subprocess.run(["kill", "-9", *map(str, _below(running.process.pid, "chrom", without="chromedriver"))], check=True)
    site.released.set()
    first, second, _ = running.results()
    # scrapy-playwright asks for the page again by itself. Where a child of the browser dies a moment before it,
    # Chromium tells of a request that was aborted, which Scrapy tries again as well.
    told = ("fullshot.crawler.rendering.errors.BrowserDied", "scrapy.exceptions.DownloadFailedError")
    assert first.get("status") == 404 or first["error"] in told
    assert "good" in second["body"]


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder for temporary files: Chromium makes a socket in it, whose path may have 100 characters."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        yield Path(folder)


def test_nothing_outlives_a_crawl_that_is_killed(
    renderer: str, site: Site, crawl: type[Crawl], short_folder: Path
) -> None:
    request = {"url": site.base + "/hold/page", "renderer": renderer}
    running = crawl([request], [site.host], environment={"TMPDIR": str(short_folder)})
    assert site.held.wait(_PATIENCE)
    children = _below(running.process.pid)
    assert _below(running.process.pid, "chrom")
    running.process.send_signal(signal.SIGKILL)
    running.process.wait()
    end = time.monotonic() + _PATIENCE
    while (left := children & _alive().keys()) and time.monotonic() < end:
        time.sleep(0.1)
    assert not left
    while (files := list(short_folder.iterdir())) and time.monotonic() < end:
        time.sleep(0.1)
    assert not files


def _alive() -> dict[int, tuple[int, str]]:
    """Every process that runs: its parent, and its command."""
    said = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,stat=,command="], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split(None, 3) for line in said.splitlines()]
    return {int(pid): (int(parent), command) for pid, parent, state, command in lines if state[0] != "Z"}


def _below(root: int, word: str = "", without: str = "\0") -> set[int]:
    """The processes that a process started, and those that they started, whose command holds a word."""
    alive = _alive()
    found: set[int] = set()
    while more := {pid for pid, (parent, _) in alive.items() if parent in found | {root}} - found:
        found |= more
    return {pid for pid in found if word in alive[pid][1] and without not in alive[pid][1]}
