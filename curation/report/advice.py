"""What in a workspace asks for somebody's eyes."""

from dataclasses import dataclass

import pandas as pd

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
        called, missed = len(confusion.wrongly_full), len(confusion.missed)
        if called or missed:
            words = f"by {confusion.source}, {_many(called, 'picture')} called full that {_are(called)} not"
            found.append(Advice(f"{words}, and {_many(missed, 'full shot')} not called so", "truth"))
    return found


def _stale(dataset: Dataset) -> list[Advice]:
    late = int((dataset.pictures["kind"] == NOT_JUDGED).sum())
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
    counts = dataset.shown[dataset.shown["split"].notna()].groupby("product_id")["split"].nunique()
    products = int((counts > 1).sum())
    clustered = dataset.pictures.dropna(subset=["cluster", "split"])
    clusters = int((clustered.groupby("cluster")["split"].nunique() > 1).sum())
    found = []
    if products:
        words = f"{_many(products, 'product')} {_have(products)} pictures in more than one split"
        found.append(Advice(words, "splits"))
    if clusters:
        words = f"{_many(clusters, 'cluster')} of duplicates {_are(clusters)} in more than one split"
        found.append(Advice(words, "duplicates"))
    return found


def _pictures(dataset: Dataset) -> list[Advice]:
    pictures = dataset.pictures
    unclear = int(((pictures["kind"] == "unclear") & ~pictures["rejected"]).sum())
    unread = int((pictures["kind"] == UNREADABLE).sum())
    found = []
    if unclear:
        wait = "waits" if unclear == 1 else "wait"
        found.append(Advice(f"{_many(unclear, 'unclear picture')} {wait} for a person’s verdict", "persons"))
    if unread:
        found.append(Advice(f"{_many(unread, 'picture')} cannot be read", "rejected"))
    if len(dataset.failures):
        words = f"{_many(len(dataset.failures), 'failure')} of pages and pictures noted in failures.csv"
        found.append(Advice(words, "failures"))
    return found


def _products(dataset: Dataset) -> list[Advice]:
    unknown = dataset.unknown_types
    found = []
    if len(unknown):
        names = ", ".join(str(name) for name in unknown.index[:_FEW_NAMES])
        more = f" and {len(unknown) - _FEW_NAMES:,} more" if len(unknown) > _FEW_NAMES else ""
        words = (
            f"{_many(len(unknown), 'product type')} unknown to the taxonomy, of {_many(int(unknown.sum()), 'product')}"
        )
        found.append(Advice(f"{words}: {names}{more}; add them to taxonomy.toml", "counts"))
    bare = int((~dataset.products["product_id"].isin(dataset.shown["product_id"])).sum())
    if bare:
        found.append(Advice(f"{_many(bare, 'product')} without a picture", "coverage"))
    strange = dataset.shown.loc[~dataset.shown["product_id"].isin(dataset.products["product_id"]), "image_id"].nunique()
    if strange:
        found.append(Advice(f"{_many(int(strange), 'picture')} of products that are not in products.csv", "coverage"))
    for column in _NEEDED:
        share = dataset.products[column].notna().mean() if len(dataset.products) else 1.0
        if share < _LEAST_FILLED:
            found.append(Advice(f"the column {column} is filled for {share:.0%} of the products", "coverage"))
    return found


def _missing_wears(dataset: Dataset) -> list[Advice]:
    """Wears that are missing in a split."""
    found = []
    kept = dataset.shown.dropna(subset=["wear", "split"])
    table = pd.crosstab(kept["wear"].to_numpy(), kept["split"].to_numpy()) if len(kept) else pd.DataFrame()
    table = table.reindex(columns=list(tables.SPLITS), fill_value=0)
    for wear, row in table.iterrows():
        empty = [split for split in tables.SPLITS if not row[split]]
        if empty:
            found.append(Advice(f"no picture of {wear} wear is in {' or '.join(empty)}", "splits"))
    return found


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
