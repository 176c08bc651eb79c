"""Train the garment detector, so that it may be killed at any moment and goes on where it stopped.

What is the same for every family of detectors is done here; what a family does lies behind
:class:`fullshot.core.interfaces.DetectorTrainer`.
"""

import functools
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fullshot.core import leakage, progress
from fullshot.core.dataset import Dataset
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import digest as file_digest
from fullshot.core.interfaces import DetectorTrainer, StartsFromWeights
from fullshot.core.settings import DetectorSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import digests, exported, finding, pictures, runs, runtimes, torchrun, tracking
from fullshot.train.detector import continuing, teaching
from fullshot.train.detector.beginnings import Beginning, Beginnings, MadeWith
from fullshot.train.detector.checks import check_data, refuse_unlearnt, say_what_lacks
from fullshot.train.detector.data import CHOSEN, WANTED, DetectionData, choose_boxes, counts, read_data, validated
from fullshot.train.detector.families import KIND, trainer_for
from fullshot.train.runs import Run

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

STAGE = "train detector"

_WITHOUT_EFFECT = digests.WITHOUT_EFFECT | {
    *("confidence", "plots", "model", "family", "weights", "starter", "runtime", "precision", "mlflow"),
    *("self_training", "teacher", "teacher_score"),
}
"""Settings that no weight depends on. The family is named apart, and tells itself what its model's files hold; so is
the teacher of a self-training, with what it is asked for."""

_LATER = ("patience", "labels", "crops", "sampling")
"""Settings that came after version 0.1: as they are by default they do not count, so that a run of then is known."""


@dataclass(frozen=True)
class _Task:
    """What is to be trained.

    Attributes:
        workspace: where.
        settings: with the section to train with; once the beginning is known, with that of it.
        tables: digests of those that boxes are chosen from, taken before they are read: others may change them.
        beginnings: with what it may begin, and others have begun.
        beginning: with what it begins.
        teacher: of a self-training; None: it is none.
        resumed: the run to go on with; None: none was named.
        tell: tells the processes that train along what to train, see :func:`follow`.
    """

    workspace: Workspace
    settings: Settings
    tables: Mapping[str, str]
    beginnings: Beginnings
    beginning: Beginning
    teacher: teaching.Teacher | None
    resumed: continuing.Resumed | None
    tell: Callable[[Any], None]

    @property
    def section(self) -> DetectorSettings:
        return self.beginning.section

    @functools.cached_property
    def trainer(self) -> DetectorTrainer[DetectionData]:
        return self.beginnings.trainer_of(self.beginning)

    @property
    def labels(self) -> list[str]:
        return self.section.labels.split()


def fit(
    workspace: Workspace, settings: Settings, *, resume: str | None = None, epochs: int | None = None
) -> dict[str, Any]:
    """Train a detector of the settings' family on the workspace's boxes.

    A run of the same boxes and settings that was stopped goes on from its last epoch; one that is finished is not
    trained again, but becomes the model in use.

    Args:
        workspace: with ``boxes.csv``, ``images.csv`` and ``curated.csv``.
        settings: see :class:`fullshot.core.settings.DetectorSettings`.
        resume: the name of a run to go on with, with the settings that it was started with; of a finished one a new
            run takes over the state.
        epochs: to go on to; None: to those that the run was asked for.

    Returns:
        ``run``, ``trained`` (false: it had been before), ``resumed_at`` (epochs done before), ``pictures`` and
        ``boxes`` by split, ``unreadable`` (pictures that were left out), ``epochs``, ``best_epoch``, ``seconds`` of
        training, ``weights`` (their digest), and ``val``: ``measured_on`` (``val``; ``train`` where no picture is
        there to validate on), ``map50``, ``map50_95``, ``classes``. Of a self-training also ``self_training``: who
        taught, with how many ``pictures`` and ``boxes``, and what was left out.

    Raises:
        MissingInput: a table is not there; says which command makes it.
        UserError: no box to train on, or none of a label that the test has; no such family, model, device or run; the
            splits leak.
        StageFailed: the training broke off, or no picture can be read.
    """
    with torchrun.leading() as tell, workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        task = _task(workspace, settings, resume, epochs, tell)
        inputs = [_inputs(task, beginning) for beginning in task.beginnings.finished()]
        train = functools.partial(_found_or_trained, task)
        stats |= finding.found_or_trained(workspace, KIND, inputs, task.trainer.weights, train, resume=resume)
    return stats


def _inputs(task: _Task, beginning: Beginning) -> str:
    section, made_with = beginning.section, beginning.made_with
    return digests.inputs_digest(task.workspace, task.tables, section, made_with, without=_without_effect(section))


def follow() -> None:
    """Train along with the process that torchrun started first, which runs :func:`fit`; nothing is written or said."""
    with torchrun.following() as given:
        if given is not None:
            section, sources, data, folder = given
            trainer = trainer_for(section)
            if isinstance(trainer, StartsFromWeights):
                trainer.look_for_weights(sources)
            try:
                trainer.fit(data, folder, lambda done, total, note="": None)
            except UserError as error:
                if torchrun.is_beside_leader():  # which comes to the same, and says it
                    raise SystemExit(error.exit_code) from None
                raise


def _task(
    workspace: Workspace, settings: Settings, resume: str | None, epochs: int | None, tell: Callable[[Any], None]
) -> _Task:
    resumed = None if resume is None else continuing.resumed(workspace, resume, epochs, settings.detector)
    section = settings.detector if resumed is None else resumed.section
    if exported.runs_on_cpu(section.device):  # before it trains: it is measured in the end
        runtimes.refuse_unusable(section.runtime, section.precision)
    # A training teaches and measures in float32, whatever its detector is used in.
    section = section.model_copy(update={"precision": runtimes.FLOAT32})
    settings = settings.model_copy(update={"detector": section})
    teacher = teaching.teacher_of(workspace, settings, resumed.run if resumed else None)
    beginnings = Beginnings(workspace, section, settings.weights, teaching.made_with(teacher, section))
    tables = workspace.digests(tuple(WANTED))
    return _Task(workspace, settings, tables, beginnings, beginnings.here(), teacher, resumed, tell)


def _without_effect(section: DetectorSettings) -> frozenset[str]:
    """The settings that no weight depends on; those that came after version 0.1 count where they say anything."""
    default = DetectorSettings()
    return _WITHOUT_EFFECT | {name for name in _LATER if getattr(section, name) == getattr(default, name)}


def _found_or_trained(task: _Task) -> tuple[Run, bool, str]:
    """The finished run of these boxes and settings, whether it had to be trained, and its inputs."""
    workspace, section, labels = task.workspace, task.section, task.labels
    unlabelled: pd.DataFrame | None = None
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
        if task.teacher is not None:
            teaching.find_unlabelled(data)
            unlabelled = data.frame(teaching.UNLABELLED)
        beginning, digest, run = _run_of(task, data, boxes)
    if run is not None and run.finished:
        return run, False, _inputs(task, beginning)
    settings = task.settings.model_copy(update={"detector": beginning.section})
    task = replace(task, beginning=beginning, settings=settings)
    number = counts(boxes, labels)
    refuse_unlearnt(workspace.root, number, labels)
    if unlabelled is not None and not number["val"]["boxes"]:
        raise UserError(
            f"self-training in {workspace.root}: expected pictures with boxes in the split val, to measure on what no "
            "teacher found, got none: annotate some, or set detector.self_training to false"
        )
    say_what_lacks(STAGE, check if unlabelled is None else check.without(len(unlabelled)), number, labels)
    in_crops = section.crops == "always" or (section.crops == "auto" and check.has_one_box_each)
    if in_crops:
        why = "every picture of the split train has one box" if check.has_one_box_each else 'detector.crops is "always"'
        progress.say(f"{STAGE}: {why}: it learns from crops about a box, drawn anew each epoch")
    return _train(task, boxes, unlabelled, digest, run, in_crops=in_crops), True, _inputs(task, beginning)


def _run_of(task: _Task, data: Dataset, boxes: "pd.DataFrame") -> tuple[Beginning, str, Run | None]:
    """With what to begin, and the digest of it; and the run of these boxes, finished or not, where there is one."""
    # Read once: whatever it began with, the rows are the same.
    rows = digests.rows_of(data, [CHOSEN, *([teaching.UNLABELLED] if task.teacher else [])])

    def digest_of(beginning: Beginning) -> str:
        section, made_with = beginning.section, beginning.made_with
        return digests.rows_digest(rows, section, made_with, without=_without_effect(section))

    def find(beginning: Beginning, resume: str | None = None) -> Run | None:
        return finding.find_run(
            task.workspace,
            KIND,
            digest_of(beginning),
            lambda: digest_of_0_1(task.workspace, beginning.section, beginning.made_with, boxes),
            resume=resume,
            weights=task.trainer.weights,
            paths=boxes.loc[boxes["split"] != "test", "path"],
            inputs="the boxes, the model file or the way of training",
        )

    given, beginnings = task.resumed, task.beginnings
    if given is None:
        run, beginning = _run_and_beginning(beginnings, find)
        return beginning, digest_of(beginning), run
    made_with = beginnings.of(given.run).made_with
    run = find(Beginning(given.own, made_with), given.run.name)
    if not given.run.finished and not beginnings.has_begun(given.run):
        made_with = beginnings.today().made_with  # killed before its first epoch was whole, it begins anew
    beginning = Beginning(beginnings.section, made_with)
    digest = digest_of(beginning)
    if given.run.finished:
        run = continuing.begun(task.workspace, given, digest)
    elif given.section != given.own:
        run = continuing.change_epochs(given, digest)
    if run is not None and not run.finished and run.record.get("made_with", made_with) != made_with:
        run = runs.rewrite(run, digest=digest, made_with=made_with)
    return beginning, digest, run


def _run_and_beginning(beginnings: Beginnings, find: Callable[[Beginning], Run | None]) -> tuple[Run | None, Beginning]:
    """The run that is finished, else the one to go on with, and with what; weights are asked for where it has none."""
    for beginning in beginnings.finished():
        run = find(beginning)
        if run is not None and run.finished:
            return run, beginning
    for beginning in beginnings.unfinished():
        run = find(beginning)
        if run is not None and not run.finished and beginnings.has_begun(run):
            return run, beginning
    beginning = beginnings.today()
    return find(beginning), beginning


def digest_of_0_1(workspace: Workspace, section: DetectorSettings, made_with: MadeWith, boxes: "pd.DataFrame") -> str:
    """The digest of a run as version 0.1 made it."""
    import pandas as pd

    frames = {"samples": boxes, **{name: pd.DataFrame([row]) for name, row in made_with.items()}}
    # It learnt from these as they are stored: what it trained on others is as good as what is trained today.
    if turned := pictures.turned(workspace.root, boxes["path"]):
        frames["turned upright"] = pd.DataFrame({"path": turned})
    return digests.frames_digest(frames, section, without=_without_effect(section))


def _train(
    task: _Task,
    boxes: "pd.DataFrame",
    unlabelled: "pd.DataFrame | None",
    digest: str,
    run: Run | None,
    *,
    in_crops: bool,
) -> Run:
    """Train a run, a new one if need be, to its end, and declare it finished."""
    # Not above: it loads what a run that is there already needs nothing of.
    from fullshot.train.detector.evaluation import LEAST_SCORE, measure

    workspace, section, labels = task.workspace, task.section, task.labels
    held_back = boxes["split"] == "test"  # no family gets to see them
    taught, facts = None, dict[str, Any]()
    if task.teacher is not None and unlabelled is not None:
        taught, facts = _taught(task, task.teacher, unlabelled, run)
    shown = boxes[~held_back] if taught is None else teaching.with_taught(boxes[~held_back], taught)
    data, learnt_from, unreadable = read_data(workspace, shown, labels, in_crops=in_crops)
    progress.say_unreadable(STAGE, unreadable)
    if "train" not in data.splits:
        raise StageFailed(f"no picture of the split train in {workspace.root} that has boxes can be read")
    split = "val" if "val" in data.splits else "train"
    if taught is not None:
        learnt_from = learnt_from[learnt_from["score"].isna()]
        if split != "val":
            raise StageFailed(f"no picture of the split val in {workspace.root} that has boxes can be read")
    by_split = {**counts(learnt_from, labels), "test": counts(boxes[held_back], labels)["test"]}
    is_new = run is None
    if run is None:
        more = {"family": section.family, "counts": by_split, "made_with": task.beginning.made_with, **facts}
        if task.resumed is not None:
            more[continuing.CONTINUES] = task.resumed.run.name
        run = runs.start(workspace, KIND, digest, task.settings, **more)
    if taught is not None:
        teaching.write_boxes(run, taught)
    continuing.take_over(workspace, run, task.trainer)
    try:
        with tracking.told(section.mlflow, run.folder, _parameters(task)), progress.bar(STAGE, "epochs") as advance:
            task.tell((section, task.settings.weights, data, run.folder))
            fitted = task.trainer.fit(data, run.folder, advance)
    except UserError:  # nothing was trained
        if is_new:
            shutil.rmtree(run.folder)
        raise
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        raise StageFailed(
            f"the training broke off: {error.strerror or error}{place}; go on from the last whole epoch by "
            f"`fullshot train {KIND} {workspace.root} --resume {run.name}`"
        ) from error
    measured_by = trainer_for(section.model_copy(update={"confidence": LEAST_SCORE}))
    measured = {"measured_on": split, **measure(workspace, measured_by, run, data, split)}
    metrics = {
        **fitted,
        "pictures": {name: number["pictures"] for name, number in by_split.items()},
        "boxes": {name: number["boxes"] for name, number in by_split.items()},
        **facts,
        "unreadable": len(unreadable),
        "weights": file_digest(task.trainer.weights(run.folder))[:16],
        "val": measured,
        **validated(measured, learnt_from),
    }
    runs.finish(run, metrics)
    tracking.finish(run.folder)
    continuing.keep_one_checkpoint(workspace, run)
    return run


def _parameters(task: _Task) -> Mapping[str, object]:
    """What a run is made with, by name."""
    rows = task.beginning.made_with.items()
    made_with = {f"{name}.{key}": cell for name, row in rows for key, cell in row.items()}
    return {**task.section.model_dump(), **made_with}


def _taught(
    task: _Task, teacher: teaching.Teacher, unlabelled: "pd.DataFrame", run: Run | None
) -> "tuple[pyarrow.Table, dict[str, Any]]":
    """The teacher's boxes, those that the run began with where there are some; and what to note of them."""
    for begun in (run, task.resumed.run if task.resumed else None):
        table = teaching.read_boxes(begun) if begun else None
        if begun and table is not None:
            return table, {teaching.TAUGHT: begun.record[teaching.TAUGHT]}
    table, facts = teaching.teach(STAGE, task.workspace, task.settings, teacher, unlabelled)
    return table, {teaching.TAUGHT: facts}
