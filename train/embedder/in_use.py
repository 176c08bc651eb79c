"""Which embedder is in use, without opening it."""

from fullshot.core.files import digest
from fullshot.core.workspace import Workspace
from fullshot.train import runs

KIND = "embedder"

WEIGHTS = "weights.pt"
"""A finished run's weights, in its folder."""


def digest_in_use(workspace: Workspace, run: str | None = None) -> str:
    """The digest of the embedder in use, or of that of a finished run.

    Raises:
        MissingInput: there is none yet; says what to run first.
        UserError: there is no such run, or it is not finished.
    """
    return digest(runs.latest_run(workspace, KIND, run).folder / WEIGHTS)
