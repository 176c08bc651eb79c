"""Average precision of a detector's boxes, whatever found them: as COCO defines it, by faster-coco-eval.

Average precision is the mean of the precision at 101 recalls (COCO's, from 0 to 1), a found box counting as right where
it overlaps one of its label that no better box has taken: by an IoU of 0.5, or the mean over 0.5, 0.55, …, 0.95.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Box
from fullshot.train.detector.columns import BoxColumns

MAX_BOXES = 100
"""Of a picture and label that count, the best by score: COCO's."""

SIZES = ("small", "medium", "large")
"""Of boxes: COCO's, in :data:`SIZE_BORDERS`."""

SIZE_BORDERS = (32.0**2, 96.0**2)
"""Square pixels, of the pictures as they are: a box of an area between them is medium."""

_DIGITS = 4
_ALL_AREAS = 0
_NUMBER = 1  # of the one label that is measured at a time
_THRESHOLDS, _RECALLS = 10, 101


@dataclass(frozen=True)
class Precisions:
    """How precise a detector is at each recall.

    Attributes:
        labels: K, that are told apart.
        boxes: shape (K, 1 + sizes), int64: how many there are to be found, in all and of each of :data:`SIZES`.
        precisions: shape (overlaps, recalls, K, 1 + sizes), float64; -1 where there is no box to be found.
        scores: of the same shape: the least score of a box that reaches the recall; 0 where none does.
    """

    labels: tuple[str, ...]
    boxes: NDArray[np.int64]
    precisions: NDArray[np.float64]
    scores: NDArray[np.float64]

    def figures(self) -> dict[str, Any]:
        """The means over all labels that there are boxes of, and each one's own; see :func:`average_precision`."""
        recalls = np.linspace(0.0, 1.0, _RECALLS)
        classes = {}
        for place, label in self._there(_ALL_AREAS):
            curve = self.precisions[:, :, place, _ALL_AREAS]
            at_half = curve[0]
            best = int(np.argmax(2 * at_half * recalls / np.maximum(at_half + recalls, 1e-9)))
            classes[label] = {
                "boxes": int(self.boxes[place, _ALL_AREAS]),
                "map50": round(float(at_half.mean()), _DIGITS),
                "map50_95": round(float(curve.mean()), _DIGITS),
                "precision": round(float(at_half[best]), _DIGITS),
                "recall": round(float(recalls[best]), _DIGITS),
            }
        means = {
            name: round(float(np.mean([row[name] for row in classes.values()])), _DIGITS) if classes else 0.0
            for name in ("map50", "map50_95")
        }
        return {**means, "classes": classes}

    def by_size(self) -> dict[str, dict[str, Any]]:
        """By each of :data:`SIZES` that there are boxes of: ``boxes``, ``map50``, ``map50_95`` (means over labels)."""
        sizes = {}
        for area, name in enumerate(SIZES, _ALL_AREAS + 1):
            there = [place for place, _ in self._there(area)]
            if there:
                curves = self.precisions[:, :, there, area]
                sizes[name] = {
                    "boxes": int(self.boxes[:, area].sum()),
                    "map50": round(float(curves[0].mean()), _DIGITS),
                    "map50_95": round(float(curves.mean()), _DIGITS),
                }
        return sizes

    def curves(self) -> dict[str, dict[str, list[float]]]:
        """By label that there are boxes of: ``precision`` and ``score`` at IoU 0.5 and each of COCO's 101 recalls."""
        return {
            label: {
                "precision": self.precisions[0, :, place, _ALL_AREAS].round(_DIGITS).tolist(),
                "score": self.scores[0, :, place, _ALL_AREAS].round(_DIGITS).tolist(),
            }
            for place, label in self._there(_ALL_AREAS)
        }

    def _there(self, area: int) -> list[tuple[int, str]]:
        return [(place, label) for place, label in enumerate(self.labels) if self.boxes[place, area]]


def average_precision(
    labels: Sequence[str],
    expected: Sequence[Sequence[Box]],
    found: Sequence[Sequence[Box]],
    sizes: Sequence[tuple[int, int]],
) -> dict[str, Any]:
    """How well boxes were found.

    Args:
        labels: that are measured.
        expected: each picture's boxes.
        found: each picture's boxes as a detector found them, with scores; from as low a score as it gives.
        sizes: width and height of each picture, in pixels.

    Returns:
        ``map50`` and ``map50_95``, means over the labels that there are boxes of (0.0 where there are none), and
        ``classes``: by each such label ``boxes``, ``map50``, ``map50_95``, and ``precision`` and ``recall`` at IoU 0.5
        and the score where F1 is best.
    """
    truth, answers = BoxColumns.of(labels, expected), BoxColumns.of(labels, found)
    return precisions(labels, truth, answers, np.array(sizes, np.int64).reshape(-1, 2)).figures()


def precisions(labels: Sequence[str], expected: BoxColumns, found: BoxColumns, sizes: NDArray[np.int64]) -> Precisions:
    """How precise a detector is at each recall.

    Args:
        labels: K, that are measured.
        expected: the boxes of P pictures.
        found: those that a detector found in them, with scores; from as low a score as it gives.
        sizes: shape (P, 2): width and height of each picture, in pixels.
    """
    boxes = _counts(expected, len(labels))
    measured = np.where(boxes > 0, 0.0, -1.0) * np.ones((_THRESHOLDS, _RECALLS, 1, 1))
    scores = np.zeros_like(measured)
    # One label after the other: they have nothing to do with each other, and the library's rows take much memory.
    for place, label in enumerate(labels):
        ours, theirs = (columns.chosen(columns.labels == place) for columns in (expected, found))
        if len(ours) and len(theirs):
            measured[:, :, place], scores[:, :, place] = _of_label(label, ours, theirs, sizes)
    return Precisions(tuple(labels), boxes, measured, scores)


def _of_label(
    label: str, expected: BoxColumns, found: BoxColumns, sizes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precisions and scores of one label, of shape (overlaps, recalls, 1 + sizes)."""
    from faster_coco_eval import COCO, COCOeval_faster

    which = np.zeros(len(sizes), np.bool_)  # without pictures that have nothing of it
    which[expected.pictures] = which[found.pictures] = True
    truth = {
        "images": [
            {"id": row, "width": width, "height": height}
            for row, (width, height) in enumerate(sizes[which].tolist(), 1)
        ],
        "categories": [{"id": _NUMBER, "name": label}],
        "annotations": _rows(expected.of_pictures(which)),
    }
    # It prints what it does.
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = COCO(truth)
        evaluation = COCOeval_faster(dataset, dataset.loadRes(_rows(found.of_pictures(which))), iouType="bbox")
        evaluation.params.maxDets = [1, 10, MAX_BOXES]
        evaluation.evaluate()
        evaluation.accumulate()
    precision, score = (np.asarray(evaluation.eval[name])[:, :, 0, :, -1] for name in ("precision", "scores"))
    return precision, score


def _counts(expected: BoxColumns, labels: int) -> NDArray[np.int64]:
    counts = np.zeros((labels, 1 + len(SIZES)), np.int64)
    sizes = np.searchsorted(SIZE_BORDERS, expected.areas)
    for label in range(labels):
        its = sizes[expected.labels == label]
        counts[label] = [len(its), *np.bincount(its, minlength=len(SIZES))]
    return counts


def _rows(boxes: BoxColumns) -> list[Mapping[str, Any]]:
    """Boxes of one label as COCO has them; pictures count from 1."""
    sides = boxes.corners[:, 2:] - boxes.corners[:, :2]
    rectangles = np.concatenate([boxes.corners[:, :2], sides], axis=1)
    columns = (boxes.pictures + 1, rectangles, boxes.areas, boxes.scores)
    rows: list[Mapping[str, Any]] = []
    for number, (picture, rectangle, area, score) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True), 1
    ):
        row: dict[str, Any] = {"id": number, "image_id": picture, "category_id": _NUMBER}
        row |= {"bbox": rectangle, "area": area, "iscrowd": 0}
        rows.append(row if np.isnan(score) else {**row, "score": score})
    return rows
