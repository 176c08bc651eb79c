"""Talk to a Label Studio over HTTP.

Its own SDK is not used: it pins a second OpenCV, whose files would replace those of the one that curation runs on. A
token is sent in a header only, and no error repeats what a server answered but one short line of it.
"""

import itertools
import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Self

import httpx

from fullshot.core.errors import StageFailed, UserError

OLDEST = (1, 20)
"""Version from which on a Label Studio has what is asked of it here; tried with 1.23.2."""

PAGE = 500
"""Tasks a page."""

_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
_CONNECTS = 3
_SHOWN = 200  # characters
_WHO = "/api/current-user/whoami"


class _PersonalToken(httpx.Auth):
    """A personal access token is a refresh token, for which access tokens are given that last some minutes."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token, self._access = url, token, ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._access:
            request.headers["Authorization"] = f"Bearer {self._access}"
            if (yield request).status_code != httpx.codes.UNAUTHORIZED:
                return
        answer = yield httpx.Request("POST", f"{self._url}/api/token/refresh", json={"refresh": self._token})
        answer.read()  # of this one alone: a picture is read as it comes
        with suppress(ValueError, KeyError, TypeError):  # a page that says no in HTML
            self._access = str(answer.json()["access"])
            request.headers["Authorization"] = f"Bearer {self._access}"
        yield request


class Client:
    """A Label Studio that one may ask; a context manager.

    Args:
        url: where it answers, such as ``http://127.0.0.1:8080``.
        token: a legacy token or a personal access token.

    Raises:
        UserError: the address is none, nothing answers, it is no Label Studio or one that is too old, or it does not
            take the token.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = _address(url)
        token = token.strip()
        if not re.fullmatch(r"[!-~]*", token):
            raise UserError(f"expected a token for {self.url} of plain letters and digits: copy it once more")
        if not token:
            raise UserError(
                f"a token is needed for {self.url}: --token, or FULLSHOT_ANNOTATE_TOKEN in the environment; "
                "Label Studio shows it under Account & Settings"
            )
        is_personal = token.count(".") == 2  # a JWT
        self._http = httpx.Client(
            base_url=self.url,
            auth=_PersonalToken(self.url, token) if is_personal else None,
            headers={} if is_personal else {"Authorization": f"Token {token}"},
            timeout=_TIMEOUT,
            transport=httpx.HTTPTransport(retries=_CONNECTS),
        )
        try:
            self.version = self._version()
            self.user: dict[str, Any] = self.get(_WHO)
        except BaseException:
            self._http.close()
            raise

    def _version(self) -> str:
        answer = self.get("/api/version")
        version = str(answer.get("release", "")) if isinstance(answer, dict) else ""
        parts = re.match(r"(\d+)\.(\d+)", version)
        if parts is None:
            raise UserError(f"expected a Label Studio at {self.url}, got something else")
        if tuple(map(int, parts.groups())) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise UserError(f"Label Studio {version} at {self.url} is too old: {oldest} or newer is needed")
        return version

    def get(self, path: str, **parameters: Any) -> Any:
        """Ask for something, as JSON."""
        return self.ask("GET", path, params=parameters)

    def post(self, path: str, body: Any, **parameters: Any) -> Any:
        """Make something, of JSON."""
        return self.ask("POST", path, json=body, params=parameters)

    def patch(self, path: str, body: Any) -> Any:
        """Change something, by JSON."""
        return self.ask("PATCH", path, json=body)

    def ask(self, method: str, path: str, **how: Any) -> Any:
        """Send a request, and read its answer.

        Raises:
            UserError: nothing answers, or the token is not taken.
            StageFailed: it answers that it could not.
        """
        try:
            answer = self._http.request(method, path, **how)
        except httpx.ReadTimeout:
            raise StageFailed(f"Label Studio at {self.url} does not answer {method} {path} in time") from None
        except (httpx.TransportError, UnicodeError) as error:
            raise UserError(
                f"no Label Studio answers at {self.url} ({type(error).__name__}): start it, or say where it is by --url"
            ) from None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise UserError(f"Label Studio at {self.url} does not take the token: check --token")
        if answer.status_code == httpx.codes.NOT_FOUND and path in ("/api/version", _WHO):
            raise UserError(f"expected a Label Studio at {self.url}, got something else")
        if not answer.is_success:
            raise StageFailed(f"Label Studio: {method} {path}: {answer.status_code} {_reason(answer)}")
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise UserError(f"expected a Label Studio at {self.url}, got something else") from None

    def stream(self, path: str, seconds: float) -> AbstractContextManager[httpx.Response]:
        """Ask for bytes, to be read within so many seconds; where the server sends one elsewhere, nobody follows."""
        return self._http.stream("GET", path, follow_redirects=False, timeout=seconds)

    def tasks(self, project: int, *, fields: str = "task_only") -> Iterator[dict[str, Any]]:
        """All tasks of a project in order of their numbers.

        Args:
            project: its number.
            fields: ``task_only``, or ``all`` for annotations and predictions too.
        """
        return itertools.chain.from_iterable(self.pages(project, fields=fields))

    def pages(self, project: int, *, fields: str = "task_only") -> Iterator[list[dict[str, Any]]]:
        """As :meth:`tasks`, a page of :data:`PAGE` at a time."""
        page = 1
        while True:
            parameters = {"project": project, "page": page, "page_size": PAGE, "fields": fields}
            answer = self.get("/api/tasks", **parameters)
            yield answer["tasks"]
            if page * PAGE >= answer["total"]:
                return
            page += 1

    def select(self, project: int, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Some tasks of a project, by their numbers, with annotations and predictions; without those that are gone."""
        query = json.dumps({"selectedItems": {"all": False, "included": list(numbers)}})
        found = self.get("/api/tasks", project=project, page_size=len(numbers), fields="all", query=query)
        rows: list[dict[str, Any]] = found["tasks"]
        return rows

    def people(self) -> dict[int, str]:
        """The address of each user by their number; of those alone that this token may see."""
        try:
            return {int(user["id"]): str(user["email"]) for user in self.get("/api/users") if user.get("email")}
        except (UserError, StageFailed):  # not everybody may ask who the others are
            return {}

    def task_link(self, project: int, task: int) -> str:
        """Where a person opens a task."""
        return f"{self.url}/projects/{project}/data?task={task}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()


def _address(url: str) -> str:
    """An address without the slash at its end.

    Raises:
        UserError: it is none, or holds a password, which would be told with it.
    """
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, UnicodeError):
        parsed = httpx.URL("")
    if parsed.userinfo:
        raise UserError("expected Label Studio's address without a user's name and password: the token is enough")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UserError(f"expected Label Studio's address, such as http://127.0.0.1:8080, got {url!r}")
    return url.strip().rstrip("/")


def _reason(answer: httpx.Response) -> str:
    """What a server says went wrong; never a whole answer, which may be a page with secrets in it."""
    try:
        body = answer.json()
    except ValueError:
        return answer.reason_phrase
    words = body.get("validation_errors") or body.get("detail") or "" if isinstance(body, dict) else ""
    return " ".join(str(words).split())[:_SHOWN] or answer.reason_phrase
