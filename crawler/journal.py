"""What a crawl found, a line each, on disk before it counts; merged into the tables when the crawl ends.

A crawl that is killed leaves the journal behind; the next one merges it first, so that nothing is fetched twice. A line
that the kill cut short is the last one and is passed over.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from crawler.items import ProductFound
from fullshot import files, tables
from fullshot.storage import Stored
from fullshot.workspace import Workspace

_BOX_KEY = ["image_id", "label", "source", "x_min", "y_min", "product_id"]


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

    def lines(self) -> Iterator[dict[str, Any]]:
        """The lines written so far."""
        if not self.path.is_file():
            return
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield json.loads(line)

    def keep(self, lines: list[dict[str, Any]]) -> None:
        """Leave only these lines; without any, no file."""
        if lines:
            files.write_text(self.path, "".join(map(_text, lines)))
        else:
            self.path.unlink(missing_ok=True)

    def _append(self, line: dict[str, Any]) -> None:
        # One write to a file opened for appending: a kill leaves whole lines and at most one torn one, the last.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, _text(line).encode("utf-8"))
        finally:
            os.close(descriptor)


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
    for name, rows, key, order in (
        ("products", found.products, ["product_id"], ["product_id"]),
        ("images", found.images, ["image_id", "product_id"], ["product_id", "position"]),
        ("boxes", found.boxes, _BOX_KEY, _BOX_KEY),
        ("failures", found.failures, ["url"], ["url"]),
    ):
        old = workspace.read_if_there(name)
        if name == "failures":
            old = old[~old["url"].isin(found.mended)]
        new = tables.frame(name, rows)
        data = pd.concat([table for table in (old, new) if len(table)] or [old])
        data = data.drop_duplicates(key, keep="last").sort_values(order, kind="stable")
        counts[name] = len(data)
        if len(data) or workspace.table(name).is_file():
            workspace.write(name, data)
    journal.keep(found.loose)
    return counts


class _Found:
    """The rows that a journal's lines make up."""

    def __init__(self, images: pd.DataFrame) -> None:
        columns = ["image_id", "path", "width", "height", "bytes", "fetched_at"]
        self.pictures = {row["url"]: {c: row[c] for c in columns} for row in images.to_dict("records")}
        self.products: list[dict[str, Any]] = []
        self.images: list[dict[str, Any]] = []
        self.boxes: list[dict[str, Any]] = []
        self.waiting: dict[str, dict[str, Any]] = {}
        self.failed: dict[str, dict[str, Any]] = {}
        self.mended: set[str] = set()

    @property
    def loose(self) -> list[dict[str, Any]]:
        """The pictures that no product of the journal has claimed."""
        return list(self.waiting.values())

    @property
    def failures(self) -> list[dict[str, Any]]:
        return list(self.failed.values())

    def add(self, line: dict[str, Any]) -> None:
        if line["kind"] == "picture":
            self.pictures[line["url"]] = {key: value for key, value in line.items() if key not in ("kind", "url")}
            self.waiting[line["url"]] = line
            self._is_there(line["url"])
        elif line["kind"] == "failure":
            self.failed[line["failure"]["url"]] = line["failure"]
        else:
            self._add_product(line)

    def _is_there(self, url: str) -> None:
        self.failed.pop(url, None)
        self.mended.add(url)

    def _add_product(self, line: dict[str, Any]) -> None:
        product = line["product"]
        self.products.append(product)
        self._is_there(product["url"])
        for link in line["images"]:
            self.waiting.pop(link["url"], None)
            if picture := self.pictures.get(link["url"]):
                self.images.append({**link, **picture, "product_id": product["product_id"]})
        for box in line["boxes"]:
            if picture := self.pictures.get(box["url"]):
                self.boxes.append(_pixel_box(box, picture, product))


def _pixel_box(box: dict[str, Any], picture: dict[str, Any], product: dict[str, Any]) -> dict[str, Any]:
    """A row of ``boxes`` from a shop's box: percent to pixels of the stored picture, clipped to it."""
    width, height = float(picture["width"]), float(picture["height"])
    return {
        "image_id": picture["image_id"],
        "label": box["label"],
        "x_min": round(max(0.0, box["x"] / 100 * width), 2),
        "y_min": round(max(0.0, box["y"] / 100 * height), 2),
        "x_max": round(min(width, (box["x"] + box["width"]) / 100 * width), 2),
        "y_max": round(min(height, (box["y"] + box["height"]) / 100 * height), 2),
        "source": "shop",
        "revision": 1,
        "updated_at": product["fetched_at"],
        "product_id": product["product_id"],
    }
