"""Pictures that cannot be read are not handed on: neither to annotators nor into a data set."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fullshot.core.features import geometry_rows
from fullshot.core.progress import say_unreadable

_AT_ONCE = 200_000
"""Pictures that are looked up at a time: a million takes a GB."""


class Pictures(NamedTuple):
    """What is to be known of pictures' files.

    Attributes:
        unreadable: the paths of those that cannot be read.
        turned: by their path, the EXIF orientation of those that are stored turned.
    """

    unreadable: set[str]
    turned: dict[str, int]


def look_at(stage: str, root: Path, paths: Sequence[str], *, may_be_missing: bool = False) -> Pictures:
    """Which pictures' files are missing, or do not decode to their end, is said on stderr; and which are stored turned.

    A picture that another command has looked at is not opened.

    Args:
        stage: such as ``boxes export``.
        root: of the workspace.
        paths: relative to it.
        may_be_missing: a file that is not there is no mistake: the picture is read elsewhere.
    """
    asked = sorted({path for path in paths if not may_be_missing or (root / path).is_file()})
    broken: list[str] = []
    turned: dict[str, int] = {}
    for first in range(0, len(asked), _AT_ONCE):
        some = asked[first : first + _AT_ONCE]
        rows = geometry_rows(root, some)
        broken += [some[row] for row in np.flatnonzero(~rows.is_readable)]
        orientation = rows.array("orientation")
        turned |= {some[row]: int(orientation[row]) for row in np.flatnonzero(orientation > 1)}
    say_unreadable(stage, broken)
    return Pictures(set(broken), turned)
