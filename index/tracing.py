"""From a picture's id back to its page, its boxes and its vector."""

import re
from typing import Any

import pandas as pd

from fullshot.core.errors import UserError
from fullshot.core.files import digest, read_json
from fullshot.core.workspace import Workspace
from fullshot.index.catalog import read_items

LEAST_DIGITS = 6
"""The fewest hexadecimal digits of an id: with fewer, several pictures of most data sets match."""

_LISTED = 5


def trace(workspace: Workspace, image_id: str) -> dict[str, Any]:
    """Everything that the workspace knows about a picture.

    Args:
        workspace: read: its tables, the catalog and the records of stage runs, where there are any.
        image_id: the picture's id, or its first digits.

    Returns:
        ``image_id``, ``path``, ``width``, ``height``, ``bytes``; ``products``, one entry a page that shows it (URLs,
        fetch time, parser); ``curated`` (verdict, reason, split); ``boxes``, with who drew them and when; ``catalog``,
        with the digest of the embedder that made its vector; ``runs``, the stages that read or wrote the tables.
        What is not known is None.

    Raises:
        MissingInput: there is no workspace or no ``images.csv``.
        UserError: the id is too short or no id, no picture has it, or several have.
    """
    images = workspace.read("images")
    identity = _one_of(images["image_id"].drop_duplicates(), image_id.strip().lower(), workspace)
    rows = images[images["image_id"] == identity]
    image = _plain(rows.iloc[0])
    boxes = workspace.read_if_there("boxes")
    curated = workspace.read_if_there("curated")
    of_curation = _records(curated[curated["image_id"] == identity])
    return {
        "image_id": identity,
        **{name: image[name] for name in ("path", "width", "height", "bytes")},
        "products": _products(workspace, rows),
        "curated": of_curation[0] if of_curation else None,
        "boxes": _records(boxes[boxes["image_id"] == identity]),
        "catalog": _catalog(workspace, identity),
        "runs": _runs(workspace),
    }


def _one_of(ids: "pd.Series[str]", start: str, workspace: Workspace) -> str:
    if not re.fullmatch(rf"[0-9a-f]{{{LEAST_DIGITS},64}}", start):
        raise UserError(f"expected {LEAST_DIGITS} to 64 hexadecimal digits of an image_id, got {start!r}")
    matching = [identity for identity in ids if identity.startswith(start)]
    if not matching:
        raise UserError(f"no picture {start} in {workspace.table('images')}")
    if len(matching) > 1:
        listed = ", ".join(identity[: len(start) + 6] for identity in matching[:_LISTED])
        raise UserError(f"{len(matching)} pictures start with {start} ({listed}, …): give more digits")
    return matching[0]


def _products(workspace: Workspace, rows: pd.DataFrame) -> list[dict[str, Any]]:
    products = workspace.read_if_there("products").rename(columns={"url": "page_url", "fetched_at": "page_fetched_at"})
    facts = ["product_id", "name", "brand", "wear", "page_url", "page_fetched_at", "parser"]
    shown = rows[["product_id", "view", "url", "fetched_at"]].merge(products[facts], on="product_id", how="left")
    return _records(shown.rename(columns={"url": "image_url"}))


def _catalog(workspace: Workspace, identity: str) -> dict[str, Any] | None:
    manifest, items = read_items(workspace)
    shown = items[items["image_id"] == identity]
    if not len(shown):
        return None
    return {
        "items": [int(item) for item in shown["item"]],
        "wear": sorted(set(shown["wear"])),
        "embedder": manifest["embedder"],
        "built_at": manifest["built_at"],
    }


def _runs(workspace: Workspace) -> list[dict[str, Any]]:
    """Each stage's newest run, oldest first; ``current``: whether the tables that it read are those of now."""
    newest: dict[str, dict[str, Any]] = {}
    for path in sorted((workspace / "runs").glob("*.json")):
        record = read_json(path)
        if {"stage", "started_at", "version", "inputs"} <= record.keys():
            newest[record["stage"]] = {"record": f"runs/{path.name}", **record}
    digests: dict[str, str] = {}
    for record in newest.values():
        for name in record["inputs"]:
            digests.setdefault(name, digest(workspace / name))
    return [
        {
            **{name: record[name] for name in ("stage", "started_at", "version", "record")},
            "current": all(digests[name] == value for name, value in record["inputs"].items()),
        }
        for record in sorted(newest.values(), key=_started)
    ]


def _started(record: dict[str, Any]) -> str:
    """When a run began, as its record's name has it, to the microsecond; ``started_at`` is in seconds."""
    return str(record["record"]).rsplit("-", 1)[-1]


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [_plain(row) for _, row in rows.drop(columns="image_id", errors="ignore").iterrows()]


def _plain(row: "pd.Series[Any]") -> dict[str, Any]:
    """A row as plain values; an empty cell is None."""
    return {
        str(name): None if pd.isna(value) else getattr(value, "item", lambda value=value: value)()
        for name, value in row.items()
    }
