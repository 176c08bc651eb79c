"""What a push asks of a Label Studio, answered from memory: `tests/annotate` asks a real one, which starts slowly."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROJECT = 1


class LabelStudio:
    """A Label Studio with one project at most.

    Attributes:
        url: where it answers.
        tasks: those of the project, by their numbers; each with its ``data`` and ``predictions``.
    """

    def __init__(self) -> None:
        self.url = ""
        self.tasks: dict[int, dict[str, Any]] = {}
        self._project: dict[str, Any] = {}
        self._upload = ""
        self._views: list[dict[str, Any]] = []

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Any:
        """What is answered to a request."""
        asked = f"{method} {path}"
        if asked == "GET /api/version":
            return {"release": "1.23.2"}
        if asked == "GET /api/current-user/whoami":
            return {"id": 1}
        if asked == "GET /api/projects":
            return {"results": [self._project] if self._project else []}
        if asked == "POST /api/projects" or method == "PATCH":
            self._project |= {"id": PROJECT, "created_at": "now", **json.loads(body)}
            return self._project
        if asked == f"GET /api/projects/{PROJECT}":
            return {**self._project, "task_number": len(self.tasks)}
        if path.endswith("/file-uploads"):
            return [{"file": f"upload/{self._upload}"}]
        if "commit_to_project" in query:
            self._upload = re.findall(rb'filename="([^"]+)"', body)[0].decode()
            return {}
        if path == "/api/dm/views":
            if method == "POST":
                self._views.append(json.loads(body))
            return self._views
        if asked == "GET /api/tasks":
            found = sorted(self.tasks.items())
            return {"tasks": [{"id": number, **task} for number, task in found], "total": len(found)}
        if path.endswith("/import"):
            for row in json.loads(body):
                state = {"annotations": [], "total_annotations": 0, "cancelled_annotations": 0}
                self.tasks[len(self.tasks) + 1] = {**state, **row}
        return {}


@contextmanager
def label_studio() -> Iterator[LabelStudio]:
    """Serve one on this machine."""
    there = LabelStudio()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            place = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(place.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = json.dumps(there.answer(self.command, re.sub("/$", "", place.path), query, body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    there.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
