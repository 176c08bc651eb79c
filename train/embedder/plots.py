"""The plot of a training: loss, triplets and recall over epochs."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fullshot.core.files import write_bytes


def plot(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw what every epoch measured, as a PNG.

    Args:
        history: an entry an epoch with ``epoch``, ``loss``, and ``recall@1``, ``recall@5`` (None: not measured); with
            ``triplets``, how many a batch were still to be learnt from on average, they are drawn, too.
        path: the file; written in one step.
    """
    epochs = [row["epoch"] for row in history]
    # A figure of its own, not pyplot's: it needs no display and is gone with this function.
    has_triplets = any(row.get("triplets") is not None for row in history)
    figure = Figure(figsize=(12 if has_triplets else 8, 3.2), layout="constrained")
    losses, *more, recalls = figure.subplots(1, 3 if has_triplets else 2)
    losses.plot(epochs, [row["loss"] for row in history], color="#444444")
    losses.set(title="weighted triplet loss (train)", xlabel="epoch")
    losses.set_ylim(bottom=0)
    for triplets in more:
        kept = [(row["epoch"], row["triplets"]) for row in history if row.get("triplets") is not None]
        triplets.plot(*zip(*kept, strict=True), color="#6a4c93")
        triplets.set(title="triplets kept, a batch (train)", xlabel="epoch")
        triplets.set_ylim(bottom=0)
    for name, colour in (("recall@1", "#d1495b"), ("recall@5", "#00798c")):
        measured = [(row["epoch"], row[name]) for row in history if row.get(name) is not None]
        if measured:
            recalls.plot(*zip(*measured, strict=True), color=colour, label=name)
            recalls.legend(loc="lower right")
    recalls.set(title="instance recall@k of worn garments (val)", xlabel="epoch", ylim=(0, 1.02))
    for axes in (losses, *more, recalls):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    write_bytes(path, content.getvalue())
