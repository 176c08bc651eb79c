"""What every family of detectors does, whichever it is."""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from fullshot.core.boxes import Box, Picture
from fullshot.core.interfaces import Detector, DetectorTrainer
from fullshot.core.settings import DetectorSettings
from fullshot.train.detector import DETECTORS, DetectionData, DetectionPicture, DetectorWithFeatures
from fullshot.train.detector.families import with_defaults

LABELS = ("top", "bottom", "foot", "long")
EPOCHS = 2
ALL = 0.0001
"""A confidence at which a detector of two epochs reports boxes, too."""


def trainer(family: str, **more: Any) -> DetectorTrainer[DetectionData]:
    given = {"epochs": EPOCHS, "image_size": 64, "batch": 4, "device": "cpu", "plots": False, "confidence": ALL}
    return DETECTORS.get(family).from_settings(DetectorSettings(**{**given, "family": family, **more}))


def drawn(seed: int, folder: Path) -> DetectionPicture:
    """A picture of a red top above a blue bottom."""
    dice = np.random.default_rng(seed)
    pixels = np.full((96, 72, 3), dice.integers(220, 255), np.uint8)
    left, top = (int(number) for number in dice.integers(8, 24, 2))
    boxes = (Box("top", left, top, left + 30, top + 28), Box("bottom", left + 2, top + 28, left + 28, top + 66))
    for box, colour in zip(boxes, ((200, 40, 40), (40, 40, 190)), strict=True):
        pixels[int(box.y_min) : int(box.y_max), int(box.x_min) : int(box.x_max)] = colour
    path = folder / f"{seed}.png"
    Image.fromarray(pixels).save(path)
    return DetectionPicture(str(seed), path, 72, 96, boxes)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DetectionData:
    folder = tmp_path_factory.mktemp("pictures")
    splits = {"train": range(8), "val": range(8, 10), "test": range(10, 13)}
    return DetectionData(
        LABELS, {split: tuple(drawn(seed, folder) for seed in seeds) for split, seeds in splits.items()}
    )


class Trained(NamedTuple):
    family: str
    folder: Path
    stats: Mapping[str, Any]
    epochs: list[tuple[int, int]]


@pytest.fixture(scope="module", params=DETECTORS.names())
def trained(request: pytest.FixtureRequest, data: DetectionData, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A training that a Ctrl-C stopped after its first epoch, and that went on."""
    folder, epochs = tmp_path_factory.mktemp("run"), list[tuple[int, int]]()

    def stop_after_one(done: int, total: int, note: str = "") -> None:
        epochs.append((done, total))
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer(request.param).fit(data, folder, stop_after_one)
    stats = trainer(request.param).fit(data, folder, lambda done, total, note="": epochs.append((done, total)))
    return Trained(request.param, folder, stats, epochs)


@pytest.fixture
def detector(trained: Trained) -> Detector:
    return trainer(trained.family).load(trained.folder)


PICTURES: list[Picture] = [
    np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    for height, width in ((96, 72), (40, 200), (200, 33), (3, 3))
]


def test_a_training_that_was_stopped_goes_on_after_its_last_epoch(trained: Trained) -> None:
    done, total = trained.epochs[-1]
    assert done == total == trained.stats["epochs"]
    # Of a family that learns in one step, whatever the settings say, there is no part to go on from.
    assert total in (1, EPOCHS)
    assert trained.stats["resumed_at"] == 1 or total == 1
    assert 1 <= trained.stats["best_epoch"] <= total
    assert trained.stats["seconds"] >= 0
    assert json.loads(json.dumps(trained.stats)) == trained.stats


def weights_size(trained: Trained) -> int:
    return trainer(trained.family).weights(trained.folder).stat().st_size


def test_a_training_that_was_done_is_not_done_again(trained: Trained, data: DetectionData) -> None:
    before, size = trainer(trained.family).load(trained.folder), weights_size(trained)
    again = trainer(trained.family).fit(data, trained.folder, lambda done, total, note="": None)
    assert again["epochs"] == trained.stats["epochs"]
    assert again["resumed_at"] == EPOCHS or again["epochs"] == 1
    assert trainer(trained.family).load(trained.folder).predict(PICTURES) == before.predict(PICTURES)
    assert weights_size(trained) == pytest.approx(size, rel=0.05)


def test_boxes_lie_inside_their_picture_the_best_first(detector: Detector) -> None:
    assert detector.labels == tuple(label for label in LABELS if label in detector.labels)  # in the data's order
    assert set(detector.labels) >= {"top", "bottom"}
    assert detector.predict([]) == []
    answers = detector.predict(PICTURES)
    assert len(answers) == len(PICTURES)
    assert any(answers)
    for picture, boxes in zip(PICTURES, answers, strict=True):
        height, width = picture.shape[:2]
        scores = [box.score or 0.0 for box in boxes]
        assert scores == sorted(scores, reverse=True)
        assert all(ALL <= score <= 1 for score in scores)
        assert {box.label for box in boxes} <= set(detector.labels)
        assert {box.source for box in boxes} <= {"model"}
        for box in boxes:
            assert 0 <= box.x_min <= box.x_max <= width
            assert 0 <= box.y_min <= box.y_max <= height


def test_no_box_is_reported_below_the_confidence(trained: Trained, detector: Detector) -> None:
    scores = sorted(box.score or 0.0 for boxes in detector.predict(PICTURES) for box in boxes)
    # Between two scores: a family may round them.
    between = [(low + high) / 2 for low, high in pairwise(scores) if high - low > 1e-4]
    for least in (between[len(between) // 2 :][:1] or [scores[0] / 2]) + [min(1.0, scores[-1] + 0.01)]:
        strict = trainer(trained.family, confidence=least).load(trained.folder)
        found = sorted(box.score or 0.0 for boxes in strict.predict(PICTURES) for box in boxes)
        assert found == pytest.approx([score for score in scores if score >= least], abs=1e-4)


def test_loaded_again_it_is_the_same(trained: Trained, detector: Detector) -> None:
    again = trainer(trained.family).load(trained.folder)
    assert again.digest == detector.digest
    assert set(detector.digest) <= set("0123456789abcdef")
    assert again.image_size == detector.image_size > 0
    assert again.predict(PICTURES) == detector.predict(PICTURES)


def test_features_of_a_picture_do_not_depend_on_its_neighbours(detector: Detector) -> None:
    if not isinstance(detector, DetectorWithFeatures):
        pytest.skip("this family has no features")
    boxes, features = detector.predict_with_features(PICTURES)
    assert features.dtype == np.float32
    assert features.shape[0] == len(boxes) == len(PICTURES)
    alone = [detector.predict_with_features([picture])[1][0] for picture in PICTURES]
    np.testing.assert_allclose(features, np.stack(alone), rtol=1e-3, atol=1e-4)
    assert np.ptp(features, axis=0).max() > 0
    for picture, found in zip(PICTURES, boxes, strict=True):
        height, width = picture.shape[:2]
        assert all(0 <= box.x_min < box.x_max <= width and 0 <= box.y_min < box.y_max <= height for box in found)
    nothing, none = detector.predict_with_features([])
    assert nothing == []
    assert len(none) == 0


@pytest.mark.parametrize("family", DETECTORS.names())
def test_what_the_settings_leave_open_the_family_decides(family: str) -> None:
    asked = DetectorSettings(family=family)
    section = with_defaults(asked)
    assert section.epochs >= 1
    assert section.image_size >= 32
    assert 0 < section.learning_rate < 0.1
    assert with_defaults(section) == section
    given = {"epochs": 3, "image_size": 96, "learning_rate": 0.5}
    assert with_defaults(asked.model_copy(update=given)) == asked.model_copy(update=given)


@pytest.mark.parametrize("family", DETECTORS.names())
def test_what_the_weights_depend_on_is_said(family: str) -> None:
    inputs = trainer(family).inputs()
    assert inputs == trainer(family, confidence=0.5, plots=True).inputs()
    assert all(isinstance(cell, str) for row in inputs.values() for cell in row.values())


def test_cleaned_up_it_still_loads(trained: Trained, detector: Detector) -> None:
    trainer(trained.family).clean_up(trained.folder)
    assert trainer(trained.family).load(trained.folder).digest == detector.digest
