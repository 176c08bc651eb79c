"""Which embedder is in use, without opening it, and which of the features that a workspace keeps it needs."""

from typing import TYPE_CHECKING

from fullshot.core.errors import MissingInput, UserError
from fullshot.core.progress import say
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import runs

if TYPE_CHECKING:
    from fullshot.core.features import InUse

KIND = "embedder"

WEIGHTS = "weights.pt"
"""A finished run's weights, in its folder."""

FIRST = "small"
"""The backbone of version 0.1, which knew no other: its checkpoints and runs do not name theirs."""


def digest_in_use(workspace: Workspace, run: str | None = None) -> str:
    """The digest of the embedder in use, or of that of a finished run.

    Raises:
        MissingInput: there is none yet; says what to run first.
        UserError: there is no such run, or it is not finished.
        StageFailed: its weights are gone or damaged.
    """
    chosen = runs.latest_run(workspace, KIND, run)
    return runs.whole_weights(workspace, chosen, chosen.folder / WEIGHTS)


def features_in_use(workspace: Workspace, settings: Settings) -> "InUse":
    """The versions of crops and embeddings that the embedder in use needs, and the crops of the next training.

    What a run needs that does not say it is not known: all are kept then. See
    :func:`fullshot.core.features.collect_garbage`.
    """
    if runs.unknown_runs(workspace, KIND):
        return {"crops": None, "embeddings": None}
    from fullshot.train.embedder.crops import crop_version  # with what cuts crops, which a digest can do without

    sides, embeddings = {settings.embedder.image_size}, []
    try:
        run = runs.latest_run(workspace, KIND)
    except MissingInput:
        pass  # there is none yet
    else:
        # What a run was finished with: its weights may be damaged, and are trained again to the same.
        embeddings.append(str(run.metrics.get("weights") or digest_in_use(workspace))[:16])
        try:
            sides.add(_image_size(run))
        except UserError as error:
            say(f"fullshot gc: {error}; crops of all sizes are kept")
            sides.add(0)
    # 0 is the backbone's own, which is not loaded for this: crops of all sizes are kept then.
    return {"crops": [crop_version(side or "*") for side in sorted(sides)], "embeddings": embeddings}


def _image_size(run: runs.Run) -> int:
    """The setting that a run was started with."""
    size = run.section.get("image_size")
    if not isinstance(size, int):
        raise UserError(f"{run.file}: expected a whole number as the setting {KIND}.image_size, got {size!r}")
    return size
