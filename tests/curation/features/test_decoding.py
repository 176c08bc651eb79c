"""What OpenCV decodes for the features is what Pillow decodes, and nothing is said of a picture that is damaged."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fullshot.core.pictures import NotAnImage, read_reduced
from fullshot.curation.features.decoding import decode_jpeg


def a_photo(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Something with edges, slopes and noise."""
    dice = np.random.default_rng(width)
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    pixels = np.stack([across, down, (across > down) * 200.0], axis=2) + dice.normal(0, 12, (height, width, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert(mode)


@pytest.mark.parametrize("longest", [512, 256, 100, 40])
@pytest.mark.parametrize(
    "options",
    [
        {"quality": 90},
        {"quality": 30, "subsampling": 0},
        {"quality": 80, "subsampling": 1},
        {"quality": 95, "progressive": True},
        {"quality": 75, "keep_rgb": True},
    ],
    ids=str,
)
def test_the_same_pixels(options: dict[str, Any], longest: int, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    a_photo(411, 333).save(path, **options)
    by_pillow, by_opencv = read_reduced(path, longest), read_reduced(path, longest, decode_jpeg)
    np.testing.assert_array_equal(by_opencv.pixels, by_pillow.pixels)
    assert (by_opencv.width, by_opencv.height) == (411, 333)
    assert decode_jpeg(path.read_bytes(), 1) is not None  # it was not Pillow again


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_of_other_colours_is_left_to_pillow(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    a_photo(40, 30, mode).save(path)
    np.testing.assert_array_equal(read_reduced(path, 64, decode_jpeg).pixels, read_reduced(path, 64).pixels)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_picture_stands_upright(orientation: int, tmp_path: Path) -> None:
    path, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[0x0112] = orientation
    a_photo(40, 30).save(path, exif=exif)
    by_pillow, by_opencv = read_reduced(path, 64), read_reduced(path, 64, decode_jpeg)
    np.testing.assert_array_equal(by_opencv.pixels, by_pillow.pixels)
    assert by_opencv.orientation == orientation


def test_one_that_is_cut_off_is_none(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    a_photo(400, 300).save(path)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(NotAnImage, match="truncated"):
        read_reduced(path, 512, decode_jpeg)
    path.write_bytes(b"no picture")
    with pytest.raises(NotAnImage, match="no picture of a known kind"):
        read_reduced(path, 512, decode_jpeg)
    assert decode_jpeg(b"", 1) is None


def test_one_with_a_hole_is_decoded_in_silence(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    memory = io.BytesIO()
    a_photo(400, 300).save(memory, "JPEG")
    whole, path = memory.getvalue(), tmp_path / "photo.jpg"
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + whole[middle + 900 :])
    by_opencv = read_reduced(path, 512, decode_jpeg)
    np.testing.assert_array_equal(by_opencv.pixels, read_reduced(path, 512).pixels)
    assert capfd.readouterr() == ("", "")
