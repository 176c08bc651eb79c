"""How good a detector is, of whatever family: figures, plots and a page, all from the boxes that it finds."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.train.detector.evaluation.findings import LEAST_SCORE
    from fullshot.train.detector.evaluation.run import compare, evaluate, measure

__all__ = ["LEAST_SCORE", "compare", "evaluate", "measure"]

__getattr__ = lazy_names(__name__, {".findings": ["LEAST_SCORE"], ".run": ["compare", "evaluate", "measure"]})
