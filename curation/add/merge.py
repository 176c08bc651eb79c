"""From a source's rows to the workspace's tables. Doing it twice changes nothing."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from fullshot.core import tables
from fullshot.core.taxonomy import Gender
from fullshot.core.workspace import Workspace
from fullshot.curation.add.entries import Failure, Source
from fullshot.curation.add.rows import Rows
from fullshot.curation.add.values import text

_OWN = "file:"


def merge(workspace: Workspace, rows: Rows, moment: str) -> dict[str, int]:
    """Bring products and images into their tables; a row whose content is the same stays as it is, times included.

    Args:
        workspace: whose tables; rows of other products stay.
        rows: what the source amounts to.
        moment: the time of this run.

    Returns:
        ``new_products``, ``changed_products`` and ``new_pictures``.
    """
    products, images = workspace.read_if_there("products"), workspace.read_if_there("images")
    before = _by_key(products, ["product_id"], rows.products)
    there = set(images["image_id"])
    new = [_product(row, before.get(identity), moment) for identity, row in rows.products.items()]
    _write(workspace, "products", products, new, ["product_id"], ["product_id"])
    earlier = _by_key(images, ["image_id", "product_id"], rows.images)
    pictures = [_image(row, earlier.get(key), moment) for key, row in rows.images.items()]
    replaced = _replaced(images, rows)
    images = images.assign(position=images["position"].where(~replaced))
    _write(workspace, "images", images, pictures, ["image_id", "product_id"], ["product_id", "position"])
    changed = sum(row != before.get(row["product_id"], row) for row in new)
    return {
        "new_products": len(rows.products.keys() - before.keys()),
        "changed_products": changed,
        "new_pictures": len({row["image_id"] for row in pictures} - there),
    }


def merge_failures(workspace: Workspace, source: Source, failures: Iterable[Failure], moment: str) -> None:
    """Bring what could not be read into ``failures``, and take out what this source failed at before and can be by now.

    Args:
        workspace: whose table.
        source: of the pictures; it is the failures' ``page``.
        failures: what could not be read.
        moment: the time of this run.
    """
    before = workspace.read_if_there("failures")
    asked = {entry.uri for entry in source.entries}
    of_source = (before["kind"] == "picture") & (before["url"].isin(asked) | (before["page"] == source.uri))
    times = {
        (row["url"], row["class"], row["message"]): row["failed_at"] for row in before[of_source].to_dict("records")
    }
    new = []
    for failure in failures:
        row = {"url": failure.uri, "kind": "picture", "class": failure.kind, "message": text(failure.message)}
        failed_at = times.get((row["url"], row["class"], row["message"]), moment)
        new.append({**row, "failed_at": failed_at, "page": source.uri})
    if new or workspace.table("failures").is_file():
        _write(workspace, "failures", before[~of_source], new, ["url", "page"], ["url", "page"])


def _by_key(table: pd.DataFrame, key: list[str], wanted: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """The rows of a table by their key, those with a key that is wanted; what is not known is None."""
    keys = table[key[0]] if len(key) == 1 else pd.Series(list(zip(*(table[one] for one in key), strict=True)))
    chosen = table[keys.isin(list(wanted)).to_numpy()] if len(table) else table
    found: list[dict[Any, Any]] = chosen.astype(object).where(chosen.notna(), None).to_dict("records")
    return {row[key[0]] if len(key) == 1 else tuple(row[one] for one in key): row for row in found}


def _product(row: dict[str, Any], was: dict[str, Any] | None, moment: str) -> dict[str, Any]:
    """A product's row; of one that a crawl found, what the source does not say stays as the crawl has it."""
    if was is None:
        return {**row, "fetched_at": moment, "first_seen": moment, "last_seen": moment}
    if was["parser"] != row["parser"]:
        row = {column: value for column, value in row.items() if value not in (None, Gender.UNKNOWN)}
        row["parser"] = was["parser"]
        if row["url"].startswith(_OWN) and was["url"]:
            row["url"] = was["url"]
    merged = {**was, **row}
    if merged == was:
        return was
    first_seen = was["first_seen"] or was["fetched_at"] or moment
    return {**merged, "fetched_at": moment, "first_seen": first_seen, "last_seen": moment, "gone_at": None}


def _image(row: dict[str, Any], was: dict[str, Any] | None, moment: str) -> dict[str, Any]:
    """An image's row; one that a crawl fetched stays as it is."""
    if was is not None and not str(was["url"]).startswith(_OWN):
        return was
    merged = {**(was or {}), **row}
    return merged if merged == was else {**merged, "fetched_at": moment}


def _replaced(images: pd.DataFrame, rows: Rows) -> "pd.Series[bool]":
    """Which pictures lay where others lie now; they are kept, without a position, as a crawl keeps them."""
    now = {(row["product_id"], row["url"]): row["image_id"] for row in rows.images.values()}
    cells = zip(images["product_id"], images["url"], images["image_id"], strict=True)
    found = [now.get((product, url), image) != image for product, url, image in cells]
    return pd.Series(found, index=images.index, dtype=bool)


def _write(
    workspace: Workspace, name: str, old: pd.DataFrame, new: list[dict[str, Any]], key: list[str], order: list[str]
) -> None:
    parts = [part for part in (old, tables.frame(name, new)) if len(part)]
    data = pd.concat(parts) if parts else tables.frame(name)
    data = data.drop_duplicates(key, keep="last").sort_values(order, kind="stable", ignore_index=True)
    workspace.write(name, data)
