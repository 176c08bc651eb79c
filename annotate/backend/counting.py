"""Which annotations no training has used yet: those in Label Studio, without those that the last training used."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fullshot.annotate.label_studio.address import FOLDER
from fullshot.core.errors import MissingInput
from fullshot.core.files import write_text
from fullshot.core.workspace import Workspace
from fullshot.train import latest_run

_CREATED = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED")
_DELETED = "ANNOTATIONS_DELETED"


def pulled(workspace: Workspace) -> dict[int, str]:
    """The annotations in ``annotations.csv``: when each was last updated, by its number in Label Studio."""
    sql = (
        "SELECT annotation, updated_at FROM annotations "
        "WHERE annotation IS NOT NULL AND updated_at IS NOT NULL ORDER BY revision"
    )
    with workspace.open() as data:
        data.make_if_missing("annotations")
        return {int(number): time for number, time in data.rows(sql)}


def _file(workspace: Workspace) -> Path:
    return workspace / FOLDER / "trained.json"


def remember(workspace: Workspace, annotations: Mapping[int, str]) -> None:
    """Record the annotations that a training used, once it is finished; one that was killed does not count."""
    write_text(_file(workspace), json.dumps({str(number): time for number, time in annotations.items()}))


def trained(workspace: Workspace) -> dict[int, str]:
    """The annotations that the backend's last training used: when each was last updated, by its number.

    Before the first, those that are older than the detector in use, which was trained by hand. An annotation that was
    drawn before that training and pulled after it is counted as used, though it was not.
    """
    try:
        recorded = json.loads(_file(workspace).read_text("utf-8"))
        return {int(number): str(time) for number, time in recorded.items()}
    except (OSError, ValueError, AttributeError):
        pass
    try:
        began = str(latest_run(workspace, "detector").record["started_at"])
    except (MissingInput, KeyError):
        return {}
    # Both are in UTC; the training's time has whole seconds.
    return {number: time for number, time in pulled(workspace).items() if time[:19] < began[:19]}


class UntrainedAnnotations:
    """The annotations of a project that no training has used, by their number, each with the time of its last update.

    Args:
        project: its number in Label Studio.
    """

    def __init__(self, project: int) -> None:
        self._project = project
        self._updated: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._updated)

    def add(self, annotations: Iterable[Mapping[str, Any]], trained_on: Mapping[int, str]) -> None:
        """Add annotations as Label Studio has them, except those that were skipped or trained on."""
        for annotation in annotations:
            number, time = annotation.get("id"), annotation.get("updated_at")
            if not isinstance(number, int) or not isinstance(time, str):
                continue
            if annotation.get("was_cancelled"):
                self._updated.pop(number, None)
            elif trained_on.get(number, "") < time:
                self._updated[number] = time

    def update(self, body: Mapping[str, Any]) -> bool:
        """Add and remove what a webhook reports as created, changed or deleted.

        Returns:
            Whether it is about annotations of the project.
        """
        project = body.get("project")
        if isinstance(project, Mapping) and project.get("id") != self._project:
            return False
        if body["action"] in _CREATED:
            created = body.get("annotation")
            annotations = created if isinstance(created, list) else [created]
            self.add([each for each in annotations if isinstance(each, Mapping)], {})
            return True
        if body["action"] == _DELETED:
            for deleted in body.get("annotations") or []:
                if isinstance(deleted, Mapping) and isinstance(deleted.get("id"), int):
                    self._updated.pop(deleted["id"], None)
            return True
        return False

    def snapshot(self) -> dict[int, str]:
        """A copy of what is untrained at this moment."""
        return dict(self._updated)

    def remove(self, trained_on: Mapping[int, str]) -> None:
        """Remove what a training used; annotations that were changed since stay."""
        self._updated = {number: time for number, time in self._updated.items() if trained_on.get(number, "") < time}
