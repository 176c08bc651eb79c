"""Going on with a training that is named: to the end of its schedule, or to another number of epochs.

A run that is finished stays as it is, and in use, while a new one goes on from where it ended.
"""

from dataclasses import dataclass

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.interfaces import ContinuingTrainer, DetectorTrainer
from fullshot.core.progress import say
from fullshot.core.settings import DetectorSettings
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.detector.data import DetectionData
from fullshot.train.detector.families import FIRST, KIND, trainer_for, trainer_of, with_defaults
from fullshot.train.resuming import section_of
from fullshot.train.runs import Run

CONTINUES = "continues"
"""Entry of a ``run.json``: the name of the finished run that it goes on from."""

EPOCHS = "epochs_asked"
"""Entry of a ``run.json`` whose number of epochs was changed: all that were asked for, the first ones first."""

_OF_TODAY = ("device", "runtime", "precision")
"""Settings of the machine, not of the run: it may go on elsewhere than where it began."""


@dataclass(frozen=True)
class Resumed:
    """A run to go on with.

    Attributes:
        run: finished or not.
        own: the section of the settings that it was started with, or changed to last.
        section: what is trained with now: the same, but for the number of epochs.
    """

    run: Run
    own: DetectorSettings
    section: DetectorSettings


def resumed(workspace: Workspace, name: str, epochs: int | None, today: DetectorSettings) -> Resumed:
    """The run of this name, and what to train with.

    Args:
        workspace: where.
        name: of the run.
        epochs: to go on to; None: to those that it was asked for.
        today: the section of the settings as it is now.

    Raises:
        UserError: there is no such run; it has done more epochs, or is finished with so many; or its family can only go
            on to the epochs that were asked for.
    """
    run = runs.named_run(workspace, KIND, name)
    # A run of version 0.1 does not name its family.
    family = run.record.get("family", FIRST)
    update = {"family": family, **{name: getattr(today, name) for name in _OF_TODAY}}
    own = with_defaults(section_of(run, today).model_copy(update=update))
    section = own if epochs is None else own.model_copy(update={"epochs": epochs})
    if run.finished:
        done = int(run.metrics.get("epochs", own.epochs))
        if epochs is None or epochs <= done:
            got = "" if epochs is None else f", not {epochs}"
            raise UserError(
                f"run {name} of the {KIND} is finished with {done} epochs: to go on, name more of them by --epochs{got}"
            )
    if section != own:
        trainer = trainer_for(section)
        if not isinstance(trainer, ContinuingTrainer):
            raise UserError(f"a run of the family {section.family} goes on to its {own.epochs} epochs alone")
        done = trainer.epochs_done(run.folder)
        if not run.finished and section.epochs < done:
            raise UserError(
                f"run {name} of the {KIND} has done {done} epochs: expected as many or more by --epochs, got "
                f"{section.epochs}"
            )
    return Resumed(run, own, section)


def change_epochs(given: Resumed, digest: str) -> Run:
    """Let an unfinished run go on to other epochs than before, and write that down.

    Args:
        given: the run.
        digest: of its inputs, and of the settings with the new number.
    """
    record = given.run.record
    settings = {**record["settings"], KIND: given.section.model_dump(mode="json")}
    asked = [*record.get(EPOCHS, [given.own.epochs]), given.section.epochs]
    return runs.rewrite(given.run, digest=digest, settings=settings, **{EPOCHS: asked})


def begun(workspace: Workspace, given: Resumed, digest: str) -> Run | None:
    """The newest run that was begun to go on from where a finished one ended, to the same epochs; None: there is none.

    Args:
        workspace: where both are.
        given: the finished run.
        digest: of its inputs, and of the settings to go on with.
    """
    runs_of_kind = runs.all_runs(workspace, KIND)
    return next(
        (run for run in runs_of_kind if run.digest == digest and run.record.get(CONTINUES) == given.run.name), None
    )


def take_over(workspace: Workspace, run: Run, trainer: DetectorTrainer[DetectionData]) -> None:
    """Give a run the state of the finished one that it goes on from, where it does and has not begun.

    Args:
        workspace: where both are.
        run: to be trained.
        trainer: of both.

    Raises:
        StageFailed: that state is no more.
    """
    name = run.record.get(CONTINUES)
    if name is None or not isinstance(trainer, ContinuingTrainer) or trainer.epochs_done(run.folder):
        return
    before = runs.named_run(workspace, KIND, str(name))
    if not trainer.epochs_done(before.folder):
        raise StageFailed(
            f"run {name} cannot go on: its checkpoint is gone, which only the newest finished run keeps; its weights "
            f"are a start all the same: {trainer.weights(before.folder)}"
        )
    trainer.take_over(before.folder, run.folder)
    say(f"train {KIND}: goes on from where run {name} ended, in run {run.name}")


def keep_one_checkpoint(workspace: Workspace, newest: Run) -> None:
    """Delete what only going on would need of all finished runs but the newest: it is several times their weights.

    Args:
        workspace: where.
        newest: was just finished.
    """
    for run in runs.finished_runs(workspace, KIND):
        if run.name != newest.name:
            try:
                trainer = trainer_of(run, section_of(run, DetectorSettings()))
            except UserError:  # its record is damaged, or another package brought its family
                continue
            trainer.clean_up(run.folder)
