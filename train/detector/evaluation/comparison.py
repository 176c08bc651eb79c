"""Several detectors side by side, on the same splits."""

from collections.abc import Mapping, Sequence
from typing import Any

from fullshot.train.detector.evaluation.card import BEGAN, ELSEWHERE


def side_by_side(names: Sequence[str], measured: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """A row a detector and split.

    Args:
        names: what tells the detectors apart.
        measured: of each detector, the figures of each split, with its card as ``about``; see
            :func:`fullshot.train.detector.evaluation.card.card`.

    Returns:
        ``run``, ``family``, ``model``, ``split``, ``pictures``, ``boxes``, ``map50``, ``map50_95``; ``map50_<label>``
        and ``map50_<size>`` of each that any run has boxes of, None where it has none itself; ``calibration_error``,
        ``best_score``, ``doubted_boxes``, ``megabytes`` of the weights, and ``seconds`` of training.
    """
    every = [figures for its in measured for figures in its]
    parts = [
        (kind, name) for kind in ("classes", "by_size") for name in dict.fromkeys(n for f in every for n in f[kind])
    ]
    rows = []
    for called, its in zip(names, measured, strict=True):
        for figures in its:
            about = figures["about"]
            row = {"run": called, "family": about["family"], "model": about["model"]}
            row |= {name: figures[name] for name in ("split", "pictures", "boxes", "map50", "map50_95")}
            row |= {f"map50_{name}": figures[kind].get(name, {}).get("map50") for kind, name in parts}
            row |= {name: figures[name] for name in ("calibration_error", "best_score", "doubted_boxes")}
            rows.append({**row, "megabytes": about["megabytes"], "seconds": about["seconds"]})
    return rows


def caveats(names: Sequence[str], measured: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """Why the figures of some detectors may be too good, by name: what may have seen the pictures is no fair rival.

    Args:
        names: see :func:`side_by_side`.
        measured: see there.
    """
    abouts = {called: its[0]["about"] for called, its in zip(names, measured, strict=True)}
    words = {called: ELSEWHERE for called, about in abouts.items() if not about["trained_here"]}
    return words | {called: BEGAN for called, about in abouts.items() if about["begins_with_starter"]}
