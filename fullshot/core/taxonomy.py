"""Gender, wear, and which product type is worn where.

The words are data (``taxonomy.toml``): a workspace adds its own without touching code.
"""

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from fullshot.core.errors import UserError


class Gender(StrEnum):
    """Whom a product is sold to."""

    MEN = "men"
    WOMEN = "women"
    BOYS = "boys"
    GIRLS = "girls"
    UNISEX = "unisex"
    UNKNOWN = "unknown"


class Wear(StrEnum):
    """Where on the body a product is worn; ``long`` covers top and bottom in one piece."""

    TOP = "top"
    BOTTOM = "bottom"
    FOOT = "foot"
    LONG = "long"
    OTHER = "other"


GARMENTS = (Wear.TOP, Wear.BOTTOM, Wear.FOOT, Wear.LONG)
"""What a detector tells apart, in the order of its class numbers."""


def _key(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", words.lower())


class Taxonomy:
    """Product type → wear, and a shop's word → gender.

    Args:
        wear: a wear's name and the product types worn there.
        gender: a gender's name and the words shops use for it.

    Example:
        >>> built_in().wear("T-Shirts")
        <Wear.TOP: 'top'>
    """

    def __init__(self, wear: Mapping[str, list[str]], gender: Mapping[str, list[str]]) -> None:
        self._wear = {_key(word): Wear(name) for name, words in wear.items() for word in words}
        self._gender = {_key(word): Gender(name) for name, words in gender.items() for word in words}

    def wear(self, product_type: str) -> Wear | None:
        """Where this product type is worn; None where the taxonomy does not know it."""
        return self._wear.get(_key(product_type))

    def gender(self, words: str) -> Gender:
        """Whom the shop's words mean; ``unknown`` where the taxonomy does not know them."""
        return self._gender.get(_key(words), Gender.UNKNOWN)

    def extended(self, wear: Mapping[str, list[str]], gender: Mapping[str, list[str]]) -> "Taxonomy":
        """This taxonomy with further words, which win over the present ones."""
        result = Taxonomy(wear, gender)
        result._wear = {**self._wear, **result._wear}
        result._gender = {**self._gender, **result._gender}
        return result


class _File(BaseModel):
    """What a ``taxonomy.toml`` may hold."""

    model_config = ConfigDict(extra="forbid")

    wear: dict[Wear, list[str]] = {}
    gender: dict[Gender, list[str]] = {}


@cache
def built_in() -> Taxonomy:
    """The taxonomy that comes along."""
    data = tomllib.loads(files("fullshot.core").joinpath("taxonomy.toml").read_text("utf-8"))
    return Taxonomy(data["wear"], data["gender"])


def load(toml_file: Path | None = None) -> Taxonomy:
    """The built-in taxonomy, extended by a workspace's ``taxonomy.toml`` where there is one.

    Raises:
        UserError: the file is no TOML, names a wear or a gender that does not exist, gives something else than a list
            of words for one, or has a further key.
    """
    if toml_file is None or not toml_file.is_file():
        return built_in()
    try:
        words = _File.model_validate(tomllib.loads(toml_file.read_text("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise UserError(f"{toml_file}: {name}: {first['msg']}, got {first['input']!r}") from None
    except ValueError as error:
        raise UserError(f"{toml_file}: {error}") from None
    return built_in().extended(**words.model_dump(mode="json"))
