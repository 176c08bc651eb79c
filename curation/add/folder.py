"""A folder of pictures, in classes or not."""

import os
from collections.abc import Iterator
from pathlib import Path

from fullshot.core.errors import UserError
from fullshot.curation.add.entries import Entry, Failure, Source
from fullshot.curation.add.values import absolute, file_uri, safe_name

SPLIT_NAMES = {"train", "val", "test"}
"""First levels that are a data set's splits, not classes."""

NO_PICTURES = {
    ".7z", ".avi", ".bib", ".bz2", ".cfg", ".conf", ".csv", ".db", ".doc", ".docx", ".gz", ".h5", ".hdf5", ".htm",
    ".html", ".ini", ".ipynb", ".json", ".jsonl", ".lock", ".log", ".mat", ".md", ".mkv", ".mov", ".mp3", ".mp4",
    ".names", ".ndjson", ".npy", ".npz", ".onnx", ".parquet", ".pdf", ".pickle", ".pkl", ".ppt", ".pptx", ".pt",
    ".pth", ".py", ".rar", ".rst", ".rtf", ".sh", ".sqlite", ".sqlite3", ".srt", ".tar", ".tfrecord", ".tgz",
    ".toml", ".tsv", ".txt", ".wav", ".webm", ".xls", ".xlsx", ".xml", ".xz", ".yaml", ".yml", ".zip",
}  # fmt: skip
"""Suffixes of files that lie beside pictures and are none; a file of any other suffix counts as a picture."""


def read_folder(folder: Path, workspace: Path) -> Source:
    """The pictures below a folder, in the order of their paths; hidden files and folders are left out.

    A picture in ``<class>/…`` is of the product type ``<class>``; in ``train``, ``val`` or ``test`` the class is the
    next level. A folder that is reached by several ways, as by links, is read once.

    Args:
        folder: it.
        workspace: its root, whose own pictures are left out.

    Raises:
        UserError: the folder is the workspace, or where it keeps its pictures.
    """
    here = absolute(folder)
    own = [one for one in (workspace, workspace / "images") if one.is_dir()]
    if any(here.samefile(one) for one in own):
        raise UserError(f"expected a folder of pictures to bring into {workspace}, got the workspace's own: {folder}")
    source = Source(file_uri(here))
    for file in _walk(here, {_key(one) for one in own}, source.failures):
        suffix = file.suffix.lower()
        if suffix in NO_PICTURES:
            source.passed_over[suffix] += 1
            continue
        inside = file.relative_to(here)
        identity = safe_name(inside.as_posix())
        source.entries.append(Entry(file, file_uri(file), identity, True, {}, _class(inside.parts[:-1])))
    source.entries.sort(key=lambda entry: os.fsencode(entry.file))
    return source


def _class(folders: tuple[str, ...]) -> str | None:
    if folders and folders[0].lower() in SPLIT_NAMES:
        folders = folders[1:]
    return folders[0] if folders else None


def _walk(top: Path, seen: set[tuple[int, int]], failures: list[Failure]) -> Iterator[Path]:
    """All files below a folder; links are followed last, so that what is below by itself is known by its own path."""
    waiting, links = [top], list[Path]()
    while waiting or links:
        folder = waiting.pop() if waiting else links.pop(0)
        try:
            key = _key(folder)
            if key in seen:
                continue
            seen.add(key)
            inside = sorted(folder.iterdir(), key=os.fsencode)
        except OSError as error:
            if folder == top:
                raise
            failures.append(Failure(file_uri(folder), "unreadable", f"the folder: {error.strerror}"))
            continue
        for path in inside:
            if path.name.startswith("."):
                continue
            if not _is_folder(path):
                yield path
            elif path.is_symlink():
                links.append(path)
            else:
                waiting.append(path)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # its folder may not be read
        return False


def _key(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
