"""What a worker process loads before there is work for it: no settings, no tables, no pandas."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fullshot.curation.pose import PoseEstimator


def load_libraries() -> None:
    """Load what any estimator's worker needs."""
    _spare_pandas()
    from fullshot.curation.features.extract import schema

    schema()  # loads the quality checks


def load_model(estimator: "PoseEstimator") -> None:
    """Load an estimator's model."""
    import numpy as np

    from fullshot.curation.features.extract import resident

    resident(estimator).predict(np.zeros((64, 64, 3), np.uint8))


class _WithoutPandas:
    """Finds everything but pandas; for ``sys.meta_path``."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _spare_pandas() -> None:
    """Let Arrow see that there is no pandas.

    It looks for it once, with the first list that becomes an array, to tell whether that is one of pandas' own; to load
    it takes a quarter of a second in every worker. Where pandas is really asked for, Arrow looks again.
    """
    import pyarrow

    sys.meta_path.insert(0, _WithoutPandas)
    try:
        pyarrow.array([])
    finally:
        sys.meta_path.remove(_WithoutPandas)
