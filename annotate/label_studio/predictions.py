"""Predictions of tasks: the boxes of the detector in use, and those of the shop and of imported files."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fullshot.annotate.label_studio import tasks
from fullshot.annotate.label_studio.changes import batches
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.existing import Task
from fullshot.annotate.label_studio.tasks import Picture
from fullshot.core.boxes import Box
from fullshot.core.geometry import ImageGeometry
from fullshot.core.progress import bar
from fullshot.core.workspace import Workspace
from fullshot.train.detector import Detector, kept_detections

_AT_ONCE = 20_000
"""Pictures whose kept boxes are looked up together: each time the names of all kept ones are read."""


@dataclass(frozen=True)
class Machines:
    """What draws boxes on pictures.

    Attributes:
        workspace: with the pictures' files.
        detector: the one in use; None: there is none.
        confidence: the least score of its boxes.
        turned: by their path, the EXIF orientation of the pictures that are stored turned.
    """

    workspace: Workspace
    detector: Detector | None
    confidence: float
    turned: Mapping[str, int]

    def predictions(self, pictures: Iterable[Picture]) -> Iterator[tuple[Picture, list[dict[str, Any]]]]:
        """Each picture and its predictions: one for each version of boxes that machines drew."""
        rest = iter(pictures)
        while some := list(itertools.islice(rest, _AT_ONCE)):
            for picture, boxes in zip(some, self._detected(some), strict=True):
                geometry = ImageGeometry(picture.width, picture.height, self.turned.get(picture.path, 1))
                predictions = [tasks.prediction(version, given, geometry) for version, given in picture.given.items()]
                if self.detector and boxes is not None:
                    boxes = tasks.as_stored(boxes, geometry)
                    predictions.append(tasks.prediction(self.detector.digest, boxes, geometry))
                yield picture, predictions

    def _detected(self, pictures: Sequence[Picture]) -> Iterable[list[Box] | None]:
        """The detector's boxes of each picture, in pixels of the upright picture; None of one that cannot be read."""
        if self.detector is None:
            return itertools.repeat(None, len(pictures))
        paths = [picture.path for picture in pictures]
        return kept_detections(self.workspace.root, paths, self.detector, self.confidence)


def is_outdated(task: Task, picture: Picture, detector: Detector | None) -> bool:
    """Whether a task's predictions are of an earlier detector, or of earlier boxes of the shop."""
    expected = set(picture.given) | ({detector.digest} if detector else set())
    return has_other_given(task, picture) or task.versions != expected


def has_other_given(task: Task, picture: Picture) -> bool:
    """Whether a task was made of other boxes than the picture comes with now."""
    return bool(task.data.get("given") != picture.data["given"])


def replace_predictions(
    client: Client, project: int, machines: Machines, outdated: Sequence[tuple[Task, Picture]], size: int
) -> int:
    """Replace the predictions of tasks, batch by batch; returns how many tasks."""
    predicted = machines.predictions(picture for _, picture in outdated)
    with bar("annotate push", "predictions") as advance:
        done = 0
        for batch in batches(outdated, size):
            numbers = [task.number for task, _ in batch]
            chosen = {"selectedItems": {"all": False, "included": numbers}}
            client.post("/api/dm/actions", chosen, id="delete_tasks_predictions", project=project)
            rows = [
                {"task": number, **each}
                for number, (_, of_task) in zip(numbers, itertools.islice(predicted, len(batch)), strict=True)
                for each in of_task
            ]
            if rows:
                client.post(f"/api/projects/{project}/import/predictions", rows)
            done += len(batch)
            advance(done, len(outdated))
    return len(outdated)
