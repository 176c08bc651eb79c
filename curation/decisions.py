"""What is decided of every picture, from its features, from what people say, and from how products share pictures."""

from dataclasses import dataclass

import numpy as np
import pyarrow
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullshot.core.dataset import Dataset
from fullshot.core.settings import CurateSettings
from fullshot.core.tables import SPLITS
from fullshot.curation.duplicates.mark import find_clusters, mark_duplicates
from fullshot.curation.features.store import ImageFeatures
from fullshot.curation.overrides import Decisions, apply_overrides, spread_to_copies
from fullshot.curation.quality.checks import find_issues
from fullshot.curation.shots.rule import FULL, UNCLEAR, ShotVerdicts, classify_shots
from fullshot.curation.splits.numbered import earlier_splits, number_pictures, read_products, read_shown
from fullshot.curation.splits.split import NONE, split

_CLUSTER_DIGITS = 16


@dataclass(frozen=True)
class Curated:
    """What is decided.

    Attributes:
        table: that of ``curated``, in order of the image_id.
        overridden: of how many pictures a person said something else than the rule and the checks.
    """

    table: pyarrow.Table
    overridden: int


def decide(data: Dataset, features: ImageFeatures, limits: CurateSettings) -> Curated:
    """Decide of all pictures.

    Args:
        data: with ``images`` and ``products``, and what there is of ``verdicts``, ``curated`` and ``splits``.
        features: of the pictures, in order of their image_id, as far as they can be read.
        limits: the settings.
    """
    image_ids = features.asked
    labels = find_clusters(data.workspace.root, features, limits)  # first: it needs the most memory
    number_pictures(data, image_ids)
    products = read_products(data)
    shown = read_shown(data, products, len(image_ids))
    readable, unreadable = _readable(image_ids, features)
    shown_by = np.bincount(shown.picture, minlength=shown.pictures)[readable]
    issues = find_issues(features.frame.assign(products=shown_by), limits).to_numpy(object)
    overrides = data.frame("verdicts", ["image_id", "shot", "keep"])
    decisions = apply_overrides(features.image_ids, _classified(features, limits), issues, overrides)
    cluster, duplicate_of = mark_duplicates(labels, features, decisions.keep)
    decisions = spread_to_copies(decisions, cluster)
    # From here on rows are of all pictures, not of those that can be read.
    cluster, duplicate_of = (_of_all(readable, rows, len(image_ids)) for rows in (cluster, duplicate_of))
    rejected = np.ones(len(image_ids), np.bool_)
    rejected[readable] = ~decisions.keep
    splits = split(shown, products, cluster, earlier_splits(data, len(image_ids)), rejected, limits)
    table = pyarrow.table(
        {
            "image_id": image_ids,
            **_columns(decisions, readable, len(image_ids)),
            "issues": _issues(decisions.issues, readable, unreadable, features, len(image_ids)),
            "keep": ~rejected,
            "cluster": pc.utf8_slice_codeunits(_names(image_ids, cluster), 0, _CLUSTER_DIGITS),
            "duplicate_of": _names(image_ids, duplicate_of),
            "split": pyarrow.DictionaryArray.from_arrays(splits.astype(np.int8), list(SPLITS)),
        }
    )
    return Curated(table, int(decisions.overridden.sum()))


def _classified(features: ImageFeatures, limits: CurateSettings) -> ShotVerdicts:
    """What the rule says of all pictures; the people are read some pictures at a time."""
    count = len(features)
    shot, reason = np.full((2, count), None, object)
    score = np.zeros(count)
    for rows, people, owners in features.people_by_part():
        part = classify_shots(people, owners, len(rows), limits)
        shot[rows], score[rows], reason[rows] = part.shot, part.score, part.reason
    return ShotVerdicts(shot, score, reason)


def _readable(image_ids: pyarrow.ChunkedArray, features: ImageFeatures) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of the pictures that can be read, and of those that cannot, each in order."""
    lost = pyarrow.array([picture.image_id for picture in features.unreadable], pyarrow.string())
    is_lost = pc.is_in(image_ids, value_set=lost).to_numpy()
    return np.flatnonzero(~is_lost), np.flatnonzero(is_lost)


def _of_all(readable: NDArray[np.int64], rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Rows of readable pictures, one of each of these, as numbers of pictures, one of each of all."""
    found = np.full(count, NONE, np.int64)
    found[readable] = np.where(rows == NONE, NONE, readable[rows])
    return found


def _columns(decisions: Decisions, readable: NDArray[np.int64], count: int) -> dict[str, pyarrow.Array]:
    """The columns that are empty where a picture cannot be read."""
    is_known = decisions.shot != UNCLEAR
    columns = {
        "full_shot": pyarrow.array(decisions.shot == FULL, pyarrow.bool_(), mask=~is_known.astype(bool)),
        "shot_score": pyarrow.array(decisions.score),
        "shot_reason": _words(decisions.reason),
        "shot": _words(decisions.shot),
        "machine_shot": _words(decisions.machine_shot),
    }
    if len(readable) == count:
        return columns
    source = np.full(count, NONE, np.int64)
    source[readable] = np.arange(len(readable))
    take = pyarrow.array(source, mask=source == NONE)
    return {name: column.take(take) for name, column in columns.items()}


def _issues(
    issues: NDArray[np.object_],
    readable: NDArray[np.int64],
    unreadable: NDArray[np.int64],
    features: ImageFeatures,
    count: int,
) -> pyarrow.Array:
    """Names of checks; of a picture that cannot be read, why not."""
    found = np.full(count, None, object)
    found[readable] = issues
    found[unreadable] = [picture.kind for picture in features.unreadable]  # in order of their image_id as well
    return _words(found)


def _words(values: NDArray[np.object_]) -> pyarrow.DictionaryArray:
    """Few words, many times: a number each, and every word once."""
    return pyarrow.array(values, pyarrow.string()).dictionary_encode()


def _names(image_ids: pyarrow.ChunkedArray, numbers: NDArray[np.int64]) -> pyarrow.ChunkedArray:
    return image_ids.take(pyarrow.array(numbers, mask=numbers == NONE))
