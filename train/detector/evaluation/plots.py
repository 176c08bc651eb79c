"""The plots of an evaluation, as addresses that hold their SVG: of the same figures, the same bytes."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart by the colour-blind, and a way of drawing a line each, for print in grey.
_LINES = (("#0072b2", "-"), ("#e69f00", "--"), ("#009e73", "-."), ("#cc79a7", ":"), ("#56b4e9", "-"), ("#d55e00", "--"))
_SOFT = "#565c64"

_STYLE: Any = {  # its type is the list of all settings there are
    "svg.fonttype": "none",  # words stay words
    "svg.hashsalt": "fullshot",
    "font.size": 10,
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "DejaVu Sans"],
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _SOFT,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
}


def precision_recall(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Precision at each recall, a line a label.

    Args:
        curves: see :meth:`fullshot.train.detector.metrics.Precisions.curves`.
    """

    def draw(axes: "Axes") -> None:
        for (label, curve), (colour, line) in zip(curves.items(), _LINES * len(curves), strict=False):
            precision = curve["precision"]
            recalls = np.linspace(0, 1, len(precision))
            axes.plot(recalls, precision, line, color=colour, label=f"{label} {np.mean(precision):.3f}")
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.02))
        axes.legend(title="AP@0.5", loc="lower left", frameon=False)

    return _drawn(draw)


def reliability(bins: Sequence[Mapping[str, Any]]) -> str:
    """The share of right boxes by score; a detector that is as sure as it is right lies on the broken line.

    Args:
        bins: see :func:`fullshot.train.detector.evaluation.calibration.calibration`.
    """

    def draw(axes: "Axes") -> None:
        left, width = [row["from"] for row in bins], [row["to"] - row["from"] for row in bins]
        axes.bar(left, [row["precision"] for row in bins], width, align="edge", color="#0072b2", alpha=0.35)
        axes.plot([0, 1], [0, 1], "--", color="#8b9199", linewidth=1)
        axes.plot([row["score"] for row in bins], [row["precision"] for row in bins], "o", color="#0072b2")
        for row in bins:
            is_low = row["precision"] < 0.12
            place = (row["from"] + row["to"]) / 2, row["precision"] + 0.02 if is_low else 0.02
            axes.text(*place, f"{row['boxes']:,}", ha="center", va="bottom", fontsize=8, color="#1a1c1f")
        axes.set(xlabel="score", ylabel="share of boxes that are right", xlim=(0, 1), ylim=(0, 1.02))

    return _drawn(draw)


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """What boxes are, a row each, and what they are found as; a cell is as dark as its share of the row.

    Args:
        labels: K.
        counts: see :func:`fullshot.train.detector.evaluation.confusion.confusion`.
    """

    def draw(axes: "Axes") -> None:
        cells = np.array(counts, float)
        shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1.15, edgecolors="#ffffff", linewidth=1)
        for row, column in np.ndindex(*cells.shape):
            if cells[row, column]:
                colour = "#ffffff" if shares[row, column] > 0.6 else "#1a1c1f"
                axes.text(column + 0.5, row + 0.5, f"{cells[row, column]:,.0f}", ha="center", va="center", color=colour)
        ticks = np.arange(len(cells)) + 0.5
        axes.set_xticks(ticks, [*labels, "not found"])
        axes.set_yticks(ticks, [*labels, "nothing"])
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.set(xlabel="is found as", ylabel="is")

    return _drawn(draw, grid=False)


def _drawn(draw: "Callable[[Axes], None]", *, grid: bool = True) -> str:
    with mpl.rc_context(_STYLE):
        # A figure of its own, not pyplot's: it needs no display, and a thread may draw it.
        figure = Figure(figsize=(5.2, 3.9), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        if grid:
            axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        content = io.BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"
