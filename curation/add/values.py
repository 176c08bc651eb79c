"""Texts, numbers, names and addresses, as tables can hold them."""

import math
import os
import re
from pathlib import Path
from urllib.parse import quote

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")
# As in 1,299 and 1,299,000.50, and in India 12,99,000.
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d+)?")
_DECIMAL_COMMA = re.compile(r"\d+,(?:\d{1,2}|\d{4,})")
_SIGNS = set("/._+()~,@=-")


def text(value: str | None) -> str | None:
    """Words with single spaces between them, without control characters; None where there are none.

    Bytes of a file's name that are no UTF-8 become question marks.
    """
    if value is None:
        return None
    readable = value if value.isascii() else value.encode("utf-8", "replace").decode()
    return " ".join(_CONTROL.sub(" ", readable).split()) or None


def amount(value: str | None) -> float | None:
    """A price: a number of at least 0, perhaps with a currency's sign beside it.

    One comma that not exactly three digits follow stands before the decimals; any others must part thousands.
    """
    found = _NUMBER.findall(value or "")
    if len(found) != 1 or re.search(r"[-−]\s*\D{0,3}\d|\d\s*[eE]", value or ""):
        return None
    digits = found[0].rstrip(",")
    if _DECIMAL_COMMA.fullmatch(digits):
        digits = digits.replace(",", ".")
    elif _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    elif "," in digits:
        return None
    number = float(digits)
    return number if math.isfinite(number) else None


def currency(value: str | None) -> str | None:
    """An ISO 4217 code; a sign such as $ is several currencies'."""
    code = (value or "").strip().upper()
    return code if re.fullmatch("[A-Z]{3}", code) else None


def safe_name(path: str) -> str:
    """A relative path as part of a ``product_id``: letters and digits of any script stay, the rest is percent-encoded.

    No two paths have one name.
    """
    return "".join(char if char.isalnum() or char in _SIGNS else quote(os.fsencode(char), safe="") for char in path)


def absolute(path: Path) -> Path:
    """A path from the root, without ``..``; links in it stay as they are, unlike in :meth:`Path.resolve`."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def file_uri(path: Path) -> str:
    """A file's ``file:`` address, percent-encoded."""
    return absolute(path).as_uri()
