"""Pictures by content address."""

import io
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from fullshot.core import image_store
from fullshot.core.blobs import LocalBlobs
from fullshot.core.errors import UserError
from fullshot.core.workspace import Workspace


def png(width: int = 30, height: int = 20) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 10, 30)).save(file, "PNG")
    return file.getvalue()


def test_a_picture_lies_under_the_digest_of_its_bytes(tmp_path: Path) -> None:
    blobs = Workspace(tmp_path).blobs
    stored = image_store.put(blobs, png())
    assert stored == image_store.put(blobs, png())
    assert stored.path == f"images/{stored.image_id[:2]}/{stored.image_id}.png"
    assert (stored.width, stored.height, stored.bytes) == (30, 20, len(png()))
    assert (tmp_path / stored.path).read_bytes() == png()
    assert list(blobs.names()) == [stored.path]


@pytest.mark.parametrize("damaged", [png()[:60], b"x" * len(png())])
def test_a_blob_that_holds_other_bytes_is_written_again(tmp_path: Path, damaged: bytes) -> None:
    blobs = LocalBlobs(tmp_path)
    path = image_store.put(blobs, png()).path
    blobs.write(path, damaged)
    assert not image_store.holds(blobs, path, png())
    image_store.put(blobs, png())
    assert image_store.holds(blobs, path, png())


def test_a_picture_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / image_store.put(LocalBlobs(tmp_path), png()).path
    written = file.stat().st_ino
    image_store.put(LocalBlobs(tmp_path), png())
    assert file.stat().st_ino == written


@pytest.mark.parametrize("link", [True, False])
def test_a_picture_is_laid_into_a_data_set_as_it_is_stored(tmp_path: Path, link: bool) -> None:
    picture = tmp_path / "ws" / image_store.put(LocalBlobs(tmp_path / "ws"), png()).path
    file, written_anew = image_store.materialize(picture, tmp_path / "set" / "train" / "1", link=link, turned=False)
    assert (file, written_anew) == (tmp_path / "set" / "train" / "1.png", False)
    assert (file.is_symlink(), file.read_bytes()) == (link, png())
    if link:
        assert not file.readlink().is_absolute()


def test_a_turned_picture_is_laid_into_a_data_set_without_its_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (30, 20)).save(tmp_path / "turned.jpg", exif=exif)
    file, written_anew = image_store.materialize(
        tmp_path / "turned.jpg", tmp_path / "set" / "1", link=True, turned=True
    )
    assert (file.name, written_anew) == ("1.png", True)
    with Image.open(file) as laid:
        assert (laid.size, dict(laid.getexif())) == ((30, 20), {})


def test_a_picture_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no picture .*none\.jpg, which images\.csv names: bring it back"):
        image_store.materialize(tmp_path / "none.jpg", tmp_path / "set" / "1", link=True, turned=False)
