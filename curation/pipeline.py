"""Curate a workspace: kinds of shots, quality, near duplicates, splits, and the exported data sets."""

import functools
import time
from collections import Counter
from typing import Any

import pyarrow
import pyarrow.compute as pc

from fullshot.core import tables
from fullshot.core.dataset import Dataset
from fullshot.core.interfaces import Engine
from fullshot.core.progress import say_unchanged
from fullshot.core.settings import Settings
from fullshot.core.tables.cells import quoted
from fullshot.core.workspace import Workspace
from fullshot.curation.decisions import Curated, decide
from fullshot.curation.exports import export, keep_measures
from fullshot.curation.failures import write_failures
from fullshot.curation.features.store import extract_features
from fullshot.curation.pose import open_pose_estimator
from fullshot.curation.shots.overlays import write_overlays
from fullshot.curation.splits.numbered import tables_of_splits

_INPUTS = ("images", "products", "verdicts")

_WANTED = {
    "images": ("image_id", "product_id", "path", "url", "bytes"),
    "products": ("product_id", "url", "gender", "product_type", "wear", "style"),
    "verdicts": ("image_id", "shot", "keep"),
}

_PICTURES = "SELECT image_id, path, bytes FROM pictures ORDER BY image_id"

_SPLITS = """
SELECT image_id, coalesce(decided.split, {0}.split, {1}.split) AS split, splits.* EXCLUDE (image_id, split)
FROM decided FULL JOIN curated USING (image_id) FULL JOIN splits USING (image_id)
WHERE coalesce(decided.split, {0}.split, {1}.split) IS NOT NULL
ORDER BY image_id
"""
"""A split once given is kept, also that of a picture that is gone, and may come back; so are further columns."""


def curate(workspace: Workspace, settings: Settings, workers: Engine, *, overlays: bool = False) -> dict[str, Any]:
    """Classify every picture of a workspace, find duplicates, split its products; write ``curated`` and ``exports/``.

    Run again it extracts features only of pictures that are new, or whose file has changed; with the same inputs it
    writes the same bytes. Whatever changed in the settings or in ``verdicts.csv`` is decided anew from the
    features. A picture never moves from the test to training.

    Args:
        workspace: with ``images`` and ``products``.
        settings: its sections ``curate`` and ``engine``.
        workers: extract the features.
        overlays: whether to draw what the pose estimator found on every picture, into ``overlays/``.

    Returns:
        Counts of the run, ready for JSON; ``extracted`` is how many pictures were new, or had another file;
        ``seconds_per_image`` is None where there was none of these.

    Raises:
        MissingInput: nothing was crawled or added yet.
        UserError: there is no pose model, or the workspace is in use.
    """
    for name in ("images", "products"):
        if not workspace.table(name).is_file():
            workspace.read(name)  # says what to run; the stage itself would make the folder
    with workspace.stage("curate", settings, _INPUTS) as stats, workspace.open(_WANTED) as data:
        for name in ("verdicts", "curated", "splits", "labels"):
            data.make_if_missing(name)
        # A CSV that was changed is taken in now: later it would be, beside all that is known of the pictures by then.
        for name in ("products", "curated", "splits", "labels"):
            data.rows(f"SELECT 1 FROM {name} LIMIT 1")
        # A mistake in it is reported before the long work, not after.
        ((without_picture,),) = data.rows("SELECT count(*) FROM verdicts ANTI JOIN images USING (image_id)")
        estimator = open_pose_estimator(settings)
        pictures = functools.partial(data.arrow, _PICTURES)
        started = time.monotonic()
        features = extract_features(workspace.root, pictures, estimator, workers)
        seconds = time.monotonic() - started
        decided = decide(data, features, settings.curate)
        keep_measures(data, features)
        features.let_go()  # the tables need the memory
        _write(data, decided.table)
        write_failures(data, features.unreadable)
        if overlays:
            write_overlays(workspace, pictures().to_pandas(), features, decided.table.to_pandas(), settings)
        ((products,),) = data.rows("SELECT count(*) FROM products")
        stats |= {
            **_told(decided, len(features.unreadable), without_picture),
            "products": products,
            "splits": _splits(decided.table),
            "reasons": _counts(decided.table["shot_reason"]),
            "extracted": features.extracted,
            "seconds_per_image": round(seconds / features.extracted, 4) if features.extracted else None,
            "pose_model_source": estimator.model_source,
        }
        del decided, features  # their names of pictures are a quarter of a gigabyte where these are four million
        export(data)
        if not stats["extracted"] and not data.changed and not overlays:
            say_unchanged("curate", "it ran last", "the tables stay as they are")
    return stats


def _write(data: Dataset, decided: pyarrow.Table) -> None:
    """Write ``splits`` and ``curated``."""
    before = data.arrow("SELECT * FROM curated LIMIT 0").column_names
    further = [quoted(column) for column in before if column not in decided.column_names]
    data.create("decided", decided if further else decided.select(["image_id", "split"]))
    data.write("splits", _SPLITS.format(*tables_of_splits(data)))
    if further:  # of other steps' making: what they found for a picture outlasts a run of this one
        also = f"SELECT image_id, {', '.join(further)} FROM curated"
        data.write("curated", f"SELECT * FROM decided LEFT JOIN ({also}) USING (image_id) ORDER BY image_id")
    else:
        data.write("curated", decided)
    data.drop("decided")


def _told(decided: Curated, unreadable: int, without_picture: int) -> dict[str, Any]:
    """What was decided, in numbers."""
    table = decided.table
    counts = {name: _counts(table[name]) for name in ("full_shot", "shot", "issues", "keep")}
    return {
        "images": len(table),
        "full_shots": counts["full_shot"].get("true", 0),
        "item_shots": counts["full_shot"].get("false", 0),
        "unreadable": unreadable,
        "shots": counts["shot"],
        "issues": _words(counts["issues"]),
        "rejected": counts["keep"].get("false", 0),
        "duplicates": len(table) - table["duplicate_of"].null_count,
        "clusters": len(pc.unique(table["cluster"].drop_null())),
        "overridden": decided.overridden,
        "overrides_without_picture": without_picture,
    }


def _splits(table: pyarrow.Table) -> dict[str, int]:
    """How many pictures each split has."""
    counts = _counts(table["split"])
    return {name: counts.get(name, 0) for name in tables.SPLITS}


def _counts(values: pyarrow.ChunkedArray) -> dict[str, int]:
    """How often each value is there, in order of their names; what is empty does not count."""
    counted = pc.value_counts(pc.cast(values, pyarrow.string()))
    return dict(sorted((one["values"], one["counts"]) for one in counted.to_pylist() if one["values"]))


def _words(counts: dict[str, int]) -> dict[str, int]:
    """The same of single words, where a value is several."""
    found: Counter[str] = Counter()
    for words, count in counts.items():
        found.update(dict.fromkeys(words.split(), count))
    return dict(sorted(found.items()))
