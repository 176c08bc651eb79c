"""What a workspace keeps of its pictures and no command needs any more: found, and removed."""

import contextlib
import fnmatch
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from fullshot.core.features import shards
from fullshot.core.features.geometry import KIND, VERSION
from fullshot.core.features.keys import BOX_COLUMNS, joined_keys
from fullshot.core.features.store import FOLDER
from fullshot.core.workspace import Workspace

InUse = Mapping[str, Sequence[str] | None]
"""The versions of each kind that are in use, as patterns of :mod:`fnmatch`; None: it cannot be told, keep them all."""

UNFINISHED_SECONDS = 3600.0
"""A file that was begun longer ago, and is not finished, was left by a command that was killed."""


_BEGUN = re.compile(r"\..*\.part|\.spill-.*")
"""What is written before it is put in place, and where DuckDB puts what is too much for the memory."""


@dataclass(frozen=True)
class Waste:
    """Something that is not needed.

    Attributes:
        kind: of the features; ``unfinished`` of files that a killed command had begun.
        version: of what made them, or the file's path.
        why: for people.
        rows: how many features; 0 of a file.
        bytes: that the removal frees, about.
        remove: removes it.
    """

    kind: str
    version: str
    why: str
    rows: int
    bytes: int
    remove: Callable[[], None]


def collect_garbage(workspace: Workspace, in_use: Sequence[InUse], *, remove: bool) -> dict[str, Any]:
    """Tell, or remove, what no command needs of what is kept of the workspace's pictures.

    That is what detectors, embedders and pose estimators made that are not in use, rows of pictures that ``images``
    does not name, rows that were made again since, and, anywhere in the workspace, files that a killed command had
    begun.

    Args:
        workspace: with ``images``.
        in_use: what each stage needs. A kind that none of them names is another package's, and is left alone.
        remove: whether to remove it.

    Returns:
        ``rows``, ``megabytes``, ``removed`` (whether anything was), and each piece of ``waste``: ``kind``, ``version``,
        ``why``, ``rows`` and ``megabytes``.

    Raises:
        MissingInput: nothing was crawled or added yet.
        UserError: the workspace is in use.
    """
    with workspace.locked(), workspace.open({"images": ("image_id",)}) as data:
        images = data.arrow("SELECT DISTINCT image_id FROM images")["image_id"].cast(pyarrow.string()).combine_chunks()
        found = find_waste(workspace.root, _together([{KIND: [VERSION]}, *in_use]), images)
        if remove:
            for waste in found:
                waste.remove()
    pieces = [
        {"kind": one.kind, "version": one.version, "why": one.why, "rows": one.rows, "megabytes": _megabytes(one.bytes)}
        for one in found
    ]
    return {
        "rows": sum(one.rows for one in found),
        "megabytes": _megabytes(sum(one.bytes for one in found)),
        "removed": remove and bool(found),
        "waste": pieces,
    }


def find_waste(root: Path, in_use: InUse, images: pyarrow.Array) -> list[Waste]:
    """What is not needed of a workspace's features, and unfinished files anywhere in it.

    Args:
        root: of the workspace.
        in_use: what is needed.
        images: the ``image_id`` of every picture that there is.
    """
    found = []
    for folder in sorted(path for path in (root / FOLDER).glob("*/*") if path.is_dir()):
        kind, version = folder.parent.name, folder.name
        if kind not in in_use:
            continue
        patterns = in_use[kind]
        if patterns is not None and not any(fnmatch.fnmatchcase(version, pattern) for pattern in patterns):
            found.append(_of_version(folder))
        elif waste := _of_rows(folder, images):
            found.append(waste)
    return [*found, *_unfinished(root)]


def _together(in_use: Sequence[InUse]) -> InUse:
    kinds: dict[str, Sequence[str] | None] = {}
    for one in in_use:
        for kind, patterns in one.items():
            before = kinds.get(kind, ())
            kinds[kind] = None if patterns is None or before is None else [*before, *patterns]
    return kinds


def _megabytes(count: int) -> float:
    return round(count / 1e6, 2)


def _of_version(folder: Path) -> Waste:
    rows = size = 0
    for path in shards.listed(folder):
        with contextlib.suppress(shards.BrokenShard, FileNotFoundError), shards.opened(path) as file:
            rows += file.metadata.num_rows
        size += path.stat().st_size

    def remove() -> None:
        shutil.rmtree(folder)
        with contextlib.suppress(OSError):  # other versions lie beside it
            folder.parent.rmdir()

    return Waste(folder.parent.name, folder.name, "made by what is not in use", rows, size, remove)


def _of_rows(folder: Path, images: pyarrow.Array) -> Waste | None:
    """Rows of pictures that are gone, and of each key all rows but the newest."""
    names = ["image_id", *BOX_COLUMNS]
    paths, tables = [], []
    for path in shards.listed(folder):
        with contextlib.suppress(shards.BrokenShard, FileNotFoundError), shards.opened(path) as file:
            tables.append(file.read([name for name in names if name in file.schema_arrow.names]))
            paths.append(path)
    if not tables:
        return None
    together = pyarrow.concat_tables(tables)
    stays = _is_needed(together, images)
    ends = np.cumsum([table.num_rows for table in tables])
    parts = [(path, part) for path, part in zip(paths, np.split(stays, ends[:-1]), strict=True) if not part.all()]
    if not parts:
        return None

    def remove() -> None:
        for path, part in parts:
            shards.keep_rows(path, np.flatnonzero(part))

    size = sum(path.stat().st_size * float(1 - part.mean()) for path, part in parts)
    rows = int((~stays).sum())
    why = "of pictures that are gone, or that were read again since"
    return Waste(folder.parent.name, folder.name, why, rows, round(size), remove)


def _is_needed(rows: pyarrow.Table, images: pyarrow.Array) -> NDArray[np.bool_]:
    """Whether a row is the last of its key, of a picture that there is, shape (N,); the rows are in order of age.

    Some pictures' rows at a time: what tells millions of names apart takes several times the memory of the names.
    """
    needed = np.zeros(rows.num_rows, np.bool_)
    part_of_row, part_of_image = _parts(rows["image_id"]), _parts(images)
    for part in np.unique(part_of_row):
        mask = part_of_row == part
        some, there = rows.filter(pyarrow.array(mask)), images.filter(pyarrow.array(part_of_image == part))
        is_known = pyarrow.compute.is_in(some["image_id"], value_set=there).to_numpy()
        needed[mask] = is_known & _is_newest(some)
    return needed


def _parts(names: pyarrow.Array | pyarrow.ChunkedArray) -> NDArray[np.int8]:
    """A small number for each picture's name, by its last digit."""
    digits = pyarrow.compute.utf8_slice_codeunits(names, start=-1)
    numbers = pyarrow.compute.index_in(digits, value_set=pyarrow.array(list("0123456789abcdef"))).fill_null(-1)
    return np.asarray(numbers, np.int8)


def _is_newest(rows: pyarrow.Table) -> NDArray[np.bool_]:
    """Whether a row is the last of its key, shape (N,); the rows are in order of age."""
    codes = joined_keys(rows, boxed=BOX_COLUMNS[0] in rows.column_names).combine_chunks().dictionary_encode().indices
    newest = np.zeros(rows.num_rows, np.int64)
    newest[codes.to_numpy()] = np.arange(rows.num_rows)
    return np.asarray(newest[codes.to_numpy()] == np.arange(rows.num_rows))


def _unfinished(root: Path) -> Iterator[Waste]:
    before = time.time() - UNFINISHED_SECONDS
    for folder, folders, files in os.walk(root):
        begun = [name for name in [*folders, *files] if _BEGUN.fullmatch(name)]
        folders[:] = [name for name in folders if name not in begun]
        for name in begun:
            path = Path(folder, name)
            inside = [path, *path.rglob("*")]
            with contextlib.suppress(FileNotFoundError):  # it was finished meanwhile
                if max(one.stat().st_mtime for one in inside) < before:
                    size = sum(one.stat().st_size for one in inside if one.is_file())
                    where = path.relative_to(root).as_posix()
                    yield Waste(
                        "unfinished", where, "begun by a command that was killed", 0, size, partial(_delete, path)
                    )


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
