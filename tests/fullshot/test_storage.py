"""Pictures by content address."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fullshot import storage
from fullshot.boxes import crop
from fullshot.storage import NotAnImage


def png(width: int = 30, height: int = 20, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 10, 30)).save(file, kind)
    return file.getvalue()


def test_a_picture_lies_under_the_digest_of_its_bytes(tmp_path: Path) -> None:
    stored = storage.put(tmp_path, png())
    assert stored == storage.put(tmp_path, png())
    assert stored.path == f"images/{stored.image_id[:2]}/{stored.image_id}.png"
    assert (stored.width, stored.height, stored.bytes) == (30, 20, len(png()))
    assert (tmp_path / stored.path).read_bytes() == png()
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_file_that_was_cut_off_is_written_again(tmp_path: Path) -> None:
    file = tmp_path / storage.put(tmp_path, png()).path
    file.write_bytes(png()[:60])
    storage.put(tmp_path, png())
    assert file.read_bytes() == png()


def avif_of_broken_colours() -> bytes:
    """An AVIF that says its colours are RGB, though it keeps fewer of them than pixels (third number of ``nclx``)."""
    content = bytearray(png(64, 64, "AVIF"))
    content[content.index(b"nclx") + 9] = 0
    return bytes(content)


def tiff_of_broken_offsets() -> bytes:
    """A TIFF that says where its pixels lie (tag 273) by a fraction (type 5) instead of a whole number."""
    content = png(64, 64, "TIFF")
    return content.replace(struct.pack("<HHI", 273, 4, 1), struct.pack("<HHI", 273, 5, 1))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no picture", id="text"),
        pytest.param(png()[:60], id="cut-png"),
        pytest.param(png(60, 60, "JPEG")[:-200], id="cut-jpeg"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg"),
        pytest.param(avif_of_broken_colours(), id="avif"),
        pytest.param(tiff_of_broken_offsets(), id="tiff"),
    ],
)
def test_what_does_not_decode_is_refused_and_not_stored(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(NotAnImage):
        storage.put(tmp_path, content)
    assert not list(tmp_path.iterdir())


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "MAX_PIXELS", 599)

    def decoded(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    with pytest.raises(NotAnImage, match="30×20 pixels, more than 599"):
        storage.measure(png())


def test_a_photo_is_turned_upright_only_when_asked(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (30, 20)).save(tmp_path / "turned.jpg", exif=exif)
    assert storage.read_rgb(tmp_path / "turned.jpg").shape == (20, 30, 3)
    assert storage.read_rgb(tmp_path / "turned.jpg", upright=True).shape == (30, 20, 3)


def test_a_crop_is_clipped_to_the_picture() -> None:
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    np.testing.assert_array_equal(crop(picture, (1.5, -3, 99, 2.1)), picture[0:3, 1:6])
    with pytest.raises(ValueError, match="a box inside a picture of 6×4 pixels"):
        crop(picture, (7, 0, 9, 2))
