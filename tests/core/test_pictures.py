"""Pictures: what is decoded, how, and what is refused."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from fullshot.core import image_store
from fullshot.core import pictures as storage
from fullshot.core.blobs import LocalBlobs
from fullshot.core.boxes import crop
from fullshot.core.geometry import ImageGeometry
from fullshot.core.pictures import NotAnImage, TooLarge


def png(width: int = 30, height: int = 20, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 10, 30)).save(file, kind)
    return file.getvalue()


def avif_of_broken_colours() -> bytes:
    """An AVIF that says its colours are RGB, though it keeps fewer of them than pixels (third number of ``nclx``)."""
    content = bytearray(png(64, 64, "AVIF"))
    content[content.index(b"nclx") + 9] = 0
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no picture", id="text"),
        pytest.param(png()[:60], id="cut-png"),
        pytest.param(png(60, 60, "JPEG")[:-200], id="cut-jpeg"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg"),
        pytest.param(avif_of_broken_colours(), id="avif"),
    ],
)
def test_what_does_not_decode_is_refused_and_not_stored(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(NotAnImage):
        image_store.put(LocalBlobs(tmp_path), content)
    assert not list(tmp_path.iterdir())


PSD = b"8BPS" + struct.pack(">H6xHIIHH4x4x4xH", 1, 3, 1, 1, 8, 3, 0) + bytes(3)


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "ICNS", "EPS", "PPM", "TGA", "PCX", "DDS", "PSD"])
def test_no_decoder_of_a_kind_that_shops_do_not_show_is_tried(kind: str) -> None:
    content = PSD if kind == "PSD" else png(64, 64, kind)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == kind
    with pytest.raises(NotAnImage, match=r"^no picture of a known kind$"):
        storage.measure(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"])
def test_the_kinds_that_shops_show_are_stored(tmp_path: Path, kind: str) -> None:
    stored = image_store.put(LocalBlobs(tmp_path), png(kind=kind))
    assert Path(stored.path).suffix == f".{kind.lower().replace('jpeg', 'jpg')}"
    assert storage.read_rgb(tmp_path / stored.path).shape == (20, 30, 3)


def test_a_cameras_jpeg_with_a_second_picture_is_a_jpeg(tmp_path: Path) -> None:
    file = io.BytesIO()
    first, second = Image.new("RGB", (30, 20), (200, 10, 30)), Image.new("RGB", (8, 8))
    first.save(file, "MPO", save_all=True, append_images=[second])
    stored = image_store.put(LocalBlobs(tmp_path), file.getvalue())
    assert (Path(stored.path).suffix, stored.width, stored.height) == (".jpg", 30, 20)


def png_of(width: int, height: int) -> bytes:
    """A black PNG, one bit a pixel, made without ever holding its pixels."""
    packer = zlib.compressobj()
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row * 100) for _ in range(height // 100)) + packer.flush()

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


# Of Pillow's own limits, the first warns from 90 million pixels on, and the second refuses from 179 million on.
@pytest.mark.parametrize("side", [8_000, 12_000, 50_000])
def test_a_picture_of_too_many_pixels_takes_no_memory_and_no_words(tmp_path: Path, side: int) -> None:
    file = tmp_path / "large.png"
    file.write_bytes(png_of(side, side))
    assert file.stat().st_size < 500_000
    code = """
import resource, sys
from pathlib import Path
from fullshot.core import image_store, pictures as storage
from fullshot.core.blobs import LocalBlobs
file, out = map(Path, sys.argv[1:])
content = file.read_bytes()
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for work in (
    lambda: image_store.put(LocalBlobs(out), content),
    lambda: storage.read_rgb(file),
    lambda: storage.read_geometry(file),
    lambda: storage.reencoded(content, "jpeg"),
):
    try:
        work()
    except storage.TooLarge as error:
        print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)
"""
    words = [sys.executable, "-W", "default", "-c", code, str(file), str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    *messages, grown = done.stdout.splitlines()
    assert len(messages) == 4
    assert all("more than 50,000,000" in message for message in messages)
    assert int(grown) < 30_000_000, "a byte a pixel would be 64 MB at least"
    assert done.stderr == ""
    assert not (tmp_path / "out").exists()


def test_the_least_picture_that_is_too_large_is_named_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "MAX_PIXELS", 600)
    assert storage.measure(png()) == (30, 20, ".png")
    monkeypatch.setattr(storage, "MAX_PIXELS", 599)
    with pytest.raises(TooLarge, match="30×20 pixels, more than 599"):
        storage.measure(png())


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_only_the_first_frame_of_an_animation_is_decoded(tmp_path: Path, kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    first, second = (Image.fromarray(frame) for frame in noise)
    file = io.BytesIO()
    first.save(file, kind, save_all=True, append_images=[second], lossless=True)
    whole = file.getvalue()
    broken = whole[:-3000] + b"\xff" * 2000 + whole[-1000:]  # within the second frame

    def second_frame() -> None:
        with Image.open(io.BytesIO(broken)) as picture:
            picture.seek(1)
            picture.load()

    with pytest.raises(OSError, match=r"frame|image file"):
        second_frame()
    stored = image_store.put(LocalBlobs(tmp_path), broken)
    assert (stored.width, stored.height) == (64, 64)
    shown = storage.read_rgb(tmp_path / stored.path)
    if kind != "GIF":  # which holds 256 colours only
        np.testing.assert_array_equal(shown, noise[0])


def described() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "secret")
    return info


@pytest.mark.parametrize("kind", ["jpeg", "webp", "png"])
def test_a_picture_that_is_re_encoded_keeps_its_pixels_and_nothing_else(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown a quarter turn clockwise: the left column becomes the top row
    exif[0x013B] = "secret"
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:, :16] = (220, 30, 40)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", exif=exif, pnginfo=described(), icc_profile=b"secret" * 30)
    content = storage.reencoded(file.getvalue(), kind)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == kind.upper()
        assert picture.size == (16, 32)
        assert picture.mode == "RGB"
        shown = np.asarray(picture).astype(int)
        assert not {"icc_profile", "exif", "Comment", "comment", "xmp"} & set(picture.info)
        assert not dict(picture.getexif())
    assert b"secret" not in content
    assert abs(shown[:12] - (220, 30, 40)).max() <= (0 if kind == "png" else 12)
    assert shown[20:].max() <= (0 if kind == "png" else 12)


@pytest.mark.parametrize(
    ("mode", "kind", "corner"),
    [
        ("RGBA", "jpeg", (255, 255, 255)),
        ("LA", "jpeg", (255, 255, 255)),
        ("P", "jpeg", (255, 255, 255)),
        ("RGBA", "png", (0, 0, 0, 0)),
        ("RGBA", "webp", (0, 0, 0, 0)),
    ],
)
def test_what_is_transparent_becomes_white_in_a_jpeg_only(mode: str, kind: str, corner: tuple[int, ...]) -> None:
    file = io.BytesIO()
    if mode == "P":
        Image.new("P", (20, 20), 0).save(file, "PNG", transparency=0)
    else:
        Image.new("RGBA", (20, 20), (0, 0, 0, 0)).convert(mode).save(file, "PNG")
    with Image.open(io.BytesIO(storage.reencoded(file.getvalue(), kind))) as picture:
        assert picture.getpixel((3, 3)) == corner


def test_quality_tells_on_the_size_and_the_same_bytes_come_out_each_time() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    for kind in ("jpeg", "webp"):
        sizes = [len(storage.reencoded(file.getvalue(), kind, quality)) for quality in (20, 60, 95)]
        assert sizes == sorted(set(sizes))
        assert storage.reencoded(file.getvalue(), kind) == storage.reencoded(file.getvalue(), kind, 90)


def test_what_cannot_be_re_encoded_is_said() -> None:
    with pytest.raises(NotAnImage):
        storage.reencoded(png()[:60], "jpeg")
    with pytest.raises(TooLarge, match="17000×1 pixels, a longer side than the 16,383 of a webp"):
        storage.reencoded(png(17_000, 1), "webp")
    assert storage.measure(storage.reencoded(png(17_000, 1), "jpeg")) == (17_000, 1, ".jpg")
    with pytest.raises(ValueError, match="expected one of jpeg, webp, png, got 'tiff'"):
        storage.reencoded(png(), "tiff")
    with pytest.raises(ValueError, match="expected a quality of 1 to 100, got 0"):
        storage.reencoded(png(), "jpeg", 0)


def test_a_file_that_is_not_there_is_another_matter_than_one_that_does_not_decode(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        storage.read_rgb(tmp_path / "none.jpg")
    (tmp_path / "cut.png").write_bytes(png()[:60])
    with pytest.raises(NotAnImage):
        storage.read_rgb(tmp_path / "cut.png")


def test_a_photo_is_turned_upright_only_when_asked(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (30, 20)).save(tmp_path / "turned.jpg", exif=exif)
    assert storage.read_rgb(tmp_path / "turned.jpg").shape == (20, 30, 3)
    assert storage.read_rgb(tmp_path / "turned.jpg", upright=True).shape == (30, 20, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_item_shot_saved_upright_and_one_saved_turned_give_the_same_pieces(tmp_path: Path, orientation: int) -> None:
    upright = np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)
    Image.fromarray(upright).save(tmp_path / "upright.png")
    # What turns it back is what a camera held so does; 6 and 8, a quarter turn, undo each other.
    undone = Image.Exif()
    undone[ExifTags.Base.Orientation] = {6: 8, 8: 6}.get(orientation, orientation)
    Image.fromarray(upright).save(tmp_path / "undone.png", exif=undone)
    stored = storage.read_rgb(tmp_path / "undone.png", upright=True)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(stored).save(tmp_path / "turned.png", exif=exif)

    garment = upright[10:30, 5:25]
    where = [
        (x, y, x + 20, y + 20)
        for y in range(stored.shape[0] - 19)
        for x in range(stored.shape[1] - 19)
        if sorted(stored[y : y + 20, x : x + 20, 0].ravel()) == sorted(garment[..., 0].ravel())
    ]
    assert len(where) == 1
    whole, piece = storage.read_crops(tmp_path / "turned.png", [None, where[0]])
    np.testing.assert_array_equal(whole, upright)
    np.testing.assert_array_equal(piece, garment)
    np.testing.assert_array_equal(storage.read_crops(tmp_path / "upright.png", [(5, 10, 25, 30)])[0], garment)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param(3, struct.pack("<HH", 9, 0), id="out-of-range"),
        pytest.param(2, b"6\0\0\0", id="a-text"),
        pytest.param(2, b"x\0\0\0", id="no-number"),
        pytest.param(7, b"\6\0\0\0", id="bytes"),
    ],
)
def test_an_orientation_that_there_is_not_turns_nothing(tmp_path: Path, kind: int, value: bytes) -> None:
    file = tmp_path / "a.jpg"
    count = 1 if kind == 3 else len(value.rstrip(b"\0")) + 1
    tag = struct.pack("<HHHI", 1, ExifTags.Base.Orientation, kind, count) + value
    Image.new("RGB", (20, 30)).save(file, exif=b"Exif\0\0II*\0" + struct.pack("<I", 8) + tag + bytes(4))
    assert storage.read_geometry(file) == ImageGeometry(20, 30, orientation=1)
    assert storage.read_crops(file, [None])[0].shape == (30, 20, 3)
    assert storage.read_rgb(file, upright=True).shape == (30, 20, 3)
    reduced = storage.read_reduced(file, longest=64)
    assert (reduced.pixels.shape, reduced.width, reduced.height) == ((30, 20, 3), 20, 30)


def test_a_crop_is_clipped_to_the_picture() -> None:
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    np.testing.assert_array_equal(crop(picture, (1.5, -3, 99, 2.1)), picture[0:3, 1:6])
    with pytest.raises(ValueError, match="a box inside a picture of 6×4 pixels"):
        crop(picture, (7, 0, 9, 2))
