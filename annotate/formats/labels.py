"""Which label a data set's category stands for, and back: data (``labels.toml``), which a file of one's own extends."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from fullshot.core.errors import UserError
from fullshot.core.taxonomy import GARMENTS, Taxonomy, Wear


class Category(BaseModel):
    """A category of a data set: its number there, its name, and the label that it stands for.

    ``type`` is DeepFashion's own: 1 upper, 2 lower, 3 full body.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: int
    name: str
    label: Wear
    type: int = 0


class _BuiltIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    categories: tuple[Category, ...]
    export: dict[Wear, str]


class _Own(BaseModel):
    """What the user's file may hold: a category's label, and the category that a label is written as."""

    model_config = ConfigDict(extra="forbid")

    labels: dict[str, Wear] = {}
    export: dict[Wear, str] = {}


@dataclass(frozen=True)
class LabelMap:
    """A format's categories and the taxonomy's labels.

    Attributes:
        categories: those that files of the format have, in order of their numbers.
        export: a label and the name of the category that it is written as; a label that is not there cannot be written.
    """

    categories: tuple[Category, ...]
    export: Mapping[str, str]
    _labels: Mapping[str, Wear]
    _taxonomy: Taxonomy

    def label(self, category: str) -> Wear | None:
        """What a category stands for; None where nobody knows it."""
        return self._labels.get(_key(category)) or self._taxonomy.wear(category)

    def product_type(self, category: str) -> str | None:
        """The product type that a category is; None where it is no garment that the taxonomy knows by this name."""
        return category if self._taxonomy.wear(category) in GARMENTS else None


def load(format: str, taxonomy: Taxonomy, own: Path | None = None) -> LabelMap:
    """A format's label map.

    A category is looked for in the user's file, then in the format's own list, then among the labels themselves, last
    in the taxonomy.

    Args:
        format: such as ``modanet``; one without a list of its own has the labels for categories, numbered from 1.
        taxonomy: of the workspace.
        own: a TOML file with ``[labels]``, a category's name and its label, and ``[export]``, a label and the name of
            the category that it is written as.

    Raises:
        UserError: there is no such file, it is not what is said above, or it exports to a category that the format
            does not have.
    """
    given = _read(own) if own is not None else _Own()
    built_in = _built_in().get(format)
    known = {_key(str(wear)): wear for wear in Wear}
    if built_in is None:
        export = {str(label): given.export.get(label, str(label)) for label in GARMENTS}
        categories = tuple(
            Category(id=number, name=name, label=next(wear for wear in GARMENTS if export[str(wear)] == name))
            for number, name in enumerate(dict.fromkeys(export.values()), 1)
        )
    else:
        categories = built_in.categories
        export = {str(label): name for label, name in {**built_in.export, **given.export}.items()}
        known |= {_key(category.name): category.label for category in categories}
        wrong = [name for name in export.values() if name not in {category.name for category in categories}]
        if wrong:
            raise UserError(f"{own}: export: {format} has no category {wrong[0]!r}")
    known |= {_key(name): label for name, label in given.labels.items()}
    return LabelMap(categories, export, known, taxonomy)


def _key(name: str) -> str:
    """A name without regard to case, spaces and hyphens; unlike the taxonomy's words, it may be in any script."""
    return re.sub(r"[\W_]+", "", name.replace("&", "and").casefold()) or name


@cache
def _built_in() -> dict[str, _BuiltIn]:
    data = tomllib.loads(files("fullshot.annotate.formats").joinpath("labels.toml").read_text("utf-8"))
    return {name: _BuiltIn.model_validate(part) for name, part in data.items()}


def _read(path: Path) -> _Own:
    if not path.is_file():
        raise UserError(f"no file {path} to read labels from")
    try:
        return _Own.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise UserError(f"{path}: {name}: {first['msg'].lower()}, got {first['input']!r}") from None
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None
