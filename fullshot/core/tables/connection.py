"""DuckDB in this process: joins, filters and checks run in it, within a limit of memory, and spill beyond it."""

import contextlib
import functools
import hashlib
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from fullshot.core.errors import StageFailed

MEMORY = "768MiB"
"""What DuckDB takes before it spills to disk: with the interpreter, the libraries and a stage's own arrays beside it,
a command over four million rows stays within 2 GiB."""


_OF_DAMAGED_FILES = ("Failed to read file", "found in Parquet", "to be a Parquet file", "No magic bytes")


@functools.cache
def _shared() -> duckdb.DuckDBPyConnection:
    """One for this process: to open one takes as long as to read a small table."""
    return opened(Path(tempfile.gettempdir()) / f"fullshot-spill-{os.getpid()}")


@contextlib.contextmanager
def connect() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for one table; what is registered with it is its own.

    Raises:
        StageFailed: there is no more memory, or no more room on the disk.
    """
    with saying_what_failed(), _shared().cursor() as connection:
        yield connection


def spill_folder(root: Path) -> Path:
    """A folder of its own for what does not fit into memory; made when it is needed."""
    where = root if os.access(root, os.W_OK) else Path(tempfile.gettempdir())
    # Not within another new folder: DuckDB makes one, and none above it.
    return where / f".spill-{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"


def remove_left_spills(root: Path) -> None:
    """Remove what killed commands of this machine have spilled into a workspace; those of others cannot be judged."""
    for folder in root.glob(f".spill-{_machine()}-*"):
        process = folder.name.split("-")[2]
        if process.isdecimal() and not _is_alive(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def _machine() -> str:
    """A short name of where numbers of processes mean the same: a machine or, on Linux, a container of one."""
    try:
        numbers = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        numbers = ""
    return hashlib.sha256(f"{socket.gethostname()} {numbers}".encode()).hexdigest()[:8]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def opened(spill: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own, in memory.

    Args:
        spill: the folder for what does not fit into memory.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": MEMORY,
            "temp_directory": str(spill),
            # What a query is done with goes back to the system: without it, up to all of the limit stays with the
            # process, beside the arrays of the steps that follow.
            "allocator_background_threads": "true",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    # DuckDB guesses how many rows a condition leaves. Where it guesses a hundredth of what there is, it keeps the
    # longer side of a join in memory, and comes to its limit. Who writes a query knows which side that is.
    connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    return connection


@contextlib.contextmanager
def saying_what_failed() -> Iterator[None]:
    """Say in one line what the system refused DuckDB.

    Raises:
        StageFailed: there is no more memory, the disk refused something, or what is read is damaged.
        KeyboardInterrupt: somebody pressed Ctrl-C; DuckDB makes other errors of that.
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise
    except duckdb.OutOfMemoryException as error:
        raise StageFailed(f"not enough memory for a table: {_first_line(error)}") from None
    except (duckdb.IOException, duckdb.SerializationException) as error:
        raise StageFailed(_first_line(error)) from None
    except duckdb.Error as error:
        # Of rows that Python makes while DuckDB asks for them, the trace is in the message.
        said, _, trace = str(error).partition(" Detail: Python exception: ")
        if trace.rstrip().endswith("KeyboardInterrupt"):
            raise KeyboardInterrupt from None
        if "\nsqlite3." in trace:
            raise StageFailed(_first_line(said)) from None
        # What the Parquet reader finds damaged has no class of its own, or that of other bad input.
        if type(error) is not duckdb.Error and not any(words in str(error) for words in _OF_DAMAGED_FILES):
            raise
        raise StageFailed(f"a file of a table is damaged, delete it and run this again: {_first_line(error)}") from None


def _first_line(error: object) -> str:
    return str(error).partition("\n")[0]
