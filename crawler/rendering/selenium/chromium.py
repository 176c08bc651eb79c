"""One Chromium, driven by Selenium: its requests meet the policy, and it ends with this process."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from scrapy.exceptions import DownloadTimeoutError
from selenium.common.exceptions import JavascriptException, SessionNotCreatedException, WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from urllib3.exceptions import HTTPError

from fullshot.crawler.rendering.errors import BrowserDied, OffHost, RendererMissing, of_chromium
from fullshot.crawler.rendering.page import IDLE_WAIT, POLL, RenderedPage, RenderRequest, page_headers
from fullshot.crawler.rendering.policy import BEFORE_SCRIPTS, RequestPolicy, is_unwanted
from fullshot.crawler.rendering.selenium.guard import HeldRequest, RequestGuard
from fullshot.crawler.rendering.selenium.service import SupervisedService

_ANSWER_INTERVAL = 0.01
"""Seconds between two looks for the browser's answer; Selenium's own 0.1 would slow each request by as much."""
_SIGN_OF_LIFE = 1.0
"""Seconds after which a browser that says nothing is asked whether it lives."""
_NO_IMAGES_NO_DOWNLOADS = {"profile.managed_default_content_settings.images": 2, "download_restrictions": 3}


class Chromium:
    """A browser that renders one page at a time, started with the first.

    Each request, and each hop of a redirect, is held until the policy has allowed it; what is not seen is said at
    :class:`fullshot.crawler.rendering.policy.RequestPolicy`.

    Args:
        path: Chromium.
        driver: chromedriver.
        flags: Chromium's.
        policy: decides on its requests.

    Attributes:
        pages: how many pages it was asked for.
        usable: whether it may be asked for another one.
    """

    def __init__(self, path: str, driver: Path, flags: Sequence[str], policy: RequestPolicy) -> None:
        self.pages = 0
        self.usable = True
        self._path = path
        self._flags = flags
        self._policy = policy
        self._service = SupervisedService(driver)
        self._selenium: Chrome | None = None
        self._visit: _Visit | None = None

    def render(self, to_render: RenderRequest) -> RenderedPage | Exception:
        """A page, or why there is none although the browser is well.

        Raises:
            BrowserDied: it crashed or was killed; it is not usable any more.
            DownloadTimeoutError: no page came in time; it is not usable any more.
            RendererMissing: it does not start.
        """
        self.pages += 1
        try:
            selenium = self._selenium or self._start()
            tab = selenium.browsing_context.create(type="tab")
            visit = self._visit = _Visit(tab, to_render, self._policy)
            selenium.switch_to.window(tab)
            # Selenium waits for the answer to this, which Chromium gives when the server has given its own.
            threading.Thread(target=_navigate, args=(selenium, visit), daemon=True).start()
            page = visit.wait_for_markup(lambda: selenium.window_handles) or self._read(selenium, visit)
            for handle in selenium.window_handles:
                if handle != self._base:
                    selenium.browsing_context.close(context=handle)
            return page
        except (WebDriverException, HTTPError, OSError) as error:
            self.usable = False
            message = getattr(error, "msg", None) or str(error)
            raise BrowserDied(f"Chromium was lost: {message.partition(chr(10))[0]}") from None

    def kill(self) -> None:
        """End it at once, from any thread; what waits for it fails."""
        self.usable = False
        self._service.kill()

    def _start(self) -> Chrome:
        options = ChromeOptions()
        options.binary_location = self._path
        options.enable_bidi = True
        options.page_load_strategy = "none"
        options.unhandled_prompt_behavior = "dismiss"
        options.add_experimental_option("prefs", _NO_IMAGES_NO_DOWNLOADS)
        # chromedriver lets pages open windows; the first request of one is made before it could be held.
        options.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
        # Chromium ends when its driver does and the pipe breaks; it would live on beside a driver that it hears by TCP.
        for flag in ("--headless", "--remote-debugging-pipe", *self._flags):
            options.add_argument(flag)
        try:
            selenium = Chrome(options=options, service=self._service)
        except SessionNotCreatedException as error:
            raise RendererMissing(f"selenium: {self._path}: {(error.msg or '').partition(chr(10))[0]}") from None
        executor: Any = selenium.command_executor
        executor.client_config.websocket_interval = _ANSWER_INTERVAL
        self._base = selenium.current_window_handle
        selenium.script.add_preload_script(function_declaration=f"() => {{{BEFORE_SCRIPTS}}}")
        network, contexts = selenium.network, selenium.browsing_context
        network.add_event_handler("before_request_sent", self._forward(lambda visit, event: visit.begun(event)))
        network.add_event_handler("response_started", self._forward(lambda visit, event: visit.answered(event)))
        network.add_event_handler("response_completed", self._forward(lambda visit, event: visit.ended(event)))
        network.add_event_handler("fetch_error", self._forward(lambda visit, event: visit.ended(event)))
        contexts.add_event_handler("dom_content_loaded", self._forward(lambda visit, event: visit.loaded(event)))
        RequestGuard(selenium, self._base, self._allows).start()
        self._selenium = selenium
        return selenium

    def _forward(self, handle: "Callable[[_Visit, Any], None]") -> Callable[[Any], None]:
        """Hand an event to the page that is being rendered."""

        def handler(event: Any) -> None:
            if self._visit is not None:
                handle(self._visit, _with_fields(event))

        return handler

    def _allows(self, request: HeldRequest) -> bool:
        return self._visit is not None and self._visit.allows(request)

    def _read(self, selenium: Chrome, visit: "_Visit") -> RenderedPage | Exception:
        end = time.monotonic() + visit.to_render.data_wait
        while time.monotonic() < end and not visit.idle():
            with contextlib.suppress(JavascriptException):  # the script does not run on such a page
                if selenium.execute_script(visit.to_render.data_script):
                    break
            time.sleep(POLL)
        text, url = selenium.page_source, selenium.current_url
        try:
            self._policy.check_navigation(url, visit.to_render.url)
        except OffHost as error:
            return visit.refused or error
        return RenderedPage(url, visit.status, text, visit.headers)


class _Visit:
    """One page: what its events say. They come in threads of their own, in any order."""

    def __init__(self, tab: str, to_render: RenderRequest, policy: RequestPolicy) -> None:
        self.to_render = to_render
        self.refused: OffHost | None = None
        self.status = 0
        self.headers: dict[str, str] = {}
        self.tab = tab
        self._policy = policy
        self._changed = threading.Condition()
        self._error: Exception | None = None
        self._has_markup = False
        self._undecided = 0
        self._begun: set[tuple[str, int]] = set()
        self._over: set[tuple[str, int]] = set()
        self._quiet_since = time.monotonic()

    def allows(self, request: HeldRequest) -> bool:
        """Whether a request may be made."""
        with self._changed:
            self._undecided += 1
        try:
            return self._is_allowed(request)
        finally:
            with self._changed:
                self._undecided -= 1
                self._quiet_since = time.monotonic()
                self._changed.notify_all()

    def _is_allowed(self, request: HeldRequest) -> bool:
        if request.kind == "document":
            if request.frame != self.tab:  # a frame, or a window that the page opened
                return False
            try:
                self._policy.check_navigation(request.url, self.to_render.url)
            except OffHost as error:
                self.refused = error
                return False
            return True
        return not is_unwanted(request.url, request.kind) and self._policy.allows(request.url)

    def begun(self, event: Any) -> None:
        """A request is made."""
        with self._changed:
            self._begun.add(_identity(event))

    def answered(self, event: Any) -> None:
        """A response began."""
        response = event.response
        if not (event.navigation and event.context == self.tab) or response["status"] in (301, 302, 303, 307, 308):
            return
        with self._changed:
            self.status = response["status"]
            self.headers = page_headers(
                (header["name"], header["value"]["value"])
                for header in response["headers"]
                if header["value"]["type"] == "string"
            )
            self._changed.notify_all()

    def ended(self, event: Any) -> None:
        """A response is complete, or a request failed."""
        with self._changed:
            self._over.add(_identity(event))
            self._quiet_since = time.monotonic()

    def loaded(self, event: Any) -> None:
        """A document's mark-up is there."""
        with self._changed:
            if event.context == self.tab and event.url != "about:blank":
                self._has_markup = True
                self._changed.notify_all()

    def failed(self, error: Exception) -> None:
        """The page could not be navigated to."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def idle(self) -> bool:
        """Whether nothing was loaded for a while."""
        with self._changed:
            return (
                not self._undecided and self._begun <= self._over and time.monotonic() > self._quiet_since + IDLE_WAIT
            )

    def wait_for_markup(self, ask: Callable[[], object]) -> Exception | None:
        """Wait until the main document is there; why it will not be, or None.

        Args:
            ask: asks the browser for something, and raises where it does not live any more.

        Raises:
            DownloadTimeoutError: neither came in time.
        """
        end = time.monotonic() + self.to_render.timeout
        while (left := end - time.monotonic()) > 0:
            with self._changed:
                if self._changed.wait_for(
                    lambda: (self._has_markup and self.status) or self._error or self.refused, min(left, _SIGN_OF_LIFE)
                ):
                    self._quiet_since = time.monotonic()
                    return self.refused or self._error
            ask()
        raise DownloadTimeoutError(f"no page in {self.to_render.timeout:g} s: {self.to_render.url}")


def _navigate(selenium: Chrome, visit: _Visit) -> None:
    try:
        selenium.browsing_context.navigate(context=visit.tab, url=visit.to_render.url, wait="none")
    except (WebDriverException, OSError) as error:
        if (known := of_chromium(str(error))) is not None:
            visit.failed(known)


def _with_fields(event: Any) -> Any:
    """An event with fields named in Python's way: Selenium hands some over so, others as the browser wrote them."""
    if isinstance(event, dict):
        return SimpleNamespace(**{re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in event.items()})
    return event


def _identity(event: Any) -> tuple[str, int]:
    """A request, or one hop of its redirects."""
    return event.request["request"], event.redirect_count or 0
