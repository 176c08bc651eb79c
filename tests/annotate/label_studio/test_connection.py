"""Reaching a Label Studio: whose token it takes, what it does not show, and what is said where it does not answer."""

import http.server
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fullshot.annotate.label_studio import server
from fullshot.annotate.label_studio.address import FOLDER
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.connect import connected
from fullshot.annotate.label_studio.push import push
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from tests.annotate.conftest import Make


def test_a_personal_access_token_is_taken_too(studio: server.Server, client: Client) -> None:
    refresh = client.post("/api/token", {})["token"]
    with Client(studio.url, refresh) as there:
        assert there.user["email"] == studio.credentials.user
        assert there.get("/api/projects") == client.get("/api/projects")
    with pytest.raises(UserError, match="does not take the token"):
        Client(studio.url, refresh[:-3] + "abc")


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("127.0.0.1:8080", "t", "expected Label Studio's address, such as http://127.0.0.1:8080, got '127.0.0.1:8080'"),
        ("http://", "t", "expected Label Studio's address"),
        ("http://127.0.0.1:9", "t", "no Label Studio answers at http://127.0.0.1:9"),
        ("http://foo:bar", "t", "expected Label Studio's address"),
        ("http://[::1", "t", "expected Label Studio's address"),
        ("http://ann:secret@127.0.0.1:9", "t", "expected Label Studio's address without a user's name and password"),
        (f"http://{'a' * 70}.example", "t", "no Label Studio answers at http://aaa"),
        ("http://127.0.0.1:9", "ab…", "expected a token for http://127.0.0.1:9 of plain letters and digits"),
        ("http://127.0.0.1:9", "a\nb", "expected a token for http://127.0.0.1:9 of plain letters and digits"),
        ("http://127.0.0.1:9", "", "a token is needed for http://127.0.0.1:9: --token, or FULLSHOT_ANNOTATE_TOKEN"),
    ],
)
def test_what_is_said_of_a_wrong_address(url: str, token: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        Client(url, token)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_a_killed_run_left_is_not_trusted(make: Make, other: http.server.ThreadingHTTPServer) -> None:
    workspace = make(1)
    server.credentials(workspace)
    left = {"url": f"http://127.0.0.1:{other.server_port}", "process": 2**30}
    (workspace / FOLDER / "running.json").write_text(json.dumps(left), encoding="utf-8")
    _Other.answer = b"{}"
    assert httpx.get(f"{left['url']}/health").is_success
    assert server.running(workspace) is None


def test_a_wrong_token_is_not_repeated(studio: server.Server) -> None:
    with pytest.raises(UserError) as caught:
        Client(studio.url, "0123456789secret")
    assert str(caught.value) == f"Label Studio at {studio.url} does not take the token: check --token"


class _Other(http.server.BaseHTTPRequestHandler):
    """Some other server, or a Label Studio of another version: what it says of itself is in ``answer``."""

    answer = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def other() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Other) as there:
        threading.Thread(target=there.serve_forever, daemon=True).start()
        yield there
        there.shutdown()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html>nginx</html>", "expected a Label Studio at {url}, got something else"),
        (b"[]", "expected a Label Studio at {url}, got something else"),
        (b'{"release": "1.9.0"}', "Label Studio 1.9.0 at {url} is too old: 1.20 or newer is needed"),
    ],
)
def test_another_server_is_told_from_a_label_studio(
    other: http.server.ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, answer: bytes, said: str
) -> None:
    monkeypatch.setattr(_Other, "answer", answer)
    url = f"http://127.0.0.1:{other.server_port}"
    with pytest.raises(UserError) as caught:
        Client(url, "t")
    assert str(caught.value) == said.format(url=url)


def test_the_workspace_s_own_is_found(studio: server.Server, studio_root: Path) -> None:
    with connected(Workspace(studio_root), load().annotate) as there:
        assert there.url == studio.url


def test_without_one_the_next_step_is_said(make: Make, tmp_path: Path) -> None:
    workspace = make(1)
    with pytest.raises(UserError, match=r"start one by `fullshot annotate serve .*` in another window, or name one"):
        connected(workspace, load().annotate)
    with pytest.raises(MissingInput, match="no workspace at"):
        connected(Workspace(tmp_path / "none"), load().annotate)


def test_two_servers_of_one_workspace_are_refused(studio: server.Server, studio_root: Path) -> None:
    with (
        pytest.raises(UserError, match=f"runs already, at {studio.url}"),
        server.served_label_studio(Workspace(studio_root), 0),
    ):
        pass


def test_a_port_in_use_is_said(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(UserError, match=f"port {port} is in use: say another by --port"),
            server.served_label_studio(make(1), port),
        ):
            pass


def test_pictures_of_elsewhere_need_an_address(client: Client, make: Make) -> None:
    workspace = make(1)
    with pytest.raises(UserError, match="say where browsers find them by --pictures"):
        push(workspace, load(annotate={"project": "elsewhere"}), client)


@pytest.fixture(scope="module")
def session(studio: server.Server) -> Iterator[httpx.Client]:
    """A browser's session of the one user."""
    with httpx.Client(base_url=studio.url, follow_redirects=True, timeout=60) as browser:
        browser.get("/user/login/")
        form = {"email": studio.credentials.user, "password": studio.credentials.password}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        browser.post("/user/login/", data=form, headers={"Referer": f"{studio.url}/user/login/"})
        assert browser.get("/api/current-user/whoami").json()["email"] == studio.credentials.user
        yield browser


def test_local_serving_does_not_leave_the_pictures(
    session: httpx.Client, client: Client, studio: server.Server, served_workspace: Workspace
) -> None:
    push(served_workspace, load(annotate={"project": "local serving"}), client)
    path = str(served_workspace.read("images")["path"].iloc[0])
    root = served_workspace.root
    whole = (root / path).read_bytes()
    assert session.get(f"/data/local-files/?d={path}").content == whole
    outside = root.parent / "outside.png"
    outside.write_bytes(b"secret outside")
    (root / "secret.png").write_bytes(b"secret beside")
    try:
        for place in (
            "../outside.png",
            "images/../../outside.png",
            "images/..%2f..%2foutside.png",
            "images%2F..%2F..%2Foutside.png",
            "%2e%2e/outside.png",
            "images/%252e%252e/%252e%252e/outside.png",
            "....//outside.png",
            "images/..\\..\\outside.png",
            str(outside),
            f"/{outside}",
            f"file://{outside}",
            "secret.png",
            "images/../secret.png",
            "label-studio/user.json",
            "label-studio/data/label_studio.sqlite3",
            "/etc/passwd",
        ):
            answer = session.get(f"/data/local-files/?d={place}")
            assert b"secret" not in answer.content, place
            assert b"root:" not in answer.content, place
            assert b"SQLite format" not in answer.content, place
            assert studio.credentials.token.encode() not in answer.content, place
            assert answer.status_code >= 400, place
        with httpx.Client(base_url=studio.url) as stranger:
            assert stranger.get(f"/data/local-files/?d={path}").content != whole
    finally:
        for each in (root / "secret.png", outside):
            each.unlink()


@pytest.mark.parametrize("target", ["outside.png", "."])
def test_links_that_lead_out_are_refused(
    client: Client, settings: Settings, make: Make, tmp_path: Path, target: str
) -> None:
    workspace = make(1)
    (tmp_path / "outside.png").write_bytes(b"secret outside")
    link = workspace / "images" / "link"
    link.symlink_to(tmp_path / target)
    said = f"{link} is a link out of the workspace, which annotators could follow: delete it"
    with pytest.raises(UserError) as caught, server.served_label_studio(workspace, 0):
        pass
    assert str(caught.value) == said
    with pytest.raises(UserError) as caught:
        push(workspace, load(annotate={"project": settings.annotate.project}), client)
    assert str(caught.value) == said


@pytest.mark.slow  # it starts three times
def test_a_server_ends_with_its_window_unless_that_is_killed(make: Make) -> None:
    workspace = make(1)
    command = [sys.executable, "-m", "fullshot", "annotate", "serve", str(workspace.root), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as window:
        assert window.stdout is not None
        assert window.stdout.readline().startswith("Label Studio answers at http://127.0.0.1:")
        left = server.running(workspace)
        assert left is not None
        window.send_signal(signal.SIGKILL)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as window:
        assert window.stdout is not None
        url = window.stdout.readline().split()[-1]
        assert url != left.url
        with pytest.raises(httpx.TransportError):
            httpx.get(left.url)
        assert httpx.get(f"{url}/health").is_success
        window.send_signal(signal.SIGTERM)
        window.wait()
        with pytest.raises(httpx.TransportError):
            httpx.get(url)
    assert server.running(workspace) is None
