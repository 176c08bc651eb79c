"""Files in one step: a reader sees the old file or the new one, never a part."""

import contextlib
import hashlib
import json
import math
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SAMPLES = 64
_SAMPLE = 16_384
"""Bytes of a block: so many at so many places are read in some milliseconds from any disk."""


def write_text(path: Path, text: str) -> None:
    """Write a file in one step, on the disk when this returns."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file in one step, on the disk when this returns; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:  # on a full disk it would stand in the way of the next attempt
        unfinished.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of another when all of it is there.

    Args:
        folder: what is to be there in the end; what is there now stays until then, and where this fails.
    """
    bring_back(folder)
    unfinished, before = folder.with_name(f".{folder.name}.part"), _before(folder)
    shutil.rmtree(unfinished, ignore_errors=True)  # of one that was killed
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        shutil.rmtree(before, ignore_errors=True)
        if folder.exists():
            folder.rename(before)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        bring_back(folder)
    shutil.rmtree(before, ignore_errors=True)


def bring_back(folder: Path) -> None:
    """Bring back what :func:`replaced_folder` had set aside when it was killed before the new one was in place."""
    if _before(folder).exists() and not folder.exists():
        _before(folder).rename(folder)


def _before(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.before")


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal; empty where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sample_digest(path: Path) -> str:
    """The sha256 of a file's size and of :data:`_SAMPLES` blocks of it, in hexadecimal; empty where there is none.

    It takes as long for a file of any size. A file of up to 1 MiB counts whole; in a larger one a change of a few bytes
    may lie between the blocks, but no file that was cut short, mixed up with another, or lost a 64th of itself passes.
    """
    if not path.is_file():
        return ""
    size = path.stat().st_size
    state = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for block in range(min(_SAMPLES, math.ceil(size / _SAMPLE))):
            file.seek(block * _SAMPLE if size <= _SAMPLES * _SAMPLE else (size - _SAMPLE) * block // (_SAMPLES - 1))
            state.update(file.read(_SAMPLE))
    return state.hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object that a file holds; empty where there is no file, or it holds no whole object."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
