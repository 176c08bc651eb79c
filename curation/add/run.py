"""Bring a folder or a CSV of pictures into a workspace."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from fullshot.core import image_store
from fullshot.core.clock import now
from fullshot.core.dataset import Dataset
from fullshot.core.errors import UserError
from fullshot.core.image_store import Stored
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.add.csv_file import read_csv
from fullshot.curation.add.entries import Entry, Failure, Source
from fullshot.curation.add.folder import read_folder
from fullshot.curation.add.merge import merge, merge_failures
from fullshot.curation.add.options import AddOptions
from fullshot.curation.add.rows import product_id, rows
from fullshot.curation.add.store import store


def add_pictures(
    workspace: Workspace, settings: Settings, path: Path, options: AddOptions | None = None
) -> dict[str, Any]:
    """Bring a folder or a CSV of pictures into ``products`` and ``images``; what is no picture goes into ``failures``.

    Run again on the same pictures it changes nothing; a run that was ended half-way is made good by the next one.

    Args:
        workspace: where to; its folder is made if need be.
        settings: ``curate.processes`` is how many processes read pictures.
        path: the folder, or the CSV.
        options: the shop, the CSV's columns, and what is true of all pictures.

    Returns:
        Counts of the run, ready for JSON.

    Raises:
        UserError: there are no pictures, the call is wrong, or another fullshot holds the workspace.
    """
    options = options or AddOptions()
    taxonomy = workspace.taxonomy()
    options.check(taxonomy)
    source = _read(path, workspace, options)
    if not source.entries and not source.failures:
        passed_over = f" but {source.passed_over.total()} files of other kinds" if source.passed_over else ""
        raise UserError(f"expected pictures in {path}, got none{passed_over}")
    workspace.root.mkdir(parents=True, exist_ok=True)
    with workspace.stage("add", settings) as stats, workspace.open() as data:
        started = time.monotonic()
        for name in ("products", "images"):
            data.make_if_missing(name)
        images = _of_these(data, source.entries, options)
        _check_names(source.entries, images, options, path)
        results = store(workspace, source.entries, _stored_before(images, source.entries), settings)
        stored = {uri: result for uri, result in results.items() if isinstance(result, Stored)}
        failures = source.failures + [result for result in results.values() if isinstance(result, Failure)]
        added = rows(source.entries, stored, options, taxonomy)
        moment = now()
        counts = merge(data, added, taxonomy, moment)
        merge_failures(data, source, failures, moment)
        seconds = time.monotonic() - started
        stats |= {
            "source": source.uri,
            "pictures": len({key[0] for key in added.images}),
            "new_pictures": counts["new_pictures"],
            "products": len(added.products),
            "new_products": counts["new_products"],
            "changed_products": counts["changed_products"],
            "failed": len(failures),
            "failures": dict(Counter(failure.kind for failure in failures).most_common()),
            "passed_over": dict(source.passed_over.most_common()),
            "unknown_types": dict(added.unknown_types.most_common()),
            "unknown_genders": dict(added.unknown_genders.most_common()),
            "unreadable_cells": dict(added.unreadable_cells.most_common()),
            "pictures_per_second": round(len(results) / seconds, 1),
        }
        for name in ("unknown_types", "unknown_genders", "unreadable_cells"):
            stats[name] = {value: count for value, count in stats[name].items() if count}
    return stats


def _read(path: Path, workspace: Workspace, options: AddOptions) -> Source:
    if path.is_dir():
        if options.columns or options.root is not None:
            flags = [f"--{name}" for name in options.columns] + ["--root"] * (options.root is not None)
            raise UserError(f"expected a CSV with {', '.join(flags)}, got a folder: {path}")
        return read_folder(path, workspace.root)
    if options.root is not None and not options.root.is_dir():
        raise UserError(f"no folder {options.root} to look for the pictures of {path} in")
    if path.is_file():
        return read_csv(path, options)
    raise UserError(f"expected a folder or a CSV of pictures, got no such file: {path}")


def _of_these(data: Dataset, entries: list[Entry], options: AddOptions) -> pd.DataFrame:
    """The rows of ``images`` that are of these places, or of products that are named after them."""
    urls = pa.table({"url": pa.array({entry.uri for entry in entries}, pa.string())})
    named = {product_id(entry, options) for entry in entries if entry.named_by_path}
    data.create("asked_urls", urls)
    data.create("asked_products", pa.table({"product_id": pa.array(named, pa.string())}))
    return data.query(
        "SELECT images.* FROM images LEFT JOIN asked_urls USING (url) LEFT JOIN asked_products USING (product_id) "
        "WHERE starts_with(url, 'file:') AND (asked_urls.url IS NOT NULL OR asked_products.product_id IS NOT NULL)"
    )


def _stored_before(images: pd.DataFrame, entries: list[Entry]) -> dict[str, Stored]:
    """What earlier runs stored from these places; of a picture that was replaced, the later one."""
    of_source = images[images["url"].isin({entry.uri for entry in entries}) & images["position"].notna()]
    columns = ["image_id", "path", "width", "height", "bytes"]
    cells = zip(of_source["url"], *(of_source[column] for column in columns), strict=True)
    return {
        url: Stored(image_id, path, int(width), int(height), int(size))
        for url, image_id, path, width, height, size in cells
    }


def _check_names(entries: list[Entry], images: pd.DataFrame, options: AddOptions, path: Path) -> None:
    """Tell two folders apart that have files of the same names; one that was moved is the same folder.

    Raises:
        UserError: a product that is named after its picture's path is there already, with another picture.
    """
    named = {product_id(entry, options): entry for entry in entries if entry.named_by_path}
    there: dict[str, tuple[set[str], set[str]]] = {}
    for identity, url, image_id in zip(images["product_id"], images["url"], images["image_id"], strict=True):
        if identity in named:
            urls, pictures = there.setdefault(identity, (set(), set()))
            urls.add(url)
            pictures.add(image_id)
    for identity, (urls, pictures) in there.items():
        entry = named[identity]
        if entry.uri not in urls and not _is_one_of(entry.file, pictures):
            raise UserError(
                f"{identity} is the picture {min(urls)} already: add {path} as a shop of its own, with --shop NAME"
            )


def _is_one_of(file: Path, pictures: set[str]) -> bool:
    """Whether a file holds one of these pictures; one that cannot be read becomes a failure later."""
    try:
        return not file.is_file() or image_store.image_id(file.read_bytes()) in pictures
    except OSError:
        return True
