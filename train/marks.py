"""What a page says of all that it was made of, by which it is seen whether it has to be written again.

A kill may fall between the figures and the page: the figures are then kept, and the page is of earlier ones.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fullshot.core.files import digest

_MARK = '<meta name="made-of" content="{}">'


def mark(figures: Iterable[Path], about: Mapping[str, Any], *others: str) -> str:
    """What a page says, as HTML.

    Args:
        figures: the files of all splits, whether they are there or not; each says what it depends on.
        about: what is known of the weights.
        *others: all else that it was made of, such as the address that it links to.
    """
    parts = [[digest(file) for file in figures], dict(about), *others]
    return _MARK.format(hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest())


def is_marked(page: Path, its: str) -> bool:
    """Whether a page is there, and was made of the same."""
    return page.is_file() and its in page.read_text("utf-8")
