"""Get the MediaPipe pose model: a file of the user's, the cache, the maker's bucket, or the maker's older wheel.

MediaPipe's wheels since 0.10.30 hold no model. Whatever a route brings is checked against a sha256 before it is used.
"""

import hashlib
import http.client
import io
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from platformdirs import user_cache_path

from fullshot.core.errors import UserError
from fullshot.core.files import read_json, write_bytes, write_text

if TYPE_CHECKING:
    from fullshot.core.settings import CurateSettings, Settings

Route = Literal["settings", "maker", "wheel"]
"""Where a model came from: a path in the settings, the maker's bucket, or the models inside MediaPipe's older wheel."""

FILE = "pose_landmarker_full.task"

MAKER_SHA256 = "5134a3aad27a58b93da0088d431f366da362b44e3ccfbe3462b3827a839011b1"
"""Pose landmarker full, float16, version 1, 9,398,198 bytes.

The maker publishes no digest of it; more than ten public projects that pin the file name this one, and this size."""

WHEEL = "mediapipe==0.10.21"
WHEEL_SHA256 = "956eb1ebc275c629e61b085b2cab89c3a5b9e93bad1bb107348d98dafb5a4bb5"
"""The wheel for CPython 3.12 on Linux x86-64, as PyPI has it. Only its models are used, so any machine will do."""

_WHEEL_PLATFORM = ("--python-version=3.12", "--implementation=cp", "--abi=cp312", "--platform=manylinux_2_28_x86_64")

DETECTOR_SHA256 = "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"
LANDMARKS_SHA256 = "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"
"""Both as MediaPipe's own ``third_party/external_files.bzl`` gives them, and as they lie in the wheel."""

BUILT_SHA256 = "999526df15185073a291a84d9995ce2333a65c961690b4bddecf4e15806f4f72"
"""The model made from that wheel by MediaPipe 1.2.2 with flatbuffers 25.12.19; others may lay out bytes otherwise."""

_PARTS = (
    # name in the wheel, name in the .task, digest, (mean, standard deviation) of the input's normalisation
    ("pose_detection/pose_detection.tflite", "pose_detector.tflite", DETECTOR_SHA256, (127.5, 127.5)),
    ("pose_landmark/pose_landmark_full.tflite", "pose_landmarks_detector.tflite", LANDMARKS_SHA256, (0.0, 255.0)),
)

_CONNECT_SECONDS = 10.0
_WHEEL_SECONDS = 900.0  # 36 MB over a slow line
_MAX_BYTES = 64 * 2**20  # the largest of the maker's pose models has 30 MB
_ALIGNMENT = 4  # of a model inside a .task, as MediaPipe's own bundler has it
_PADDING_FIELD = 0xD935  # the zip extra field that Android's zipalign pads with
_ZIP_HEADER = 30  # bytes before a member's name
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time of a zip: the same parts give the same bytes


class _NoRoute(Exception):
    """A route brought no model; the message says why in a few words."""


@dataclass(frozen=True)
class PoseModel:
    """A pose model that is there and was checked.

    Args:
        path: the ``.task`` file.
        route: where it came from.
        sha256: its digest, in hexadecimal.
    """

    path: Path
    route: Route
    sha256: str


def provide(settings: "Settings") -> PoseModel:
    """The pose model, fetched if it is not there yet.

    Raises:
        UserError: the file that the settings name is missing or not the expected one, or no route brought a model.
    """
    present = find(settings)
    if present:
        return present
    routes: tuple[tuple[Route, str, Callable[[CurateSettings], bytes]], ...] = (
        ("maker", settings.curate.pose_model_url, _from_maker),
        ("wheel", f"{WHEEL} of the package index", _from_wheel),
    )
    reasons = []
    for route, place, fetch in routes:
        print(f"pose model: fetching it from {place}", file=sys.stderr, flush=True)
        try:
            content = fetch(settings.curate)
        except _NoRoute as reason:
            reasons.append(f"{place}: {reason}")
            continue
        sha256 = hashlib.sha256(content).hexdigest()
        write_bytes(cached(), content)
        write_text(_record_path(), json.dumps({"route": route, "from": place, "sha256": sha256}, indent=1) + "\n")
        return PoseModel(cached(), route, sha256)
    raise UserError(
        f"no pose model: {'; '.join(reasons)}. Download {FILE} from the MediaPipe site elsewhere, and set "
        "FULLSHOT_CURATE_POSE_MODEL to its path"
    )


def find(settings: "Settings") -> PoseModel | None:
    """The pose model if it is on this machine; nothing is fetched. A broken file in the cache counts as none.

    Raises:
        UserError: the file that the settings name is missing or not the expected one.
    """
    curate = settings.curate
    if curate.pose_model:
        return _named(Path(curate.pose_model).expanduser(), curate)
    if not cached().is_file():
        return None
    sha256 = hashlib.sha256(cached().read_bytes()).hexdigest()
    record = _record()
    known: dict[str, Route] = {MAKER_SHA256: "maker", BUILT_SHA256: "wheel"}
    route = record.get("route") if record.get("sha256") == sha256 else known.get(sha256)
    # A model built by other versions has a digest of its own; its parts were checked when it was built.
    trusted = sha256 in _expected(curate) or (route == "wheel" and not curate.pose_model_sha256)
    return PoseModel(cached(), route or "maker", sha256) if trusted else None


def cached() -> Path:
    """Where a fetched model is kept for this user."""
    return user_cache_path("fullshot") / FILE


def _named(path: Path, curate: "CurateSettings") -> PoseModel:
    if not path.is_file():
        raise UserError(f"setting curate.pose_model: expected a MediaPipe .task file, got {path}, which is not there")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if sha256 not in _expected(curate):
        raise UserError(
            f"{path}: expected a pose model with sha256 {' or '.join(_expected(curate))}, got {sha256}; "
            "if you trust this file, set FULLSHOT_CURATE_POSE_MODEL_SHA256 to that"
        )
    return PoseModel(path, "settings", sha256)


def _expected(curate: "CurateSettings") -> tuple[str, ...]:
    return (curate.pose_model_sha256,) if curate.pose_model_sha256 else (MAKER_SHA256, BUILT_SHA256)


def _record_path() -> Path:
    return cached().with_suffix(".json")


def _record() -> dict[str, Any]:
    record = read_json(_record_path())
    return record if record.get("route") in ("maker", "wheel") else {}


def _from_maker(curate: "CurateSettings") -> bytes:
    if not curate.pose_model_url.startswith(("https://", "http://")):
        raise _NoRoute("expected an http or https address")
    try:
        with urllib.request.urlopen(curate.pose_model_url, timeout=_CONNECT_SECONDS) as answer:  # noqa: S310
            content: bytes = answer.read(_MAX_BYTES + 1)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        raise _NoRoute(str(getattr(error, "reason", error)) or type(error).__name__) from None
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 not in _expected(curate):
        raise _NoRoute(f"expected sha256 {' or '.join(_expected(curate))}, got {sha256}")
    return content


def _from_wheel(curate: "CurateSettings") -> bytes:
    if curate.pose_model_sha256 not in ("", BUILT_SHA256):
        raise _NoRoute("not asked, its model is not the one that curate.pose_model_sha256 names")
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download_wheel(Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            models = {name: (archive.read(f"mediapipe/modules/{member}"), digest) for member, name, digest, _ in _PARTS}
    for name, (model, digest) in models.items():
        if hashlib.sha256(model).hexdigest() != digest:
            raise _NoRoute(f"{name} in the wheel is not the expected one")
    return _bundle({name: _normalised(models[name][0], *normal) for _, name, _, normal in _PARTS})


def _download_wheel(folder: Path) -> Path:
    """Pip knows the index, mirror, proxy and certificates of this machine, and checks the wheel's digest."""
    if find_spec("pip"):
        pip = [sys.executable, "-P", "-m", "pip"]
    elif shutil.which("uvx"):
        pip = ["uvx", "pip"]
    else:
        raise _NoRoute("this Python has no pip to ask with")
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n", "utf-8")
    words = ["download", "--quiet", "--no-deps", "--only-binary=:all:", *_WHEEL_PLATFORM, "--require-hashes"]
    command = [*pip, *words, f"--dest={folder}", f"--requirement={wanted}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WHEEL_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _NoRoute(str(error)) from None
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise _NoRoute((errors or done.stderr.splitlines() or [f"pip failed with {done.returncode}"])[-1])
    return wheels[0]


def _normalised(model: bytes, mean: float, deviation: float) -> bytes:
    """A TFLite model with the metadata that the Tasks API demands: how its input picture is normalised.

    MediaPipe's own metadata writer does not import in 1.2.2 (it misses ``mediapipe.tasks.cc``); its generated
    flatbuffer classes do.
    """
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata
    from mediapipe.tasks.metadata import schema_py_generated as schema

    options = metadata.NormalizationOptionsT()
    options.mean, options.std = [mean], [deviation]
    unit = metadata.ProcessUnitT()
    unit.optionsType, unit.options = metadata.ProcessUnitOptions.NormalizationOptions, options
    picture = metadata.ImagePropertiesT()
    picture.colorSpace = metadata.ColorSpaceType.RGB
    content = metadata.ContentT()
    content.contentPropertiesType, content.contentProperties = metadata.ContentProperties.ImageProperties, picture
    tensor = metadata.TensorMetadataT()
    tensor.name, tensor.content, tensor.processUnits = "image", content, [unit]

    tflite = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    outputs = []
    for _ in tflite.subgraphs[0].outputs:
        outputs.append(metadata.TensorMetadataT())
    graph = metadata.SubGraphMetadataT()
    graph.inputTensorMetadata, graph.outputTensorMetadata = [tensor], outputs
    described = metadata.ModelMetadataT()
    described.name, described.subgraphMetadata = "pose", [graph]
    builder = flatbuffers.Builder(0)
    builder.Finish(described.Pack(builder), b"M001")

    buffer = schema.BufferT()
    buffer.data = builder.Output()
    tflite.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(tflite.buffers) - 1
    tflite.metadata = [*(tflite.metadata or []), entry]
    builder = flatbuffers.Builder(0)
    builder.Finish(tflite.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _bundle(models: dict[str, bytes]) -> bytes:
    """A ``.task``: a zip that stores its models uncompressed and aligned, since they are mapped, not read."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_STORED) as archive:
        for name, model in models.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            start = memory.tell() + _ZIP_HEADER + len(name) + 4  # 4: the header of the extra field itself
            padding = -start % _ALIGNMENT
            entry.extra = struct.pack("<HH", _PADDING_FIELD, padding) + bytes(padding)
            archive.writestr(entry, model)
    return memory.getvalue()
