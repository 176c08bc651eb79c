"""Gender, wear, colour, and which product type is worn where.

The words are data (``taxonomy.toml``): a workspace adds its own without touching code.
"""

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
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

ALL_GARMENTS = " ".join(GARMENTS)


def garments_named(words: str) -> str:
    """Some of :data:`GARMENTS`, in their order, each once, with spaces between them.

    Args:
        words: their names, with spaces or commas between them.

    Raises:
        ValueError: one is none of them, or none is named.
    """
    named = words.replace(",", " ").split()
    if not named or not set(named) <= set(GARMENTS):
        raise ValueError(f"expected some of {ALL_GARMENTS}")
    return " ".join(garment for garment in GARMENTS if garment in named)


_ACCENTED = ("LATIN", "GREEK")
"""Scripts whose words are often written without their accents: in capitals, or for want of a keyboard."""


def _key(words: str) -> str:
    """What words are compared by: their letters and digits, of any script, without regard to case.

    Accents of Latin and Greek letters do not count ("Röcke", "ROCKE"). Other scripts' marks do: in Devanagari and Thai
    they are vowels, and a kana with a voiced sound mark is another letter. Full-width letters, ligatures and the like
    count as what they stand for. The key of words without a letter or digit is empty, and no word has it.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", words).casefold())
    key: list[str] = []
    takes_marks = False
    for character in decomposed:
        category = unicodedata.category(character)
        if category[0] in "LN":
            key.append(character)
            takes_marks = not unicodedata.name(character, "").startswith(_ACCENTED)
        elif category[0] != "M":
            takes_marks = False
        elif takes_marks and not unicodedata.name(character, "").startswith("VARIATION SELECTOR"):
            key.append(character)
    return "".join(key)


def _keys(kind: str, words: Iterable[str]) -> list[str]:
    """The keys of words.

    Raises:
        UserError: a word has none.
    """
    keys = {word: _key(word) for word in words}
    for word, key in keys.items():
        if not key:
            raise UserError(f"{kind}: expected words with a letter or a digit, got {word!r}")
    return list(keys.values())


def type_key(product_type: str) -> str:
    """What product types are the same by: as words are compared, and ``Shirt`` is ``Shirts``, ``Dress`` ``Dresses``."""
    key = _key(product_type)
    if key.endswith(("sses", "shes", "ches", "xes")):
        return key[:-2]
    return key[:-1] if key.endswith("s") and not key.endswith("ss") else key


class Taxonomy:
    """Product type → wear, a shop's word → gender, a colour → its family, and which types are taken for each other.

    Args:
        wear: a wear's name and the product types worn there.
        gender: a gender's name and the words shops use for it.
        colour: a family's name and the words shops use for its colours.
        similar: groups of product types of which a shop may call a garment one or another.

    Raises:
        UserError: a word has neither a letter nor a digit.

    Example:
        >>> built_in().wear("T-Shirts")
        <Wear.TOP: 'top'>
    """

    def __init__(
        self,
        wear: Mapping[str, list[str]],
        gender: Mapping[str, list[str]],
        colour: Mapping[str, list[str]] | None = None,
        similar: Sequence[Sequence[str]] = (),
    ) -> None:
        self._wear = {key: Wear(name) for name, words in wear.items() for key in _keys(f"wear.{name}", words)}
        self._gender = {key: Gender(name) for name, words in gender.items() for key in _keys(f"gender.{name}", words)}
        families = (colour or {}).items()
        self._colour = {key: name for name, words in families for key in _keys(f"colour.{name}", words)}
        self._similar = [frozenset(map(type_key, group)) for group in similar if _keys("similar.types", group)]

    def wear(self, product_type: str) -> Wear | None:
        """Where this product type is worn; None where the taxonomy does not know it."""
        return self._wear.get(_key(product_type))

    def gender(self, words: str) -> Gender:
        """Whom the shop's words mean; ``unknown`` where the taxonomy does not know them."""
        return self._gender.get(_key(words), Gender.UNKNOWN)

    def colour(self, words: str) -> str | None:
        """The family of a shop's colour, such as ``blue`` of ``Navy Blue``; None where it is not known."""
        return self._colour.get(_key(words))

    def similar_types(self, product_type: str) -> frozenset[str]:
        """The keys of the product types that this one may be taken for, its own among them; see :func:`type_key`."""
        key = type_key(product_type)
        return frozenset([key]).union(*(group for group in self._similar if key in group))

    def extended(
        self,
        wear: Mapping[str, list[str]],
        gender: Mapping[str, list[str]],
        colour: Mapping[str, list[str]] | None = None,
        similar: Sequence[Sequence[str]] = (),
    ) -> "Taxonomy":
        """This taxonomy with further words, which win over the present ones; see the arguments of the class."""
        result = Taxonomy(wear, gender, colour, similar)
        result._wear = {**self._wear, **result._wear}
        result._gender = {**self._gender, **result._gender}
        result._colour = {**self._colour, **result._colour}
        result._similar = [*self._similar, *result._similar]
        return result


class _Similar(BaseModel):
    model_config = ConfigDict(extra="forbid")

    types: list[list[str]] = []


class _File(BaseModel):
    """What a ``taxonomy.toml`` may hold."""

    model_config = ConfigDict(extra="forbid")

    wear: dict[Wear, list[str]] = {}
    gender: dict[Gender, list[str]] = {}
    colour: dict[str, list[str]] = {}
    similar: _Similar = _Similar()


@cache
def built_in() -> Taxonomy:
    """The taxonomy that comes along."""
    data = tomllib.loads(files("fullshot.core").joinpath("taxonomy.toml").read_text("utf-8"))
    return Taxonomy(data["wear"], data["gender"], data["colour"], data["similar"]["types"])


def load(toml_file: Path | None = None) -> Taxonomy:
    """The built-in taxonomy, extended by a workspace's ``taxonomy.toml`` where there is one.

    Raises:
        UserError: the file is no TOML, names a wear or a gender that does not exist, gives something else than a list
            of words for one, has a word without a letter or a digit, or a further key.
    """
    if toml_file is None or not toml_file.is_file():
        return built_in()
    try:
        words = _File.model_validate(tomllib.loads(toml_file.read_text("utf-8"))).model_dump(mode="json")
        return built_in().extended(words["wear"], words["gender"], words["colour"], words["similar"]["types"])
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise UserError(f"{toml_file}: {name}: {first['msg']}, got {first['input']!r}") from None
    except ValueError as error:
        raise UserError(f"{toml_file}: {error}") from None
