"""From a picture's id back to its page, its boxes and its vector."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from fullshot.core.errors import UserError
from fullshot.core.files import digest
from fullshot.core.workspace import Workspace
from fullshot.index.catalog import contents

LEAST_DIGITS = 6
"""Hexadecimal digits of an id that are asked for at least: with fewer, most data sets answer with several pictures."""

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
    first = _known(rows.iloc[0])
    boxes = workspace.read_if_there("boxes")
    curated = workspace.read_if_there("curated")
    verdicts = _records(curated[curated["image_id"] == identity])
    return {
        "image_id": identity,
        **{name: first[name] for name in ("path", "width", "height", "bytes")},
        "products": _products(workspace, rows),
        "curated": verdicts[0] if verdicts else None,
        "boxes": _records(boxes[boxes["image_id"] == identity]),
        "catalog": _catalog(workspace, identity),
        "runs": _runs(workspace),
    }


def _one_of(ids: "pd.Series[str]", start: str, workspace: Workspace) -> str:
    if not re.fullmatch(rf"[0-9a-f]{{{LEAST_DIGITS},64}}", start):
        raise UserError(f"expected {LEAST_DIGITS} to 64 hexadecimal digits of an image_id, got {start!r}")
    found = [identity for identity in ids if identity.startswith(start)]
    if not found:
        raise UserError(f"no picture {start} in {workspace.table('images')}")
    if len(found) > 1:
        listed = ", ".join(identity[: len(start) + 6] for identity in found[:_LISTED])
        raise UserError(f"{len(found)} pictures start with {start} ({listed}, …): give more digits")
    return found[0]


def _products(workspace: Workspace, rows: pd.DataFrame) -> list[dict[str, Any]]:
    products = workspace.read_if_there("products").rename(columns={"url": "page_url", "fetched_at": "page_fetched_at"})
    facts = ["product_id", "name", "brand", "wear", "page_url", "page_fetched_at", "parser"]
    shown = rows[["product_id", "view", "url", "fetched_at"]].merge(products[facts], on="product_id", how="left")
    return _records(shown.rename(columns={"url": "image_url"}))


def _catalog(workspace: Workspace, identity: str) -> dict[str, Any] | None:
    manifest, items = contents(workspace)
    held = items[items["image_id"] == identity]
    if not len(held):
        return None
    return {
        "items": [int(item) for item in held["item"]],
        "wear": sorted(set(held["wear"])),
        "embedder": manifest["embedder"],
        "built_at": manifest["built_at"],
    }


def _runs(workspace: Workspace) -> list[dict[str, Any]]:
    """Each stage's newest run, oldest first; ``current``: whether the tables that it read are those of now."""
    newest: dict[str, dict[str, Any]] = {}
    for path in sorted((workspace / "runs").glob("*.json")):
        record = _json(path)
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
        for record in sorted(newest.values(), key=_began)
    ]


def _began(record: dict[str, Any]) -> str:
    """When a run began, as its record's name has it, to the microsecond; ``started_at`` is in seconds."""
    return str(record["record"]).rsplit("-", 1)[-1]


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [_known(row) for _, row in rows.drop(columns="image_id", errors="ignore").iterrows()]


def _known(row: "pd.Series[Any]") -> dict[str, Any]:
    """A row as plain values; an empty cell is None."""
    return {
        str(name): None if pd.isna(value) else getattr(value, "item", lambda value=value: value)()
        for name, value in row.items()
    }
