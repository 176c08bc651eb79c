"""Embedders by name, as an evaluation compares them: runs, files, published networks, and baselines."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fullshot.core.interfaces import Embedder
from fullshot.core.settings import EmbedderSettings
from fullshot.core.workspace import Workspace
from fullshot.train.embedder.baselines import BASELINES
from fullshot.train.embedder.in_use import KIND
from fullshot.train.embedder.sources import find_source
from fullshot.train.runs import Run


@dataclass(frozen=True)
class Contender:
    """An embedder that is to be measured.

    Attributes:
        name: as it was asked for.
        digest: of its weights, in hexadecimal.
        kind: ``run``, ``baseline`` or ``weights``.
        run: that it was trained in; None: nothing is known of its training.
        file: of its weights; None: it has none, or they lie in a package.
        load: opens it.
    """

    name: str
    digest: str
    kind: str
    run: Run | None
    file: Path | None
    load: Callable[[EmbedderSettings], Embedder]


def find_contender(name: str, workspace: Workspace) -> Contender:
    """The embedder of this name; it is not opened yet.

    Args:
        name: a baseline (:data:`fullshot.train.embedder.baselines.BASELINES`), or what
            :func:`fullshot.train.embedder.sources.find_source` understands.
        workspace: whose runs have names here.

    Raises:
        UserError: there is none, or the run is not finished.
        StageFailed: its weights are gone or damaged.
    """
    # To ask for the names of baselines is to look through what is installed.
    is_run = Path(name).name == name and (workspace.models(KIND) / name / "run.json").is_file()
    if not is_run and name in BASELINES.names():
        made = BASELINES.get(name)()
        return Contender(name, made.digest, "baseline", None, None, lambda _: made)
    source = find_source(name, workspace)
    return Contender(
        name,
        source.digest,
        "run" if source.run else "weights",
        source.run,
        source.file,
        lambda section: source.load(section.device),
    )
