"""How work is cut up, and how much of it can be done at once."""

import os
from collections.abc import Sequence
from typing import TypeVar

Row = TypeVar("Row")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shards(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    """Cut rows into runs of at most ``size``, in order."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
