"""Files that are fetched from their makers' servers: whole or not at all, and given up soon where nobody answers."""

import http.client
import os
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fullshot.core.progress import Advance, bar, say

_ANSWER_SECONDS = 5.0
"""For a name to be resolved, a connection, redirections, and the beginning of an answer, all together."""

_SILENCE_SECONDS = 3.0
"""For each step of a connection, and for the next bytes of a file."""

_FILE_SECONDS = 1800.0
"""For a whole file: 130 MB in it are 75 kB/s; and for another process that fetches it."""

_LARGEST = 2 * 2**30
_CHUNK = 2**20
_MB = 1e6


class NotFetched(Exception):
    """A file was not fetched; the message says why in a few words."""


def fetch(address: str, place: Path, check: Callable[[Path], bool]) -> None:
    """Fetch a file, unless another process has done so meanwhile; how far it is can be seen on stderr.

    It is written beside its place, and moved there when it is whole. What a kill left there is overwritten by the next
    attempt, and so is a damaged file in its place.

    Args:
        address: http or https.
        place: where the file goes; its folder is made if need be.
        check: whether a file is what was asked for.

    Raises:
        NotFetched: no answer within some seconds, another file came, or only a part of it, or there is no place for it.
    """
    if not address.startswith(("https://", "http://")):
        raise NotFetched(f"expected an http or https address, got {address!r}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _locked(place):
            if not place.is_file() or not check(place):
                _fetch(address, place, check)
    except Timeout:
        raise NotFetched("another process has been fetching it for too long") from None
    except (OSError, http.client.HTTPException) as error:
        raise NotFetched(_words(error)) from None


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    lock = FileLock(f"{place}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"fullshot: another process fetches {place.name}: it is waited for")
        lock.acquire(timeout=_FILE_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _fetch(address: str, place: Path, check: Callable[[Path], bool]) -> None:
    part = place.with_name(f".{place.name}.part")
    try:
        with _answer(address) as answer, bar(f"fetching {place.name}", "MB") as advance:
            expected = answer.headers.get("Content-Length")
            size = _written(answer, part, int(expected or 0), advance)
        if expected is not None and size != int(expected):
            raise NotFetched(f"{size} of {expected} bytes came")
        if not check(part):
            raise NotFetched("what came holds no weights")
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _answer(address: str) -> Iterator[Any]:
    """The beginning of an answer.

    A name server's silence knows no time limit, so it is waited for beside this thread.
    """
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(address, timeout=_SILENCE_SECONDS))  # noqa: S310  # checked by the caller
        except (OSError, http.client.HTTPException, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=_ANSWER_SECONDS)
    except queue.Empty:
        raise NotFetched(f"no answer within {_ANSWER_SECONDS:.0f} s") from None
    if isinstance(answer, Exception):
        raise NotFetched(_words(answer))
    with answer:
        yield answer


def _written(answer: Any, part: Path, expected: int, advance: Advance) -> int:
    """Write what comes to the disk; returns how many bytes that were."""

    def tell() -> None:
        advance(round(size / _MB), round(expected / _MB))

    until, size = time.monotonic() + _FILE_SECONDS, 0
    tell()
    with part.open("wb") as file:
        while chunk := answer.read1(_CHUNK):
            size += file.write(chunk)
            tell()
            if size > _LARGEST or time.monotonic() > until:
                raise NotFetched(f"given up after {size} bytes")
        file.flush()
        os.fsync(file.fileno())
    return size


def _words(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason) or type(error).__name__
