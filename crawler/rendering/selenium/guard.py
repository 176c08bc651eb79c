"""Every request of a Chromium is held until it is decided on, each hop of a redirect for itself.

WebDriver BiDi holds requests too, but knows all hops of a redirect by one id. Chromium tells that a hop is held, and
what the hop is, in either order; where the hold comes first, chromedriver takes it for the hop before, which was
decided on, and lets it go unasked. The DevTools protocol gives each hold an id, and a session of the whole browser sees
what its tabs, frames and workers of every kind ask for.
"""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.bidi.common import command_builder

_BINDING = "devtools"
_START = """
    report => new Promise((resolve, reject) => {
        let session;
        const send = (id, method, params) =>
            devtools.send(JSON.stringify({id, method, params, ...(session && {sessionId: session})}));
        globalThis.decide = (hold, allowed) => allowed
            ? send(3, 'Fetch.continueRequest', {requestId: hold})
            : send(3, 'Fetch.failRequest', {requestId: hold, errorReason: 'BlockedByClient'});
        devtools.onmessage = text => {
            const {id, method, params, result, error} = JSON.parse(text);
            if (method === 'Fetch.requestPaused') {
                const {requestId, request, resourceType, frameId} = params;
                report(JSON.stringify([requestId, request.url, resourceType, frameId]));
            } else if (id === 1 && result) {
                session = result.sessionId;
                send(2, 'Fetch.enable', {patterns: [{urlPattern: '*'}]});
            } else if (id === 2 && result) resolve();
            else if (error && id < 3) reject(new Error(error.message));
        };
        send(1, 'Target.attachToBrowserTarget');
    })
"""


@dataclass(frozen=True)
class HeldRequest:
    """A request, or one hop of its redirects, that waits for a decision.

    Attributes:
        hold: the id of its being held.
        url: what is asked for.
        kind: its kind of resource, in small letters.
        frame: whose it is: the id of a tab, of a frame in one, or of a worker.
    """

    hold: str
    url: str
    kind: str
    frame: str


class RequestGuard:
    """Asks before each request of a browser.

    Selenium hands over no events of a session like that, so a blank tab of the browser takes part in it and passes them
    on. Where that tab is lost, requests stay held: their pages do not come in time.

    Args:
        selenium: the browser.
        tab: a blank tab of it, which stays open.
        allows: called in threads, at once for several requests; whether one may be made.
    """

    def __init__(self, selenium: Chrome, tab: str, allows: Callable[[HeldRequest], bool]) -> None:
        self._selenium = selenium
        self._tab = {"context": tab}
        self._allows = allows

    def start(self) -> None:
        """Hold requests from now on.

        Raises:
            WebDriverException: the browser does not let its requests be held.
        """
        script: Any = self._selenium.script
        expose = {"targetId": self._tab["context"], "bindingName": _BINDING, "inheritPermissions": True}
        command = {"method": "Target.exposeDevToolsProtocol", "params": expose}
        script._conn.execute(command_builder("goog:cdp.sendCommand", command))
        script.add_event_handler("message", self._decide)
        channel = {"type": "channel", "value": {"channel": _BINDING}}
        said = script.call_function(_START, await_promise=True, target=self._tab, arguments=[channel])
        if said["type"] != "success":
            raise WebDriverException(f"its requests cannot be held: {said['exceptionDetails']['text']}")

    def _decide(self, event: Any) -> None:
        hold, url, kind, frame = json.loads(event.data["value"])
        allowed = self._allows(HeldRequest(hold, url, kind.lower(), frame))
        arguments = [{"type": "string", "value": hold}, {"type": "boolean", "value": allowed}]
        with contextlib.suppress(WebDriverException, OSError):  # the browser is gone
            self._selenium.script.call_function("decide", await_promise=False, target=self._tab, arguments=arguments)
