"""How pictures are added: from which columns, and facts that hold for all of them."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fullshot.core.errors import UserError
from fullshot.core.taxonomy import Gender, Taxonomy, Wear
from fullshot.curation.add.values import amount

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "image": ("image", "image_path", "path", "file", "file_name", "filename", "picture", "photo"),
    "product": ("product_id", "product", "item_id", "sku", "id"),
    "type": ("product_type", "type", "label", "class", "category", "article_type"),
    "wear": ("wear",),
    "gender": ("gender", "sex"),
    "colour": ("colour", "color", "base_colour", "primary_colour"),
    "name": ("name", "product_name", "product_display_name", "title"),
    "brand": ("brand",),
    "price": ("price",),
    "mrp": ("mrp", "list_price"),
    "currency": ("currency",),
    "sizes": ("sizes",),
    "style": ("style", "style_id"),
    "link": ("link", "url", "product_url"),
}
"""The kinds of facts, and usual names of their columns, for a CSV of which no flag names the column. They are compared
without regard to case, spaces and underscores; the first that is there counts."""

CONSTANTS = tuple(name for name in USUAL_NAMES if name not in ("image", "product", "link"))
"""Facts that may hold for all pictures."""

PRODUCT_COLUMN = {name: name for name in CONSTANTS} | {"type": "product_type", "link": "url"}
"""The column of ``products`` that each of them fills."""

_SHOP = re.compile(r"[^\W_][\w.-]*")


@dataclass(frozen=True)
class AddOptions:
    """How a source is to be read, and facts on all of its pictures.

    Args:
        shop: the first part of each ``product_id``.
        columns: a key of :data:`USUAL_NAMES`, and the name of the CSV's column that holds it.
        root: the folder that a CSV's paths are relative to; None: the CSV's own.
        constants: one of :data:`CONSTANTS`, and a value for all pictures, whatever stands in the folder or the CSV;
            an empty text is "not known".
    """

    shop: str = "own"
    columns: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None
    constants: Mapping[str, str] = field(default_factory=dict)

    def check(self, taxonomy: Taxonomy) -> None:
        """Check what can be checked before a picture is read.

        Raises:
            UserError: the shop's name or a constant is not allowed.
        """
        if not _SHOP.fullmatch(self.shop):
            raise UserError(f"expected a shop's name of letters, digits, dots, dashes, got {self.shop!r}")
        for name, value in self.constants.items():
            if name not in CONSTANTS:
                raise UserError(f"expected --set {'|'.join(CONSTANTS)}=VALUE, got {name!r}{nearest(name, CONSTANTS)}")
            if not value:
                continue
            if name == "wear" and value.lower() not in set(Wear):
                raise UserError(f"--set wear: expected one of {', '.join(Wear)}, got {value!r}")
            if name == "gender" and value.lower() != Gender.UNKNOWN and taxonomy.gender(value) is Gender.UNKNOWN:
                raise UserError(f"--set gender: expected one of {', '.join(Gender)}, got {value!r}")
            if name in ("price", "mrp") and amount(value) is None:
                raise UserError(f"--set {name}: expected a number of at least 0, got {value!r}")


def parse_constants(words: list[str]) -> dict[str, str]:
    """The constants in flags such as ``gender=women``.

    Raises:
        UserError: a flag has no equals sign.
    """
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise UserError(f"expected --set NAME=VALUE, such as --set gender=women, got {word!r}")
        found[name.strip()] = value.strip()
    return found


def nearest(name: str, known: "tuple[str, ...] | list[str]") -> str:
    """``; did you mean …?`` where a known name is like this one, else nothing."""
    close = difflib.get_close_matches(name.lower(), [one.lower() for one in known], 1)
    likely = next((one for one in known if close and one.lower() == close[0]), None)
    return f"; did you mean {likely}?" if likely else ""
