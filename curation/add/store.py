"""Read pictures and store them: in processes, whatever the files hold."""

import functools
import stat
from collections.abc import Sequence
from pathlib import Path

from fullshot.core import engines, image_store
from fullshot.core import pictures as storage
from fullshot.core.image_store import Stored
from fullshot.core.interfaces import BlobStore
from fullshot.core.progress import bar
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.add.entries import Entry, Failure

MAX_BYTES = 2**28
"""A file of more bytes is not read: no shop's picture has a tenth of it, and each process holds one file in memory."""

# What a process is handed at a time. So many pictures or fewer are read in this process: to start others takes as long
# as to store some hundred.
_SHARD = 256

Job = tuple[str, str, Stored | None]
"""A picture: where it lies, its address, and what was stored from there the last time."""


def store(
    workspace: Workspace, entries: Sequence[Entry], known: dict[str, Stored], settings: Settings
) -> dict[str, Stored | Failure]:
    """Store the pictures of a source.

    Args:
        workspace: where to.
        entries: the pictures; one that is named twice is read once.
        known: an address, and what was stored from there the last time: the same bytes are not decoded again.
        settings: the engine, and ``curate.processes``: how many it has at once.

    Returns:
        Each picture's address and what became of it.
    """
    files = {entry.uri: entry.file for entry in entries}
    jobs: list[Job] = [(str(file), uri, known.get(uri)) for uri, file in files.items()]
    parts = engines.shards(jobs, _SHARD)
    stored: dict[str, Stored | Failure] = {}
    with bar("add", "pictures") as advance:
        advance(0, len(jobs))
        failed = 0
        work = functools.partial(store_shard, blobs=workspace.blobs)
        for _, results in engines.map_shards(work, parts, settings.curate.processes, settings.engine.name):
            stored |= results
            failed += sum(isinstance(result, Failure) for result in results.values())
            advance(len(stored), len(jobs), f"{failed} failed" if failed else "")
    return stored


def store_shard(jobs: Sequence[Job], *, blobs: BlobStore) -> dict[str, Stored | Failure]:
    """Read and store some pictures; run by a process of :func:`store`."""
    return {uri: _store(blobs, file, uri, before) for file, uri, before in jobs}


def _store(blobs: BlobStore, file: str, uri: str, before: Stored | None) -> Stored | Failure:
    """A picture that was stored, or why it was not; what goes wrong with the workspace's own files is raised."""
    try:
        content = _content(Path(file))
        if before and _is_stored(blobs, before, content):
            return before
    except storage.NotAnImage as error:
        return Failure(uri, _class(error), str(error))
    except (FileNotFoundError, NotADirectoryError) as error:
        return Failure(uri, "missing", error.strerror or "no such file")
    except ValueError as error:  # no file can have such a name
        return Failure(uri, "missing", str(error))
    except OSError as error:
        return Failure(uri, "unreadable", error.strerror or type(error).__name__)
    try:
        return image_store.put(blobs, content)
    except storage.NotAnImage as error:
        return Failure(uri, _class(error), str(error))
    except MemoryError:
        return Failure(uri, "too-large", "more pixels than this machine has memory for")


def _is_stored(blobs: BlobStore, before: Stored, content: bytes) -> bool:
    return image_store.image_id(content) == before.image_id and image_store.holds(blobs, before.path, content)


def _class(error: storage.NotAnImage) -> str:
    return "too-large" if isinstance(error, storage.TooLarge) else "not-an-image"


def _content(file: Path) -> bytes:
    """The bytes of a file.

    Raises:
        OSError: it cannot be read.
        NotAnImage: it is none by its kind or its size.
    """
    status = file.stat()
    if stat.S_ISDIR(status.st_mode):
        raise storage.NotAnImage("a folder")
    if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for whoever writes to it
        raise storage.NotAnImage("a device or a pipe, not a file")
    if status.st_size > MAX_BYTES:
        raise storage.TooLarge(f"{status.st_size:,} bytes, more than {MAX_BYTES:,}")
    content = file.read_bytes()
    if not content:
        raise storage.NotAnImage("an empty file")
    return content
