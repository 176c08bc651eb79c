"""The folders of training runs: ``models/<kind>/<run>/``, and which of them is the model in use.

``run.json`` is written when a run starts, ``metrics.json`` when its weights are complete, and the pointer
``models/<kind>/latest.json`` last of all: an unfinished run is never in use.
"""

import datetime
import functools
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fullshot
from fullshot.core.clock import now
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.files import digest as file_digest
from fullshot.core.files import read_json, write_text
from fullshot.core.progress import say_unchanged
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train.digests import BY_ROWS


@dataclass(frozen=True)
class Run:
    """One training run: its kind (``detector``, ``embedder``), name, folder, and the digest of its inputs."""

    kind: str
    name: str
    folder: Path
    digest: str

    @property
    def finished(self) -> bool:
        """Whether its weights are complete."""
        return (self.folder / "metrics.json").is_file()

    @property
    def record(self) -> dict[str, Any]:
        """The content of ``run.json``: settings, version, start."""
        return read_json(self.file)

    @property
    def file(self) -> Path:
        """Where the record lies."""
        return self.folder / "run.json"

    @property
    def section(self) -> dict[str, Any]:
        """The settings of its kind that it was started with.

        Raises:
            UserError: the record does not hold them.
        """
        settings = self.record.get("settings")
        section = settings.get(self.kind) if isinstance(settings, dict) else None
        if not isinstance(section, dict):
            raise UserError(f"{self.file}: expected the settings of the {self.kind}: the file was damaged or edited")
        return section

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of ``metrics.json``."""
        return read_json(self.folder / "metrics.json")


def start(workspace: Workspace, kind: str, digest: str, settings: Settings, **more: Any) -> Run:
    """Make the folder of a new run, named by the time, and write its ``run.json``.

    Args:
        workspace: where.
        kind: ``detector`` or ``embedder``.
        digest: of the inputs and settings.
        settings: what the run is made with.
        **more: further entries of ``run.json``, such as counts.
    """
    folder = _new_folder(workspace.models(kind))
    record = {
        "kind": kind,
        "run": folder.name,
        "digest": digest,
        "version": fullshot.__version__,
        "started_at": now(),
        "settings": settings.model_dump(mode="json"),
        **more,
    }
    write_text(folder / "run.json", json.dumps(record, indent=1) + "\n")
    return Run(kind, folder.name, folder, digest)


def finish(run: Run, metrics: dict[str, Any]) -> None:
    """Declare the weights of a run complete, and make it the model in use."""
    write_text(run.folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    put_in_use(run)


def rewrite(run: Run, **changes: Any) -> Run:
    """Change what a run's ``run.json`` says; everything that is read of it later is as it says then.

    Args:
        run: finished or not.
        **changes: entries to be set.
    """
    record = {**run.record, **changes}
    write_text(run.file, json.dumps(record, indent=1) + "\n")
    return Run(run.kind, run.name, run.folder, str(record["digest"]))


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
    """Put the finished run of one of these inputs in use; one is trained where there is none.

    Args:
        workspace: where.
        kind: ``detector`` or ``embedder``.
        inputs: see :func:`fullshot.train.digests.inputs_digest`.
        weights: where the weights lie in a run's folder.
        train: the finished run, whether it had to be trained, and its inputs.
        resume: the run to go on with, whatever else there is; None: none was named.

    Returns:
        ``run``, its name; ``trained``; and its metrics.
    """
    run, trained = None if resume else run_of_inputs(workspace, kind, inputs, weights), False
    if run is None:
        run, trained, made_of = train()
        remember_inputs(run, made_of)
    put_in_use(run)
    if not trained:
        say_unchanged(f"train {kind}", f"run {run.name} was trained", "it is in use")
    return {"run": run.name, "trained": trained, **run.metrics}


def whole_weights(workspace: Workspace, run: Run, weights: Path) -> str:
    """The digest of a finished run's weights.

    Args:
        workspace: of the run.
        run: finished.
        weights: their file.

    Raises:
        StageFailed: they are gone, or not those that the run was finished with; says which command trains them again.
    """
    digest = digest_if_whole(run, weights)
    if not digest:
        what = "damaged or replaced" if weights.is_file() else "gone"
        raise StageFailed(
            f"{weights} is {what}: run `fullshot train {run.kind} {workspace.root}`, which trains it again"
        )
    return digest


def digest_if_whole(run: Run, weights: Path) -> str:
    """The digest of the weights that a run was finished with; empty where they are gone, or others.

    Args:
        run: finished.
        weights: their file.
    """
    digest = file_digest(weights) if weights.is_file() else ""
    return digest if digest.startswith(str(run.metrics.get("weights", ""))) else ""


def put_in_use(run: Run) -> None:
    """Make a finished run the model in use."""
    write_text(run.folder.parent / "latest.json", json.dumps({"run": run.name}) + "\n")


def finished_runs(workspace: Workspace, kind: str) -> list[Run]:
    """All finished runs, newest first."""
    return [run for run in all_runs(workspace, kind) if run.finished]


def unknown_runs(workspace: Workspace, kind: str) -> list[str]:
    """The ``run.json`` of finished runs that cannot be read, so that it cannot be told what they need."""
    files = sorted(path.with_name("run.json") for path in workspace.models(kind).glob("*/metrics.json"))
    return [str(file) for file in files if not read_json(file)]


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


def _can_read_more(workspace: Workspace, run: Run, paths: Iterable[str]) -> bool:
    """Whether pictures that a run had to leave out have been brought back since."""
    # Not needed to find a run, and so not for a wrong name of one.
    from fullshot.train import pictures

    left_out = int(run.metrics.get("unreadable", 0))
    return left_out > 0 and len(pictures.unreadable(workspace.root, paths)) < left_out


def named_run(workspace: Workspace, kind: str, name: str) -> Run:
    """The run of this name, finished or not.

    Raises:
        UserError: there is none; says which there are, or that its ``run.json`` cannot be read.
    """
    runs = {run.name: run for run in all_runs(workspace, kind)}
    if name not in runs:
        file = workspace.models(kind) / name / "run.json"
        if file.is_file():
            raise UserError(f"{file}: expected the record of a run: the file was damaged or edited")
        there = ", ".join(runs) or "none"
        raise UserError(f"no run {name!r} of the {kind} in {workspace.root}: there are {there}")
    return runs[name]


def latest_run(workspace: Workspace, kind: str, run: str | None = None) -> Run:
    """The model in use, or the finished run of this name.

    Raises:
        MissingInput: there is no model yet; says what to run first.
        UserError: there is no such run.
    """
    if run is not None:
        asked = named_run(workspace, kind, run)
        if not asked.finished:
            raise UserError(
                f"run {run} of the {kind} is not finished: "
                f"go on with it by `fullshot train {kind} {workspace.root} --resume {run}`"
            )
        return asked
    finished = finished_runs(workspace, kind)
    pointed = read_json(workspace.models(kind) / "latest.json").get("run")
    # A user may have deleted the run that was in use: the newest of the others takes its place.
    chosen = next((candidate for candidate in finished if candidate.name == pointed), None) or next(
        iter(finished), None
    )
    if chosen is None:
        raise MissingInput(f"no {kind} in {workspace.root}: run `fullshot train {kind} {workspace.root}` first")
    return chosen


def all_runs(workspace: Workspace, kind: str) -> Iterator[Run]:
    """All runs, newest first."""
    for folder in sorted(workspace.models(kind).glob("*"), reverse=True):
        record = read_json(folder / "run.json")
        if record:
            yield Run(kind, folder.name, folder, str(record.get("digest", "")))


def _new_folder(parent: Path) -> Path:
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1, 1000):
        folder = parent / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(parent / stamp)
