"""A run's figure on the split val, and whether that of another run can be compared with it.

``metrics.json`` holds the figure under ``validation``: its name, its value, and a digest of the rows that it was
measured on. Figures of other names or rows say nothing of each other; runs of before have none.
"""

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

ENTRY = "validation"
"""Of a ``metrics.json``."""

TOLERANCE = 0.005
"""What a figure may be lower by and is not called worse: another order of the same batches moves it by as much."""

_AT_ONCE = 50_000
"""Rows that are Python objects at a time."""


class Verdict(enum.Enum):
    """What a new run's figure is, beside that of the run in use."""

    AS_GOOD = enum.auto()
    WORSE = enum.auto()
    NOT_COMPARABLE = enum.auto()


@dataclass(frozen=True)
class Validation:
    """A figure on the split val.

    Attributes:
        figure: its name, such as ``mAP@0.5``.
        value: in [0, 1]; more is better.
        rows: the digest of what it was measured on, see :func:`digest_of_rows`.
    """

    figure: str
    value: float
    rows: str

    def __str__(self) -> str:
        return f"{self.figure} {self.value:.4f}"


def entry(figure: str, value: float | None, rows: str) -> dict[str, Any]:
    """What ``metrics.json`` holds besides; nothing where nothing was measured.

    Args:
        figure: see :class:`Validation`.
        value: None: there was nothing to validate on.
        rows: see :func:`digest_of_rows`.
    """
    return {} if value is None else {ENTRY: asdict(Validation(figure, value, rows))}


def of_metrics(metrics: Mapping[str, Any]) -> Validation | None:
    """The figure of a run; None where it has none: nothing to validate on, or a version that did not write it.

    Args:
        metrics: the content of its ``metrics.json``.
    """
    held = metrics.get(ENTRY)
    try:
        return Validation(str(held["figure"]), float(held["value"]), str(held["rows"])) if held else None
    except (KeyError, TypeError, ValueError):  # the file was edited
        return None


def compare(new: Validation | None, old: Validation | None) -> Verdict:
    """What a new run's figure is, beside that of the run in use."""
    if new is None or old is None or (new.figure, new.rows) != (old.figure, old.rows):
        return Verdict.NOT_COMPARABLE
    # Figures are rounded: a difference of exactly the tolerance must not hang on how a binary fraction ends.
    return Verdict.WORSE if round(old.value - new.value, 6) > TOLERANCE else Verdict.AS_GOOD


def digest_of_rows(**tables: "pd.DataFrame") -> str:
    """What tells the rows of a validation from others; their order does not matter.

    Args:
        **tables: by name, such as ``queries`` and ``gallery``; all columns count.

    Returns:
        16 hexadecimal digits.
    """
    told = {name: [list(map(str, table.columns)), len(table), _sum(table)] for name, table in tables.items()}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _sum(table: "pd.DataFrame") -> str:
    """The sum of the rows' digests: so they need not be sorted, nor be objects all at once."""
    total = 0
    for start in range(0, len(table), _AT_ONCE):
        part = table.iloc[start : start + _AT_ONCE].astype(object)
        for row in part.where(part.notna(), None).itertuples(index=False, name=None):
            line = "\x1f".join("\x1e" if cell is None else str(cell) for cell in row)
            total += int.from_bytes(hashlib.md5(line.encode(), usedforsecurity=False).digest())
    return f"{total % 2**128:032x}"
