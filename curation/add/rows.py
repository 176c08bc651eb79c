"""Rows of the tables, from the facts of a source and the pictures that were stored."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fullshot.core.image_store import Stored
from fullshot.core.taxonomy import Gender, Taxonomy, Wear
from fullshot.curation.add.entries import Entry
from fullshot.curation.add.options import PRODUCT_COLUMN, AddOptions
from fullshot.curation.add.values import amount, currency, text

PARSER = "add@1"
"""``parser`` of the products that are added."""


@dataclass(frozen=True)
class Product:
    """What a source tells of a product, by column of ``products``.

    Attributes:
        said: its facts. None or ``unknown`` only where a constant says that it is not known.
        guessed: what holds as long as nobody says anything else.
    """

    said: dict[str, Any]
    guessed: dict[str, Any]


@dataclass
class Rows:
    """What a source amounts to.

    Attributes:
        products: by product_id.
        images: by image_id and product_id; times are left out.
        named_by_path: products without an id of their own, and the pictures that they are named after.
        unknown_types: product types that the taxonomy does not know, and how many products are of each.
        unknown_genders: words for a gender that it does not know.
        unreadable_cells: columns, and how many of their values could not be understood.
    """

    products: dict[str, Product] = field(default_factory=dict)
    images: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    named_by_path: dict[str, Entry] = field(default_factory=dict)
    unknown_types: Counter[str] = field(default_factory=Counter)
    unknown_genders: Counter[str] = field(default_factory=Counter)
    unreadable_cells: Counter[str] = field(default_factory=Counter)


def product_id(entry: Entry, options: AddOptions) -> str:
    """``<shop>:<id>``; an id that begins with the shop is one already."""
    prefix = f"{options.shop}:"
    return entry.identity if entry.identity.startswith(prefix) else prefix + entry.identity


def rows(entries: list[Entry], stored: dict[str, Stored], options: AddOptions, taxonomy: Taxonomy) -> Rows:
    """The rows of a source's products that have a picture.

    Args:
        entries: what the source names.
        stored: the pictures that could be stored, by address.
        options: the shop and the constants.
        taxonomy: product type → wear, words → gender.
    """
    added = Rows()
    entries_of: dict[str, list[Entry]] = {}
    for entry in entries:
        entries_of.setdefault(product_id(entry, options), []).append(entry)
    for identity, pictures in entries_of.items():
        first = pictures[0]
        if not any(entry.uri in stored for entry in pictures):
            continue
        if first.named_by_path:
            added.named_by_path[identity] = first
        facts: dict[str, str] = {}
        for entry in pictures:
            facts = entry.facts | facts  # the first row that holds a fact counts
        added.products[identity] = _product(identity, facts | dict(options.constants), first, options, taxonomy, added)
        for position, entry in enumerate(pictures, start=1):
            if picture := stored.get(entry.uri):
                row = {**vars(picture), "product_id": identity, "position": position, "url": entry.uri}
                # The same bytes twice are one picture, where it comes first.
                added.images.setdefault((picture.image_id, identity), row)
    return added


def wear_of(kind: str | None, taxonomy: Taxonomy) -> str | None:
    """Where a product type is worn, if the taxonomy knows it in the plural or the singular."""
    if not kind:
        return None
    forms = (kind, f"{kind}s", f"{kind}es", kind.removesuffix("s"), kind.removesuffix("es"))
    return next((str(wear) for form in forms if (wear := taxonomy.wear(form))), None)


def _product(
    identity: str, facts: dict[str, str], first: Entry, options: AddOptions, taxonomy: Taxonomy, count: Rows
) -> Product:
    row: dict[str, Any] = {column: text(facts.get(what)) for what, column in PRODUCT_COLUMN.items()}
    for column in ("price", "mrp"):
        row[column] = amount(facts.get(column))
        count.unreadable_cells[column] += bool(facts.get(column)) and row[column] is None
    row["currency"] = currency(facts.get("currency"))
    count.unreadable_cells["currency"] += bool(facts.get("currency")) and row["currency"] is None
    words = row["gender"] or ""
    row["gender"] = str(taxonomy.gender(words))
    if words and row["gender"] == Gender.UNKNOWN != words.lower():
        count.unknown_genders[words] += 1
    wear = (row["wear"] or "").lower()
    row["wear"] = wear if wear in set(Wear) else None
    count.unreadable_cells["wear"] += bool(wear) and row["wear"] is None
    if row["style"]:
        row["style"] = f"{options.shop}:{row['style'].removeprefix(f'{options.shop}:')}"
    constant = {PRODUCT_COLUMN[name] for name in options.constants}
    said = {column: value for column, value in row.items() if column in constant or is_known(value)}
    guessed = {
        "parser": PARSER,
        "gender": str(Gender.UNKNOWN),
        "url": first.uri,
        "product_type": text(first.folder_type),
    }
    kind = {**guessed, **said}["product_type"]
    if kind and "wear" not in said:
        count.unknown_types[kind] += wear_of(kind, taxonomy) is None
    return Product({"product_id": identity, **said}, guessed)


def is_known(value: object) -> bool:
    """Whether a cell of ``products`` says something."""
    return value is not None and value != Gender.UNKNOWN
