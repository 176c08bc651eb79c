"""Putting a training run in use, and deleting one that is not."""

import shutil
from typing import Any

from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.progress import say_unchanged
from fullshot.core.workspace import Workspace
from fullshot.train.overview import KINDS, size_of
from fullshot.train.runs import Run, all_runs, has_weights, latest_run, named_run, pointed, put_in_use

_LEAVING = ".deleted"
"""Below ``models/``: a run that is being deleted, so that a kill leaves no half of one among the others."""


def use_run(workspace: Workspace, name: str, kind: str | None = None) -> dict[str, Any]:
    """Put a finished run in use, whatever its figures are.

    Args:
        workspace: where.
        name: of the run.
        kind: ``detector`` or ``embedder``; None: whichever has a run of this name.

    Returns:
        ``run``, ``kind``, and ``in_use_before``, the name of the run that was; None: there was none.

    Raises:
        UserError: there is no such run, or it is not finished; another fullshot is at work here.
        StageFailed: its weights are gone or damaged.
    """
    with workspace.locked():
        kind = _kind_of(workspace, name, kind)
        run = latest_run(workspace, kind, name)  # says how to finish one that is not
        if not has_weights(run):
            raise StageFailed(
                f"the weights of run {name} of the {kind} are gone or damaged: it cannot be put in use; "
                f"`fullshot runs {workspace.root} {kind} --delete {name}` removes it"
            )
        before = _in_use(workspace, kind)
        if before == name and pointed(workspace.models(kind), kind) is not None:
            say_unchanged("runs", f"run {name} was put in use", "it is in use")
        else:
            put_in_use(run)
    return {"run": name, "kind": kind, "in_use_before": before}


def delete_run(workspace: Workspace, name: str, kind: str | None = None) -> dict[str, Any]:
    """Delete a run that is not in use, finished or not.

    Args:
        workspace: where.
        name: of the run.
        kind: ``detector`` or ``embedder``; None: whichever has a run of this name.

    Returns:
        ``run``, ``kind``, and ``freed_megabytes``.

    Raises:
        UserError: there is no such run, it is in use, or an unfinished one goes on from it; another fullshot is at
            work here, which may be training it.
    """
    with workspace.locked():
        leaving = workspace.models(_LEAVING)
        shutil.rmtree(leaving, ignore_errors=True)  # of a command that was killed
        kind = _kind_of(workspace, name, kind)
        if _in_use(workspace, kind) == name:
            raise UserError(
                f"run {name} of the {kind} is in use: put another one in use first, by "
                f"`fullshot runs {workspace.root} {kind} --use RUN`"
            )
        run = named_run(workspace, kind, name)
        if (follower := _that_goes_on_from(workspace, run)) is not None:
            raise UserError(f"run {follower} goes on from run {name} and is not finished: finish or delete it first")
        freed = size_of(run.folder)
        leaving.mkdir(parents=True)
        gone = leaving / name
        run.folder.rename(gone)
        shutil.rmtree(leaving)
    return {"run": name, "kind": kind, "freed_megabytes": round(freed / 1_000_000, 1)}


def _kind_of(workspace: Workspace, name: str, kind: str | None) -> str:
    """The kind of the run of this name.

    Raises:
        UserError: none or both kinds have one.
    """
    if kind is not None:
        named_run(workspace, kind, name)
        return kind
    having = [each for each in KINDS if any(run.name == name for run in all_runs(workspace, each))]
    if len(having) == 1:
        return having[0]
    if having:
        raise UserError(f"both a detector and an embedder have a run {name}: name the kind before --use or --delete")
    there = [run.name for each in KINDS for run in all_runs(workspace, each)]
    raise UserError(f"no run {name!r} in {workspace.root}: there are {', '.join(there) or 'none'}")


def _in_use(workspace: Workspace, kind: str) -> str | None:
    try:
        return latest_run(workspace, kind).name
    except MissingInput:
        return None


def _that_goes_on_from(workspace: Workspace, run: Run) -> str | None:
    """An unfinished run that takes over the state of a finished one when it is trained next."""
    unfinished = (other for other in all_runs(workspace, run.kind) if not other.finished)
    return next((other.name for other in unfinished if other.record.get("continues") == run.name), None)
