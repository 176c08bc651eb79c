"""What a crawl found, a line each, on disk before it counts; merged into the tables when the crawl ends.

A crawl that is killed leaves the journal behind; the next one merges it first, so that nothing is fetched twice. A line
that the kill cut short is the last one and is passed over.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from crawler.items import ProductFound
from fullshot import files, tables
from fullshot.errors import BadTable
from fullshot.storage import Stored
from fullshot.workspace import Workspace

_KEYS = {
    "products": ["product_id"],
    "images": ["image_id", "product_id"],
    "boxes": ["image_id", "label", "source", "product_id", "x_min", "y_min", "x_max", "y_max"],
    "failures": ["url"],
}
_ORDER = {**_KEYS, "images": ["product_id", "position"]}


class Journal:
    """The journal of one workspace.

    Args:
        path: the file; made when the first line is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def picture(self, url: str, stored: Stored, fetched_at: str) -> None:
        """A picture is in the store."""
        self._append({"kind": "picture", "url": url, **asdict(stored), "fetched_at": fetched_at})

    def product(self, found: ProductFound) -> None:
        """A product is done: its pictures are in the store, or among the failures."""
        self._append(found.as_json())

    def failure(self, url: str, what: str, why: tuple[str, str], failed_at: str, page: str = "") -> None:
        """Something could not be fetched or read.

        Args:
            url: its address.
            what: ``page`` or ``picture``.
            why: the class of the failure and a line on it.
            failed_at: when, UTC.
            page: the address of the product page that shows a picture.
        """
        reason, message = why
        row = {"url": url, "kind": what, "class": reason, "message": message, "failed_at": failed_at, "page": page}
        self._append({"kind": "failure", "failure": row})

    def page(self, url: str) -> None:
        """A page was read: what failed there before is mended."""
        self._append({"kind": "page", "url": url})

    def lines(self) -> Iterator[dict[str, Any]]:
        """The lines written so far; one that was cut short by a kill or a full disk is passed over."""
        if not self.path.is_file():
            return
        with self.path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                with contextlib.suppress(ValueError):
                    yield json.loads(line)

    def keep(self, lines: list[dict[str, Any]]) -> None:
        """Leave only these lines; without any, no file."""
        if lines:
            files.write_text(self.path, "".join(map(_text, lines)))
        else:
            self.path.unlink(missing_ok=True)

    def _append(self, line: dict[str, Any]) -> None:
        # Appended: a kill leaves whole lines and at most one torn one, the last, which is ended first.
        content = _text(line).encode("utf-8")
        with self.path.open("ab+", buffering=0) as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    content = b"\n" + content
            while content:
                content = content[file.write(content) or 0 :]


def _text(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"


def merge(workspace: Workspace, journal: Journal) -> dict[str, int]:
    """Bring a journal into ``products``, ``images``, ``boxes`` and ``failures``, then remove it.

    A picture whose product is not done yet stays in the journal. Doing it twice changes nothing, so a kill in
    between is mended by the next merge.

    Returns:
        How many rows each table holds afterwards.
    """
    names = ("products", "images", "boxes", "failures")
    if not journal.path.is_file():
        return {name: len(workspace.read_if_there(name)) for name in names}
    found = _Found(workspace.read_if_there("images"))
    for line in journal.lines():
        found.add(line)
    counts = {}
    for name, new in found.tables().items():
        old = workspace.read_if_there(name)
        if name == "boxes":
            old = old[~((old["source"] == "shop") & old["product_id"].isin(found.products))]
        if name == "failures":
            old = old[~(old["url"].isin(found.mended) | old["page"].isin(found.pages))]
        data = pd.concat([table for table in (old, new) if len(table)] or [old])
        data = data.drop_duplicates(_KEYS[name], keep="last").sort_values(_ORDER[name], kind="stable")
        counts[name] = len(data)
        if len(data) or workspace.table(name).is_file():
            workspace.write(name, data)
    journal.keep(found.loose)
    return counts


class _Found:
    """What a journal's lines make up.

    Attributes:
        products: rows, by product_id; the last one counts.
        pages: addresses of product pages that were read.
        mended: addresses that were read or fetched, so that an earlier failure there is over.
    """

    def __init__(self, images: pd.DataFrame) -> None:
        columns = ["image_id", "path", "width", "height", "bytes", "fetched_at"]
        self._pictures = {row["url"]: {c: row[c] for c in columns} for row in images.to_dict("records")}
        self._lines: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, dict[str, Any]] = {}
        self._failed: dict[str, dict[str, Any]] = {}
        self.products: dict[str, dict[str, Any]] = {}
        self.pages: set[str] = set()
        self.mended: set[str] = set()

    @property
    def loose(self) -> list[dict[str, Any]]:
        """The pictures that no product of the journal has claimed."""
        return list(self._waiting.values())

    def add(self, line: dict[str, Any]) -> None:
        """Take in a line."""
        if line["kind"] == "failure":
            self._failed[line["failure"]["url"]] = line["failure"]
            return
        url = line["product"]["url"] if line["kind"] == "product" else line["url"]
        self.mended.add(url)
        self._failed.pop(url, None)
        if line["kind"] == "picture":
            self._waiting[url] = line
            self._pictures[url] = {key: value for key, value in line.items() if key not in ("kind", "url")}
        elif line["kind"] == "product":
            self.products[line["product"]["product_id"]] = line["product"]
            self._lines[line["product"]["product_id"]] = line
            self.pages.add(url)
            for link in line["images"]:
                self._waiting.pop(link["url"], None)

    def tables(self) -> dict[str, pd.DataFrame]:
        """The rows as tables; a product that its table does not take becomes a failure of its page."""
        try:
            products = tables.frame("products", self.products.values())
        except BadTable:
            self._drop_bad_products()
            products = tables.frame("products", self.products.values())
        images: dict[tuple[str, str], dict[str, Any]] = {}
        boxes: list[dict[str, Any]] = []
        for product_id, product in self.products.items():
            for link in self._lines[product_id]["images"]:
                if picture := self._pictures.get(link["url"]):
                    # The same bytes under two addresses are one picture, where it is first shown.
                    images.setdefault((picture["image_id"], product_id), {**link, **picture, "product_id": product_id})
            for box in self._lines[product_id]["boxes"]:
                picture = self._pictures.get(box["url"])
                if picture and (row := _pixel_box(box, picture, product)):
                    boxes.append(row)
        return {
            "products": products,
            "images": tables.frame("images", images.values()),
            "boxes": tables.frame("boxes", boxes),
            "failures": tables.frame("failures", self._failed.values()),
        }

    def _drop_bad_products(self) -> None:
        for product_id, product in list(self.products.items()):
            try:
                tables.frame("products", [product])
            except BadTable as error:
                del self.products[product_id]
                self._failed[product["url"]] = {
                    "url": product["url"],
                    "kind": "page",
                    "class": "bad-page",
                    "message": str(error),
                    "failed_at": product["fetched_at"],
                }


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
