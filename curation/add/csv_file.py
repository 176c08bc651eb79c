"""A CSV that names pictures, in whatever columns it has."""

import codecs
import csv
import os
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from urllib.parse import unquote_to_bytes

from fullshot.core.errors import UserError
from fullshot.curation.add.entries import Entry, Failure, Source
from fullshot.curation.add.options import PRODUCT_COLUMN, USUAL_NAMES, AddOptions, nearest
from fullshot.curation.add.values import file_uri, safe_name, text

SEPARATORS = ",;\t"
"""What may stand between two cells; the one that cuts the first line into the most cells counts."""
_FILE = "file://"


def read_csv(path: Path, options: AddOptions) -> Source:
    """The pictures that a CSV names, a row each.

    Args:
        path: the CSV, in UTF-8, or in UTF-16 with a mark of its byte order.
        options: which of its columns say what.

    Raises:
        UserError: it is no CSV, or has no column of pictures, or not one that the options name.
    """
    source = Source(file_uri(path))
    root = options.root if options.root is not None else path.parent
    try:
        with path.open(encoding=_encoding(path), newline="") as file:
            header = file.readline()
            separator = max(SEPARATORS, key=lambda sign: len(next(csv.reader([header], delimiter=sign), [])))
            reader = csv.reader(chain([header], file), delimiter=separator)
            places = _places([name.strip() for name in next(reader, [])], options.columns, path)
            for number, cells in enumerate(reader, start=2):
                if any(cells):
                    row = {what: cells[at].strip() for what, at in places.items() if at < len(cells)}
                    _take(row, number, root, source)
    except (UnicodeError, csv.Error) as error:
        raise UserError(f"expected a folder or a CSV in UTF-8, got {path}: {error}") from None
    return source


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        mark = file.read(2)
    return "utf-16" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _take(row: Mapping[str, str], number: int, root: Path, source: Source) -> None:
    cell = row.get("image", "")
    at = f"{source.uri}#row={number}"  # as a spreadsheet counts, and RFC 7111
    if not cell:
        source.failures.append(Failure(at, "missing", "the row names no picture"))
        return
    if cell.startswith(("http://", "https://")):
        source.failures.append(Failure(at, "missing", f"an address of the web, not a file: {text(cell)}"))
        return
    # pathlib takes an absolute path for what it is.
    file = root / (_path_of(cell) if cell.startswith(_FILE) else cell)
    product = text(row.get("product"))
    facts = {what: row[what] for what in PRODUCT_COLUMN if row.get(what)}
    source.entries.append(Entry(file, file_uri(file), product or safe_name(cell), product is None, facts))


def _path_of(uri: str) -> str:
    return os.fsdecode(unquote_to_bytes(uri.removeprefix(_FILE).removeprefix("localhost")))


def _places(header: list[str], columns: Mapping[str, str], path: Path) -> dict[str, int]:
    """Each kind of fact, and the place of the column that holds it."""
    if not any(header):
        raise UserError(f"expected a CSV with a line of column names, got none in {path}")
    there = ", ".join(name for name in header if name)
    found = {}
    for what, name in columns.items():
        if name not in header:
            raise UserError(f"no column {name!r} in {path}: there are {there}{nearest(name, header)}")
        found[what] = header.index(name)
    keys = [_key(name) for name in header]
    for what, names in USUAL_NAMES.items():
        usual = _usual(names, keys, set(found.values()))
        if what not in found and usual is not None:
            found[what] = usual
    if "image" not in found:
        usual_names = ", ".join(USUAL_NAMES["image"])
        if len(header) == 1:  # of a CSV it is rare; any other text looks like one
            line = f"its first line is {header[0]!r}"
            raise UserError(f"{path} is no CSV with a column of pictures ({usual_names}, or that of --image): {line}")
        raise UserError(f"no column of pictures in {path} ({usual_names}): name it with --image; there are {there}")
    return found


def _usual(names: tuple[str, ...], keys: list[str], in_use: set[int]) -> int | None:
    places: Iterator[int] = (keys.index(key) for name in names if (key := _key(name)) in keys)
    return next((place for place in places if place not in in_use), None)


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.lower())
