"""A workspace's pictures by content address: a picture's name is the sha256 of its bytes."""

import contextlib
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fullshot.core.errors import UserError
from fullshot.core.interfaces import BlobStore
from fullshot.core.pictures import measure, read_rgb


@dataclass(frozen=True)
class Stored:
    """A picture that is there: ``path`` is its name in the store, sizes are in pixels and bytes."""

    image_id: str
    path: str
    width: int
    height: int
    bytes: int


def image_id(content: bytes) -> str:
    """The sha256 of a picture's bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def put(blobs: BlobStore, content: bytes) -> Stored:
    """Store a picture under ``images/ab/abcd….jpg``; storing it again changes nothing.

    A blob of that name that does not hold these bytes is written again.

    Args:
        blobs: the workspace's.
        content: the picture's bytes.

    Raises:
        NotAnImage: see :func:`fullshot.core.pictures.measure`; nothing is written.
    """
    width, height, suffix = measure(content)
    identity = image_id(content)
    path = f"images/{identity[:2]}/{identity}{suffix}"
    if not holds(blobs, path, content):
        blobs.write(path, content)
    return Stored(identity, path, width, height, len(content))


def holds(blobs: BlobStore, path: str, content: bytes) -> bool:
    """Whether the blob of this name holds exactly these bytes."""
    return blobs.size(path) == len(content) and blobs.read(path) == content


def materialize(picture: Path, place: Path, *, link: bool, turned: bool) -> tuple[Path, bool]:
    """Put a workspace's picture into a data set, as it is stored.

    One whose EXIF asks to turn it is written anew, as PNG and without EXIF: readers disagree whether they turn it.

    Args:
        picture: its file.
        place: where it goes, without a suffix.
        link: as a link, where the system has them; relative, so that both may be moved together.
        turned: whether its EXIF asks to turn it.

    Returns:
        Its file there, and whether it was written anew.

    Raises:
        UserError: there is no such picture.
    """
    if not picture.is_file():
        raise UserError(f"no picture {picture}, which images.csv names: bring it back, or crawl again")
    place.parent.mkdir(parents=True, exist_ok=True)
    file = place.with_name(place.name + picture.suffix)
    if turned:
        file = place.with_name(place.name + ".png")  # nothing is lost a second time
        Image.fromarray(read_rgb(picture)).save(file)
        return file, True
    link_or_copy(picture, file, link=link)
    return file, False


def link_or_copy(picture: Path, file: Path, *, link: bool) -> None:
    """Put a picture into a data set, whatever it holds.

    Args:
        picture: its file.
        file: where it goes, in a folder that is there.
        link: as a link, where the system has them; relative, so that both may be moved together.
    """
    if link:
        with contextlib.suppress(OSError):
            file.symlink_to(os.path.relpath(picture.resolve(), file.parent.resolve()))
            return
    shutil.copyfile(picture, file)
