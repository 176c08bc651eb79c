"""What a training of Ultralytics' networks does that a conformance test does not see."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import detector

MakeWorkspace = Callable[..., Workspace]


def small(**more: object) -> Settings:
    flags = {"family": "yolo", "epochs": 1, "image_size": 64, "batch": 4, "device": "cpu", "plots": False, **more}
    return load(detector=flags)


@pytest.mark.parametrize(
    "model",
    [
        "yolov8n",
        "yolo26n.yaml",
        pytest.param("yolov3u", marks=pytest.mark.slow),
        pytest.param("yolov10n", marks=pytest.mark.slow),
        pytest.param("rtdetr-l", marks=pytest.mark.slow),
    ],
)
def test_any_detection_model_of_ultralytics_is_trained_opened_and_measured(
    make_workspace: MakeWorkspace, model: str
) -> None:
    workspace, settings = make_workspace(train=4, val=2, test=2), small(model=model)
    stats = detector.fit(workspace, settings)
    assert (stats["trained"], stats["epochs"]) == (True, 1)
    found = detector.load(workspace, settings=settings, confidence=0.0)
    assert found.labels == ("top", "bottom", "foot", "long")
    (boxes,) = found.predict([np.full((128, 96, 3), 200, np.uint8)])
    assert boxes
    assert all(0 <= box.x_min <= box.x_max <= 96 and 0 <= box.y_min <= box.y_max <= 128 for box in boxes)
    assert detector.evaluate(workspace, settings)["pictures"] == 2


@pytest.mark.slow
def test_an_rtdetr_learns_what_it_learns_by_itself(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small(model="rtdetr-l.yaml")
    measured = detector.fit(make_workspace(train=5, val=2), settings)
    from fullshot.train.detector.yolo import reading

    monkeypatch.setattr(reading, "trainer_of", lambda *arguments: None)
    by_itself = detector.fit(make_workspace(train=5, val=2), settings)
    assert measured["weights"] != by_itself["weights"]  # the time stands in the file
    assert measured["val"] == by_itself["val"]


def test_its_figures_and_pictures_can_be_watched_epoch_by_epoch(
    trained: tuple[Workspace, Settings, dict[str, Any]],
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    workspace, settings, stats = trained
    told = EventAccumulator(str(workspace.models("detector") / str(stats["run"]) / "tensorboard"))
    told.Reload()
    steps = list(range(1, settings.detector.epochs + 1))
    for name in ("map50", "map50_95", "box_loss", "cls_loss", "val/box_loss"):
        assert [event.step for event in told.Scalars(name)] == steps, name
    assert told.Scalars("map50")[-1].value > 0.5
    picture = told.Images("found")[-1]
    assert picture.step == steps[-1]
    shown = np.asarray(Image.open(io.BytesIO(picture.encoded_image_string)).convert("RGB"))
    # The frames of boxes are drawn in colours that are on no picture: these are grey, red and blue.
    assert ((shown[..., 1].astype(int) - shown[..., 0]) > 40).any()
