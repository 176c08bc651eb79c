"""The ML backend over HTTP, alone and with a real Label Studio.

A detector that stands for a trained one draws the same box everywhere: a real one takes minutes to make. What trains in
these tests stands for a training, too, but where a test says otherwise.
"""

import asyncio
import contextlib
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from fullshot.annotate.backend import counting, training
from fullshot.annotate.backend.app import MAX_BODY, USER
from fullshot.annotate.backend.pictures import Pictures, Refused, path_of
from fullshot.annotate.backend.predicting import Load
from fullshot.annotate.backend.service import started_backend
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.push import push
from fullshot.annotate.label_studio.server import Server
from fullshot.core import files, tables
from fullshot.core.boxes import Box, Picture
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.geometry import ImageGeometry
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import detector, runs
from tests.annotate.conftest import HEIGHT, WIDTH, Make, picture
from tests.annotate.label_studio.test_label_studio import draw, tasks

FIRST, SECOND = "a" * 16, "b" * 16
BOX = Box("top", 3, 4, 33, 44, 0.5)


class Guessing:
    """Stands for a trained detector."""

    labels = ("top", "bottom", "foot", "long")
    image_size = 256

    def __init__(self, digest: str = FIRST, seconds: float = 0.0) -> None:
        self.digest, self._seconds = digest, seconds

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        time.sleep(self._seconds)
        return [[BOX] for _ in pictures]


def guessing(detector: Guessing) -> Load:
    return lambda *_: detector


def none(workspace: Workspace, _: Settings) -> Guessing:
    raise MissingInput(f"no detector in {workspace.root}: run `fullshot train detector {workspace.root}` first")


class Studio:
    """Stands for a Label Studio where a test is about the backend's own answers; nobody listens at its address."""

    url = "http://127.0.0.1:9"

    def get(self, path: str, **_: Any) -> Any:
        return {"results": [{"id": 7, "title": "alone"}]} if path == "/api/projects" else {"model_version": FIRST}

    def tasks(self, *_: Any, **__: Any) -> Iterator[dict[str, Any]]:
        return iter(())

    def stream(self, path: str, seconds: float) -> AbstractContextManager[httpx.Response]:
        headers = {"Authorization": "Token secret"}
        return httpx.stream("GET", f"{self.url}{path}", headers=headers, follow_redirects=False, timeout=seconds)


@contextmanager
def running(workspace: Workspace, settings: Settings, client: Client, **how: Any) -> Iterator[httpx.Client]:
    """A backend, in a thread; yields who asks it."""
    ready, url, failed = threading.Event(), "", []
    stop: Callable[[], Any] = bool

    async def run() -> None:
        nonlocal url, stop
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        stop = lambda: loop.call_soon_threadsafe(over.set)  # noqa: E731
        try:
            async with started_backend(workspace, settings, client, **how) as url:
                ready.set()
                await over.wait()
        except BaseException as error:
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(30)
    if failed:
        thread.join()
        raise failed[0]
    try:
        with httpx.Client(base_url=url, timeout=30) as asked:
            yield asked
    finally:
        stop()
        thread.join(20)


def alone(**more: Any) -> Settings:
    """Of a backend that no Label Studio knows of."""
    return load(annotate={"project": "alone", "backend_port": 0, "backend_register": False, **more})


@contextmanager
def by_itself(workspace: Workspace, loaded: Load | None = None, **more: Any) -> Iterator[httpx.Client]:
    studio: Any = Studio()
    with running(workspace, alone(**more), studio, loaded=loaded or guessing(Guessing())) as asked:
        yield asked


def said(workspace: Workspace) -> str:
    return (workspace / "label-studio" / "backend.log").read_text("utf-8")


def wait(until: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := until()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found


def identities(workspace: Workspace) -> list[str]:
    return [str(one) for one in workspace.read("images")["image_id"]]


@pytest.mark.parametrize("orientation", [1, 6])
def test_boxes_lie_where_the_picture_is_shown(make: Make, orientation: int) -> None:
    workspace = make(2, orientation=orientation)
    with by_itself(workspace) as backend:
        assert backend.get("/health").json()["status"] == "UP"
        assert backend.post("/setup", json={"access_token": "secret"}).json() == {"model_version": FIRST}
        asked = [{"id": number, "data": {"image_id": one}} for number, one in enumerate(identities(workspace))]
        answer = backend.post("/predict", json={"tasks": asked, "params": {}}).json()
    assert [one["model_version"] for one in answer["results"]] == [FIRST, FIRST]
    (region,) = answer["results"][0]["result"]
    width, height = (HEIGHT, WIDTH) if orientation == 6 else (WIDTH, HEIGHT)
    assert (region["original_width"], region["original_height"]) == (width, height)
    # The detector sees the picture as a browser shows it, so its box lies there too.
    value = {name: region["value"][name] for name in ("x", "y", "width", "height")}
    shown = {"x": 3 / width, "y": 4 / height, "width": 30 / width, "height": 40 / height}
    assert value == pytest.approx({name: 100 * share for name, share in shown.items()})
    assert "predicted 2 pictures in " in said(workspace)
    assert f"ms with {FIRST}" in said(workspace)
    assert "secret" not in said(workspace)


def test_without_a_detector_there_are_no_boxes_and_the_log_says_what_to_run(make: Make) -> None:
    workspace = make(1)
    task = {"id": 1, "data": {"image_id": identities(workspace)[0]}}
    with by_itself(workspace, none) as backend:
        assert backend.get("/health").json()["status"] == "UP"
        assert backend.post("/setup", json={}).json() == {"model_version": ""}
        # Nothing that Label Studio would keep as the opinion of a detector; but whoever waits has an answer.
        assert backend.post("/predict", json={"tasks": [task]}).json()["results"] == [[]]
        by_hand = backend.post("/predict", json={"tasks": [task], "params": {"context": {}}})
        assert by_hand.json()["results"] == [{"result": [], "model_version": ""}]
    assert said(workspace).count(f"run `fullshot train detector {workspace.root}` first") == 1


HOME = "http://studio.example:8080"
OF_STUDIO = {
    "/data/upload/3/picture.png": "/data/upload/3/picture.png",
    "/data/local-files/?d=images/ab/picture.png": "/data/local-files/?d=images/ab/picture.png",
    f"{HOME}/data/upload/3/a%20picture.png": "/data/upload/3/a%20picture.png",
    "HTTP://STUDIO.EXAMPLE:8080/data/upload/3/picture.png": "/data/upload/3/picture.png",
}
ELSEWHERE = [
    "file:///etc/passwd",
    "http://elsewhere.example/data/upload/3/picture.png",
    "http://studio.example/data/upload/3/picture.png",  # another port
    "http://studio.example:8081/data/upload/3/picture.png",
    "https://studio.example:8080/data/upload/3/picture.png",
    "http://studio.example:8080@elsewhere.example/data/upload/3/picture.png",
    "http://user:word@studio.example:8080/data/upload/3/picture.png",
    "http://studio.example:8080.elsewhere.example/data/picture.png",
    "http://169.254.169.254/latest/meta-data/",
    "//elsewhere.example/data/upload/3/picture.png",
    "///elsewhere.example/data/upload/3/picture.png",
    "http:/data/upload/3/picture.png",
    "http://[studio.example:8080/data/picture.png",
    "gopher://studio.example:8080/data/picture.png",
    "s3://bucket/data/picture.png",
    "data:image/png;base64,AAAA",
    "/data/../api/current-user/token",
    "/data/%2e%2e/api/current-user/token",
    "/data/%252e%252e/api/current-user/token",
    "/data/upload/..%2f..%2fapi/current-user/token",
    "/data/upload/..\\..\\api",
    "/data/local-files/?d=../../etc/passwd",
    "/data/local-files/?d=images%2f..%2f..%2fsecret.png",
    "/data/local-files/?d=x&d=../secret.png",
    "/api/current-user/token",
    "/data",
    "data/upload/picture.png",
    "/data/picture.png\r\nHost: elsewhere.example",
    "/data/ picture.png",
    "/data/" + 5000 * "x",
]


@pytest.mark.parametrize(("address", "path"), OF_STUDIO.items())
def test_pictures_of_the_one_label_studio_are_taken(address: str, path: str) -> None:
    assert path_of(address, HOME) == path


@pytest.mark.parametrize("address", ELSEWHERE)
def test_pictures_of_elsewhere_are_refused(address: str) -> None:
    with pytest.raises(Refused, match=f"expected a picture of the workspace or of {re.escape(HOME)}") as caught:
        path_of(address, HOME)
    assert "\n" not in str(caught.value)


def test_no_picture_outside_of_the_workspace_is_read(make: Make, tmp_path: Path) -> None:
    workspace = make(3)
    outside = tmp_path / "outside.png"
    outside.write_bytes(picture(99, tmp_path))
    images = workspace.read("images")
    images.loc[0, "path"] = f"../{outside.name}"
    linked = workspace / str(images.loc[1, "path"])
    linked.unlink()
    linked.symlink_to(outside)
    workspace.write("images", images)
    first, second, third = identities(workspace)
    with by_itself(workspace) as backend:
        for data in ({"image_id": first}, {"image_id": second}, {"image": "file:///etc/passwd"}, {}, {"image_id": "x"}):
            answer = backend.post("/predict", json={"tasks": [{"id": 1, "data": data}]})
            assert answer.status_code == 400, data
            assert "\n" not in answer.json()["error"]
        # Of several, those that may be looked at are.
        both = [{"id": 1, "data": {"image_id": third}}, {"id": 2, "data": {"image": "//elsewhere.example/data/x.png"}}]
        results = backend.post("/predict", json={"tasks": both}).json()["results"]
    assert [bool(one) for one in results] == [True, False]
    assert "elsewhere.example" not in said(workspace)


class Pages(http.server.BaseHTTPRequestHandler):
    """Pictures of something that stands for a Label Studio; what it was asked for, and with which token."""

    asked: ClassVar[list[tuple[str, str | None]]] = []
    content: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        kind = self.path.rpartition("/")[2]
        self.send_response({"elsewhere": 302, "gone": 404}.get(kind, 200))
        self.send_header("Location", "/data/picture")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write({"picture": self.content, "words": b"words", "large": bytes(10**6)}.get(kind, b""))

    def log_message(self, *_: Any) -> None:
        pass


def test_what_is_fetched_is_a_picture_of_moderate_size(make: Make, tmp_path: Path) -> None:
    workspace = make(1)
    Pages.content = picture(3, tmp_path, orientation=6)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        studio: Any = Studio()
        studio.url = f"http://127.0.0.1:{server.server_port}"
        pictures = Pictures(workspace, studio, 100_000)
        found = pictures.read({"image": "/data/picture"})
        assert (found.pixels.shape, found.geometry) == ((WIDTH, HEIGHT, 3), ImageGeometry(WIDTH, HEIGHT, 6))
        for kind, why in {"elsewhere": "302", "gone": "404", "words": "not a picture", "large": "at most"}.items():
            with pytest.raises(Refused, match=why):
                pictures.read({"image": f"/data/{kind}"})
        server.shutdown()
    # Never a second request, to where the first one led.
    assert [path for path, _ in Pages.asked] == [
        f"/data/{one}" for one in ("picture", "elsewhere", "gone", "words", "large")
    ]
    assert {token for _, token in Pages.asked} == {"Token secret"}


JSON = {"Content-Type": "application/json"}
BAD = {
    "no JSON": (400, b"{", JSON),
    "too deep": (400, b"[" * 100_000, JSON),
    "no text": (400, b"\xff\xfe", JSON),
    "a list": (400, b"[]", JSON),
    "no tasks": (400, b"{}", JSON),
    "tasks of another kind": (400, b'{"tasks": {"1": 2}}', JSON),
    "a task of another kind": (400, b'{"tasks": [1]}', JSON),
    "data of another kind": (400, b'{"tasks": [{"data": "x"}]}', JSON),
    "an unknown task": (400, b'{"tasks": [{"data": {"image_id": 7}}]}', JSON),
    "a form": (400, b'{"tasks": []}', {"Content-Type": "text/plain"}),
    "another host": (403, b'{"tasks": []}', JSON | {"Host": "elsewhere.example"}),
}


def test_what_makes_no_sense_is_answered_in_one_line(make: Make) -> None:
    workspace = make(1)
    with by_itself(workspace) as backend:
        for name, (status, body, headers) in BAD.items():
            answer = backend.post("/predict", content=body, headers=headers)
            assert answer.status_code == status, name
            assert set(answer.json()) == {"error"}, name
            assert "\n" not in answer.json()["error"], name
        assert backend.post("/webhook", json={"action": 5}).status_code == 400
        assert backend.post("/webhook", json={"action": "ANNOTATION_CREATED", "annotation": 5}).status_code == 200
        assert backend.post("/elsewhere", json={}).status_code == 404
        assert backend.get("/predict").status_code == 405
        huge = (b" " * 2**20 for _ in range(MAX_BODY // 2**20 + 1))
        assert backend.post("/predict", content=huge, headers=JSON).status_code == 413
        assert backend.get("/health").status_code == 200
    assert "Traceback" not in said(workspace)


def test_a_password_is_asked_for(make: Make) -> None:
    workspace = make(1)
    with by_itself(workspace, backend_password="open sesame") as backend:
        assert backend.get("/health").status_code == 401
        assert backend.get("/health", auth=(USER, "another")).status_code == 401
        assert backend.get("/health", auth=(USER, "open sesame")).status_code == 200
    assert "sesame" not in said(workspace)
    with pytest.raises(UserError, match="give it a password"), by_itself(workspace, backend_host="0.0.0.0"):
        pass


def test_it_is_well_while_it_predicts(make: Make) -> None:
    workspace = make(1)
    task = {"id": 1, "data": {"image_id": identities(workspace)[0]}}
    answers = []
    with by_itself(workspace, guessing(Guessing(seconds=2.0))) as backend:
        asking = threading.Thread(
            target=lambda: answers.append(
                httpx.post(str(backend.base_url.join("/predict")), json={"tasks": [task]}, timeout=30)
            )
        )
        asking.start()
        time.sleep(0.3)
        began = time.monotonic()
        assert backend.get("/health").status_code == 200
        assert time.monotonic() - began < 0.5
        assert not answers
        asking.join()
    assert answers[0].json()["results"][0]["model_version"] == FIRST


# With a real Label Studio


@pytest.fixture
def connected(settings: Settings, studio: Server) -> Settings:
    """Of a backend that the real Label Studio asks."""
    more = {"url": studio.url, "token": studio.credentials.token, "backend_port": 0, "retrain_after": 2}
    annotate = {**settings.annotate.model_dump(exclude={"token", "backend_password"}), **more}
    return load(annotate=annotate, detector={"starter": False})


def test_label_studio_asks_for_boxes_of_the_open_task(client: Client, connected: Settings, make: Make) -> None:
    workspace = make(2)
    project = push(workspace, connected, client)["project"]
    # A picture that only Label Studio has.
    sent = {"file": ("picture.png", picture(5, workspace.root), "image/png")}
    client.ask("POST", f"/api/projects/{project}/import", files=sent)
    stranger = {"data": {"image": "http://169.254.169.254/latest"}}
    client.post(f"/api/projects/{project}/import", [stranger])
    with running(workspace, connected, client, loaded=guessing(Guessing())):
        for task in client.tasks(project):
            seen = client.get(f"/api/tasks/{task['id']}")["predictions"]
            if task["data"] == stranger["data"]:
                assert seen == []
                continue
            assert [one["model_version"] for one in seen] == [FIRST], task["data"]
            assert [part["value"]["rectanglelabels"] for part in seen[0]["result"]] == [["top"]]
        (ml,) = client.get("/api/ml", project=project)
        assert (ml["state"], ml["model_version"]) == ("CO", FIRST)
        by_hand = client.post(f"/api/ml/{ml['id']}/interactive-annotating", {"task": task["id"] - 1, "context": {}})
        assert by_hand["data"]["model_version"] == FIRST
    # Again, at another port, with another detector: the connection is the same.
    with running(workspace, connected, client, loaded=guessing(Guessing(SECOND))):
        wait(lambda: f"annotators see the boxes of {SECOND}" in said(workspace))
        (ml,) = client.get("/api/ml", project=project)
        assert (ml["state"], ml["model_version"]) == ("CO", SECOND)
        assert len(client.get("/api/webhooks/", project=project)) == 1
        known = next(task for task in client.tasks(project) if task["data"].get("image_id"))
        there = {one["model_version"] for one in client.get(f"/api/tasks/{known['id']}")["predictions"]}
        assert there == {FIRST, SECOND}
        assert client.get(f"/api/projects/{project}")["model_version"] == SECOND
    told = said(workspace)
    assert connected.annotate.token.get_secret_value() not in told
    assert "169.254" not in told


TRAINS_AT_ONCE = """
import json, sys
from pathlib import Path
from fullshot.annotate.backend import counting
from fullshot.annotate.label_studio.connect import connected
from fullshot.annotate.label_studio.pull import pull
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
given = json.loads(sys.stdin.readline())
given["settings"]["annotate"] |= given["secrets"]
workspace, settings = Workspace(given["workspace"]), Settings(**given["settings"])
with connected(workspace, settings.annotate) as client:
    pull(workspace, settings, client)
counting.remember(workspace, counting.pulled(workspace))
print(json.dumps({"say": "trained at once"}))
print(json.dumps({"done": {}}))
"""
"""Stands for a training of minutes."""


def test_new_annotations_are_counted_and_trained_on(client: Client, connected: Settings, make: Make) -> None:
    workspace = make(4)
    project = push(workspace, connected, client)["project"]
    numbers = [task["id"] for task in tasks(client, project).values()]
    draw(client, numbers[0], [BOX])
    how = {"loaded": guessing(Guessing()), "command": (sys.executable, "-c", TRAINS_AT_ONCE)}
    with running(workspace, connected, client, **how):
        wait(lambda: "1 of 2 new annotations" in said(workspace))  # it was drawn before anybody listened
        draw(client, numbers[1], [], was_cancelled=True)  # says nothing
        second = draw(client, numbers[2], [BOX])
        wait(lambda: "trained at once" in said(workspace))
        wait(lambda: "0 of 2 new annotations" in said(workspace))
        client.patch(f"/api/annotations/{second}/", {"result": []})
        wait(lambda: said(workspace).count("1 of 2 new annotations") == 2)
    # Started again, it has forgotten nothing.
    with running(workspace, connected, client, **how):
        wait(lambda: said(workspace).count("1 of 2 new annotations") == 3)
        third = draw(client, numbers[3], [BOX])
        wait(lambda: said(workspace).count("trained at once") == 2)
        draw(client, numbers[0], [BOX])
        wait(lambda: said(workspace).count("1 of 2 new annotations") == 4)
    assert third in counting.trained(workspace)
    assert connected.annotate.token.get_secret_value() not in said(workspace)


@pytest.mark.slow
def test_a_real_detector_is_trained_and_measured(client: Client, connected: Settings, make: Make) -> None:
    workspace = make(6)
    curated = workspace.read("curated")
    curated.loc[:1, "split"] = "val"
    workspace.write("curated", curated)
    quick = {"family": "yolo", "epochs": 1, "image_size": 64, "plots": False, "starter": False}
    given = {
        **connected.annotate.model_dump(exclude={"backend_password"}),
        "token": connected.annotate.token.get_secret_value(),
        "retrain_after": 6,
    }
    settings = load(annotate=given, detector=quick)
    project = push(workspace, settings, client)["project"]
    with running(workspace, settings, client) as backend:
        assert "until then no boxes are drawn" in said(workspace)
        for task in tasks(client, project).values():
            draw(client, task["id"], [BOX])
        wait(lambda: "it is the first and comes into use" in said(workspace), 200)
        wait(lambda: "0 of 6 new annotations" in said(workspace).partition("comes into use")[2])
        first = runs.latest_run(workspace, "detector")
        wait(lambda: f"boxes are drawn by the detector {first.metrics['weights']}" in said(workspace))
        # By the button of Label Studio, and on the same boxes: it is no better.
        (ml,) = client.get("/api/ml", project=project)
        client.post(f"/api/ml/{ml['id']}/train", {})
        wait(lambda: f"run {first.name} stays in use" in said(workspace), 200)
        asked = {"tasks": [{"id": 1, "data": {"image_id": identities(workspace)[0]}}]}
        version = backend.post("/predict", json=asked).json()["results"][0]["model_version"]
    assert version == first.metrics["weights"]
    assert runs.latest_run(workspace, "detector").name == first.name
    told = said(workspace)
    assert "on 2 validation pictures" in told
    logs = [told, (workspace / "label-studio" / "training.log").read_text("utf-8")]
    assert not any(settings.annotate.token.get_secret_value() in log for log in logs)


SERVES = """
import sys
from fullshot.annotate.backend.service import serve_backend
from fullshot.annotate.label_studio.connect import connected
from fullshot.core.workspace import Workspace
workspace = Workspace(sys.argv[1])
given = {"project": sys.argv[2], "backend_port": 0, "retrain_after": 1, "backend_register": False}
long = {"family": "yolo", "epochs": 5000, "image_size": 64, "plots": False}
settings = workspace.settings(annotate=given, detector=long)
with connected(workspace, settings.annotate) as client:
    serve_backend(workspace, settings, client)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_backend_that_is_killed_takes_its_training_along(
    client: Client, connected: Settings, make: Make, how: signal.Signals
) -> None:
    workspace = make(1)
    project = push(workspace, connected, client)["project"]
    (task,) = tasks(client, project).values()
    draw(client, task["id"], [BOX])
    token = connected.annotate.token.get_secret_value()
    environment = os.environ | {"FULLSHOT_ANNOTATE_TOKEN": token, "FULLSHOT_ANNOTATE_URL": client.url}
    command = [sys.executable, "-c", SERVES, str(workspace.root), connected.annotate.project]
    candidates = workspace / "models" / "detector-candidates"
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        wait(lambda: list(candidates.glob("*/run.json")), 60)
        assert "pulled 1 new revisions with 1 boxes; the training begins" in said(workspace)
        (trains,) = psutil.Process(process.pid).children()
        assert token not in " ".join(trains.cmdline())
        process.send_signal(how)
        process.wait(20)
    psutil.wait_procs([trains], timeout=10)
    assert not trains.is_running()
    assert counting.trained(workspace) == {}  # the annotation still waits
    with pytest.raises(MissingInput):
        runs.latest_run(workspace, "detector")
    with workspace.locked():
        pass


# What a training decides


def laid(workspace: Workspace, name: str, map50: float) -> str:
    """A finished run, whose weights are words."""
    run = runs.start(workspace, "detector", name, Settings())
    (run.folder / "weights").mkdir()
    (run.folder / "weights" / "best.pt").write_text(name)
    runs.finish(run, {"map50": map50})
    return run.name


NO_STARTER = load(detector={"starter": False})


def quick_evaluation(workspace: Workspace, _: Settings, run: str) -> dict[str, Any]:
    """Stands for a measurement: what the run was laid with; the starter weights reach .7."""
    if run == detector.STARTER:
        return {"map50": 0.7, "pictures": 40}
    return {"map50": runs.named_run(workspace, "detector", run).metrics["map50"], "pictures": 40}


@pytest.mark.parametrize(
    ("before", "after", "takes_over"),
    [(0.68, 0.71, True), (0.68, 0.68, False), (0.71, 0.68, False), (None, 0.1, True)],
)
def test_a_new_detector_takes_over_only_if_it_is_better(
    make: Make, before: float | None, after: float, takes_over: bool
) -> None:
    workspace = make(1)
    old = None if before is None else laid(workspace, "old", before)
    in_use = []

    def quick_training(place: Workspace, _: Settings) -> dict[str, Any]:
        name = laid(place, "new", after)
        # Not even for the time of the evaluation is it in use.
        in_use.append(before is None or runs.latest_run(workspace, "detector").name == old)
        return {"run": name}

    told: list[str] = []
    for _ in range(2):  # a second time, nothing is different but the number of losers
        stats = training.retrain(
            workspace, NO_STARTER, lambda: None, told.append, fit=quick_training, evaluate=quick_evaluation
        )
        assert stats["takes_over"] == takes_over
        latest = runs.latest_run(workspace, "detector")
        assert latest.digest == ("new" if takes_over else "old")
        assert (latest.folder / "weights" / "best.pt").read_text() == latest.digest
        left = [one for one in (workspace / "models" / "detector-candidates").iterdir() if one.is_dir()]
        assert len(left) == (not takes_over)
        if takes_over:
            break
    assert all(in_use)
    words = f"reaches mAP@0.5 {after:.4f} on 40 validation pictures"
    assert words in told[0]
    assert told[0].endswith({True: "takes over", False: "stays in use"}[takes_over] if before else "comes into use")


@pytest.mark.parametrize(("after", "takes_over"), [(0.71, True), (0.7, False), (0.1, False)])
def test_the_first_detector_of_ones_own_takes_over_from_the_starter_weights_only_if_it_is_better(
    make: Make, after: float, takes_over: bool
) -> None:
    workspace = make(1)
    told: list[str] = []
    fit = lambda place, _: {"run": laid(place, "new", after)}  # noqa: E731
    stats = training.retrain(workspace, Settings(), lambda: None, told.append, fit=fit, evaluate=quick_evaluation)
    assert (stats["takes_over"], stats["map50_in_use"]) == (takes_over, 0.7)
    assert told[0].endswith("it takes over" if takes_over else "the starter weights stay in use")
    assert (detector.in_use(workspace).name == detector.STARTER) == (not takes_over)


def test_what_cannot_be_measured_does_not_take_over(make: Make) -> None:
    workspace = make(1)
    old = laid(workspace, "old", 0.5)

    def nothing_to_measure_on(*_: Any) -> dict[str, Any]:
        raise UserError("no picture of the split val has boxes")

    told: list[str] = []
    fit = lambda place, _: {"run": laid(place, "new", 0.9)}  # noqa: E731
    training.retrain(workspace, Settings(), lambda: None, told.append, fit=fit, evaluate=nothing_to_measure_on)
    assert runs.latest_run(workspace, "detector").name == old
    assert "stays in use" in told[0]


def test_a_training_that_broke_off_changes_nothing(make: Make) -> None:
    workspace = make(1)
    old = laid(workspace, "old", 0.5)
    files.write_text(workspace / "label-studio" / "trained.json", json.dumps({"5": "2026-01-01T00:00:00Z"}))

    def breaks_off(place: Workspace, _: Settings) -> dict[str, Any]:
        runs.start(place, "detector", "new", Settings())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.retrain(workspace, Settings(), lambda: None, print, fit=breaks_off, evaluate=quick_evaluation)
    assert runs.latest_run(workspace, "detector").name == old
    assert counting.trained(workspace) == {5: "2026-01-01T00:00:00Z"}
    # It can be taken up again, and nobody else holds the workspace.
    (again,) = training.WorkspaceView(workspace.root, training.CANDIDATES).models("detector").iterdir()
    assert (again / "run.json").is_file()
    with workspace.locked():
        pass


def test_what_was_pulled_before_a_person_trained_is_not_new(make: Make) -> None:
    workspace = make(1)
    (identity,) = identities(workspace)
    row = {"image_id": identity, "verdict": "boxes", "boxes": 0}
    times = {1: "2020-01-01T00:00:00.123456Z", 2: "2090-01-01T00:00:00.123456Z"}
    rows = [{**row, "revision": number, "annotation": number, "updated_at": time} for number, time in times.items()]
    workspace.write("annotations", tables.frame("annotations", rows))
    assert counting.trained(workspace) == {}  # nobody trained
    laid(workspace, "by hand", 0.5)
    assert set(counting.trained(workspace)) == {1}
    counting.remember(workspace, {2: times[2]})
    assert counting.trained(workspace) == {2: times[2]}
