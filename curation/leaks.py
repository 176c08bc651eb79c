"""Prove that no product, no colour of one and no copy of a picture is on two sides of a split."""

from collections.abc import Mapping

import pandas as pd

from curation import duplicates, estimators
from curation.looks import Looks, stored
from fullshot import leaks
from fullshot.errors import MissingInput
from fullshot.leaks import Leak
from fullshot.settings import Settings
from fullshot.workspace import Workspace


def check(workspace: Workspace, settings: Settings) -> list[Leak]:
    """Every leak that tables and hashes show: by product, by style, by cluster, and by hash.

    The hashes are compared anew, whatever the table says of clusters: a table that was edited, or pictures that came
    since, show here.

    Raises:
        MissingInput: nothing was curated yet.
    """
    return [*leaks.by_tables(workspace), *_by_hash(workspace, settings)]


def sides_of(workspace: Workspace) -> Mapping[str, str]:
    """The split of every picture that was not thrown out, by image_id."""
    curated = workspace.read("curated")
    curated = curated[curated["split"].notna() & curated["keep"].fillna(True).astype(bool)]
    return dict(curated[["image_id", "split"]].itertuples(index=False, name=None))


def looks_of(workspace: Workspace, settings: Settings) -> Looks:
    """What curation knows of the workspace's pictures.

    Raises:
        MissingInput: it knows nothing of them.
    """
    looks = stored(workspace, estimators.chosen(settings))
    if not len(looks.frame):
        raise MissingInput(f"no looks in {workspace.root}: run `fullshot curate {workspace.root}` first")
    return looks


def _by_hash(workspace: Workspace, settings: Settings) -> list[Leak]:
    sides, looks = sides_of(workspace), looks_of(workspace, settings)
    names = looks.frame["image_id"]
    side = names.map(sides)
    limits, hashes = settings.curate, looks.frame["phash"].to_numpy()
    pairs = duplicates.find(hashes, looks.thumbnails, limits.duplicate_radius, limits.duplicate_likeness)
    first, second = side.iloc[pairs[:, 0]].array, side.iloc[pairs[:, 1]].array
    torn = pd.Series(first).notna() & pd.Series(second).notna() & (pd.Series(first) != pd.Series(second))
    found = []
    for left, right in pairs[torn.to_numpy()]:
        images = tuple((str(names.iloc[row]), str(side.iloc[row])) for row in (left, right))
        bits = (int(hashes[left]) ^ int(hashes[right])).bit_count()
        found.append(Leak("hash", f"{bits} bits apart", images))
    return found
