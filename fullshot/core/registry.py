"""Names in the settings, and the implementations that they stand for.

Every kind of thing that can be exchanged has a registry: a shop, a detector family, a vector store. A name stands for
an implementation of the house, which is loaded when it is asked for, or for one that another package declares as an
entry point of the registry's group:

    [project.entry-points."fullshot.shops"]
    acme = "acme_shop:AcmePage"
"""

import functools
import multiprocessing
from collections.abc import Callable, Mapping
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, get_origin

from fullshot.core.errors import UserError
from fullshot.core.progress import say

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Implementation = TypeVar("Implementation")


class Registry(Generic[Implementation]):
    """The implementations of one interface, by name.

    Args:
        kind: what they are, for messages, such as ``detector``.
        group: of entry points, such as ``fullshot.detectors``.
        house: a name and where its implementation lies, as ``package.module:attribute``.
        check: raises TypeError, with what was expected, where another package's is something else.
    """

    def __init__(
        self, kind: str, group: str, house: Mapping[str, str], check: Callable[[object], None] | None = None
    ) -> None:
        self.kind, self.group = kind, group
        self._check = check
        self._house = dict(house)

    @functools.cached_property
    def _plugins(self) -> "dict[str, EntryPoint]":
        """The entry points of other packages; one whose name is taken is left out, which a line on stderr says."""
        # What is installed is looked through only when it is asked for: that takes longer than most imports.
        from importlib.metadata import entry_points

        found: dict[str, EntryPoint] = {}
        for point in sorted(entry_points(group=self.group), key=lambda point: (point.name, _package(point))):
            taken = "fullshot itself" if point.name in self._house else None
            if point.name in found:
                taken = _package(found[point.name])
            if taken:
                _say_once(f"fullshot: the {self.kind} {point.name!r} of {_package(point)} is left out: {taken} has one")
            else:
                found[point.name] = point
        return found

    def names(self) -> list[str]:
        """The names that there are: those of the house, then those of other packages."""
        return [*self._house, *self._plugins]

    def check(self, name: str) -> None:
        """Check a name without loading what it stands for in the house; only of another package's it is to be feared.

        Raises:
            UserError: there is none of this name; says which there are. Or another package's does not load.
        """
        if name not in self._house:
            self.get(name)

    def get(self, name: str) -> Implementation:
        """The implementation of this name.

        Raises:
            UserError: there is none; says which there are. Or another package's does not load; names the package.
        """
        if name in self._house:
            return _load(self._house[name])
        if name in self._plugins:
            return self._load_plugin(self._plugins[name])
        raise UserError(f"expected the {self.kind} to be one of {', '.join(self.names())}, got {name!r}")

    def load_all(self) -> dict[str, Implementation]:
        """Every implementation that loads, by name; one that does not is reported once, on a line of stderr."""
        found: dict[str, Implementation] = {name: _load(place) for name, place in self._house.items()}
        for name, point in self._plugins.items():
            try:
                found[name] = self._load_plugin(point)
            except UserError as error:
                _say_once(f"fullshot: {error}; it is left out")
        return found

    def _load_plugin(self, point: "EntryPoint") -> Implementation:
        try:
            loaded: Implementation = point.load()
            if self._check:
                self._check(loaded)
        except (Exception, SystemExit) as error:  # whatever another package's import dies of
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise UserError(
                f"the {self.kind} {point.name!r} of {_package(point)} does not load ({point.value}): {reason}"
            ) from None
        return loaded


def _load(place: str) -> Implementation:  # type: ignore[type-var]
    module, _, attribute = place.partition(":")
    loaded: Implementation = getattr(import_module(module), attribute)
    return loaded


def keeps(protocol: str) -> Callable[[object], None]:
    """A check for a registry: whether a class has the methods and class variables that its protocol names.

    Args:
        protocol: where it lies, as ``package.module:Name``; loaded with the first check.
    """

    def check(loaded: object) -> None:
        if not isinstance(loaded, type):
            raise TypeError(f"expected a class, got {loaded!r}")
        missing = [name for name in sorted(_members(_load(protocol))) if not hasattr(loaded, name)]
        if missing:
            raise TypeError(f"expected what {protocol.partition(':')[2]} has, got no {', '.join(missing)}")

    return check


def _members(protocol: type) -> set[str]:
    """The methods and class variables of a protocol; what an object may have only once it is made is not among them."""
    found = set()
    for base in protocol.__mro__:
        if getattr(base, "_is_protocol", False) and base.__module__ != "typing":
            found |= {name for name, value in vars(base).items() if isinstance(value, FunctionType | classmethod)}
            found |= {name for name, hint in base.__annotations__.items() if _is_class_variable(hint)}
    return {name for name in found if not name.startswith("_")}


def _is_class_variable(hint: object) -> bool:
    origin: object = get_origin(hint)
    return origin is ClassVar


@functools.cache
def _say_once(text: str) -> None:
    """Say something on stderr, but not once more in every worker process."""
    if multiprocessing.parent_process() is None:
        say(text)


def _package(point: "EntryPoint") -> str:
    """The package that declares an entry point, with its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"
