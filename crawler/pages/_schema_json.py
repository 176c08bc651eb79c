"""JSON-LD blocks as pages really hold them: commented out, with trailing commas, or broken off in a review's text."""

import json
import re
from typing import Any

from extruct.jsonld import JsonLdExtractor

_EXTRACTOR = JsonLdExtractor()

_ROUND_THE_BLOCK = re.compile(r"<!--|-->|(?://|/\*)?\s*<!\[CDATA\[(?:\s*\*/)?|(?://|/\*)?\s*\]\]>(?:\s*\*/)?")
"""What once hid scripts from browsers, and leaves no JSON; ``]]>`` and ``-->`` in a text are no loss."""
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What lxml reads in a script and does not let anyone write there."""
_ESCAPE = re.compile(r'\\(["\\/bfnrtu])|\\')
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?P<end>"|\\?$)|[\[\]{},]', re.DOTALL)
_CLOSED_BY = {"{": "}", "[": "]"}
# Errors of a depth or a number that Python refuses to read are among them.
_UNREADABLE = (ValueError, RecursionError, IndexError)


def read_block(script: Any) -> list[dict[str, Any]]:
    """The objects in a JSON-LD script.

    A block that is no JSON is repaired where that is cheap; else what stands before its first error is read.
    A shop that forgets to escape the quotes in a review still says the product's name and price before it.

    Args:
        script: the lxml element; what hides the block in it is taken out.

    Raises:
        ValueError: nothing can be read in it.
    """
    written = script.text or ""
    try:
        return _extracted(script)
    except _UNREADABLE:
        repaired = _NO_XML.sub(" ", _ROUND_THE_BLOCK.sub("", written))
        script.text = _ESCAPE.sub(lambda found: found[0] if found[1] else "", repaired)
    try:
        return _extracted(script)
    except _UNREADABLE:
        return _documents(script.text.strip())


def _extracted(script: Any) -> list[dict[str, Any]]:
    return [item for item in _EXTRACTOR.extract_items(script) if isinstance(item, dict)]


def _documents(text: str) -> list[dict[str, Any]]:
    """The objects of one JSON document after the other, the last one as far as it can be read."""
    decoder = json.JSONDecoder(strict=False)
    found: list[Any] = []
    try:
        while text:
            try:
                document, end = decoder.raw_decode(text)
                text = text[end:].lstrip().lstrip(";,").lstrip()
            except json.JSONDecodeError as error:
                document, text = json.loads(closed(text[: error.pos]), strict=False), ""
            found += document if isinstance(document, list) else [document]
    except (ValueError, RecursionError):
        pass
    objects = [document for document in found if isinstance(document, dict) and document]
    if not objects:
        raise ValueError("no object can be read in it")
    return objects


def closed(start: str) -> str:
    """The start of a JSON document, cut behind its last whole member, with its brackets closed.

    Example:
        >>> closed('{"name": "Tee", "offers": {"price": 5, "url": "http')
        '{"name": "Tee", "offers": {"price": 5}}'
    """
    cut = 0
    open_brackets: list[str] = []
    for token in _TOKEN.finditer(start):
        sign = token[0]
        if token["end"] is not None:
            if token["end"] != '"':
                break
        elif sign == ",":
            cut = token.start()
        else:
            if sign in _CLOSED_BY:
                open_brackets.append(_CLOSED_BY[sign])
            elif not open_brackets or open_brackets.pop() != sign:
                return ""
            cut = token.end()
    return start[:cut] + "".join(reversed(open_brackets))
