"""Links from an evaluation's page to tasks in Label Studio, whose address may change from one day to the next.

Figures that are kept name tasks alone; a page holds the address that it was written with, and is written again for
another one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import escape

_MARK = '<meta name="label-studio" content="{}">'


def linked(figures: Mapping[str, Any], label_studio: str) -> dict[str, Any]:
    """Figures of a split, with the whole address of each task.

    Args:
        figures: whose doubted boxes name tasks by their place on the server.
        label_studio: the server's address; empty: not known, and nothing is linked.
    """
    details = figures["details"]
    base = label_studio.rstrip("/")
    boxes = [
        {**row, "task": f"{base}{row['task']}" if base and row["task"] else None} for row in details["doubted"]["boxes"]
    ]
    return {**figures, "details": {**details, "doubted": {**details["doubted"], "boxes": boxes}}}


def mark(label_studio: str) -> str:
    """What a page says of the address that it was written with, as HTML."""
    return _MARK.format(escape(label_studio))


def is_linked(page: Path, label_studio: str) -> bool:
    """Whether a page is there and was written with this address."""
    return page.is_file() and mark(label_studio) in page.read_text("utf-8")
