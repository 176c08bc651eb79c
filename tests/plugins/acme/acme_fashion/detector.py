"""Detectors that look at no pixel: a garment is where garments of its kind are on average."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from fullshot.core.boxes import Box, Corners, Picture
from fullshot.core.errors import UserError
from fullshot.core.files import digest, read_json, write_text
from fullshot.core.progress import Advance
from fullshot.core.settings import DetectorSettings
from fullshot.train.detector import DetectionData


class MeanBoxDetector:
    """See :class:`fullshot.core.interfaces.Detector`.

    Args:
        weights: by label ``corners`` (shares of the picture) and ``score`` (the share of pictures that have one).
        confidence: boxes below this score are not reported.
    """

    image_size = 32

    def __init__(self, weights: Path, confidence: float) -> None:
        self.digest = digest(weights)[:16]
        self._means: dict[str, Any] = read_json(weights)
        if not self._means:
            raise UserError(f"{weights} holds no boxes")
        self._confidence = confidence

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self._means)

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        return [self.boxes(*picture.shape[1::-1]) for picture in pictures]

    def boxes(self, width: int, height: int) -> list[Box]:
        """The boxes of a picture of this size."""
        found = []
        for label, mean in self._means.items():
            x_min, y_min, x_max, y_max = mean["corners"]
            if mean["score"] >= self._confidence:
                corners = (x_min * width, y_min * height, x_max * width, y_max * height)
                found.append(Box(label, *corners, score=mean["score"]))
        return sorted(found, key=lambda box: -(box.score or 0))


class MeanBoxTrainer:
    """See :class:`fullshot.core.interfaces.DetectorTrainer`."""

    def __init__(self, settings: DetectorSettings) -> None:
        self._settings = settings

    @classmethod
    def from_settings(cls, settings: DetectorSettings) -> Self:
        return cls(settings)

    def inputs(self) -> Mapping[str, Mapping[str, str]]:
        return {"recipe": {"version": "1"}}

    def fit(self, data: DetectionData, folder: Path, advance: Advance) -> Mapping[str, Any]:
        started = time.monotonic()
        pictures = data.splits["train"]
        shares: dict[str, list[Corners]] = {}
        for picture in pictures:
            for box in picture.boxes:
                width, height = picture.width, picture.height
                corners = (box.x_min / width, box.y_min / height, box.x_max / width, box.y_max / height)
                shares.setdefault(box.label, []).append(corners)
        means = {
            label: {
                "corners": np.mean(shares[label], axis=0).tolist(),
                "score": min(1.0, len(shares[label]) / len(pictures)),
            }
            for label in data.labels
            if label in shares
        }
        write_text(self.weights(folder), json.dumps(means))
        advance(1, 1)
        return {"resumed_at": 0, "epochs": 1, "best_epoch": 1, "seconds": round(time.monotonic() - started, 1)}

    def clean_up(self, folder: Path) -> None:
        """There is nothing to go on from."""

    def weights(self, folder: Path) -> Path:
        return folder / "mean-boxes.json"

    def load(self, folder: Path) -> MeanBoxDetector:
        return MeanBoxDetector(self.weights(folder), self._settings.confidence)
