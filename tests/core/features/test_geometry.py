"""Sizes and orientations of pictures, seen once."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fullshot.core.features import FeatureStore, Job, geometry_row, geometry_rows, geometry_store
from fullshot.core.features.keys import stamp_of
from fullshot.core.geometry import ImageGeometry
from fullshot.train.pictures import geometries, turned, unreadable

SIZE = (8, 4)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """``upright.png``, ``turned.jpg`` (EXIF 6), ``cut.png`` and ``words.txt``; ``gone.png`` is not there."""
    Image.new("RGB", SIZE).save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", SIZE).save(tmp_path / "turned.jpg", exif=exif)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:4000])
    (tmp_path / "words.txt").write_text("no picture", "utf-8")
    return tmp_path


NAMES = ["gone.png", "turned.jpg", "cut.png", "upright.png", "words.txt", "turned.jpg"]


def test_what_is_asked_of_pictures(root: Path) -> None:
    assert turned(root, NAMES) == ["turned.jpg"]
    assert unreadable(root, NAMES) == ["cut.png", "gone.png", "words.txt"]
    known = {"turned.jpg": ImageGeometry(*SIZE, 6), "upright.png": ImageGeometry(*SIZE)}
    assert geometries(root, NAMES) == {name: known.get(name) for name in NAMES}
    rows = geometry_rows(root, NAMES)
    assert rows.made == 0
    assert [row["unreadable"] for row in rows.unreadable().to_pylist()] == ["missing", "not-an-image", "not-an-image"]


def test_a_picture_is_opened_once(root: Path) -> None:
    assert unreadable(root, ["upright.png"]) == []
    path = root / "upright.png"
    there = path.stat()
    path.write_bytes(b"x" * there.st_size)
    os.utime(path, ns=(there.st_atime_ns, there.st_mtime_ns))
    assert unreadable(root, ["upright.png"]) == []
    path.touch()
    assert unreadable(root, ["upright.png"]) == ["upright.png"]


def test_who_decodes_a_picture_for_another_purpose_keeps_its_geometry(root: Path) -> None:
    path = root / "turned.jpg"
    job = Job("turned.jpg", path, stamp=stamp_of(str(path)))
    geometry_store(root).keep([job], [geometry_row(ImageGeometry(1, 2, 8))])
    assert geometries(root, ["turned.jpg"]) == {"turned.jpg": ImageGeometry(1, 2, 8)}
    assert isinstance(geometry_store(root), FeatureStore)


def test_pictures_of_one_name_in_two_folders_are_two(root: Path) -> None:
    for number, folder in enumerate(("a", "b"), start=1):
        (root / folder).mkdir()
        Image.new("RGB", (number, 1)).save(root / folder / "one.png")
    found = geometries(root, ["a/one.png", "b/one.png"])
    assert found == {"a/one.png": ImageGeometry(1, 1), "b/one.png": ImageGeometry(2, 1)}
