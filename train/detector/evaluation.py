"""How good a detector is, of whatever family: average precision on pictures that it has not learnt from."""

from typing import Any

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.interfaces import DetectorTrainer
from fullshot.core.progress import say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.detector.data import WANTED, DetectionData, choose_boxes, read_data
from fullshot.train.detector.detections import kept_detections
from fullshot.train.detector.families import KIND, labels_of, trainer_of
from fullshot.train.detector.metrics import average_precision
from fullshot.train.figures import inputs_of, keep_figures, kept_figures
from fullshot.train.runs import Run

STAGE = "evaluate detector"

LEAST_SCORE = 0.01
"""Of boxes that average precision is measured on: those below change its third digit, and would be most of all."""


def evaluate(workspace: Workspace, settings: Settings, run: str | None = None, split: str = "test") -> dict[str, Any]:
    """Measure a trained detector on one split's boxes.

    Args:
        workspace: with ``boxes.csv``, ``images.csv``, ``curated.csv`` and a trained detector.
        settings: say the device.
        run: the run's name; None: the latest.
        split: ``train``, ``val`` or ``test``.

    Returns:
        ``run``, ``split``, ``pictures``, ``boxes``, ``unreadable`` (pictures that were left out), ``map50`` and
        ``map50_95`` (means over the labels that the split has boxes of), and ``classes``: by label ``boxes``,
        ``map50``, ``map50_95``, ``precision``, ``recall`` (the last two at the score where F1 is best). The same is
        written to the run's ``evaluation-<split>.json``, and read from there while nothing has changed.

    Raises:
        MissingInput: a table or the detector is not there; says what to run first.
        UserError: no picture of the split has boxes.
        StageFailed: none of its pictures can be read, or the weights are gone or damaged.
    """
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        chosen = runs.latest_run(workspace, KIND, run)
        trainer = trainer_of(chosen, settings.detector.model_copy(update={"confidence": LEAST_SCORE}))
        weights = runs.whole_weights(workspace, chosen, trainer.weights(chosen.folder))
        path = chosen.folder / f"evaluation-{split}.json"
        # No setting counts: a run is measured as it was trained.
        measured_with = inputs_of(workspace, tuple(WANTED), {}, weights=weights)
        if (kept := kept_figures(path, measured_with, STAGE)) is not None:
            stats.update(kept)
            return stats
        stats.update(_measured(workspace, trainer, chosen, split))
        keep_figures(path, measured_with, stats)
    return stats


def measure(
    workspace: Workspace, trainer: "DetectorTrainer[DetectionData]", run: Run, data: DetectionData, split: str
) -> dict[str, Any]:
    """How well a run's detector finds the boxes of a split; what it finds is kept, and not looked for again.

    Args:
        workspace: holds the pictures.
        trainer: with the confidence :data:`LEAST_SCORE`.
        run: whose weights are whole.
        data: the pictures and boxes.
        split: of them.

    Returns:
        See :func:`fullshot.train.detector.metrics.average_precision`.
    """
    pictures = data.splits[split]
    paths = [picture.path.relative_to(workspace.root).as_posix() for picture in pictures]
    found = kept_detections(workspace.root, paths, trainer.load(run.folder), LEAST_SCORE)
    return average_precision(
        data.labels,
        [picture.boxes for picture in pictures],
        [boxes or () for boxes in found],  # one that was there a moment ago may be gone: nothing is found in it
        [(picture.width, picture.height) for picture in pictures],
    )


def _measured(workspace: Workspace, trainer: "DetectorTrainer[DetectionData]", run: Run, split: str) -> dict[str, Any]:
    labels = labels_of(run)
    with workspace.open(WANTED) as data:
        boxes = choose_boxes(data, labels, split)
    if boxes.empty:
        raise UserError(f"no picture of the split {split} in {workspace.root} has boxes that someone drew")
    pictures, boxes, unreadable = read_data(workspace, boxes, labels)
    say_unreadable(STAGE, unreadable)
    if boxes.empty:
        raise StageFailed(f"no picture of the split {split} in {workspace.root} can be read")
    counts = {"pictures": len(pictures.splits[split]), "boxes": len(boxes), "unreadable": len(unreadable)}
    return {"run": run.name, "split": split, **counts, **measure(workspace, trainer, run, pictures, split)}
