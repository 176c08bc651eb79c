"""Average precision of a detector's boxes, whatever found them: as COCO defines it, by faster-coco-eval.

Average precision is the mean of the precision at 101 recalls (COCO's, from 0 to 1), a found box counting as right where
it overlaps one of its label that no better box has taken: by an IoU of 0.5, or the mean over 0.5, 0.55, …, 0.95.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fullshot.core.boxes import Box

MAX_BOXES = 100
"""Of a picture that count, the best by score: COCO's."""

_DIGITS = 4
_ALL_AREAS = 0


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
    from faster_coco_eval import COCO, COCOeval_faster

    numbers = {label: number for number, label in enumerate(labels, 1)}
    truth = {
        "images": [{"id": row, "width": width, "height": height} for row, (width, height) in enumerate(sizes, 1)],
        "categories": [{"id": number, "name": label} for label, number in numbers.items()],
        "annotations": _rows(expected, numbers),
    }
    there = [label for label in labels if any(box.label == label for boxes in expected for box in boxes)]
    if not there:
        return {"map50": 0.0, "map50_95": 0.0, "classes": {}}
    answers = _rows(found, numbers)
    if not answers:
        classes = {label: _figures(expected, label, 0.0, 0.0, 0.0, 0.0) for label in there}
        return {"map50": 0.0, "map50_95": 0.0, "classes": classes}
    # It prints what it does.
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = COCO(truth)
        evaluation = COCOeval_faster(dataset, dataset.loadRes(answers), iouType="bbox")
        evaluation.params.maxDets = [1, 10, MAX_BOXES]
        evaluation.evaluate()
        evaluation.accumulate()
    precisions = np.asarray(evaluation.eval["precision"])[:, :, :, _ALL_AREAS, -1]
    recalls = np.linspace(0.0, 1.0, precisions.shape[1])
    classes = {}
    for label in there:
        curve = precisions[:, :, numbers[label] - 1]
        at_half = curve[0]
        best = int(np.argmax(2 * at_half * recalls / np.maximum(at_half + recalls, 1e-9)))
        classes[label] = _figures(
            expected, label, float(at_half.mean()), float(curve.mean()), float(at_half[best]), float(recalls[best])
        )
    means = {
        name: round(float(np.mean([row[name] for row in classes.values()])), _DIGITS) for name in ("map50", "map50_95")
    }
    return {**means, "classes": classes}


def _rows(pictures: Sequence[Sequence[Box]], numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    """Boxes as COCO has them; pictures count from 1."""
    rows: list[dict[str, Any]] = []
    for picture, boxes in enumerate(pictures, 1):
        for box in boxes:
            if box.label not in numbers:
                continue
            width, height = box.x_max - box.x_min, box.y_max - box.y_min
            row: dict[str, Any] = {"id": len(rows) + 1, "image_id": picture, "category_id": numbers[box.label]}
            row |= {"bbox": [box.x_min, box.y_min, width, height], "area": width * height, "iscrowd": 0}
            rows.append(row if box.score is None else {**row, "score": box.score})
    return rows


def _figures(
    expected: Sequence[Sequence[Box]], label: str, map50: float, map50_95: float, precision: float, recall: float
) -> dict[str, Any]:
    return {
        "boxes": sum(box.label == label for boxes in expected for box in boxes),
        "map50": round(map50, _DIGITS),
        "map50_95": round(map50_95, _DIGITS),
        "precision": round(precision, _DIGITS),
        "recall": round(recall, _DIGITS),
    }
