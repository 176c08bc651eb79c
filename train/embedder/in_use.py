"""Which embedder is in use, without opening it, and which of the features that a workspace keeps it needs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.core.errors import MissingInput, UserError
from fullshot.core.files import digest
from fullshot.core.progress import say
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import runs

if TYPE_CHECKING:
    from fullshot.core.features import InUse

KIND = "embedder"

WEIGHTS, WEIGHTS_OF_0_1 = "weights.safetensors", "weights.pt"
"""A finished run's weights, in its folder."""

FIRST = "small"
"""The backbone of version 0.1, which knew no other: its checkpoints and runs do not name theirs."""

STARTER = "starter"
"""In the place of a run's name: the embedder that comes along."""

STARTER_FILE = Path(__file__).with_name("starter") / "garments.safetensors"


@dataclass(frozen=True)
class EmbedderInUse:
    """The embedder that a workspace uses.

    Attributes:
        name: of its run, or :data:`STARTER`.
        digest: of its weights, in hexadecimal; vectors are kept by it.
        run: that it was trained in; None: it came along.
    """

    name: str
    digest: str
    run: runs.Run | None = None


def weights_of(folder: Path) -> Path:
    """Where the weights of a run lie, or are to lie; those of earlier versions stay where they are."""
    new, old = folder / WEIGHTS, folder / WEIGHTS_OF_0_1
    return old if old.is_file() and not new.is_file() else new


def embedder_in_use(workspace: Workspace, settings: Settings | None = None) -> EmbedderInUse:
    """The embedder that a workspace uses; no weights are loaded.

    Args:
        workspace: where one may have been trained.
        settings: say whether the starter weights may be used; None: the workspace's.

    Raises:
        MissingInput: none was trained yet, and none comes along or the settings do not want it; says what to run first.
        StageFailed: its weights are gone or damaged.
    """
    try:
        run = runs.latest_run(workspace, KIND)
    except MissingInput:
        if not STARTER_FILE.is_file() or not (settings or workspace.settings()).embedder.starter:
            raise
        return EmbedderInUse(STARTER, digest(STARTER_FILE))
    return EmbedderInUse(run.name, runs.whole_weights(workspace, run, weights_of(run.folder)), run)


def digest_in_use(workspace: Workspace, run: str | None = None) -> str:
    """The digest of the embedder in use, or of that of a finished run.

    Raises:
        MissingInput: there is none yet; says what to run first.
        UserError: there is no such run, or it is not finished.
        StageFailed: its weights are gone or damaged.
    """
    if run is None:
        return embedder_in_use(workspace).digest
    chosen = runs.latest_run(workspace, KIND, run)
    return runs.whole_weights(workspace, chosen, weights_of(chosen.folder))


def features_in_use(workspace: Workspace, settings: Settings) -> "InUse":
    """The versions of crops and embeddings that the embedder in use needs, and the crops of the next training.

    What a run needs that does not say it is not known: all are kept then. See
    :func:`fullshot.core.features.collect_garbage`.
    """
    if runs.unknown_runs(workspace, KIND):
        return {"crops": None, "embeddings": None}
    # With NumPy, which a digest can do without.
    from fullshot.train.embedder.preprocessing import KEEP, STRETCH, version_of

    def crops_of(side: int, fit: object, background: object) -> str:
        # 0 is the backbone's own, which is not loaded for this: crops of all sizes are kept then.
        return version_of(str(side or "*"), str(fit), str(background))

    section = settings.embedder
    crops, embeddings = {crops_of(section.image_size, section.fit, section.background)}, []
    try:
        run = runs.latest_run(workspace, KIND)
    except MissingInput:
        if STARTER_FILE.is_file():
            embeddings.append(digest(STARTER_FILE)[:16])
            crops.add("*")
    else:
        # What a run was finished with: its weights may be damaged, and are trained again to the same.
        embeddings.append(str(run.metrics.get("weights") or digest_in_use(workspace))[:16])
        try:
            own = run.section
            crops.add(crops_of(_image_size(run), own.get("fit", STRETCH), own.get("background", KEEP)))
        except UserError as error:
            say(f"fullshot gc: {error}; crops of all sizes are kept")
            crops.add("*")
    return {"crops": sorted(crops), "embeddings": embeddings}


def _image_size(run: runs.Run) -> int:
    """The setting that a run was started with."""
    size = run.section.get("image_size")
    if not isinstance(size, int):
        raise UserError(f"{run.file}: expected a whole number as the setting {KIND}.image_size, got {size!r}")
    return size
