"""Predictions of tasks: the boxes of the detector in use, and those of the shop and of imported files."""

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from fullshot.annotate.label_studio import tasks
from fullshot.annotate.label_studio.changes import batches
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.existing import Task
from fullshot.annotate.label_studio.tasks import Picture
from fullshot.core.boxes import Box
from fullshot.core.interfaces import Detector
from fullshot.core.pictures import read_or_none, read_rgb
from fullshot.core.progress import bar
from fullshot.core.workspace import Workspace

_DECODED = 16
"""Pictures that are held in memory at once: a camera's has 36 MB."""


def is_outdated(task: Task, picture: Picture, detector: Detector | None) -> bool:
    """Whether a task's predictions are of an earlier detector, or of earlier boxes of the shop."""
    expected = set(picture.given) | ({detector.digest} if detector else set())
    return has_other_given(task, picture) or task.versions != expected


def has_other_given(task: Task, picture: Picture) -> bool:
    """Whether a task was made of other boxes than the picture comes with now."""
    return bool(task.data.get("given") != picture.data["given"])


def replace_predictions(
    client: Client,
    project: int,
    workspace: Workspace,
    outdated: Sequence[tuple[Task, Picture]],
    detector: Detector | None,
    size: int,
) -> int:
    """Replace the predictions of tasks, batch by batch; returns how many tasks."""
    with bar("annotate push", "predictions") as advance:
        done = 0
        for batch in batches(outdated, size):
            numbers = [task.number for task, _ in batch]
            chosen = {"selectedItems": {"all": False, "included": numbers}}
            client.post("/api/dm/actions", chosen, id="delete_tasks_predictions", project=project)
            predictions = predictions_of(workspace, [picture for _, picture in batch], detector)
            rows = [
                {"task": number, **each}
                for number, of_task in zip(numbers, predictions, strict=True)
                for each in of_task
            ]
            if rows:
                client.post(f"/api/projects/{project}/import/predictions", rows)
            done += len(batch)
            advance(done, len(outdated))
    return len(outdated)


def predictions_of(
    workspace: Workspace, pictures: Sequence[Picture], detector: Detector | None
) -> Iterator[list[dict[str, Any]]]:
    """The predictions of each picture: one for each version of boxes that machines drew."""
    predicted = _predicted(workspace, pictures, detector) if detector else itertools.repeat(None, len(pictures))
    for picture, boxes in zip(pictures, predicted, strict=True):
        predictions = []
        if picture.given or boxes is not None:
            geometry = tasks.geometry_of(workspace.root, picture.path, picture.width, picture.height)
            predictions = [tasks.prediction(version, given, geometry) for version, given in picture.given.items()]
            if detector and boxes is not None:
                boxes = tasks.as_stored(boxes, geometry)
                predictions.append(tasks.prediction(detector.digest, boxes, geometry))
        yield predictions


def _predicted(workspace: Workspace, pictures: Sequence[Picture], detector: Detector) -> Iterator[list[Box] | None]:
    """The detector's boxes of each picture, in pixels of the upright picture; None of one that cannot be read."""
    read = partial(read_rgb, upright=True)
    for some in batches(pictures, _DECODED):
        decoded = [read_or_none(workspace.root / picture.path, read) for picture in some]
        boxes = iter(detector.predict([pixels for pixels in decoded if pixels is not None]))
        yield from (None if pixels is None else next(boxes) for pixels in decoded)
