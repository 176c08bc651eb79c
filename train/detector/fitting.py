"""Train the garment detector, so that it may be killed at any moment and goes on where it stopped.

What is the same for every family of detectors is done here; what a family does lies behind
:class:`fullshot.core.interfaces.DetectorTrainer`.
"""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fullshot.core import leakage, progress
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import digest as file_digest
from fullshot.core.interfaces import DetectorTrainer, StartsFromWeights
from fullshot.core.settings import DetectorSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import digests, pictures, runs
from fullshot.train.detector.checks import check_data, refuse_unlearnt, say_what_lacks
from fullshot.train.detector.data import CHOSEN, WANTED, DetectionData, choose_boxes, counts, read_data
from fullshot.train.detector.families import FIRST, KIND, trainer_for, with_defaults
from fullshot.train.runs import Run

if TYPE_CHECKING:
    import pandas as pd

STAGE = "train detector"

_WITHOUT_EFFECT = digests.WITHOUT_EFFECT | {
    *("confidence", "plots", "model", "family", "weights", "starter", "runtime", "precision")
}
"""Settings that no weight depends on. The family is named apart, and tells itself what its model's files hold."""

_LATER = ("patience", "labels", "crops")
"""Settings that came after version 0.1: as they are by default they do not count, so that a run of then is known."""


def fit(workspace: Workspace, settings: Settings, *, resume: str | None = None) -> dict[str, Any]:
    """Train a detector of the settings' family on the workspace's boxes.

    A run of the same boxes and settings that was stopped goes on from its last epoch; one that is finished is not
    trained again, but becomes the model in use.

    Args:
        workspace: with ``boxes.csv``, ``images.csv`` and ``curated.csv``.
        settings: see :class:`fullshot.core.settings.DetectorSettings`.
        resume: the name of an unfinished run to go on with, with the settings that it was started with.

    Returns:
        ``run``, ``trained`` (false: it had been before), ``resumed_at`` (epochs done before), ``pictures`` and
        ``boxes`` by split, ``unreadable`` (pictures that were left out), ``epochs``, ``best_epoch``, ``seconds`` of
        training, ``weights`` (their digest), and ``val``: ``measured_on`` (``val``; ``train`` where no picture is
        there to validate on), ``map50``, ``map50_95``, ``classes``.

    Raises:
        MissingInput: a table is not there; says which command makes it.
        UserError: no box to train on, or none of a label that the test has; no such family, model, device or run; the
            splits leak.
        StageFailed: the training broke off, or no picture can be read.
    """
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        section = with_defaults(_section(workspace, settings.detector, resume))
        settings = settings.model_copy(update={"detector": section})
        trainer = trainer_for(section)
        if isinstance(trainer, StartsFromWeights):
            trainer.look_for_weights(settings.weights)
        made_with = _made_with(section, trainer)
        inputs = digests.inputs_digest(workspace, tuple(WANTED), section, made_with, without=_without_effect(section))
        train = functools.partial(_found_or_trained, workspace, settings, section, trainer, made_with, resume)
        stats |= runs.found_or_trained(workspace, KIND, inputs, trainer.weights, train, resume=resume)
    return stats


def _section(workspace: Workspace, today: DetectorSettings, resume: str | None) -> DetectorSettings:
    """The settings to train with; those of a run of version 0.1 do not name its family."""
    section = runs.section_to_train(workspace, KIND, resume, today)
    if resume is None:
        return section
    family = runs.named_run(workspace, KIND, resume).record.get("family", FIRST)
    return section.model_copy(update={"family": family})


def _without_effect(section: DetectorSettings) -> frozenset[str]:
    """The settings that no weight depends on; those that came after version 0.1 count where they say anything."""
    default = DetectorSettings()
    return _WITHOUT_EFFECT | {name for name in _LATER if getattr(section, name) == getattr(default, name)}


def _made_with(section: DetectorSettings, trainer: DetectorTrainer[DetectionData]) -> Mapping[str, Mapping[str, str]]:
    """What the weights depend on besides the boxes and the settings."""
    return {**trainer.inputs(), **({"family": {"name": section.family}} if section.family != FIRST else {})}


def _found_or_trained(
    workspace: Workspace,
    settings: Settings,
    section: DetectorSettings,
    trainer: DetectorTrainer[DetectionData],
    made_with: Mapping[str, Mapping[str, str]],
    resume: str | None,
) -> tuple[Run, bool]:
    """The finished run of these boxes and settings, and whether it had to be trained."""
    labels = section.labels.split()
    with workspace.open(WANTED) as data:
        boxes = choose_boxes(data, labels)
        leakage.refuse(data)
        if not (boxes["split"] == "train").any():
            raise UserError(
                f"no box to train on in {workspace.root}: expected boxes that someone drew on pictures of the split "
                f"train, got {len(boxes)} on other splits; run `fullshot boxes import {workspace.root} …` or annotate "
                "first"
            )
        check = check_data(data)
        digest = digests.rows_digest(data, [CHOSEN], section, made_with, without=_without_effect(section))
    run = runs.find_run(
        workspace,
        KIND,
        digest,
        lambda: digest_of_0_1(workspace, section, made_with, boxes),
        resume=resume,
        weights=trainer.weights,
        paths=boxes.loc[boxes["split"] != "test", "path"],
        inputs="the boxes, the model file or the way of training",
    )
    if run is not None and run.finished:
        return run, False
    number = counts(boxes, labels)
    refuse_unlearnt(workspace.root, number, labels)
    say_what_lacks(STAGE, check, number, labels)
    in_crops = section.crops == "always" or (section.crops == "auto" and check.has_one_box_each)
    if in_crops:
        why = "every picture of the split train has one box" if check.has_one_box_each else 'detector.crops is "always"'
        progress.say(f"{STAGE}: {why}: it learns from crops about a box, drawn anew each epoch")
    return _train(workspace, settings, section, trainer, boxes, digest, made_with, run, in_crops=in_crops), True


def digest_of_0_1(
    workspace: Workspace, section: DetectorSettings, made_with: Mapping[str, Mapping[str, str]], boxes: "pd.DataFrame"
) -> str:
    """The digest of a run as version 0.1 made it."""
    import pandas as pd

    frames = {"samples": boxes, **{name: pd.DataFrame([row]) for name, row in made_with.items()}}
    # It learnt from these as they are stored: what it trained on others is as good as what is trained today.
    if turned := pictures.turned(workspace.root, boxes["path"]):
        frames["turned upright"] = pd.DataFrame({"path": turned})
    return digests.frames_digest(frames, section, without=_without_effect(section))


def _train(
    workspace: Workspace,
    settings: Settings,
    section: DetectorSettings,
    trainer: DetectorTrainer[DetectionData],
    boxes: "pd.DataFrame",
    digest: str,
    made_with: Mapping[str, Mapping[str, str]],
    run: Run | None,
    *,
    in_crops: bool,
) -> Run:
    """Train a run, a new one if need be, to its end, and declare it finished."""
    # Not above: it loads what a run that is there already needs nothing of.
    from fullshot.train.detector.evaluation import LEAST_SCORE, measure

    labels = section.labels.split()
    held_back = boxes["split"] == "test"  # no family gets to see them
    data, learnt_from, unreadable = read_data(workspace, boxes[~held_back], labels, in_crops=in_crops)
    progress.say_unreadable(STAGE, unreadable)
    if "train" not in data.splits:
        raise StageFailed(f"no picture of the split train in {workspace.root} that has boxes can be read")
    by_split = {**counts(learnt_from, labels), "test": counts(boxes[held_back], labels)["test"]}
    if run is None:
        more = {"family": section.family, "counts": by_split, "made_with": made_with}
        run = runs.start(workspace, KIND, digest, settings, **more)
    with progress.bar(STAGE, "epochs") as advance:
        fitted = trainer.fit(data, run.folder, advance)
    split = "val" if "val" in data.splits else "train"
    measured_by = trainer_for(section.model_copy(update={"confidence": LEAST_SCORE}))
    metrics = {
        **fitted,
        "pictures": {name: number["pictures"] for name, number in by_split.items()},
        "boxes": {name: number["boxes"] for name, number in by_split.items()},
        "unreadable": len(unreadable),
        "weights": file_digest(trainer.weights(run.folder))[:16],
        "val": {"measured_on": split, **measure(workspace, measured_by, run, data, split)},
    }
    runs.finish(run, metrics)
    trainer.clean_up(run.folder)
    return run
