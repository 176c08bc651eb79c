"""Links from an evaluation's page to tasks in Label Studio, whose address may change from one day to the next.

Figures that are kept name tasks alone; a page is written again for another address.
"""

from collections.abc import Mapping
from typing import Any


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
