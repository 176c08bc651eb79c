"""Several detectors side by side, on the same splits."""

from collections.abc import Mapping, Sequence
from typing import Any


def side_by_side(
    runs: Sequence[Mapping[str, Any]], measured: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """A row a detector and split.

    Args:
        runs: the card of each, see :func:`fullshot.train.detector.evaluation.card.card`.
        measured: by its name, the figures of each split.

    Returns:
        ``run``, ``family``, ``model``, ``split``, ``pictures``, ``boxes``, ``map50``, ``map50_95``; ``map50_<label>``
        and ``map50_<size>`` of each that any run has boxes of, None where it has none itself; ``calibration_error``,
        ``best_score``, ``doubted_boxes``, ``megabytes`` of the weights, and ``seconds`` of training.
    """
    every = [figures for its in measured.values() for figures in its]
    parts = [
        (kind, name) for kind in ("classes", "by_size") for name in dict.fromkeys(n for f in every for n in f[kind])
    ]
    rows = []
    for about in runs:
        for figures in measured[about["run"]]:
            row = {name: about[name] for name in ("run", "family", "model")}
            row |= {name: figures[name] for name in ("split", "pictures", "boxes", "map50", "map50_95")}
            row |= {f"map50_{name}": figures[kind].get(name, {}).get("map50") for kind, name in parts}
            row |= {name: figures[name] for name in ("calibration_error", "best_score", "doubted_boxes")}
            rows.append({**row, "megabytes": about["megabytes"], "seconds": about["seconds"]})
    return rows
