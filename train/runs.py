"""The folders of training runs: ``models/<kind>/<run>/``, and which of them is the model in use.

``run.json`` is written when a run starts, ``metrics.json`` when its weights are complete, and the pointer
``models/<kind>/latest.json`` last of all: an unfinished run is never in use. A run that is worse than the one in use
does not take its place; whoever wants it names it.
"""

import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fullshot
from fullshot.core.clock import now
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.files import digest as file_digest
from fullshot.core.files import read_json, write_text
from fullshot.core.progress import say
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import validation

POINTER = "latest.json"
"""In the folder of the runs of a kind: which of them is in use."""


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
    """Declare the weights of a run complete, and make it the model in use, unless that one is better.

    Args:
        run: its weights are written.
        metrics: with a :class:`fullshot.train.validation.Validation`, where something was there to validate on.
    """
    write_text(run.folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    said = settle(run)
    if said:
        say(f"train {run.kind}: {said}")


def settle(run: Run) -> str:
    """Put a finished run in use, unless it is worse than the one in use, measured on the same rows.

    Returns:
        What came of it, in words; empty where no other was in use.
    """
    before = pointed(run.folder.parent, run.kind)
    if before is None or before.name == run.name:
        put_in_use(run)
        return ""
    new, old = validation.of_metrics(run.metrics), validation.of_metrics(before.metrics)
    verdict = validation.compare(new, old)
    if verdict is validation.Verdict.NOT_COMPARABLE:
        put_in_use(run)
        why = _why_not_comparable(new, old)
        return f"run {run.name} is in use; it does not compare with run {before.name}, which was: {why}"
    both = f"on the same validation rows it reaches {new}, run {before.name}"
    if verdict is validation.Verdict.AS_GOOD:
        put_in_use(run)
        return f"run {run.name} is in use: {both}, which was, {old}"
    if not has_weights(before):  # any detector is better than none
        put_in_use(run)
        return f"run {run.name} is in use: {both}, which was, {old}, but the weights of that one are gone or damaged"
    order = f"`fullshot runs {run.folder.parents[2]} {run.kind} --use {run.name}` takes the new one"
    return (
        f"run {before.name} stays in use: on the same validation rows it reaches {old}, run {run.name} {new}; {order}"
    )


def _why_not_comparable(new: validation.Validation | None, old: validation.Validation | None) -> str:
    if new is None:
        return "nothing was there to validate it on"
    if old is None:
        return "that one does not say on which rows it was validated"
    if new.figure != old.figure:
        return f"this one is judged by {new.figure}, that one by {old.figure}"
    return "they were validated on different rows"


def rewrite(run: Run, **changes: Any) -> Run:
    """Change what a run's ``run.json`` says; everything that is read of it later is as it says then.

    Args:
        run: finished or not.
        **changes: entries to be set.
    """
    record = {**run.record, **changes}
    write_text(run.file, json.dumps(record, indent=1) + "\n")
    return Run(run.kind, run.name, run.folder, str(record["digest"]))


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
    write_text(run.folder.parent / POINTER, json.dumps({"run": run.name}) + "\n")


def leave_none_in_use(workspace: Workspace, kind: str) -> None:
    """Forget which run is in use: the next that is finished has none to be compared with."""
    (workspace.models(kind) / POINTER).unlink(missing_ok=True)


def pointed(folder: Path, kind: str) -> Run | None:
    """The finished run that was put in use last; None: there is none, or it is no more.

    Args:
        folder: of the runs of a kind.
        kind: ``detector`` or ``embedder``.
    """
    name = str(read_json(folder / POINTER).get("run", ""))
    run = Run(kind, name, folder / name, "")
    return run if name and run.finished else None


def has_weights(run: Run) -> bool:
    """Whether the weights that a run was finished with lie in its folder, whatever its family calls the file."""
    wanted = str(run.metrics.get("weights", ""))
    files = (path for path in sorted(run.folder.rglob("*")) if path.is_file())
    return any(file_digest(path).startswith(wanted) for path in files)


def finished_runs(workspace: Workspace, kind: str) -> list[Run]:
    """All finished runs, newest first."""
    return [run for run in all_runs(workspace, kind) if run.finished]


def unknown_runs(workspace: Workspace, kind: str) -> list[str]:
    """The ``run.json`` of finished runs that cannot be read, so that it cannot be told what they need."""
    files = sorted(path.with_name("run.json") for path in workspace.models(kind).glob("*/metrics.json"))
    return [str(file) for file in files if not read_json(file)]


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
    pointed = read_json(workspace.models(kind) / POINTER).get("run")
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
