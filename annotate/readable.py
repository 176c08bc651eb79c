"""Pictures that cannot be read are not handed on: neither to annotators nor into a data set."""

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fullshot.core.engines import cores
from fullshot.core.pictures import read_or_none, read_reduced
from fullshot.core.progress import say_unreadable

_SIDE = 64
"""Longer side in pixels that a picture is decoded to: its bytes are all read, its pixels are not all made."""


def unreadable(stage: str, root: Path, paths: Sequence[str], *, may_be_missing: bool = False) -> set[str]:
    """The pictures whose files are missing, or do not decode to their end; says on stderr which they are.

    Args:
        stage: such as ``boxes export``.
        root: of the workspace.
        paths: relative to it.
        may_be_missing: a file that is not there is no mistake: the picture is read elsewhere.
    """
    # Threads suffice: the decoder lets go of the interpreter.
    with ThreadPoolExecutor(cores()) as pool:
        broken = list(pool.map(functools.partial(_is_broken, root, may_be_missing), paths))
    found = [path for path, is_broken in zip(paths, broken, strict=True) if is_broken]
    say_unreadable(stage, found)
    return set(found)


def _is_broken(root: Path, may_be_missing: bool, path: str) -> bool:
    file = root / path
    if may_be_missing and not file.is_file():
        return False
    return read_or_none(file, functools.partial(read_reduced, longest=_SIDE)) is None
