"""The built-in shop, and the whole way against it."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.demo.run import keep_open, run_demo

__all__ = ["keep_open", "run_demo"]

__getattr__ = lazy_names(__name__, {".run": __all__})
