"""What in a workspace asks for somebody's eyes."""

from collections import defaultdict
from dataclasses import dataclass

from fullshot.core import tables
from fullshot.curation.report.dataset import NOT_JUDGED, UNREADABLE, Dataset
from fullshot.curation.report.truth import Confusion

_FEW_NAMES = 5
_LEAST_FILLED = 0.5
# What later stages read of a product; of the others an empty cell harms nobody.
_NEEDED = ("url", "name", "product_type", "wear", "colour")


@dataclass(frozen=True)
class Advice:
    """A sentence, and the section of the page that shows more."""

    words: str
    anchor: str


def advice(dataset: Dataset, confusions: list[Confusion]) -> list[Advice]:
    """What to look at, the most urgent first."""
    found = [*_stale(dataset), *_leaks(dataset), *_pictures(dataset), *_products(dataset), *_missing_wears(dataset)]
    for confusion in confusions:
        called, missed = confusion.wrongly_full, confusion.missed
        if called or missed:
            words = f"by {confusion.source}, {_many(called, 'picture')} called full that {_are(called)} not"
            found.append(Advice(f"{words}, and {_many(missed, 'full shot')} not called so", "truth"))
    return found


def _stale(dataset: Dataset) -> list[Advice]:
    late = dataset.by_kind.get(NOT_JUDGED, 0)
    again = f"run `fullshot curate {dataset.root.name}` again"
    found = []
    if dataset.outdated:
        found.append(Advice(f"{', '.join(dataset.outdated)} changed since curation: {again}", "run"))
    if late:
        found.append(
            Advice(f"{_many(late, 'picture')} came after curation and {_are(late)} not judged: {again}", "run")
        )
    return found


def _leaks(dataset: Dataset) -> list[Advice]:
    """Products and clusters that straddle two splits."""
    straddling = "SELECT count(*) FROM (SELECT {0} FROM {1} GROUP BY {0} HAVING min(split) <> max(split))"
    products = dataset.number(straddling.format("product_id", "shown"))
    clusters = dataset.number(straddling.format("cluster", "reported WHERE cluster IS NOT NULL"))
    found = []
    if products:
        words = f"{_many(products, 'product')} {_have(products)} pictures in more than one split"
        found.append(Advice(words, "splits"))
    if clusters:
        words = f"{_many(clusters, 'cluster')} of duplicates {_are(clusters)} in more than one split"
        found.append(Advice(words, "duplicates"))
    return found


def _pictures(dataset: Dataset) -> list[Advice]:
    unclear = dataset.number("SELECT count(*) FROM reported WHERE kind = 'unclear' AND NOT rejected")
    unread = dataset.by_kind.get(UNREADABLE, 0)
    found = []
    if unclear:
        wait = "waits" if unclear == 1 else "wait"
        found.append(Advice(f"{_many(unclear, 'unclear picture')} {wait} for a person’s verdict", "persons"))
    if unread:
        found.append(Advice(f"{_many(unread, 'picture')} cannot be read", "rejected"))
    if dataset.failures:
        words = f"{_many(dataset.failures, 'failure')} of pages and pictures noted in failures.csv"
        found.append(Advice(words, "failures"))
    return found


def _products(dataset: Dataset) -> list[Advice]:
    unknown = dataset.unknown_types
    found = []
    if unknown:
        names = ", ".join(name for name, _ in unknown[:_FEW_NAMES])
        more = f" and {len(unknown) - _FEW_NAMES:,} more" if len(unknown) > _FEW_NAMES else ""
        products = _many(sum(count for _, count in unknown), "product")
        words = f"{_many(len(unknown), 'product type')} unknown to the taxonomy, of {products}"
        found.append(Advice(f"{words}: {names}{more}; add them to taxonomy.toml", "counts"))
    bare = dataset.number("SELECT count(*) FROM products ANTI JOIN shown USING (product_id)")
    if bare:
        found.append(Advice(f"{_many(bare, 'product')} without a picture", "coverage"))
    strange = dataset.number("SELECT count(DISTINCT number) FROM shown WHERE NOT is_described")
    if strange:
        found.append(Advice(f"{_many(strange, 'picture')} of products that are not in products.csv", "coverage"))
    for column in _NEEDED:
        filled = dataset.number(f"SELECT count({column}) FROM described")
        share = filled / dataset.products if dataset.products else 1.0
        if share < _LEAST_FILLED:
            found.append(Advice(f"the column {column} is filled for {share:.0%} of the products", "coverage"))
    return found


def _missing_wears(dataset: Dataset) -> list[Advice]:
    """Wears that are missing in a split."""
    splits: defaultdict[str, set[str]] = defaultdict(set)
    query = "SELECT DISTINCT wear, split FROM shown WHERE wear IS NOT NULL AND split IS NOT NULL ORDER BY wear"
    for wear, split in dataset.tables.rows(query):
        splits[wear].add(split)
    found = []
    for wear, there in splits.items():
        empty = [split for split in tables.SPLITS if split not in there]
        if empty:
            found.append(Advice(f"no picture of {wear} wear is in {' or '.join(empty)}", "splits"))
    return found


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
