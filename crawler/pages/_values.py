"""Values out of a page's data, where anything may be missing, null, or of another kind."""

import math
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

_LARGEST = 2**53
"""Beyond this JSON's numbers are not exact, and no price or id is as large."""


def at(value: Any, *path: str) -> Any:
    """A value inside nested objects; None where any of them is null, empty or of another kind."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none where it is no list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """Words with single spaces between them; None where there are none."""
    if not isinstance(value, str):
        return None
    if not value.isascii():
        # Half of a surrogate pair, as a cut-off escape leaves it, cannot be written down.
        value = value.encode("utf-8", "replace").decode()
    return " ".join(value.split()) or None


def number(value: Any) -> float | None:
    """A number, or one in a string, of a size that is exact."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and abs(found) <= _LARGEST else None


def amount(value: Any) -> float | None:
    """A number that cannot be less than nothing: a price, a rating, a count."""
    found = number(value)
    return None if found is None or found < 0 else found


def whole(value: Any) -> int | None:
    """A number without what stands behind its point."""
    found = number(value)
    return None if found is None else int(found)


def web_address(base: str, link: str) -> str | None:
    """A link's whole address; None where it is not one of the web."""
    try:
        url = link if link.startswith(("http://", "https://")) else urljoin(base, link)
    except ValueError:
        return None
    # A page's pictures are on one host or two: what stands before the path is looked at once.
    return url if _is_web(url[:end] if (end := url.find("/", len("https://"))) > 0 else url) else None


@lru_cache(maxsize=1024)
def _is_web(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
