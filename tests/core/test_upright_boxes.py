"""Boxes as numbers: turned with their picture, and written as YOLO label lines."""

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from fullshot.core.boxes import crop, upright_corners, yolo_line
from fullshot.core.pictures import read_rgb

WIDTH, HEIGHT = 40, 60
CORNERS = (4.0, 6.0, 14.0, 36.0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_holds_the_same_pixels_once_its_picture_is_upright(tmp_path: Path, orientation: int) -> None:
    stored = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    stored[6:36, 4:14] = (200, 0, 0)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    upright = read_rgb(tmp_path / "a.png", upright=True)
    x_min, y_min, x_max, y_max = upright_corners(
        (CORNERS[0] / WIDTH, CORNERS[1] / HEIGHT, CORNERS[2] / WIDTH, CORNERS[3] / HEIGHT), orientation
    )
    height, width = upright.shape[:2]
    piece = crop(
        upright, tuple(round(each, 6) for each in (x_min * width, y_min * height, x_max * width, y_max * height))
    )
    assert piece.size == 10 * 30 * 3
    assert (piece == (200, 0, 0)).all()


def test_a_yolo_line_holds_class_centre_and_size_as_shares() -> None:
    assert yolo_line(2, (10, 20, 30, 60), 100, 200) == "2 0.200000000 0.200000000 0.200000000 0.200000000"
    # The longest side that a JPEG can have: one pixel is still told from the next.
    words = yolo_line(0, (65_533, 0, 65_535, 1), 65_535, 1).split()
    assert float(words[1]) * 65_535 == pytest.approx(65_534, abs=0.01)
