"""Pictures with a side of too few pixels."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fullshot.curation.quality.reductions import Reductions

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.settings import CurateSettings


class Tiny:
    """See :class:`fullshot.core.interfaces.QualityCheck`."""

    name = "tiny"
    words = "too few pixels"
    measures = ()

    def measure(self, reductions: Reductions) -> Mapping[str, float]:
        """See :meth:`fullshot.core.interfaces.QualityCheck.measure`."""
        return {}

    def failed(self, rows: "pd.DataFrame", settings: "CurateSettings") -> "pd.Series[bool]":
        """See :meth:`fullshot.core.interfaces.QualityCheck.failed`."""
        return rows[["width", "height"]].min(axis=1) < settings.min_side
