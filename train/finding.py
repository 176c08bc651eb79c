"""Which run a training is: one that is finished already, one to go on with, or none that is there."""

import functools
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.progress import say_unchanged
from fullshot.core.workspace import Workspace
from fullshot.train import validation
from fullshot.train.digests import BY_ROWS
from fullshot.train.runs import (
    Run,
    all_runs,
    digest_if_whole,
    latest_run,
    named_run,
    pointed,
    rewrite,
    settle,
    whole_weights,
)


def remember_inputs(run: Run, inputs: str) -> None:
    """Write down what a finished run was, or would have been, made of today.

    Args:
        run: finished.
        inputs: see :func:`fullshot.train.digests.inputs_digest`.
    """
    rewrite(run, inputs=inputs)


def run_of_inputs(
    workspace: Workspace, kind: str, inputs: Collection[str], weights: Callable[[Path], Path]
) -> Run | None:
    """The newest finished run that was made of one of these inputs, if all its pictures could be read.

    Args:
        workspace: where.
        kind: ``detector`` or ``embedder``.
        inputs: see :func:`fullshot.train.digests.inputs_digest`.
        weights: where the weights lie in a run's folder.
    """
    for run in all_runs(workspace, kind):
        if run.finished and run.record.get("inputs") in inputs and digest_if_whole(run, weights(run.folder)):
            return None if run.metrics.get("unreadable", 0) else run
    return None


def found_or_trained(
    workspace: Workspace,
    kind: str,
    inputs: Collection[str],
    weights: Callable[[Path], Path],
    train: Callable[[], tuple[Run, bool, str]],
    *,
    resume: str | None,
) -> dict[str, Any]:
    """The finished run of these inputs; one is trained where there is none.

    A run that is found is judged as one that was just trained: it comes into use unless it is worse than the one in
    use. So the same command, given twice, changes nothing the second time.

    Args:
        workspace: where.
        kind: ``detector`` or ``embedder``.
        inputs: see :func:`fullshot.train.digests.inputs_digest`.
        weights: where the weights lie in a run's folder.
        train: the finished run, whether it had to be trained, and its inputs.
        resume: the run to go on with, whatever else there is; None: none was named.

    Returns:
        ``run``, its name; ``trained``; ``in_use``, whether it is; and its metrics.
    """
    run, trained = None if resume else run_of_inputs(workspace, kind, inputs, weights), False
    if run is None:
        run, trained, made_of = train()
        remember_inputs(run, made_of)
    if not trained:
        say_unchanged(f"train {kind}", f"run {run.name} was trained", settle(run) or "it is in use")
    in_use = pointed(run.folder.parent, kind)
    told = {name: value for name, value in run.metrics.items() if name != validation.ENTRY}
    return {"run": run.name, "trained": trained, "in_use": in_use is not None and in_use.name == run.name, **told}


def find_run(
    workspace: Workspace,
    kind: str,
    digest: str,
    digest_of_0_1: Callable[[], str],
    *,
    resume: str | None,
    weights: Callable[[Path], Path],
    paths: Iterable[str],
    inputs: str,
) -> Run | None:
    """The run of these inputs and settings that need not be trained again, else the one to go on with.

    Args:
        workspace: where.
        kind: ``detector`` or ``embedder``.
        digest: of the inputs and settings, see :func:`fullshot.train.digests.rows_digest`.
        digest_of_0_1: the same as version 0.1 made it, see :func:`fullshot.train.digests.frames_digest`;
            asked for where it made runs.
        resume: the name of an unfinished run to go on with; None: the newest of this digest.
        weights: where the weights lie in a run's folder; a finished run without them, or with others, counts for
            nothing.
        paths: of the pictures to learn from; nor does a finished run that could not read some which can be read now.
        inputs: what the digest is of, for a message: ``the pictures or boxes``.

    Returns:
        A run, finished or not; None: there is none, so that one is to be started.

    Raises:
        UserError: there is no run ``resume``, or it was started with other inputs.
    """
    older = functools.cache(digest_of_0_1)

    def is_of_these(run: Run) -> bool:
        return run.digest == (digest if run.digest.startswith(BY_ROWS) else older())

    if resume is not None:
        run = named_run(workspace, kind, resume)
        if not is_of_these(run):
            raise UserError(
                f"{inputs} have changed since run {resume} was started: "
                f"run `fullshot train {kind} {workspace.root}` for a new one"
            )
        return run
    same = [run for run in all_runs(workspace, kind) if is_of_these(run)]
    finished = [
        run
        for run in same
        if run.finished and digest_if_whole(run, weights(run.folder)) and not _can_read_more(workspace, run, paths)
    ]
    unfinished = [run for run in same if not run.finished]
    return next(iter([*finished, *unfinished]), None)


def run_called(
    name: str, kind: str, workspace: Workspace | None, weights: Callable[[Run], Path]
) -> tuple[Run, str] | None:
    """The finished run of a name, or in a folder, and the digest of its weights; None: neither is there.

    Args:
        name: of a run of the workspace, or the folder of any run.
        kind: ``detector`` or ``embedder``.
        workspace: whose runs have names here; None: none have.
        weights: where a run's weights lie.

    Raises:
        UserError: the run is not finished or one of another kind; or the workspace has none of this name.
        StageFailed: its weights are gone or damaged.
    """
    path = Path(name).expanduser()
    is_name = bool(name) and workspace is not None and path.name == name
    if workspace is not None and is_name and (workspace.models(kind) / name / "run.json").is_file():
        run = latest_run(workspace, kind, name)
        return run, whole_weights(workspace, run, weights(run))
    if name and (path / "run.json").is_file():
        return _run_in(path, kind, weights)
    if workspace is not None and is_name and not path.suffix:
        named_run(workspace, kind, name)  # says which there are
    return None


def _run_in(folder: Path, kind: str, weights: Callable[[Run], Path]) -> tuple[Run, str]:
    run = Run(kind, folder.resolve().name, folder, "")
    if run.record.get("kind", kind) != kind:
        raise UserError(f"{folder} is a run of the {run.record['kind']}: expected one of the {kind}")
    if not run.finished:
        raise UserError(
            f"the run {folder} is not finished: go on with it by `fullshot train {kind} … --resume {run.name}`"
        )
    file = weights(run)
    found = digest_if_whole(run, file)
    if not found:
        what = "not those that the run was finished with: damaged or replaced" if file.is_file() else "gone"
        raise StageFailed(f"the weights {file} are {what}")
    return run, found


def _can_read_more(workspace: Workspace, run: Run, paths: Iterable[str]) -> bool:
    """Whether pictures that a run had to leave out have been brought back since."""
    # Not needed to find a run, and so not for a wrong name of one.
    from fullshot.train import pictures

    left_out = int(run.metrics.get("unreadable", 0))
    return left_out > 0 and len(pictures.unreadable(workspace.root, paths)) < left_out
