"""Names of a package that are loaded when they are asked for (PEP 562)."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """A package's ``__getattr__``, so that ``fullshot --help`` and worker processes load what they need alone.

    Args:
        package: its name.
        modules: a module, absolute or relative as ``.run``, and the names out of it.

    Example:
        >>> __getattr__ = lazy_names("fullshot.index", {".tracing": ["trace"]})
        >>> __getattr__("trace").__module__
        'fullshot.index.tracing'
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name in module_of:
            return getattr(import_module(module_of[name], package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load
