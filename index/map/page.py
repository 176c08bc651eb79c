"""The page of a map: one file of HTML with its data, pictures and script, which opens without a network."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from fullshot.core.html import environment
from fullshot.index.answer import LookAlike
from fullshot.index.map.tiles import Sheets

_FOLDER = Path(__file__).parent

_GRAIN = 100_000
"""Places are written as whole numbers up to this."""

_MADE_OF = re.compile(r'<meta name="made-of" content="([^"]*)" data-stats="([^"]*)">')
_HEAD = 4096
"""Characters in which it stands."""

_FILTERS = ("gender", "wear", "product_type", "colour")
_NOT_KNOWN = "not known"


def render(
    rows: Sequence[Mapping[str, Any]],
    places: NDArray[np.float64],
    cell: float,
    sheets: Sheets,
    about: Mapping[str, Any],
    made_of: str,
    stats: Mapping[str, Any],
) -> str:
    """The page.

    Args:
        rows: of the items, see :data:`fullshot.index.map.choosing.SHOWN`.
        places: shape (N, 2), in [0, 1].
        cell: the side that a picture may take of that.
        sheets: their pictures.
        about: ``in_catalog`` (how many items it has), ``embedder`` and ``built_at``.
        made_of: see :func:`stats_of`.
        stats: likewise.
    """
    script = (_FOLDER / "map.js").read_text("utf-8")
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    mark = f'<meta name="made-of" content="{made_of}" data-stats="{html.escape(json.dumps(dict(stats)))}">'
    return (
        environment(_FOLDER)
        .get_template("map.html.j2")
        .render(
            style=Markup((_FOLDER / "map.css").read_text("utf-8")),  # noqa: S704 – a file of this package
            script=Markup(script),  # noqa: S704 – likewise
            allowed=allowed,
            mark=Markup(mark),  # noqa: S704 – a digest, and escaped numbers
            data=Markup(_as_json(_data(rows, places, cell, sheets))),  # noqa: S704 – escaped
            about=about,
            shown=len(rows),
        )
    )


def stats_of(page: Path, made_of: str) -> dict[str, Any] | None:
    """What was told of a page that is there and was made of the same; None where it has to be written.

    Args:
        page: the file.
        made_of: a digest of all that it was made of.
    """
    if not page.is_file():
        return None
    with page.open(encoding="utf-8", errors="replace") as file:
        found = _MADE_OF.search(file.read(_HEAD))
    if found is None or found[1] != made_of:
        return None
    told: dict[str, Any] = json.loads(html.unescape(found[2]))
    return told


def _data(
    rows: Sequence[Mapping[str, Any]], places: NDArray[np.float64], cell: float, sheets: Sheets
) -> dict[str, Any]:
    """By column: of thousands of items, names of columns would be half of the page's text."""
    names: dict[str, list[str]] = {}
    data: dict[str, Any] = {"grain": _GRAIN, "cell": round(cell, 6), "names": names}
    for column in _FILTERS:
        values = [str(row[column] or _NOT_KNOWN) for row in rows]
        names[column] = sorted(set(values), key=lambda value: (value == _NOT_KNOWN, value))
        numbers = {value: number for number, value in enumerate(names[column])}
        data[column] = [numbers[value] for value in values]
    data["x"], data["y"] = np.rint(places * _GRAIN).astype(int).T.tolist()
    facts = [_facts(row) for row in rows]
    data |= {name: [getattr(fact, name) or "" for fact in facts] for name in ("title", "brand", "cost")}
    data["url"] = [_link(row["url"]) for row in rows]
    data["sheets"] = {
        "addresses": sheets.addresses,
        "side": sheets.side,
        "columns": sheets.columns,
        "rows": sheets.rows,
        "widths": sheets.sizes[:, 0].tolist(),
        "heights": sheets.sizes[:, 1].tolist(),
    }
    return data


def _facts(row: Mapping[str, Any]) -> LookAlike:
    known = {name: row[name] for name in ("product_id", "name", "brand", "price", "currency", "url")}
    return LookAlike(**known, score=1.0, distance=0.0, image_id=row["image_id"], path=row["path"])


def _link(url: str | None) -> str:
    """A shop's address, if it leads to a page: what a script would run is none."""
    try:
        return str(url) if url and urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _as_json(data: Mapping[str, Any]) -> str:
    """JSON that ends no element, whatever a shop's words hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
