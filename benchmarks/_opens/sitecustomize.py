"""Notes every picture's file that a process opens to read; Python imports this by itself from a folder on its path.

A line an open: the command, the picture's image_id, and how much of it was decoded.
"""

import os
import re
import sys
from typing import Any

LOG = "FULLSHOT_BENCHMARK_OPENS"
COMMAND = "FULLSHOT_BENCHMARK_COMMAND"

_NAMED = re.compile(r"[0-9a-f]{64}\.(?!txt$)[a-z]+$")
# In the workspace's own folder, or a link to it: exports and their labels (``.txt``) have a picture's name too.
_PICTURE = re.compile(r"images/[0-9a-f]{2}/([0-9a-f]{64})\.[a-z]+$")
_NO_READER = re.compile(r"site-packages/(PIL|numpy|typer|click|joblib)/")
"""Libraries that decode for fullshot, or call it."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_ON_THE_WAY = 60
"""Frames of the stack that are looked at for who reads."""


def _size() -> str:
    """How much is decoded: a header, the whole picture, or so many pixels; of other libraries, who reads."""
    frame = sys._getframe(2)
    other = ""
    for _ in range(_ON_THE_WAY):
        name, file = frame.f_code.co_name, frame.f_code.co_filename
        if name == "read_geometry":
            return "header"
        if name == "read_reduced":
            return f"{frame.f_locals.get('longest')} px"
        if name in ("read_rgb", "read_crops"):
            return "whole"
        if not other and "site-packages" in file and not _NO_READER.search(file):
            other = f"{file.partition('site-packages/')[2].partition('/')[0]} {name}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return other or "bytes"


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not isinstance(arguments[0], (str, bytes)):
        return
    path = os.fsdecode(arguments[0])
    found = _PICTURE.search(os.path.realpath(path)) if _NAMED.search(path) else None
    if not found or (arguments[2] or 0) & _WRITES or set(arguments[1] or "r") & set("wax+"):
        return
    line = f"{os.environ.get(COMMAND, '')}\t{found[1]}\t{_size()}\n".encode()
    # A file a process: no two write into one, whoever was forked from whom.
    file = os.open(f"{os.environ[LOG]}/{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, line)
    os.close(file)


def _name_the_command() -> None:
    """Processes that a command starts do not have its words: they find them in the environment."""
    words = sys.orig_argv
    if "fullshot" in words[:5]:
        after = words[words.index("fullshot") + 1 :]
        grouped = after[0] in ("train", "evaluate", "export", "index", "annotate", "boxes") if after else False
        # `curate --check` changes nothing: it is another command.
        check = ["--check"] if "--check" in after else []
        os.environ[COMMAND] = " ".join(after[: 2 if grouped else 1] + check)


if LOG in os.environ:
    _name_the_command()
    sys.addaudithook(_listen)
