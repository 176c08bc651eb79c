"""Pictures many times longer than wide: banners and dividers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fullshot.curation.quality.reductions import Reductions

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.settings import CurateSettings


class Strip:
    """See :class:`fullshot.core.interfaces.QualityCheck`."""

    name = "strip"
    words = "many times longer than wide"
    measures = ()

    def measure(self, reductions: Reductions) -> Mapping[str, float]:
        """See :meth:`fullshot.core.interfaces.QualityCheck.measure`."""
        return {}

    def failed(self, rows: "pd.DataFrame", settings: "CurateSettings") -> "pd.Series[bool]":
        """See :meth:`fullshot.core.interfaces.QualityCheck.failed`."""
        return rows[["width", "height"]].max(axis=1) > settings.max_aspect * rows[["width", "height"]].min(axis=1)
