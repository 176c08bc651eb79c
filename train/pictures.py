"""What a training has to know of its pictures' files before it begins: what does not decode, what is stored turned.

Boxes are in pixels of a picture as it is stored, and models see it upright, as its EXIF orientation says. Pictures that
another stage has seen are not opened for it: see :func:`fullshot.core.features.geometry_rows`.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fullshot.core import features
from fullshot.core.geometry import ImageGeometry


def turned(root: Path, paths: Iterable[str]) -> list[str]:
    """The pictures that are stored turned.

    Args:
        root: of the workspace.
        paths: relative to it.

    Returns:
        Paths, each once, sorted; a picture that cannot be read is not among them.
    """
    each = sorted(set(paths))
    is_turned = features.geometry_rows(root, each).array("orientation") > 1
    return [each[row] for row in np.flatnonzero(is_turned)]


def geometries(root: Path, paths: Iterable[str]) -> dict[str, ImageGeometry | None]:
    """Size and EXIF orientation of each picture, by its path; None where the picture does not decode whole.

    Args:
        root: of the workspace.
        paths: relative to it.
    """
    each = sorted(set(paths))
    rows = features.geometry_rows(root, each)
    columns = (rows.array(name).tolist() for name in ("width", "height", "orientation"))
    found = zip(each, rows.is_readable.tolist(), *columns, strict=True)
    return {path: ImageGeometry(*geometry) if is_readable else None for path, is_readable, *geometry in found}


def unreadable(root: Path, paths: Iterable[str]) -> list[str]:
    """The pictures that do not decode whole: paths, each once, sorted.

    Args:
        root: of the workspace.
        paths: relative to it.
    """
    each = sorted(set(paths))
    return [each[row] for row in np.flatnonzero(~features.geometry_rows(root, each).is_readable)]
