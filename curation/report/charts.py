"""Bars, stacked bars and a scatter as data: what is drawn, and the numbers that stand beside it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.curation.report.swatches import swatch

MOST_BARS = 12
"""So many rows are read at a glance; the rest is folded."""
MOST_FOLDED = 200
"""A shop may have a thousand words for a colour; the rest is told as one number."""

SIDE = 420.0
"""Of a scatter's square, in units of its SVG."""
_MOST_CELLS = 48  # a side of the scatter in cells: a dot of a cell is then still seen
_SMALLEST, _LARGEST = 2.5, 11.0  # radius of a dot
_TICKS = 5
_NICE = (1, 2, 2.5, 5, 10)

Row = TypeVar("Row")


@dataclass(frozen=True)
class Bar:
    """One row of bars: a count, its share of the whole, its length in percent of the longest bar."""

    name: str
    count: int
    share: float
    length: float
    swatch: str = ""


@dataclass(frozen=True)
class Bars:
    """A table of bars.

    Args:
        caption: what it shows.
        of: what the rows are, such as ``Shop``.
        unit: what is counted, such as ``pictures``.
        rows: the longest first, or in a given order.
        folded: the rows after them.
        beyond: how many rows are not even folded.
    """

    caption: str
    of: str
    unit: str
    rows: tuple[Bar, ...]
    folded: tuple[Bar, ...] = ()
    beyond: int = 0


@dataclass(frozen=True)
class Stack:
    """One row of stacked bars: a count a part, and each part's length in percent of the widest bar there may be."""

    name: str
    also: str
    counts: tuple[int, ...]
    lengths: tuple[float, ...]

    @property
    def total(self) -> int:
        """All of its parts."""
        return sum(self.counts)

    def share(self, part: int) -> float | None:
        """A part's share of the row; None of an empty one."""
        return self.counts[part] / self.total if self.total else None


@dataclass(frozen=True)
class Stacks:
    """A table of stacked bars.

    Args:
        caption: what it shows.
        of: what the rows are.
        also: what a second word of a row is, such as its wear; empty: there is none.
        parts: what the bars are made of.
        rows: as for :class:`Bars`.
        folded: as for :class:`Bars`.
        beyond: as for :class:`Bars`.
        shares: whether each part's share of the row is told beside its count.
    """

    caption: str
    of: str
    also: str
    parts: tuple[str, ...]
    rows: tuple[Stack, ...]
    folded: tuple[Stack, ...] = ()
    beyond: int = 0
    shares: bool = False


@dataclass(frozen=True)
class Dot:
    """A circle of a scatter, in its SVG's units, and what it says."""

    x: float
    y: float
    radius: float
    words: str


@dataclass(frozen=True)
class Scatter:
    """Widths against heights; ticks are (place in SVG's units, words)."""

    side: float
    dots: tuple[Dot, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


def bars(
    counts: Mapping[str, int], caption: str, of: str, unit: str = "pictures", *, order: Sequence[str] = ()
) -> Bars:
    """Bars of counts, without rows of zero.

    Args:
        counts: by name.
        caption: what they show.
        of: what the names are.
        unit: what is counted.
        order: the rows' order, of all names there may be; empty: the largest first, then by name.
    """
    named = sorted(((name, count) for name, count in counts.items() if count), key=lambda row: (-row[1], row))
    if order:
        named.sort(key=lambda row: order.index(row[0]))
    total, longest = sum(count for _, count in named), max((count for _, count in named), default=0)
    rows = [Bar(name, count, count / total, 100 * count / longest, swatch(name)) for name, count in named]
    first, folded, beyond = _folded(rows, fold=not order)
    return Bars(caption, of, unit, first, folded, beyond)


def stacks(
    counts: pd.DataFrame,
    caption: str,
    of: str,
    *,
    also: tuple[str, Mapping[str, str]] = ("", {}),
    whole: bool = False,
    in_order: bool = False,
    by_root: bool = False,
) -> Stacks:
    """Stacked bars.

    Args:
        counts: a row a bar, a column a part.
        caption: what they show.
        of: what the rows are.
        also: the heading of a second word for a row, and the words by row.
        whole: each bar is as wide as the table, so that shares are compared; otherwise its length is its count.
        in_order: rows stay in their order; otherwise the largest comes first.
        by_root: a bar's length is the square root of its count, so that one that is very long hides no other.
    """
    named = [
        (str(name), tuple(int(count) for count in row))
        for name, row in zip(counts.index, counts.to_numpy(), strict=True)
    ]
    if not in_order:
        named.sort(key=lambda row: (-sum(row[1]), row[0]))
    longest = max((sum(row) for _, row in named), default=0)
    rows = []
    for name, row in named:
        total = sum(row) or 1
        length = 1.0 if whole else total / (longest or 1)
        width = total / (math.sqrt(length) if by_root else length)
        rows.append(Stack(name, also[1].get(name, ""), row, tuple(100 * count / width for count in row)))
    first, folded, beyond = _folded(rows, fold=not in_order)
    parts = tuple(str(part) for part in counts.columns)
    return Stacks(caption, of, also[0], parts, first, folded, beyond, shares=whole)


def scatter(widths: NDArray[np.float64], heights: NDArray[np.float64]) -> Scatter | None:
    """Widths against heights, sizes that are nearly the same in one dot, whose area grows with their number.

    Args:
        widths: in pixels, shape (n,).
        heights: likewise.

    Returns:
        None where there is no picture.
    """
    if not len(widths):
        return None
    # Half a per cent of very large pictures would squeeze all others into a corner: they are drawn at the edge.
    reach = float(np.ceil(max(np.quantile(widths, 0.995), np.quantile(heights, 0.995), 1)))
    step = _step(reach)
    end = step * int(np.ceil(reach / step))
    cell = end / _MOST_CELLS
    frame = pd.DataFrame({"width": widths, "height": heights}, copy=False)
    frame["column"], frame["row"] = (frame[side].clip(upper=end) // cell for side in ("width", "height"))
    groups = frame.groupby(["column", "row"])
    cells = groups.agg(count=("width", "size"), width=("width", "median"), height=("height", "median"))
    largest = float(cells["count"].max())
    dots = []
    for count, width, height in cells.sort_values("count", ascending=False).to_numpy(dtype=float):
        x, y = (min(value, end) / end * SIDE for value in (width, height))
        radius = max(_SMALLEST, _LARGEST * float(np.sqrt(count / largest)))
        words = f"about {width:,.0f} × {height:,.0f} pixels: {count:,.0f}"
        dots.append(Dot(round(x, 1), round(SIDE - y, 1), round(radius, 1), words))
    marks = [step * number for number in range(round(end / step) + 1)]
    x_ticks = tuple((round(mark / end * SIDE, 1), f"{mark:,.0f}") for mark in marks)
    y_ticks = tuple((round(SIDE - mark / end * SIDE, 1), f"{mark:,.0f}") for mark in marks)
    return Scatter(SIDE, tuple(dots), x_ticks, y_ticks)


def _step(reach: float) -> float:
    """A round distance between ticks, of which about :data:`_TICKS` reach as far."""
    power = 10 ** np.floor(np.log10(reach / _TICKS))
    return float(max(1.0, next(nice * power for nice in _NICE if nice * power >= reach / _TICKS)))


def _folded(rows: list[Row], *, fold: bool) -> tuple[tuple[Row, ...], tuple[Row, ...], int]:
    """The rows that are shown, those that are folded, and how many are neither."""
    # One row that is folded takes as much room as one that is shown.
    most = MOST_BARS if fold and len(rows) > MOST_BARS + 1 else len(rows)
    most = min(most, MOST_FOLDED)
    return tuple(rows[:most]), tuple(rows[most : most + MOST_FOLDED]), max(0, len(rows) - most - MOST_FOLDED)
