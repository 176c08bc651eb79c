"""Label Studio's protocol over HTTP: health, setup, predict, versions, and the webhook."""

import base64
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from fullshot.annotate.backend.log import Log
from fullshot.annotate.backend.predicting import Predictor

USER = "fullshot"
"""Name that goes with the password."""

MAX_BODY = 64 * 2**20
"""Bytes of a request: Label Studio asks for a whole project at once, some 4 kB a task with what was drawn on it."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Hook = Callable[[Mapping[str, Any]], None]


class BadRequest(ValueError):
    """A request is not as expected; the message is one line."""


@dataclass(frozen=True)
class AuthGuard:
    """Decides which requests are answered.

    Attributes:
        hosts: names of this server. Requests to other names are refused: another site led a browser here.
        password: that every request must carry; empty: none is needed.
    """

    hosts: Set[str]
    password: str = ""

    def allows(self, request: web.Request) -> bool:
        """Whether a request is answered."""
        if not self.password:
            return request.host.lower() in self.hosts
        header = request.headers.get("Authorization", "")
        return hmac.compare_digest(header.encode(), basic(self.password).encode())


def basic(password: str) -> str:
    """The value of the Authorization header that Label Studio sends."""
    return "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()


def application(predictor: Predictor, hook: Hook, guard: AuthGuard, log: Log) -> web.Application:
    """The server.

    Args:
        predictor: draws the boxes.
        hook: is called with the body of every webhook.
        guard: decides which requests are answered.
        log: of errors.
    """

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "UP", "model_class": "fullshot", "model_version": predictor.version})

    async def setup(request: web.Request) -> web.Response:
        # The request has a token of Label Studio's, which is not needed: pictures are fetched with our own.
        await _body(request)
        await predictor.refresh()
        return web.json_response({"model_version": predictor.version})

    async def versions(_: web.Request) -> web.Response:
        return web.json_response({"versions": [predictor.version] if predictor.version else []})

    async def predict(request: web.Request) -> web.Response:
        body = await _body(request)
        data = _data(body)
        outcomes = await predictor.predict(data)
        if data and all(outcome.refusal for outcome in outcomes):
            raise BadRequest(outcomes[0].refusal)
        parameters = body.get("params")
        # The page of an annotator needs an answer with a result, even an empty one. Elsewhere Label Studio would store
        # an empty result as the detector's prediction, and not ask again.
        is_asked_by_hand = isinstance(parameters, dict) and parameters.get("context") is not None
        nothing: Any = {"result": [], "model_version": predictor.version} if is_asked_by_hand else []
        results = [nothing if outcome.prediction is None else outcome.prediction for outcome in outcomes]
        return web.json_response({"results": results, "model_version": predictor.version})

    async def webhook(request: web.Request) -> web.Response:
        body = await _body(request)
        if not isinstance(body.get("action"), str):
            raise BadRequest("expected an action, such as ANNOTATION_CREATED")
        hook(body)
        return web.json_response({"status": "ok"})

    @web.middleware
    async def one_line(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if not guard.allows(request):
                return _error(401 if guard.password else 403, "this is for Label Studio alone")
            return await handler(request)
        except web.HTTPException as error:
            return _error(error.status, _WORDS.get(error.status, error.reason))
        except BadRequest as error:
            return _error(400, str(error))
        except Exception as error:  # a server answers, whatever happens
            log(f"{request.path}: {type(error).__name__}: {error}")
            return _error(500, "internal error; see backend.log")

    app = web.Application(middlewares=[one_line], client_max_size=MAX_BODY)
    app.router.add_get("/health", health)
    app.router.add_get("/versions", versions)
    app.router.add_post("/setup", setup)
    app.router.add_post("/predict", predict)
    app.router.add_post("/webhook", webhook)
    return app


_WORDS = {
    404: "expected /health, /setup, /predict, /versions or /webhook",
    405: "expected POST to /setup, /predict and /webhook, GET to /health and /versions",
    413: f"expected at most {MAX_BODY:,} bytes",
}


def _error(status: int, words: str) -> web.Response:
    return web.json_response({"error": words}, status=status)


async def _body(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        BadRequest: there is none.
    """
    # A page of another site can send this type only after a CORS preflight request, which is not answered.
    if request.content_type != "application/json":
        raise BadRequest(f"expected Content-Type application/json, got {request.content_type[:50]}")
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise BadRequest("expected JSON, got something else") from None
    if not isinstance(body, dict):
        raise BadRequest(f"expected a JSON object, got {type(body).__name__}")
    return body


def _data(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The data of the tasks of a request."""
    tasks = body.get("tasks")
    if not isinstance(tasks, list):
        raise BadRequest(f"expected tasks, a list, got {type(tasks).__name__}")
    data = [task.get("data") if isinstance(task, dict) else None for task in tasks]
    checked = [one for one in data if isinstance(one, dict)]
    if len(checked) < len(data):
        number = next(number for number, one in enumerate(data, 1) if not isinstance(one, dict))
        raise BadRequest(f"task {number} of {len(data)}: expected an object with data, an object")
    return checked
