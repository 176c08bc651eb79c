"""Where a workspace keeps what was seen of its pictures, by what saw it."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.curation.pose.estimators import Estimator

if TYPE_CHECKING:
    from fullshot.core.workspace import Workspace

FOLDER = "looks"

_MAKE = "3"
"""Of what is measured besides the pose; looks of another make are taken again."""


_MUCH = 32
"""Pictures from which on it is worth while to start processes before it is known what they are for."""


def made_by(estimator: Estimator) -> str:
    """What a look depends on besides the picture; looks made by anything else are taken again."""
    return f"{_MAKE} {estimator.make}"


def folder_of(root: Path, make: str) -> Path:
    """Where a workspace keeps the looks of one make; those of another estimator lie beside them."""
    return root / FOLDER / hashlib.sha256(make.encode()).hexdigest()[:12]


def is_all_new(workspace: "Workspace") -> bool:
    """Whether there is much to look at, as far as one sees without reading the tables: nothing was looked at yet."""
    images = workspace.table("images")
    is_much = images.is_file() and images.read_bytes().count(b"\n") > _MUCH
    return is_much and not any((workspace / FOLDER).glob("*/*.parquet"))
