"""What a training of a YOLO tells of itself, under the names that the other families use."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fullshot.core.boxes import Box
from fullshot.train.detector.samples import SHOWN, side_by_side
from fullshot.train.journal import Journal

_MEASURED = {"metrics/mAP50(B)": "map50", "metrics/mAP50-95(B)": "map50_95"}
"""By Ultralytics' name of a figure that it measures after each epoch: ours."""

_TRAINING = "train/"
"""What Ultralytics puts before the names of losses in training."""


class Teller:
    """Writes losses, average precision and some pictures with their boxes into the journal, after each epoch.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(folder)
        self._batch: Mapping[str, Any] = {}
        self._found: Sequence[Mapping[str, Any]] = ()

    def keep(self, batch: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> None:
        """Note the first pictures of a validation.

        Args:
            batch: its ``img`` has shape (N, 3, height, width), float in [0, 1], RGB.
            found: by picture: ``bboxes``, corners in its pixels, ``conf`` and ``cls``.
        """
        self._batch, self._found = batch, found

    def tell(self, trainer: Any) -> None:
        """Write what an epoch came to (Ultralytics' callback ``on_model_save``)."""
        epoch = trainer.epoch + 1
        losses = trainer.label_loss_items(trainer.tloss, prefix=_TRAINING.rstrip("/"))
        row = {name.removeprefix(_TRAINING): float(value) for name, value in losses.items()}
        row |= {_MEASURED[name]: value for name, value in trainer.metrics.items() if name in _MEASURED}
        row |= {name: value for name, value in trainer.metrics.items() if name.startswith("val/")}
        self._journal.scalars({"epoch": epoch, **row})
        if self._found:
            labels = trainer.data["names"]
            shown = (self._batch["img"][:SHOWN] * 255).byte().permute(0, 2, 3, 1).cpu().numpy()
            boxes = [_boxes(found, labels) for found in self._found[:SHOWN]]
            self._journal.picture("found", np.asarray(side_by_side(list(shown), boxes)), epoch)


def _boxes(found: Mapping[str, Any], labels: Mapping[int, str]) -> list[Box]:
    """The best first."""
    rows = zip(found["bboxes"].tolist(), found["conf"].tolist(), found["cls"].tolist(), strict=True)
    boxes = [
        Box(labels[int(number)], left, top, right, bottom, score) for (left, top, right, bottom), score, number in rows
    ]
    return sorted(boxes, key=lambda box: box.score or 0.0, reverse=True)
