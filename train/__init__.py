"""Training of the models, the garment detector and the embedder, and the folders that their runs lie in.

The models themselves: :mod:`fullshot.train.detector` and :mod:`fullshot.train.embedder`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullshot.train.runs import Run, frames_digest, latest_run, named_run, put_in_use

__all__ = ["Run", "frames_digest", "latest_run", "named_run", "put_in_use"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: `fullshot --help` and worker processes need none of these.
    if name in __all__:
        return getattr(import_module("fullshot.train.runs"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
