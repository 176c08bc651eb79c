"""All quality checks at once: what they measure of a picture, and what is wrong with pictures of these measures."""

import functools
from typing import TYPE_CHECKING

from fullshot.core.boxes import Picture
from fullshot.core.errors import UserError
from fullshot.curation.quality import QUALITY_CHECKS, QualityCheck
from fullshot.curation.quality.reductions import Reductions

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.settings import CurateSettings

KEPT_ANYWAY = ("image_id", "version", "width", "height", "keypoints", "phash", "thumbnail", "products")
"""What is known of a picture besides its measures; no measure is called so."""


@functools.cache
def quality_checks() -> tuple[QualityCheck, ...]:
    """Every check of the registry that loads.

    Raises:
        UserError: two checks measure something of one name, or a measure is named like another column of the features.
    """
    checks = tuple(check() for check in QUALITY_CHECKS.load_all().values())
    owners = dict.fromkeys(KEPT_ANYWAY, "fullshot itself")
    for check in checks:
        for measure in check.measures:
            if measure in owners:
                raise UserError(
                    f"the quality check {check.name!r} measures {measure!r}, and so does {owners[measure]}: "
                    "give one of them another name"
                )
            owners[measure] = repr(check.name)
    return checks


def measure_names() -> tuple[str, ...]:
    """What :func:`measure` finds."""
    return tuple(name for check in quality_checks() for name in check.measures)


def measure(picture: Picture) -> dict[str, float]:
    """What the checks measure of a picture.

    Args:
        picture: shape (height, width, 3), uint8, RGB, of any size from one pixel on.

    Returns:
        A number for each of :func:`measure_names`.

    Raises:
        UserError: a check does not measure what it says that it does.
    """
    reductions = Reductions(picture)
    values: dict[str, float] = {}
    for check in quality_checks():
        measured = check.measure(reductions)
        if set(measured) != set(check.measures):
            raise UserError(
                f"the quality check {check.name!r} has to measure {', '.join(check.measures)}, "
                f"got {', '.join(measured) or 'nothing'}: mend it, or uninstall its package"
            )
        values |= measured
    return values


def find_issues(rows: "pd.DataFrame", settings: "CurateSettings") -> "pd.Series[str]":
    """What is wrong with each picture: names of checks, separated by spaces; empty where nothing is. A categorical.

    Args:
        rows: columns ``width`` and ``height`` of the whole picture, in pixels, all of :func:`measure_names`, and
            ``products``, how many show it.
        settings: the bounds.
    """
    import numpy as np
    import pandas as pd

    failed = np.zeros(len(rows), np.int64)  # a bit a check: few combinations of them are there
    for number, check in enumerate(quality_checks()):
        failed |= check.failed(rows, settings).astype(bool).to_numpy().astype(np.int64) << number
    which, found = pd.factorize(failed)
    words = [
        " ".join(check.name for number, check in enumerate(quality_checks()) if combination >> number & 1)
        for combination in found.tolist()
    ]
    return pd.Series(pd.Categorical.from_codes(which, pd.Index(words)), index=rows.index)
