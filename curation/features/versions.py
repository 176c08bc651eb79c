"""Where a workspace keeps the features of its pictures, by the version of what extracted them."""

import contextlib
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.core.progress import say

if TYPE_CHECKING:
    from fullshot.core.workspace import Workspace
    from fullshot.curation.pose import PoseEstimator

FOLDER = "features"

KIND = "pictures"
"""Of the store of features, :class:`fullshot.core.features.FeatureStore`."""

_FOLDER_OF_0_1 = "looks"

MEASURES_VERSION = "3"
"""Of what is measured besides the pose; features of another version are extracted again."""

_MUCH = 32
"""Pictures from which on it is worth while to start processes before it is known what they are for."""


def features_folder(root: Path) -> Path:
    """The folder of a workspace's features; that of version 0.1 is moved there, or used as it is where it cannot be."""
    folder, old = root / FOLDER, root / _FOLDER_OF_0_1
    if any(old.glob("*/*.parquet")):
        try:
            folder.mkdir(exist_ok=True)  # another stage's may be there before
            for part in sorted(old.iterdir()):
                if not (folder / part.name).exists():
                    part.rename(folder / part.name)
        except OSError:
            # Another process was faster, or nobody may write here.
            return folder if folder.exists() and not any(old.glob("*/*.parquet")) else old
        say(f"fullshot: {old} is called {FOLDER}/ now: it was moved, and nothing is computed again")
        with contextlib.suppress(OSError):  # what could not be moved stays
            old.rmdir()
    return folder


def version_of(estimator: "PoseEstimator") -> str:
    """What features depend on besides the picture; those of another version are extracted again."""
    return f"{MEASURES_VERSION} {estimator.version}"


def version_name(version: str) -> str:
    """The name of a version's folder."""
    return hashlib.sha256(version.encode()).hexdigest()[:12]


def shards_folder(root: Path, version: str) -> Path:
    """Where a workspace keeps the features of one version; those of another estimator lie beside them.

    Version 0.1 had all of them one folder higher: they are moved, or used as they are where they cannot be.
    """
    from fullshot.core.features import adopt  # with Arrow, which who asks only whether all is new can do without

    above = features_folder(root)
    for old in above.iterdir() if above.is_dir() else ():
        if re.fullmatch(r"[0-9a-f]{12}", old.name) and old.is_dir():
            try:
                adopt(old, above / KIND / old.name)
            except OSError:  # nobody may write here
                if old.name == version_name(version):
                    return old
    return above / KIND / version_name(version)


def is_all_new(workspace: "Workspace") -> bool:
    """Whether there is much to do, as far as one sees without reading the tables: no features are kept yet."""
    images = workspace.table("images")
    is_much = images.is_file() and images.read_bytes().count(b"\n") > _MUCH
    folder = features_folder(workspace.root)
    return is_much and not any(any(folder.glob(where)) for where in (f"{KIND}/*/*.parquet", "*/*.parquet"))
