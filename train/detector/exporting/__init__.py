"""A detector as files for other runtimes, each measured against the network that it was made of."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.train.detector.exporting.run import FORMATS, export

__all__ = ["FORMATS", "export"]

__getattr__ = lazy_names(__name__, {".run": ["FORMATS", "export"]})
