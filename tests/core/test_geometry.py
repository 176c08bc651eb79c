"""Boxes in a picture as it is stored and as it is shown."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from fullshot.core.geometry import ImageGeometry
from fullshot.core.pictures import read_geometry, read_or_none, read_rgb

WIDTH, HEIGHT = 8, 5
CORNERS = (1, 0, 4, 2)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_holds_the_same_pixels_in_the_upright_picture(tmp_path: Path, orientation: int) -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[0:2, 1:4] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    geometry = read_geometry(tmp_path / "a.png")
    assert geometry == ImageGeometry(WIDTH, HEIGHT, orientation)
    upright = read_rgb(tmp_path / "a.png", upright=True)
    assert geometry.upright_size == upright.shape[1::-1]
    x_min, y_min, x_max, y_max = map(round, geometry.to_upright(CORNERS))
    assert upright[y_min:y_max, x_min:x_max].min() == 255
    assert (upright == 255).all(axis=2).sum() == (x_max - x_min) * (y_max - y_min)
    assert geometry.to_stored((x_min, y_min, x_max, y_max)) == pytest.approx(CORNERS)


@pytest.mark.parametrize("asked", [0, 9])
def test_an_orientation_that_there_is_not_turns_nothing(tmp_path: Path, asked: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = asked
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "a.png", exif=exif)
    assert read_geometry(tmp_path / "a.png").orientation == 1
    with Image.open(tmp_path / "a.png") as picture:
        assert ImageOps.exif_transpose(picture).size == (WIDTH, HEIGHT)


def test_a_file_that_is_no_picture_is_none(tmp_path: Path) -> None:
    (tmp_path / "words.jpg").write_text("no picture")
    assert read_or_none(tmp_path / "words.jpg", read_rgb) is None
    assert read_or_none(tmp_path / "missing.jpg", read_rgb) is None
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "a.png")
    assert read_or_none(tmp_path / "a.png", read_geometry) == ImageGeometry(WIDTH, HEIGHT)
