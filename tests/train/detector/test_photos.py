"""``fullshot detect``: photos of one's own, and the weights that look at them."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from fullshot.core.errors import MissingInput, UserError
from fullshot.core.settings import DetectorSettings, Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import detector
from fullshot.train.detector import STARTER, Photos, detect_photos, open_detector


@pytest.fixture(scope="module")
def street() -> Path:
    """Real people in a street, before a bus."""
    package = importlib.util.find_spec("ultralytics")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "assets" / "bus.jpg"


def run(*words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "fullshot", "detect", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_folder_and_a_photo_are_looked_at_in_order_and_drawn(street: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    (folder / "inner").mkdir(parents=True)
    shutil.copy(street, folder / "b.jpg")
    Image.open(street).save(folder / "inner" / "c.png")
    (folder / "notes.txt").write_text("nothing to see")
    done = run(folder, street, "--json", "--output", tmp_path / "drawn")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["path"] for row in rows] == [str(folder / "b.jpg"), str(folder / "inner" / "c.png"), str(street)]
    labels = {box["label"] for box in rows[0]["boxes"]}
    assert {"top", "bottom"} <= labels <= {"top", "bottom", "foot", "long"}
    width, height = Image.open(street).size
    for box in rows[0]["boxes"]:
        assert list(box) == ["label", "x_min", "y_min", "x_max", "y_max", "score"]
        assert 0 <= box["x_min"] < box["x_max"] <= width
        assert 0 <= box["y_min"] < box["y_max"] <= height
        assert 0.25 < box["score"] <= 1
    assert rows[0]["boxes"] == rows[2]["boxes"]
    drawn = sorted(path.relative_to(tmp_path / "drawn") for path in (tmp_path / "drawn").rglob("*.jpg"))
    assert drawn == [Path("bus.jpg"), Path("photos/b.jpg"), Path("photos/inner/c.png.jpg")]
    before, after = (np.asarray(Image.open(path), np.int16) for path in (street, tmp_path / "drawn" / "bus.jpg"))
    box = rows[0]["boxes"][0]
    edge = slice(int(box["y_min"]) + 20, int(box["y_max"]) - 20), int(box["x_min"]) + 1
    assert np.abs(before[edge] - after[edge]).mean() > 20
    assert "weights starter" in done.stderr
    assert "1 files that are no pictures were left out" in done.stderr


def test_the_threshold_is_the_least_score(street: Path) -> None:
    every = json.loads(run(street, "--json", "--threshold", 0.05).stdout)["boxes"]
    sure = json.loads(run(street, "--json", "--threshold", 0.4).stdout)["boxes"]
    assert sure == [box for box in every if box["score"] > 0.4]
    assert len(sure) < len(every)


def test_what_cannot_be_read_is_named_and_the_others_are_looked_at(street: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(street.read_bytes()[:9000])
    shutil.copy(street, tmp_path / "b.jpg")
    done = run(tmp_path)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.startswith(f"{tmp_path / 'b.jpg'}: ")
    assert f"{tmp_path / 'a.jpg'} is not a picture that can be read" in done.stderr
    assert "1 of 2 photos cannot be read" in done.stderr
    nothing = run(tmp_path / "c.jpg")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert nothing.stderr.startswith("fullshot: expected a photo or a folder of photos")
    assert nothing.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [(["--weights", ""], "expected weights, got nothing"), (["--output", __file__], "expected a folder to draw into")],
)
def test_a_wrong_flag_is_said_in_a_line(street: Path, flags: list[str], words: str) -> None:
    done = run(street, *flags)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert words in done.stderr


def test_a_turned_photo_is_looked_at_upright(street: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned a quarter clockwise
    turned = tmp_path / "turned.png"
    Image.open(street).transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    opened = open_detector(STARTER)
    upright, again = (next(iter(detect_photos(Photos([path]), opened))).boxes for path in (street, turned))
    assert [box.label for box in again] == [box.label for box in upright]
    assert np.allclose([box.corners for box in again], [box.corners for box in upright], atol=2)


def test_weights_are_of_a_file_a_run_or_a_workspace(
    trained: tuple[Workspace, Settings, dict[str, Any]], tmp_path: Path
) -> None:
    workspace, settings, stats = trained
    own = detector.load(workspace, settings=settings)
    section = settings.detector
    folder = workspace.models("detector") / str(stats["run"])
    assert open_detector(str(folder), section).digest == own.digest
    assert open_detector(str(workspace.root), section).digest == own.digest
    picture = np.full((96, 64, 3), 200, np.uint8)
    exported = open_detector(str(folder / "model.onnx"), section)
    assert exported.predict([picture]) == own.predict([picture])
    for wrong in ("nowhere", str(tmp_path / "none.onnx"), str(folder / "run.json")):
        with pytest.raises(UserError, match="expected starter, a file"):
            open_detector(wrong)
    for name in ("broken.safetensors", "broken.onnx"):
        (tmp_path / name).write_bytes(b"no weights")
        with pytest.raises(UserError, match="holds no"):
            open_detector(str(tmp_path / name))


def test_the_starter_weights_are_used_until_there_are_others_and_where_the_settings_want_them(
    trained: tuple[Workspace, Settings, dict[str, Any]], tmp_path: Path
) -> None:
    empty = Workspace(tmp_path)
    used = detector.in_use(empty)
    assert used.name == STARTER
    assert used.run is None
    assert used.digest == open_detector(STARTER).digest == detector.load(empty).digest
    with pytest.raises(MissingInput, match="no detector in"):
        detector.load(empty, settings=load(detector={"starter": False}))
    workspace, _, stats = trained
    assert detector.in_use(workspace).name == stats["run"]


def test_only_some_photos_are_in_memory_at_once(street: Path) -> None:
    taken = 0

    def photos() -> Any:
        nonlocal taken
        for photo in Photos([street] * 64):
            taken += 1
            yield photo

    found = detect_photos(photos(), open_detector(STARTER, DetectorSettings(confidence=0.3)))
    next(found)
    assert taken == 16
