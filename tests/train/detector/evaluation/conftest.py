"""A workspace whose boxes are known, and detectors whose answers are."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from PIL import Image

from fullshot.core import image_store, tables
from fullshot.core.boxes import Box, Picture
from fullshot.core.files import digest, read_json, write_text
from fullshot.core.interfaces import DetectorTrainer
from fullshot.core.progress import Advance
from fullshot.core.registry import Registry
from fullshot.core.settings import DetectorSettings
from fullshot.core.workspace import Workspace
from fullshot.train.detector import DetectionData, families
from tests.browser import chromium, opened

__all__ = ["chromium", "opened"]

SIDE = 200
LABELS = ("top", "bottom", "foot", "long")

SMALL, MEDIUM, LARGE, ELSEWHERE = (0, 0, 20, 20), (10, 10, 50, 50), (80, 80, 180, 180), (90, 0, 190, 100)
Row = tuple[str, tuple[int, int, int, int]]

PICTURES: dict[str, tuple[int, str, str, Row]] = {
    # The grey of all its pixels, its split and kind of shot, and the box that is to be found in it.
    "a": (40, "test", "full", ("top", MEDIUM)),
    "b": (80, "test", "full", ("top", LARGE)),
    "c": (120, "test", "half", ("bottom", SMALL)),
    "d": (160, "test", "half", ("bottom", MEDIUM)),
    "e": (200, "train", "full", ("top", MEDIUM)),
    "f": (240, "train", "full", ("bottom", MEDIUM)),
}
SHOWN_BY = [("a", "s:1"), ("b", "s:2"), ("c", "t:3"), ("c", "s:4"), ("d", "t:5"), ("e", "t:6"), ("f", "t:7")]
TYPES = {"s:1": "Shirts", "s:2": "Shirts", "t:3": "Jeans", "s:4": "Shorts", "t:5": "Jeans", "t:6": "", "t:7": ""}

FOUND: dict[str, list[tuple[str, tuple[int, int, int, int], float]]] = {
    "a": [("top", MEDIUM, 0.9)],
    "b": [("bottom", LARGE, 0.8)],
    "c": [("bottom", SMALL, 0.6), ("top", ELSEWHERE, 0.3)],
    "d": [],
    "e": [("top", MEDIUM, 0.9)],
    "f": [("bottom", MEDIUM, 0.9)],
}
ALL_FOUND = {name: [(*row, 0.95)] for name, (_, _, _, row) in PICTURES.items()}


class TellingDetector:
    """Answers what it was told, by the grey of a picture."""

    labels = LABELS
    image_size = SIDE

    def __init__(self, weights: Path, confidence: float) -> None:
        self.digest = digest(weights)[:16]
        self._answers, self._confidence = read_json(weights), confidence

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        names = {grey: name for name, (grey, *_) in PICTURES.items()}
        return [
            [
                Box(label, x_min, y_min, x_max, y_max, score)
                for label, (x_min, y_min, x_max, y_max), score in self._answers[names[int(picture[0, 0, 0])]]
                if score >= self._confidence
            ]
            for picture in pictures
        ]


class TellingTrainer:
    """Learns what the file that the settings name as its model says."""

    def __init__(self, settings: DetectorSettings) -> None:
        self._settings = settings

    @classmethod
    def from_settings(cls, settings: DetectorSettings) -> Self:
        return cls(settings)

    def inputs(self) -> Mapping[str, Mapping[str, str]]:
        return {"model": {"sha256": digest(Path(self._settings.model))}}

    def fit(self, data: DetectionData, folder: Path, advance: Advance) -> Mapping[str, Any]:
        write_text(self.weights(folder), Path(self._settings.model).read_text())
        return {"resumed_at": 0, "epochs": 1, "best_epoch": 1, "seconds": 0.5}

    def clean_up(self, folder: Path) -> None:
        pass

    def weights(self, folder: Path) -> Path:
        return folder / "answers.json"

    def load(self, folder: Path) -> TellingDetector:
        return TellingDetector(self.weights(folder), self._settings.confidence)


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The family ``telling``."""
    registry: Registry[type[DetectorTrainer[DetectionData]]] = Registry("detector family", "fullshot.none", {})
    monkeypatch.setattr(registry, "get", lambda name: {"telling": TellingTrainer}[name])
    monkeypatch.setattr(families, "DETECTORS", registry)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Four pictures of the split test, two of train, none of val."""
    place = Workspace(tmp_path / "ws")
    place.root.mkdir()
    stored = {}
    for name, (grey, *_) in PICTURES.items():
        content = io.BytesIO()
        Image.fromarray(np.full((SIDE, SIDE, 3), grey, np.uint8)).save(content, "PNG")
        stored[name] = image_store.put(place.blobs, content.getvalue())
    ids = {name: each.image_id for name, each in stored.items()}
    size = {"width": SIDE, "height": SIDE, "bytes": 1}
    images = [{"image_id": ids[n], "product_id": product, "path": stored[n].path, **size} for n, product in SHOWN_BY]
    products = [{"product_id": p, "gender": "men", "product_type": kind or None} for p, kind in TYPES.items()]
    curated = [{"image_id": ids[n], "split": split, "shot": shot} for n, (_, split, shot, _) in PICTURES.items()]
    boxes = []
    for name, (_, _, _, (label, corners)) in PICTURES.items():
        # A person drew the one in b, in Label Studio.
        source = {"source": "human", "revision": 1} if name == "b" else {"source": "shop"}
        row = dict(zip(("x_min", "y_min", "x_max", "y_max"), corners, strict=True))
        boxes.append({"image_id": ids[name], "label": label, **row, **source})
    drawn = {"image_id": ids["b"], "revision": 1, "verdict": "boxes", "boxes": 1, "annotation": 5}
    said = [{**drawn, "project": "7 of 2026-11-27T09:00:00Z", "task": 31}]
    rows: dict[str, list[dict[str, Any]]] = {
        "products": products,
        "images": images,
        "curated": curated,
        "boxes": boxes,
        "annotations": said,
    }
    for table, its in rows.items():
        place.write(table, tables.frame(table, its))
    return place


@pytest.fixture
def train(telling: None, workspace: Workspace, tmp_path: Path) -> Callable[..., str]:
    """Train a detector that answers this, of the labels that it is to tell apart; its run's name is given."""
    from fullshot.train import detector

    def trained(answers: Mapping[str, Any], labels: str = " ".join(LABELS)) -> str:
        file = tmp_path / "answers.json"
        file.write_text(json.dumps(answers))
        flags = {"family": "telling", "model": str(file), "device": "cpu", "labels": labels}
        settings = workspace.settings(detector=flags)
        return str(detector.fit(workspace, settings)["run"])

    return trained


def name_of(workspace: Workspace, image_id: str) -> str:
    """The name of a picture of the workspace."""
    [path] = set(workspace.read("images").query(f"image_id == {image_id!r}")["path"])
    grey = int(np.array(Image.open(workspace / str(path)))[0, 0, 0])
    return next(name for name, (its, *_) in PICTURES.items() if its == grey)
