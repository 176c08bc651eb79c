"""What a training begins with: weights of a file, the cache, their makers' servers; whole and harmless, or none."""

import contextlib
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import timm
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from fullshot.core import settings as settings_module
from fullshot.core.errors import UserError
from fullshot.core.files import digest
from fullshot.core.settings import DetectorSettings, Settings, WeightsSettings
from fullshot.core.workspace import Workspace
from fullshot.train import detector, downloads, weights
from fullshot.train.detector.families import with_defaults
from fullshot.train.detector.yolo import library, start
from fullshot.train.weights import Published

MakeWorkspace = Callable[..., Workspace]


class Server:
    """In the place of the makers': ``answers`` holds what is sent for a path."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        self.over = Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                answer = server.answers.get(self.path)
                if answer is None:
                    self.send_error(404)
                else:
                    answer(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        Thread(target=self._http.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self.over.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """A server, and a cache in which nothing is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one = Server()
    yield one
    one.close()


def sends(content: bytes, *, length: int | None = None, told: bool = True, then: Event | None = None) -> Any:
    """An answer: these bytes, of so many as are told of; the connection is held open until something happens."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if told:
            handler.send_header("Content-Length", str(len(content) if length is None else length))
        handler.end_headers()
        handler.wfile.write(content)
        handler.wfile.flush()
        if then is not None:
            then.wait()

    return answer


def small(server: Server, *, download: str = "auto", **more: object) -> Settings:
    flags = {"family": "yolo", "epochs": 1, "image_size": 64, "batch": 4, "device": "cpu", "plots": False, **more}
    sources = {"download": download, "ultralytics_url": f"{server.address}/assets/", "timm_url": server.address}
    return settings_module.load(detector=flags, weights=sources)


def record(workspace: Workspace, stats: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads((workspace.models("detector") / str(stats["run"]) / "run.json").read_text()))


@pytest.fixture(scope="module")
def nano(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights as Ultralytics publishes them: 80 classes, those of COCO."""
    file = tmp_path_factory.mktemp("weights") / "yolo11n.pt"
    library.open_model("yolo11n.yaml").save(file)
    return file


@pytest.fixture(scope="module")
def workspace(make_workspace: MakeWorkspace) -> Workspace:
    return make_workspace(train=4, val=2)


def test_weights_of_ultralytics_are_fetched_once_and_then_taken_from_the_cache(
    server: Server, nano: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers["/assets/yolo11n.pt"] = sends(nano.read_bytes())
    stats = detector.fit(workspace, small(server, model="yolo11n.pt"))
    host = server.address.removeprefix("http://")
    line = f"fullshot: yolo (yolo11n) starts from the weights yolo11n.pt of Ultralytics, fetched from {host}"
    assert line in capsys.readouterr().err.splitlines()
    model = record(workspace, stats)["made_with"]["model"]
    assert model == {"name": "yolo11n", "sha256": digest(nano)}
    # Named without its suffix and with nobody to ask, the same run is found.
    assert not detector.fit(workspace, small(server, model="yolo11n", download="never"))["trained"]
    assert server.asked == ["/assets/yolo11n.pt"]
    more = detector.fit(workspace, small(server, model="yolo11n", seed=8))
    assert more["trained"]
    assert "starts from the weights yolo11n.pt of Ultralytics, in the cache" in capsys.readouterr().err
    assert server.asked == ["/assets/yolo11n.pt"]


def test_a_backbone_that_no_package_brings_is_fetched_from_the_hub_of_timm(
    server: Server, tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    published: Any = timm.create_model("resnet18")
    save_file(published.state_dict(), tmp_path / "model.safetensors")
    server.answers["/timm/resnet18.a1_in1k/resolve/main/model.safetensors"] = sends(
        (tmp_path / "model.safetensors").read_bytes()
    )
    stats = detector.fit(workspace, small(server, family="fcos", model="resnet18", learning_rate=1e-9))
    assert "fcos on resnet18 starts from the weights resnet18.safetensors of timm, fetched" in capsys.readouterr().err
    assert record(workspace, stats)["made_with"]["model"]["sha256"] == digest(tmp_path / "model.safetensors")
    with safe_open(workspace.models("detector") / str(stats["run"]) / "weights.safetensors", framework="pt") as file:
        kept = file.get_tensor("backbone.body.conv1.weight").float()
    torch.testing.assert_close(kept, published.state_dict()["conv1.weight"], atol=1e-3, rtol=1e-2)


def test_what_a_package_brings_is_asked_of_nobody(
    server: Server, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    detector.fit(workspace, small(server, family="fcos", weights="imagenet"))
    assert "starts from ImageNet's weights, of the package efficientnet_lite0" in capsys.readouterr().err
    detector.fit(workspace, small(server, family="fcos"))
    assert "starts from the starter weights" in capsys.readouterr().err
    assert server.asked == []


PART = 5_000


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda content, over: None, "HTTP 404"),
        (lambda content, over: sends(content[:PART], length=len(content)), rf"{PART} of \d+ bytes came"),
        (lambda content, over: sends(content[:PART], told=False), "what came holds no weights"),
        (lambda content, over: sends(b"<html>Please sign in</html>"), "what came holds no weights"),
        (lambda content, over: sends(content[:-PART] + bytes(PART)), "what came holds no weights"),  # of the same size
        (lambda content, over: lambda handler: over.wait(), "timed out"),  # silent from the first
        (lambda content, over: sends(content[:PART], length=len(content), then=over), "timed out"),  # and half-way
    ],
)
def test_what_does_not_come_whole_is_said_in_one_line_and_nothing_is_kept(
    server: Server,
    nano: Path,
    tmp_path: Path,
    answer: Callable[[bytes, Event], Any],
    reason: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.answers["/assets/yolo11n.pt"] = answer(nano.read_bytes(), server.over)
    if server.answers["/assets/yolo11n.pt"] is None:
        del server.answers["/assets/yolo11n.pt"]
    sources = small(server).weights
    with monkeypatch.context() as patched:
        if reason == "timed out":  # any other answer may take its time, and so may the whole file below
            patched.setattr(downloads, "_SILENCE_SECONDS", 0.3)
        found = start.find("yolo11n.pt", "", sources)
    assert (found.file, found.source, found.lacks) == ("yolo11n.yaml", "from scratch", True)
    *progress, line = capsys.readouterr().err.splitlines()
    assert all(told.startswith("fetching yolo11n.pt: ") for told in progress)
    host = server.address.removeprefix("http://")
    pattern = rf"fullshot: yolo11n\.pt cannot be had from {host}: {reason}"
    assert re.fullmatch(pattern, line)
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == ["yolo11n.pt.lock"]
    server.answers["/assets/yolo11n.pt"] = sends(nano.read_bytes())
    assert digest(Path(start.find("yolo11n.pt", "", sources).file)) == digest(nano)


def test_where_no_name_server_answers_it_is_given_up(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # No machine of tests can be put behind a firewall that swallows its questions: one is put on.
    monkeypatch.setattr("socket.getaddrinfo", lambda *arguments, **more: [server.over.wait()][:0])
    monkeypatch.setattr(downloads, "_ANSWER_SECONDS", 0.3)
    published = Published("Ultralytics", "yolo11n.pt", lambda: "http://nowhere.invalid/yolo11n.pt")
    assert published.find(download=True) is None
    assert "yolo11n.pt cannot be had from nowhere.invalid: no answer within 0 s" in capsys.readouterr().err


def test_nobody_is_asked_where_the_settings_forbid_it(
    server: Server, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    detector.fit(workspace, small(server, model="yolo11n.pt", download="never", seed=11))
    said = capsys.readouterr().err
    assert "yolo11n.pt is not in the cache, and weights.download says to ask nobody for it" in said
    assert "yolo (yolo11n) starts from scratch" in said
    assert server.asked == []


def test_a_damaged_file_in_the_cache_is_fetched_again(
    server: Server, nano: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers["/assets/yolo11n.pt"] = sends(nano.read_bytes())
    file = Path(start.find("yolo11n.pt", "", small(server).weights).file)
    file.write_bytes(nano.read_bytes()[:-1000])
    assert start.find("yolo11n.pt", "", small(server).weights).source.startswith("from the weights yolo11n.pt of")
    assert digest(file) == digest(nano)
    assert f"{file} is damaged, and does not count" in capsys.readouterr().err
    assert len(server.asked) == 2


FETCHING = """
import sys
from pathlib import Path
from fullshot.train.downloads import fetch
fetch(sys.argv[1], Path(sys.argv[2]), lambda path: True)
"""


def test_a_kill_half_way_leaves_nothing_that_is_taken_for_weights(server: Server, nano: Path, tmp_path: Path) -> None:
    content, half_sent = nano.read_bytes(), Event()
    whole = sends(content)

    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[: len(content) // 2])
        half_sent.set()
        server.over.wait()

    server.answers["/yolo11n.pt"] = half
    place = tmp_path / "yolo11n.pt"
    child = subprocess.Popen([sys.executable, "-c", FETCHING, f"{server.address}/yolo11n.pt", str(place)])
    assert half_sent.wait(60)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not place.exists()
    server.answers["/yolo11n.pt"] = whole
    downloads.fetch(f"{server.address}/yolo11n.pt", place, lambda path: True)
    assert place.read_bytes() == content
    assert {path.name for path in tmp_path.iterdir()} <= {place.name, f"{place.name}.lock"}


class Foreign:
    """Would leave a file behind, were it built anew from a pickle."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._trace),)


def pickled(content: object, file: Path) -> None:
    file.write_bytes(pickle.dumps(content, protocol=2))


def saved_before_1_6(content: object, file: Path) -> None:
    torch.save(content, file, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("write", [torch.save, saved_before_1_6, pickled])
def test_a_strangers_pickle_is_refused_and_nothing_in_it_is_run(
    server: Server, workspace: Workspace, tmp_path: Path, write: Callable[[object, Path], None]
) -> None:
    trace, file = tmp_path / "trace", tmp_path / "evil.pt"
    write({"model": Foreign(trace)}, file)
    calls: list[dict[str, Any]] = [{"model": str(file)}, {"family": "fcos", "weights": str(file)}]
    for flags in calls:
        with pytest.raises(UserError, match=rf"{file}") as caught:
            detector.fit(workspace, small(server, **flags))
        assert "\n" not in str(caught.value)
        assert not trace.exists()
    # What one would get who reads it as a pickle:
    if write is not pickled:
        torch.load(file, weights_only=False)
        assert trace.exists()


def test_a_strangers_architecture_is_not_run_either(
    server: Server, nano: Path, workspace: Workspace, tmp_path: Path
) -> None:
    # Ultralytics evaluates what the description of a network says of its activation.
    model, trace = library.open_model(str(nano)), tmp_path / "trace"
    model.model.yaml["activation"] = f"__import__('os').mkdir({str(trace)!r}) or torch.nn.SiLU()"
    model.save(tmp_path / "evil.pt")
    with pytest.raises(Exception, match="activation"):
        detector.fit(workspace, small(server, model=str(tmp_path / "evil.pt")))
    assert not trace.exists()


def test_weights_of_another_family_are_said_in_one_line(
    server: Server, nano: Path, workspace: Workspace, tmp_path: Path
) -> None:
    stats = detector.fit(workspace, small(server, family="fcos"))
    ours = workspace.models("detector") / str(stats["run"]) / "weights.safetensors"
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "state.pt")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"model": str(ours)}, r"setting detector\.model: expected a \.yaml or \.pt file"),
        ({"family": "fcos", "weights": str(nano)}, "holds no weights to start from"),
        ({"family": "ssdlite", "weights": str(ours)}, "another network than the one to be trained"),
        ({"model": str(tmp_path / "state.pt")}, "not a model that Ultralytics reads"),
        ({"family": "fcos", "weights": str(tmp_path / "state.pt")}, "of another backbone than the one to be trained"),
    ]
    for flags, words in cases:
        with pytest.raises(UserError, match=words) as caught:
            detector.fit(workspace, small(server, **flags))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("yolov3u", "yolov3.yaml"),
        ("yolov3-tinyu.pt", "yolov3-tiny.yaml"),
        ("yolov5nu.pt", "yolov5n.yaml"),
        ("yolov5n6u.pt", "yolov5n-p6.yaml"),
        ("yolov8n.pt", "yolov8n.yaml"),
        ("yolov9t", "yolov9t.yaml"),
        ("yolov10b.pt", "yolov10b.yaml"),
        ("yolo11x.pt", "yolo11x.yaml"),
        ("yolo12s.pt", "yolo12s.yaml"),
        ("yolo26n.pt", "yolo26n.yaml"),
        ("rtdetr-l.pt", "rtdetr-l.yaml"),
        ("yolo11n-seg.pt", None),
        ("yolov8s-world.pt", None),
        ("yolo77n.pt", None),
        ("mine.pt", None),
        ("yolo11n.yaml", None),
    ],
)
def test_names_of_published_weights_tell_their_architecture(name: str, architecture: str | None) -> None:
    assert start.architecture_of(name) == architecture


def test_an_architecture_alone_is_from_scratch() -> None:
    sources = WeightsSettings(download="auto", ultralytics_url="http://127.0.0.1:9")
    for model, wanted, file in (
        ("yolo11n.yaml", "", "yolo11n.yaml"),
        ("yolo11n.pt", "none", "yolo11n.yaml"),
        ("garment-nano", "", library.model_file("garment-nano")),
    ):
        found = start.find(model, wanted, sources)
        assert found.file == file
        assert found.source.startswith("from scratch")


def test_none_begins_from_scratch_whatever_file_lies_there(
    nano: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(nano, tmp_path / "yolo11n.pt")
    monkeypatch.chdir(tmp_path)
    sources = WeightsSettings(download="never")
    assert start.find("yolo11n.pt", "none", sources).file == "yolo11n.yaml"
    assert start.find("yolo11n.pt", "", sources).file.endswith("yolo11n.pt")
    with pytest.raises(UserError, match=r"setting detector\.weights: none and the weights \./yolo11n\.pt cannot both"):
        start.find("./yolo11n.pt", "none", sources)


def test_a_cache_that_cannot_be_written_ends_no_training(
    server: Server, nano: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers["/assets/yolo11n.pt"] = sends(nano.read_bytes())
    sources = small(server).weights
    file = Path(start.find("yolo11n.pt", "", sources).file)
    file.write_bytes(b"half")
    # Whoever runs the tests may be allowed to write anywhere: that no lock can be had is the same.
    lock = file.with_name(f"{file.name}.lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()
    assert start.find("yolo11n.pt", "", sources).file == "yolo11n.yaml"
    assert file.read_bytes() == b"half"
    assert "yolo11n.pt cannot be had from 127.0.0.1" in capsys.readouterr().err


def test_a_wrong_tag_of_timm_is_said_in_one_line(
    server: Server, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match=r"the backbone 'resnet18\.typo': expected one that timm knows"):
        detector.fit(workspace, small(server, family="fcos", model="resnet18.typo"))
    assert "timm publishes no weights resnet18.typo.safetensors" in capsys.readouterr().err
    assert server.asked == []


@pytest.mark.parametrize(
    "address", ["https://[x", "ftp://weights.invalid", "weights.invalid", "https://", "http://a b"]
)
def test_a_mirror_without_an_address_is_refused(address: str) -> None:
    for setting in ("timm_url", "ultralytics_url"):
        with pytest.raises(UserError, match=rf"weights\.{setting}: .*expected an address such as https://hugg"):
            settings_module.load(weights={setting: address})


def test_nobody_is_asked_before_there_is_a_box_to_train_on(server: Server, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=2)
    workspace.write("boxes", workspace.read("boxes").iloc[:0])
    with pytest.raises(UserError, match="no box to train on"):
        detector.fit(workspace, small(server, model="yolo11n.pt"))
    assert server.asked == []


def killed_after_one_epoch(workspace: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a run that Ctrl-C stopped."""

    def stop(done: int, total: int, note: str = "") -> None:
        if done == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("fullshot.core.progress.bar", lambda what, unit="": contextlib.nullcontext(stop))
        with pytest.raises(KeyboardInterrupt):
            detector.fit(workspace, settings)
    return max(path.parent.name for path in workspace.models("detector").glob("*/run.json"))


@pytest.mark.parametrize(("family", "model"), [("yolo", "yolo11n"), ("fcos", "resnet18")])
def test_a_run_is_known_whether_or_not_its_weights_can_be_had_today(
    server: Server,
    nano: Path,
    tmp_path: Path,
    family: str,
    model: str,
    make_workspace: MakeWorkspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    workspace, settings = make_workspace(train=4, val=2), small(server, family=family, model=model, epochs=2)
    published: Any = timm.create_model("resnet18")
    save_file(published.state_dict(), tmp_path / "model.safetensors")
    online = {
        "/assets/yolo11n.pt": sends(nano.read_bytes()),
        "/timm/resnet18.a1_in1k/resolve/main/model.safetensors": sends((tmp_path / "model.safetensors").read_bytes()),
    }

    # The server is down: it begins from scratch, and goes on so.
    first = killed_after_one_epoch(workspace, settings, monkeypatch)
    server.answers |= online
    went_on = detector.fit(workspace, settings, resume=first)
    assert (went_on["run"], went_on["resumed_at"]) == (first, 1)
    assert server.asked == server.asked[:1]
    # With weights, it is worth to train again.
    second = killed_after_one_epoch(workspace, settings, monkeypatch)
    assert second != first
    began_with = record(workspace, {"run": second})["made_with"]["model"]["sha256"]
    assert began_with != record(workspace, went_on)["made_with"]["model"]["sha256"]
    # The cache is emptied, and the server down again: the run that was stopped goes on, and the finished one stays.
    server.answers.clear()
    shutil.rmtree(tmp_path / "cache")
    capsys.readouterr()
    asked = len(server.asked)
    finished = detector.fit(workspace, settings)
    assert (finished["run"], finished["resumed_at"]) == (second, 1)
    assert " starts " not in capsys.readouterr().err
    again = detector.fit(workspace, settings)
    assert (again["run"], again["trained"]) == (second, False)
    assert "train detector: nothing has changed" in capsys.readouterr().err
    assert len(server.asked) == asked
    assert record(workspace, again)["made_with"]["model"]["sha256"] == began_with


def test_a_run_goes_on_where_other_starter_weights_have_come_along_since(
    server: Server, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small(server, family="fcos", epochs=2)
    run = killed_after_one_epoch(workspace, settings, monkeypatch)
    with safe_open(weights.STARTER_FILE, framework="pt") as file:
        about = file.metadata()
    save_file(load_file(weights.STARTER_FILE), tmp_path / "newer.safetensors", {**about, "newer": "yes"})
    monkeypatch.setattr(weights, "STARTER_FILE", tmp_path / "newer.safetensors")
    stats = detector.fit(workspace, settings, resume=run)
    assert (stats["run"], stats["resumed_at"]) == (run, 1)


def test_the_starter_weights_are_read_by_who_begins_with_them_alone(
    server: Server, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "garments.safetensors"
    monkeypatch.setattr(weights, "STARTER_FILE", broken)
    detector.fit(workspace, small(server, family="retinanet"))
    for content in (None, b"no weights"):
        if content is not None:
            broken.write_bytes(content)
        with pytest.raises(UserError, match=rf"the starter weights {broken} are missing or damaged"):
            detector.fit(workspace, small(server, family="fcos"))


def test_the_starter_weights_are_of_the_family_that_begins_with_them() -> None:
    assert weights.about_starter()["architecture"] == weights.STARTER_FAMILY


@pytest.mark.parametrize(
    ("model", "given", "rate"),
    [
        ("", "", 2e-3),
        ("garment-nano", "", 2e-3),
        ("yolo11n.yaml", "", 2e-3),
        ("mine.pt", "", 2e-4),
        ("yolo11n.pt", "", 2e-4),
        ("yolo11n", "", 2e-4),
        ("yolo11n", "none", 2e-3),
    ],
)
def test_a_yolo_that_goes_on_from_weights_changes_them_slowly(model: str, given: str, rate: float) -> None:
    section = DetectorSettings(family="yolo", model=model, weights=given)
    assert with_defaults(section).learning_rate == rate


def test_where_weights_cannot_be_had_it_learns_as_fast_as_from_scratch(server: Server, workspace: Workspace) -> None:
    stats = detector.fit(workspace, small(server, model="yolov8n.pt"))
    assert server.asked == ["/assets/yolov8n.pt"]
    assert record(workspace, stats)["settings"]["detector"]["learning_rate"] == 2e-3
