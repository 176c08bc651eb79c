"""From a crawl's state to the workspace's tables. Doing it twice changes nothing, so it may be done at any time."""

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from fullshot.core import tables
from fullshot.core.errors import BadTable
from fullshot.core.workspace import Workspace
from fullshot.crawler.frontier import RequestState
from fullshot.crawler.state import CrawlState

TABLES = ("products", "images", "boxes", "failures", "ledger")

_KEYS = {
    "products": ["product_id"],
    "images": ["image_id", "product_id"],
    "boxes": ["image_id", "label", "source", "product_id", "x_min", "y_min", "x_max", "y_max"],
    "failures": ["url", "page"],
    "ledger": ["host"],
}
_ORDER = {**_KEYS, "images": ["product_id", "position"]}


def merge(workspace: Workspace, state: CrawlState) -> dict[str, int]:
    """Bring what a crawl found into ``products``, ``images``, ``boxes``, ``failures`` and ``ledger``.

    Returns:
        How many rows each table holds afterwards.
    """
    old = {name: workspace.read_if_there(name) for name in TABLES}
    results = _Results(state)
    counts = {}
    for name, new in results.tables().items():
        old_rows = old[name]
        if name == "products":
            new = _with_history(new, old_rows)
        elif name == "boxes":
            old_rows = old_rows[~((old_rows["source"] == "shop") & old_rows["product_id"].isin(results.product_ids))]
        elif name == "failures":
            over = old_rows["url"].isin(results.fetched) | old_rows["page"].isin(results.pages)
            old_rows = old_rows[~over | old_rows["url"].isin(results.excluded)]
        elif name == "images":
            old_rows = old_rows.assign(position=old_rows["position"].where(~results.shown_no_more(old_rows)))
        data = pd.concat([table for table in (old_rows, new) if len(table)] or [old_rows])
        data = data.drop_duplicates(_KEYS[name], keep="last").sort_values(_ORDER[name], kind="stable")
        if name == "products":
            data = _seen(data, state)
        counts[name] = len(data)
        if len(data) or workspace.table(name).is_file():
            workspace.write(name, data)
    return counts


def _with_history(new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """The new rows, first seen when the old ones were; a page that was saved earlier does not undo what came later."""
    again = old[old["product_id"].isin(new["product_id"])]
    before = {row["product_id"]: row for row in again.to_dict("records")}
    rows: list[dict[Any, Any]] = new.to_dict("records")
    for row in rows if before else ():
        if was := before.get(row["product_id"]):
            row["first_seen"] = min(_times(row["first_seen"], was["first_seen"], was["fetched_at"]))
            row["last_seen"] = max(_times(row["last_seen"], was["last_seen"]))
            row["gone_at"] = max((at for at in _times(was["gone_at"]) if at > row["fetched_at"]), default=None)
    return tables.frame("products", rows) if before else new


def _times(*times: Any) -> list[str]:
    return [str(time) for time in times if not pd.isna(time)]


def _seen(products: pd.DataFrame, state: CrawlState) -> pd.DataFrame:
    """Mark what is not sold any more, and when the others were seen last."""
    query = "SELECT pages.product_id, seen.gone, seen.seen_at FROM seen JOIN pages ON pages.url = seen.page"
    rows = list(state.rows(query))
    gone = {product_id: seen_at for product_id, is_gone, seen_at in rows if is_gone}
    there = {product_id: seen_at for product_id, is_gone, seen_at in rows if not is_gone}
    # A product that moved is not gone because its old address is.
    found = {product_id for (product_id,) in state.rows("SELECT product_id FROM products")}
    gone = {product_id: seen_at for product_id, seen_at in gone.items() if product_id not in found | there.keys()}
    ids = products["product_id"]
    return products.assign(
        last_seen=ids.map(there).astype("string").fillna(products["last_seen"]),
        gone_at=products["gone_at"].where(~ids.isin(there)).fillna(ids.map(gone).astype("string")),
    )


class _Results:
    """What a crawl's state holds, as tables.

    Attributes:
        product_ids: the products that were found.
        pages: addresses of product pages that were read.
        fetched: addresses that were read or fetched, so that an earlier failure there is over.
        excluded: addresses of pictures that were not to be asked for.
    """

    def __init__(self, state: CrawlState) -> None:
        self._state = state
        self._dropped: list[dict[str, Any]] = []
        self._products: dict[str, dict[str, Any]] = {}
        self._lines: dict[str, dict[str, Any]] = {}
        for product_id, page, content, seen_at in state.rows("SELECT product_id, page, found, seen_at FROM products"):
            line = json.loads(content)
            times = {"fetched_at": seen_at, "first_seen": seen_at, "last_seen": seen_at, "gone_at": None}
            self._products[product_id] = {**line["product"], **times}
            self._lines[product_id] = {**line, "page": page}
        self.product_ids = set(self._products)
        self.pages = {line["page"] for line in self._lines.values()}
        self.pages |= {product["url"] for product in self._products.values()}
        self.fetched = {task.url for task in state.frontier.tasks(RequestState.DONE, RequestState.SKIPPED)}
        self.fetched |= self.pages
        self.excluded = {url for (url,) in state.rows("SELECT url FROM excluded")}

    def shown_no_more(self, images: pd.DataFrame) -> "pd.Series[bool]":
        """Which pictures of the products that were found are no longer shown; they stay, without a position."""
        shown = {(product_id, link["url"]) for product_id, line in self._lines.items() for link in line["images"]}
        pairs = zip(images["product_id"], images["url"], strict=True)
        gone = [product_id in self.product_ids and (product_id, url) not in shown for product_id, url in pairs]
        return pd.Series(gone, index=images.index, dtype=bool)

    def tables(self) -> dict[str, pd.DataFrame]:
        """The rows as tables; a product that its table does not take becomes a failure of its page."""
        products = self._product_table()
        pictures = {
            row[0]: dict(zip(("image_id", "path", "width", "height", "bytes", "fetched_at"), row[1:], strict=True))
            for row in self._state.rows(
                "SELECT url, image_id, path, width, height, bytes, fetched_at FROM pictures"
                " WHERE url IN (SELECT json_extract(link.value, '$.url') FROM products,"
                " json_each(products.found, '$.images') AS link)"
            )
        }
        images: dict[tuple[str, str], dict[str, Any]] = {}
        boxes: list[dict[str, Any]] = []
        for product_id, product in self._products.items():
            for link in self._lines[product_id]["images"]:
                if picture := pictures.get(link["url"]):
                    # The same bytes under two addresses are one picture, where it is first shown.
                    images.setdefault((picture["image_id"], product_id), {**link, **picture, "product_id": product_id})
            for box in self._lines[product_id]["boxes"]:
                picture = pictures.get(box["url"])
                if picture and (row := _pixel_box(box, picture, product)):
                    boxes.append(row)
        return {
            "products": products,
            "images": tables.frame("images", images.values()),
            "boxes": tables.frame("boxes", boxes),
            "failures": tables.frame("failures", [*self._failures(), *self._dropped]),
            "ledger": tables.frame("ledger", self._state.hosts().values()),
        }

    def _failures(self) -> Iterator[dict[str, Any]]:
        """A row for each failure; of a picture that several products show, one for each of their pages."""
        columns = ("url", "page", "kind", "class", "message", "failed_at")
        pages: dict[str, list[str]] = {}
        for line in self._lines.values():
            for link in line["images"]:
                pages.setdefault(link["url"], []).append(line["page"])
        for values in self._state.rows(f"SELECT {', '.join(columns)} FROM failures"):
            row = dict(zip(columns, values, strict=True))
            for page in pages.get(row["url"], [row["page"]]) if row["kind"] == "picture" else [row["page"]]:
                yield {**row, "page": page}

    def _product_table(self) -> pd.DataFrame:
        try:
            return tables.frame("products", self._products.values())
        except BadTable:
            for product_id, product in list(self._products.items()):
                self._drop_if_bad(product_id, product)
            return tables.frame("products", self._products.values())

    def _drop_if_bad(self, product_id: str, product: dict[str, Any]) -> None:
        try:
            tables.frame("products", [product])
        except BadTable as error:
            del self._products[product_id]
            why = {"kind": "page", "class": "bad-page", "message": str(error), "failed_at": product["fetched_at"]}
            self._dropped.append({"url": self._lines[product_id]["page"], "page": "", **why})


def _pixel_box(box: dict[str, Any], picture: dict[str, Any], product: dict[str, Any]) -> dict[str, Any] | None:
    """A row of ``boxes`` from a shop's box: percent to pixels of the stored picture, clipped to it.

    None where nothing of it lies in the picture.
    """
    width, height = float(picture["width"]), float(picture["height"])
    x_min, x_max = (round(min(width, max(0.0, x / 100 * width)), 2) for x in (box["x"], box["x"] + box["width"]))
    y_min, y_max = (round(min(height, max(0.0, y / 100 * height)), 2) for y in (box["y"], box["y"] + box["height"]))
    if x_min >= x_max or y_min >= y_max:
        return None
    return {
        "image_id": picture["image_id"],
        "label": box["label"],
        "x_min": x_min,
        "y_min": y_min,
        "x_max": x_max,
        "y_max": y_max,
        "source": "shop",
        "revision": 1,
        "updated_at": product["fetched_at"],
        "product_id": product["product_id"],
    }
