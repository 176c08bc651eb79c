"""What a row of a feature store is known by: the picture, its box, and the state of the picture's file."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from fullshot.core.engines import cores

BOX_COLUMNS = ("x_min", "y_min", "x_max", "y_max")
STAMP_COLUMNS = ("file_bytes", "file_modified")
"""Size of the picture's file, and its modification time in nanoseconds, when the row was made."""

MISSING_FILE = (-1, -1)
"""The stamp of a file that is not there."""

NO_STAMP = -2
"""In place of the size of rows that have no stamp: version 0.1 wrote none."""

_AT_ONCE = 65_536


def key_schema(*, boxed: bool) -> pyarrow.Schema:
    """The columns that every shard begins with."""
    return pyarrow.schema(
        [
            ("image_id", pyarrow.string()),
            *((name, pyarrow.float64()) for name in (BOX_COLUMNS if boxed else ())),
            *((name, pyarrow.int64()) for name in STAMP_COLUMNS),
            ("unreadable", pyarrow.string()),  # what kind of it, where the picture cannot be read
            ("message", pyarrow.string()),
        ]
    )


def joined_keys(table: pyarrow.Table, *, boxed: bool) -> pyarrow.ChunkedArray:
    """One value a row that tells pictures, and their boxes, apart."""
    names = table["image_id"].cast(pyarrow.string())
    if not boxed:
        return names
    boxes = np.stack([table[name].cast(pyarrow.float64()).to_numpy() for name in BOX_COLUMNS], axis=1)
    boxes = np.where(np.isnan(boxes), np.nan, boxes) + 0.0  # one kind of NaN, and no -0.0
    chunks, start = [], 0
    for chunk in names.chunks:
        content = pyarrow.py_buffer(np.ascontiguousarray(boxes[start : start + len(chunk)]))
        corners = pyarrow.FixedSizeBinaryArray.from_buffers(pyarrow.binary(32), len(chunk), [None, content])
        parts = chunk.cast(pyarrow.binary()), corners.cast(pyarrow.binary())
        chunks.append(pyarrow.compute.binary_join_element_wise(*parts, b""))
        start += len(chunk)
    return pyarrow.chunked_array(chunks, pyarrow.binary())


def stamp_of(path: str) -> tuple[int, int]:
    """Size in bytes, and modification time in nanoseconds, of a file; :data:`MISSING_FILE` where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each of millions of files takes longer than the question
    except (OSError, ValueError):  # of a path with a zero byte, which a table may hold
        return MISSING_FILE
    return found.st_size, found.st_mtime_ns


def stamps(root: Path, paths: pyarrow.ChunkedArray) -> NDArray[np.int64]:
    """The stamps of files: shape (N, 2), int64, see :func:`stamp_of`.

    Args:
        root: of the workspace.
        paths: N, relative to it.
    """
    found = np.empty((len(paths), 2), np.int64)
    prefix = os.fspath(root) + os.sep
    for start in range(0, len(paths), _AT_ONCE):
        for row, path in enumerate(paths.slice(start, _AT_ONCE).to_pylist(), start):
            found[row] = stamp_of(prefix + path)
    return found


def hold_their_names(root: Path, names: pyarrow.ChunkedArray, paths: pyarrow.ChunkedArray) -> NDArray[np.bool_]:
    """Which files hold the bytes that the pictures' names are the sha256 of, shape (N,); none is decoded.

    Args:
        root: of the workspace.
        names: ``image_id`` of each picture.
        paths: of their files, relative to it.
    """

    def digest(path: str) -> str:
        try:
            with (root / path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return ""

    found = np.zeros(len(names), np.bool_)
    with ThreadPoolExecutor(cores()) as pool:  # hashing lets go of the interpreter
        for start in range(0, len(names), _AT_ONCE):
            digests = pool.map(digest, paths.slice(start, _AT_ONCE).to_pylist())
            asked = names.slice(start, _AT_ONCE).to_pylist()
            found[start : start + len(asked)] = [name == held for name, held in zip(asked, digests, strict=True)]
    return found
