"""Pictures that very many products show: tables of sizes and banners."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fullshot.curation.quality.reductions import Reductions

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.settings import CurateSettings


class Shared:
    """See :class:`fullshot.core.interfaces.QualityCheck`."""

    name = "shared"
    words = "on the pages of very many products"
    measures = ()

    def measure(self, reductions: Reductions) -> Mapping[str, float]:
        """See :meth:`fullshot.core.interfaces.QualityCheck.measure`."""
        return {}

    def failed(self, rows: "pd.DataFrame", settings: "CurateSettings") -> "pd.Series[bool]":
        """See :meth:`fullshot.core.interfaces.QualityCheck.failed`."""
        return rows["products"] > settings.max_shared
