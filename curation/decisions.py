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
from fullshot.curation.overrides import Decisions, RuleVerdicts, apply_overrides, spread_to_copies
from fullshot.curation.quality.checks import find_issues
from fullshot.curation.shots.rule import FULL, UNCLEAR, classify_shots
from fullshot.curation.splits.numbered import PICTURES, earlier_splits, number_pictures, read_products, read_shown
from fullshot.curation.splits.split import NONE, split
from fullshot.curation.words import Words

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
    # The tables first: joins need the memory that the features take from the first question to them on.
    number_pictures(data, image_ids)
    products = read_products(data)
    shown = read_shown(data, products, len(image_ids))
    before = earlier_splits(data, len(image_ids))
    data.drop(PICTURES)
    labels = find_clusters(data.workspace.root, features, limits)
    readable, unreadable = _readable(image_ids, features)
    shown_by = np.bincount(shown.picture, minlength=shown.pictures)[readable]
    found = find_issues(features.frame.assign(products=shown_by), limits)
    issues = Words.of(found.cat.codes.to_numpy(), found.cat.categories.to_list())
    overrides = data.frame("verdicts", ["image_id", "shot", "keep"])
    decisions = apply_overrides(features.image_ids, _classified(features, limits), issues, overrides)
    cluster, duplicate_of = mark_duplicates(labels, features, decisions.keep)
    decisions = spread_to_copies(decisions, cluster)
    # From here on rows are of all pictures, not of those that can be read.
    cluster, duplicate_of = (_of_all(readable, rows, len(image_ids)) for rows in (cluster, duplicate_of))
    rejected = np.ones(len(image_ids), np.bool_)
    rejected[readable] = ~decisions.keep
    splits = split(shown, products, cluster, before, rejected, limits)
    table = pyarrow.table(
        {
            "image_id": image_ids,
            **_columns(decisions, readable, len(image_ids)),
            "issues": _issues(decisions.issues, readable, unreadable, features, len(image_ids)),
            "keep": ~rejected,
            "cluster": _names(image_ids, cluster, _CLUSTER_DIGITS),
            "duplicate_of": _names(image_ids, duplicate_of),
            "split": pyarrow.DictionaryArray.from_arrays(splits.astype(np.int8), list(SPLITS)),
        }
    )
    return Curated(table, int(decisions.overridden.sum()))


def _classified(features: ImageFeatures, limits: CurateSettings) -> RuleVerdicts:
    """What the rule says of all pictures; the people are read some pictures at a time."""
    count = len(features)
    shot, score, reason = Words(count), np.zeros(count), Words(count)
    for rows, people, owners in features.people_by_part():
        part = classify_shots(people, owners, len(rows), limits)
        shot.put(rows, part.shot)
        score[rows] = part.score
        reason.put(rows, part.reason)
    return RuleVerdicts(shot, score, reason)


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
    columns = {
        "full_shot": pyarrow.array(decisions.shot.equal(FULL), pyarrow.bool_(), mask=decisions.shot.equal(UNCLEAR)),
        "shot_score": pyarrow.array(decisions.score),
        "shot_reason": decisions.reason.array(),
        "shot": decisions.shot.array(),
        "machine_shot": decisions.machine_shot.array(),
    }
    if len(readable) == count:
        return columns
    source = np.full(count, NONE, np.int64)
    source[readable] = np.arange(len(readable))
    take = pyarrow.array(source, mask=source == NONE)
    return {name: column.take(take) for name, column in columns.items()}


def _issues(
    issues: Words,
    readable: NDArray[np.int64],
    unreadable: NDArray[np.int64],
    features: ImageFeatures,
    count: int,
) -> pyarrow.Array:
    """Names of checks; of a picture that cannot be read, why not."""
    found = issues.spread(readable, count)
    # In order of their image_id as well.
    found.put(unreadable, np.array([picture.kind for picture in features.unreadable], object))
    return found.array()


def _names(
    image_ids: pyarrow.ChunkedArray, numbers: NDArray[np.int64], digits: int | None = None
) -> pyarrow.DictionaryArray:
    """The image_id, or its first digits, of the picture that each number stands for; every name once."""
    is_named = np.zeros(len(image_ids), np.bool_)
    is_named[numbers[numbers != NONE]] = True
    # Filtered, not taken: to take from several chunks makes one of them all first.
    names = image_ids.filter(pyarrow.array(is_named)).combine_chunks()
    place = (np.cumsum(is_named, dtype=np.int32) - 1)[numbers]
    names = names if digits is None else pc.utf8_slice_codeunits(names, 0, digits)
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array(place, mask=numbers == NONE), names)
