"""What a training has to know of its pictures' files before it begins: what does not decode, what is stored turned.

Boxes are in pixels of a picture as it is stored, and models see it upright, as its EXIF orientation says.
"""

import functools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from fullshot.core.engines import cores
from fullshot.core.geometry import ImageGeometry
from fullshot.core.pictures import read_geometry, read_or_none, read_reduced

Result = TypeVar("Result")

_SIDE = 64
"""Longer side in pixels that a picture is decoded to: its bytes are all read, its pixels are not all made."""


def turned(root: Path, paths: Iterable[str]) -> list[str]:
    """The pictures that are stored turned; only the head of each file is read.

    Args:
        root: of the workspace.
        paths: relative to it.

    Returns:
        Paths, each once, sorted; a picture that cannot be read is not among them.
    """

    def is_turned(path: Path) -> bool:
        geometry = read_or_none(path, read_geometry)
        return geometry is not None and geometry.orientation != 1

    return [path for path, answer in _of_each(root, paths, is_turned) if answer]


def geometries(root: Path, paths: Iterable[str]) -> dict[str, ImageGeometry | None]:
    """Size and EXIF orientation of each picture, by its path; None where the picture does not decode whole.

    Args:
        root: of the workspace.
        paths: relative to it.
    """

    def decoded(path: Path) -> ImageGeometry | None:
        return None if _is_broken(path) else read_geometry(path)

    return dict(_of_each(root, paths, decoded))


def unreadable(root: Path, paths: Iterable[str]) -> list[str]:
    """The pictures that do not decode whole: paths, each once, sorted.

    Args:
        root: of the workspace.
        paths: relative to it.
    """
    return [path for path, is_broken in _of_each(root, paths, _is_broken) if is_broken]


def _is_broken(path: Path) -> bool:
    return read_or_none(path, functools.partial(read_reduced, longest=_SIDE)) is None


def _of_each(root: Path, paths: Iterable[str], ask: Callable[[Path], Result]) -> list[tuple[str, Result]]:
    each = sorted(set(paths))
    # Threads suffice: the decoder lets go of the interpreter.
    with ThreadPoolExecutor(cores()) as pool:
        return list(zip(each, pool.map(lambda path: ask(root / path), each), strict=True))
