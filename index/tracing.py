"""From a picture's id back to its page, its boxes and its vector."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import read_json
from fullshot.core.workspace import Workspace
from fullshot.index.catalog import find_items, read_manifest

if TYPE_CHECKING:
    from fullshot.core.dataset import Dataset

LEAST_DIGITS = 6
"""The fewest hexadecimal digits of an id: with fewer, several pictures of most data sets match."""

_LISTED = 5


def trace(workspace: Workspace, image_id: str) -> dict[str, Any]:
    """Everything that the workspace knows about a picture; of the tables, its rows alone are read.

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
    start = image_id.strip().lower()
    workspace.must_have("images")
    if not re.fullmatch(rf"[0-9a-f]{{{LEAST_DIGITS},64}}", start):
        raise UserError(f"expected {LEAST_DIGITS} to 64 hexadecimal digits of an image_id, got {start!r}")
    with workspace.open() as data:
        # As a range, of which Parquet knows where it may lie; "g" comes after every hexadecimal digit.
        rows = data.find("images", "image_id >= $first AND image_id < $beyond", first=start, beyond=f"{start}g")
        identity = _one_of([row["image_id"] for row in rows], start, workspace)
        curated = _of(data, "curated", identity)
        return {
            "image_id": identity,
            **{name: rows[0][name] for name in ("path", "width", "height", "bytes")},
            "products": _products(data, rows),
            "curated": curated[0] if curated else None,
            "boxes": _of(data, "boxes", identity),
            "catalog": _catalog(workspace, identity),
            "runs": _runs(workspace),
        }


def _one_of(ids: list[str], start: str, workspace: Workspace) -> str:
    matching = list(dict.fromkeys(ids))
    if not matching:
        raise UserError(f"no picture {start} in {workspace.table('images')}")
    if len(matching) > 1:
        listed = ", ".join(identity[: len(start) + 6] for identity in matching[:_LISTED])
        raise UserError(f"{len(matching)} pictures start with {start} ({listed}, …): give more digits")
    return matching[0]


def _of(data: "Dataset", table: str, identity: str) -> list[dict[str, Any]]:
    """A picture's rows of a table, if it is there, without its id."""
    if not data.has(table):
        return []
    rows = data.lookup(table, image_id=identity)
    return [{name: value for name, value in row.items() if name != "image_id"} for row in rows]


def _products(data: "Dataset", images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A picture's pages: what ``images`` says of each, and what is known of its product."""
    known: dict[str, dict[str, Any]] = {}
    if data.has("products"):
        ids = [row["product_id"] for row in images]
        known = {
            row["product_id"]: row for row in data.find("products", "product_id IN (SELECT unnest($ids))", ids=ids)
        }
    found = []
    for image in images:
        product = known.get(image["product_id"], {})
        found.append(
            {
                "product_id": image["product_id"],
                "view": image["view"],
                "image_url": image["url"],
                "fetched_at": image["fetched_at"],
                **{name: product.get(name) for name in ("name", "brand", "wear")},
                "page_url": product.get("url"),
                "page_fetched_at": product.get("fetched_at"),
                "parser": product.get("parser"),
            }
        )
    return found


def _catalog(workspace: Workspace, identity: str) -> dict[str, Any] | None:
    """What the catalog has of a picture; None where that is nothing, or the catalog cannot be read."""
    manifest = read_manifest(workspace)
    try:
        items = find_items(workspace, "image_id", [identity]) if manifest else []
    except StageFailed:
        return None
    if not items:
        return None
    return {
        "items": [int(row["item"]) for row in items],
        "wear": sorted({row["wear"] for row in items}),
        "embedder": manifest["embedder"],
        "built_at": manifest["built_at"],
    }


def _runs(workspace: Workspace) -> list[dict[str, Any]]:
    """Each stage's newest run, oldest first; ``current``: whether the tables that it read are those of now."""
    newest: dict[str, dict[str, Any]] = {}
    for path in sorted((workspace / "runs").glob("*.json"), reverse=True):
        stage = path.name.rpartition("-")[0]
        if stage in newest:
            continue
        record = read_json(path)
        if {"stage", "started_at", "version", "inputs"} <= record.keys():
            newest[stage] = {"record": f"runs/{path.name}", **record}
    inputs = {Path(name).stem for record in newest.values() for name in record["inputs"]}
    digests = workspace.digests(sorted(inputs))
    return [
        {
            **{name: record[name] for name in ("stage", "started_at", "version", "record")},
            "current": all(digests.get(name, "") == value for name, value in record["inputs"].items()),
        }
        for record in sorted(newest.values(), key=_started)
    ]


def _started(record: dict[str, Any]) -> str:
    """When a run began, as its record's name has it, to the microsecond; ``started_at`` is in seconds."""
    return str(record["record"]).rsplit("-", 1)[-1]
