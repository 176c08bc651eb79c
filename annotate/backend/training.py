"""One training, in a process of its own: pull, train, compare on the validation split, and take over if better.

A run becomes the model in use when it is finished (see :mod:`fullshot.train`). So a candidate is trained in a folder
of its own, ``models/detector-candidates/``, and moves to ``models/detector/`` if it is better. A killed training
leaves the detector in use as it was; started again on the same annotations, it goes on from its last epoch.
"""

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock

from fullshot.annotate.backend import counting
from fullshot.annotate.label_studio.address import FOLDER, address
from fullshot.annotate.label_studio.connect import connected
from fullshot.annotate.label_studio.pull import pull
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.process import end_with_stdin
from fullshot.core.settings import Settings
from fullshot.core.workspace import LOCK_WAIT, Workspace
from fullshot.train import detector, leave_none_in_use, named_run, put_in_use

KIND = "detector"
CANDIDATES = "-candidates"

Say = Callable[[str], None]
Stats = dict[str, Any]
Fit = Callable[[Workspace, Settings], Stats]
Evaluate = Callable[[Workspace, Settings, str], Stats]
"""Takes the name of the run, or of the starter weights; returns at least ``map50`` and ``pictures``."""

_NICENESS = 10
_LOCK_WAIT = 600.0  # seconds to wait for another command on the workspace


class WorkspaceView(Workspace):
    """A workspace whose runs lie in a folder of their own, and which others may push from and pull into meanwhile.

    Args:
        root: of the workspace.
        suffix: of the folder of runs: :data:`CANDIDATES`, or nothing for the detectors themselves.
    """

    def __init__(self, root: Path, suffix: str) -> None:
        super().__init__(root)
        self._suffix = suffix

    def models(self, kind: str) -> Path:
        """As deep as in the workspace itself: a run links to its pictures by relative paths."""
        return self.root / "models" / f"{kind}{self._suffix}"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """No lock: :func:`retrain` holds the one on training."""
        yield


def fit_detector(workspace: Workspace, settings: Settings) -> Stats:
    """See :func:`fullshot.train.detector.fit`."""
    return detector.fit(workspace, settings)


def evaluate_detector(workspace: Workspace, settings: Settings, run: str) -> Stats:
    """See :func:`fullshot.train.detector.evaluate`."""
    studio = address(workspace, settings.annotate)
    return detector.evaluate(workspace, settings, run, split="val", label_studio=studio)


def retrain(
    workspace: Workspace,
    settings: Settings,
    pull_annotations: Callable[[], Any],
    say: Say,
    *,
    fit: Fit = fit_detector,
    evaluate: Evaluate = evaluate_detector,
) -> Stats:
    """Train a detector on what annotators drew; it comes into use only if it is better than the one in use.

    Args:
        workspace: whose detector is trained.
        settings: its sections ``annotate`` and ``detector``.
        pull_annotations: brings annotations into the workspace.
        say: is called with a line about each result.
        fit: trains in the workspace that it is given; returns at least ``run``.
        evaluate: measures a run, or the starter weights, on the validation split.

    Returns:
        ``run``, ``takes_over``, ``map50`` and ``map50_in_use``, None where there is none.

    Raises:
        UserError: there is nothing to train on, or another backend trains here already.
        StageFailed: the training broke off.
    """
    lock = FileLock(workspace / FOLDER / ".training.lock")
    with _holding(lock, LOCK_WAIT, f"another backend trains a detector for {workspace.root} already"):
        pull_annotations()
        used = counting.pulled(workspace)
        candidates, others = WorkspaceView(workspace.root, CANDIDATES), WorkspaceView(workspace.root, "")
        leave_none_in_use(candidates, KIND)  # it is compared with the detector in use, not with the last that lost
        fitted = fit(candidates, settings)
        name = str(fitted["run"])
        main = FileLock(workspace / ".lock")
        # Nobody may change boxes in between: both detectors must be measured on the same ones.
        with _holding(main, _LOCK_WAIT, f"another fullshot is at work on {workspace.root} for long"):
            stats = _compare(candidates, others, name, settings, evaluate, say)
        if stats["takes_over"]:
            _take_over(candidates, others, name)
        _delete_candidates(candidates, "" if stats["takes_over"] else name)
        counting.remember(workspace, used)
        return stats


@contextlib.contextmanager
def _holding(lock: FileLock, seconds: float, message: str) -> Iterator[None]:
    try:
        lock.acquire(timeout=seconds)
    except TimeoutError:
        raise UserError(message) from None
    try:
        yield
    finally:
        lock.release()


def _compare(
    candidates: Workspace, others: Workspace, name: str, settings: Settings, evaluate: Evaluate, say: Say
) -> Stats:
    """Whether a candidate is better than the detector in use, which may be the one that comes along."""
    stats: Stats = {"run": name, "takes_over": False, "map50": None, "map50_in_use": None}
    try:
        current = detector.in_use(others, settings).name
    except MissingInput:
        current = None
    stays = "the starter weights stay in use" if current == detector.STARTER else f"run {current} stays in use"
    try:
        new = evaluate(candidates, settings, name)
    except UserError as error:
        # Nothing to validate on. Any detector is better than none.
        stats["takes_over"] = current is None
        verdict = "it is the first and comes into use" if current is None else stays
        say(f"the new detector, run {name}, cannot be measured ({error}): {verdict}")
        return stats
    stats["map50"] = float(new["map50"])
    reaches = f"the new detector, run {name}, reaches mAP@0.5 {stats['map50']:.4f} on {new['pictures']} validation"
    reaches += f" picture{'s' * (new['pictures'] != 1)}"
    if current is None:
        stats["takes_over"] = True
        say(f"{reaches}; it is the first and comes into use")
        return stats
    stats["map50_in_use"] = float(evaluate(others, settings, current)["map50"])
    stats["takes_over"] = stats["map50"] > stats["map50_in_use"]
    verdict = "it takes over" if stats["takes_over"] else stays
    say(f"{reaches}, the one in use {stats['map50_in_use']:.4f}: {verdict}")
    return stats


def _take_over(candidates: Workspace, others: Workspace, name: str) -> None:
    """Move a candidate to the other runs, then point to it: in this order, the pointer never names a missing run."""
    folder = others.models(KIND)
    folder.mkdir(parents=True, exist_ok=True)
    free = next(
        place for number in range(1000) if not (place := folder / (f"{name}-{number}" if number else name)).exists()
    )
    (candidates.models(KIND) / name).rename(free)
    put_in_use(named_run(others, KIND, free.name))


def _delete_candidates(candidates: Workspace, keep: str) -> None:
    """Delete the candidates of earlier trainings, except the named one: the last that lost can be examined."""
    for folder in candidates.models(KIND).iterdir():
        if folder.is_dir() and folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """The process: settings come as one line on standard input, what happens goes as JSON lines to standard output."""
    received = json.loads(sys.stdin.buffer.readline())
    # The other end of the pipe stays open as long as the backend runs.
    end_with_stdin()
    os.nice(_NICENESS)  # predictions for annotators go first
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not mix with the messages

    def send(**message: Any) -> None:
        print(json.dumps(message), file=out, flush=True)

    sections: dict[str, Any] = received["settings"]
    sections["annotate"] |= received["secrets"]
    settings = Settings(**sections)
    workspace = Workspace(received["workspace"])
    started = time.monotonic()

    def pull_annotations() -> None:
        with connected(workspace, settings.annotate) as client:
            stats = pull(workspace, settings, client)
        send(say=f"pulled {stats['revisions']} new revisions with {stats['boxes']} boxes; the training begins")

    try:
        send(done=retrain(workspace, settings, pull_annotations, lambda text: send(say=text)))
    except (UserError, StageFailed, OSError) as error:
        send(failed=str(error))
        sys.exit(1)
    send(say=f"that took {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
