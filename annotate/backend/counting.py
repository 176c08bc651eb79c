"""How many annotations no training has seen yet: what Label Studio has, without what the last training began with."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fullshot.annotate.label_studio.server import FOLDER
from fullshot.core.errors import MissingInput
from fullshot.core.files import write_text
from fullshot.core.workspace import Workspace
from fullshot.train import latest_run

_CREATED = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED")
_DELETED = "ANNOTATIONS_DELETED"


def pulled(workspace: Workspace) -> dict[int, str]:
    """The annotations that are in ``annotations.csv``: Label Studio's number, and the newest state's time."""
    rows = workspace.read_if_there("annotations").dropna(subset=["annotation", "updated_at"]).sort_values("revision")
    return {int(number): str(time) for number, time in zip(rows["annotation"], rows["updated_at"], strict=True)}


def _file(workspace: Workspace) -> Path:
    return workspace / FOLDER / "trained.json"


def remember(workspace: Workspace, annotations: Mapping[int, str]) -> None:
    """Write down what a training began with, after it was decided on its detector; a killed one did not happen."""
    write_text(_file(workspace), json.dumps({str(number): time for number, time in annotations.items()}))


def trained(workspace: Workspace) -> dict[int, str]:
    """The annotations that the backend's last training began with.

    Before its first, those that were pulled already when the detector in use was trained by hand, as far as their time
    tells: one that was drawn before and pulled later is taken for known.
    """
    try:
        read = json.loads(_file(workspace).read_text("utf-8"))
        return {int(number): str(time) for number, time in read.items()}
    except (OSError, ValueError, AttributeError):
        pass
    try:
        began = str(latest_run(workspace, "detector").record["started_at"])
    except (MissingInput, KeyError):
        return {}
    # Both in UTC, the one to the second and the other finer.
    return {number: time for number, time in pulled(workspace).items() if time[:19] < began[:19]}


class Waiting:
    """The annotations that wait for a training, by their number, each with the time of its state.

    Args:
        project: its number in Label Studio.
    """

    def __init__(self, project: int) -> None:
        self._project = project
        self._there: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._there)

    def take(self, annotations: Iterable[Mapping[str, Any]], trained_on: Mapping[int, str]) -> None:
        """Count annotations as Label Studio has them, but for those that were skipped or trained on."""
        for annotation in annotations:
            number, time = annotation.get("id"), annotation.get("updated_at")
            if not isinstance(number, int) or not isinstance(time, str):
                continue
            if annotation.get("was_cancelled"):
                self._there.pop(number, None)
            elif trained_on.get(number, "") < time:
                self._there[number] = time

    def hear(self, body: Mapping[str, Any]) -> bool:
        """Count what a webhook tells.

        Returns:
            Whether it told of annotations of the project.
        """
        project = body.get("project")
        if isinstance(project, Mapping) and project.get("id") != self._project:
            return False
        if body["action"] in _CREATED:
            said = body.get("annotation")
            self.take([one for one in (said if isinstance(said, list) else [said]) if isinstance(one, Mapping)], {})
            return True
        if body["action"] == _DELETED:
            for gone in body.get("annotations") or []:
                if isinstance(gone, Mapping) and isinstance(gone.get("id"), int):
                    self._there.pop(gone["id"], None)
            return True
        return False

    def now(self) -> dict[int, str]:
        """Those that wait at this moment."""
        return dict(self._there)

    def drop(self, trained_on: Mapping[int, str]) -> None:
        """Count no more what was trained on; what was changed since stays."""
        self._there = {number: time for number, time in self._there.items() if trained_on.get(number, "") < time}
