import hashlib
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fullshot.core.errors import UserError
from fullshot.core.settings import Settings, load
from fullshot.curation import doctor
from fullshot.curation.pose import model_file as pose_model
from fullshot.curation.pose.model_file import BUILT_SHA256, MAKER_SHA256, PoseModel, cached, find, provide

Maker = Callable[[bytes | None], str]
MODEL = b"a model that the settings vouch for"
DIGEST = hashlib.sha256(MODEL).hexdigest()


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pose_model, "user_cache_path", lambda name: tmp_path / "cache" / name)


@pytest.fixture
def no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip is told to look for packages in an empty folder alone."""
    (tmp_path / "no packages").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "no packages"))


@pytest.fixture
def maker() -> Iterator[Maker]:
    """A server in place of the maker's bucket; None: it answers 404."""
    servers = []

    def serve(content: bytes | None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/pose.task"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def given(**flags: Any) -> Settings:
    return load(curate=flags)


def test_the_makers_file_is_fetched_checked_and_kept(maker: Maker) -> None:
    settings = given(pose_model_url=maker(MODEL), pose_model_sha256=DIGEST)
    assert find(settings) is None
    expected = PoseModel(cached(), "maker", DIGEST)
    assert provide(settings) == expected
    assert cached().read_bytes() == MODEL
    # The second time nothing is asked of anybody.
    assert provide(given(pose_model_url="http://127.0.0.1:1/", pose_model_sha256=DIGEST)) == expected


@pytest.mark.usefixtures("no_index")
def test_another_file_than_the_makers_is_refused(maker: Maker) -> None:
    with pytest.raises(UserError, match=f"expected sha256 {MAKER_SHA256}.*, got {DIGEST}") as error:
        provide(given(pose_model_url=maker(MODEL)))
    assert not cached().exists()
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("no_index")
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/pose.task", "refused"),
        ("file:///etc/hostname", "expected an http or https address"),
        ("", "expected an http or https address"),
    ],
)
def test_without_a_route_it_says_why_and_what_to_do(url: str, reason: str) -> None:
    with pytest.raises(UserError, match=f"{reason}.*mediapipe==0.10.21.*ERROR.*FULLSHOT_CURATE_POSE_MODEL"):
        provide(given(pose_model_url=url))


def test_an_answer_that_is_no_model_falls_to_the_next_route(maker: Maker) -> None:
    with pytest.raises(UserError, match=r"404.*not asked|Not Found.*not asked"):
        provide(given(pose_model_url=maker(None), pose_model_sha256=DIGEST))


@pytest.mark.slow
def test_the_older_wheel_serves_where_the_maker_does_not_answer(maker: Maker) -> None:
    """Asks the package index for the wheel, 36 MB: not among the tests that do without a network."""
    found = provide(given(pose_model_url=maker(None)))
    assert (found.path, found.route) == (cached(), "wheel")
    assert found.sha256 == BUILT_SHA256
    with zipfile.ZipFile(found.path) as bundle:
        assert bundle.namelist() == ["pose_detector.tflite", "pose_landmarks_detector.tflite"]
        assert {entry.compress_type for entry in bundle.infolist()} == {zipfile.ZIP_STORED}
    [check] = doctor.checks(given())
    assert check.ok
    assert "built from mediapipe==0.10.21" in check.found


def test_a_broken_file_in_the_cache_is_replaced(maker: Maker) -> None:
    settings = given(pose_model_url=maker(MODEL), pose_model_sha256=DIGEST)
    provide(settings)
    cached().write_bytes(MODEL[:-1])
    [check] = doctor.checks(settings)
    assert (check.ok, "broken" in check.found) == (False, True)
    assert check.fix
    check.fix()
    assert cached().read_bytes() == MODEL
    assert doctor.checks(settings)[0].ok


def test_a_model_built_by_other_versions_is_known_by_its_record() -> None:
    cached().parent.mkdir(parents=True)
    cached().write_bytes(MODEL)
    record = {"route": "wheel", "sha256": DIGEST}
    cached().with_suffix(".json").write_text(json.dumps(record), "utf-8")
    assert find(given()) == PoseModel(cached(), "wheel", DIGEST)
    cached().write_bytes(MODEL[:-1])
    assert find(given()) is None


@pytest.mark.parametrize("record", ["", "[]", '{"route": "wheel", "sha256": 7}', '{"route": []}'])
def test_a_broken_record_vouches_for_nothing(record: str) -> None:
    cached().parent.mkdir(parents=True)
    cached().write_bytes(MODEL)
    cached().with_suffix(".json").write_text(record, "utf-8")
    assert find(given()) is None


def test_a_file_of_ones_own_wins(tmp_path: Path) -> None:
    path = tmp_path / "own.task"
    path.write_bytes(MODEL)
    assert provide(given(pose_model=str(path), pose_model_sha256=DIGEST)) == PoseModel(path, "settings", DIGEST)
    with pytest.raises(UserError, match=f"got {DIGEST}; if you trust this file"):
        provide(given(pose_model=str(path)))
    with pytest.raises(UserError, match="which is not there"):
        provide(given(pose_model=str(tmp_path / "none.task")))
    assert not doctor.checks(given(pose_model=str(path)))[0].ok


def test_a_digest_is_checked_before_it_is_used() -> None:
    with pytest.raises(UserError, match="pose_model_sha256"):
        given(pose_model_sha256="abc")
