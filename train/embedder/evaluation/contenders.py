"""Embedders by name, as an evaluation compares them: runs, files, published networks, and baselines."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fullshot.core.interfaces import Embedder
from fullshot.core.settings import EmbedderSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train.embedder.baselines import BASELINES
from fullshot.train.embedder.in_use import KIND, STARTER
from fullshot.train.embedder.sources import find_source
from fullshot.train.runs import Run
from fullshot.train.weights import IMAGENET

RUN, BASELINE, WEIGHTS = "run", "baseline", "weights"
"""Kinds of embedders; besides these there are :data:`fullshot.train.embedder.in_use.STARTER` and ``imagenet``."""


@dataclass(frozen=True)
class Contender:
    """An embedder that is to be measured.

    Attributes:
        name: as it was asked for.
        digest: of its weights, in hexadecimal.
        kind: :data:`RUN`, :data:`BASELINE`, ``starter``, ``imagenet`` or :data:`WEIGHTS`.
        backbone: its name; None: it has none.
        run: that it was trained in; None: nothing is known of its training.
        file: of its weights; None: it has none, or they lie in a package.
        load: opens it.
    """

    name: str
    digest: str
    kind: str
    backbone: str | None
    run: Run | None
    file: Path | None
    load: Callable[[EmbedderSettings], Embedder]


def find_contender(name: str, workspace: Workspace, settings: Settings | None = None) -> Contender:
    """The embedder of this name; it is not opened yet.

    Args:
        name: a baseline (:data:`fullshot.train.embedder.baselines.BASELINES`), or what
            :func:`fullshot.train.embedder.sources.find_source` understands.
        workspace: whose runs have names here.
        settings: say where weights may be looked for; None: the usual places.

    Raises:
        UserError: there is none, or the run is not finished.
        StageFailed: its weights are gone or damaged.
    """
    # To ask for the names of baselines is to look through what is installed.
    is_run = Path(name).name == name and (workspace.models(KIND) / name / "run.json").is_file()
    if not is_run and name in BASELINES.names():
        made = BASELINES.get(name)()
        return Contender(name, made.digest, BASELINE, None, None, None, lambda _: made)
    source = find_source(name, workspace, settings)
    kind = RUN if source.run else name.partition(":")[0] if name.partition(":")[0] in (STARTER, IMAGENET) else WEIGHTS
    return Contender(
        name, source.digest, kind, source.backbone, source.run, source.file, lambda section: source.load(section.device)
    )
