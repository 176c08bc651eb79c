"""A JSON object of long lists, a part at a time: the file is never in memory whole."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_CHARACTERS = 1 << 20
"""Read at once; more where a part is longer."""

_SPACES = " \t\n\r"
_DECODER = json.JSONDecoder()


class Part(NamedTuple):
    """A value of the object, or an element of one that is a list.

    Attributes:
        key: of the object.
        number: of the element, from 0 on; None: the value is no list. Before its elements, a list comes once with None
            and an empty list, so that an empty one is told from none.
        value: as :mod:`json` reads it.
    """

    key: str
    number: int | None
    value: Any


def parts(path: Path) -> Iterator[Part]:
    """The parts of a file that holds one object, in their order; a value that is no object comes with the key "".

    Raises:
        ValueError: it is not JSON, of which a key comes once; says where.
        RecursionError: a part is nested too deep.
    """
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        with codecs.getreader(json.detect_encoding(start))(file) as text:
            yield from _Reader(text).parts()


class _Reader:
    """The text of a file from some place on; what stands before it is let go."""

    def __init__(self, text: codecs.StreamReader) -> None:
        self._file = text
        self._text = ""
        self._at = 0
        self._lines, self._column = 1, 1  # of the text's begin
        self._size = _CHARACTERS

    def parts(self) -> Iterator[Part]:
        if self._next() != "{":
            yield Part("", None, self._value())
        else:
            self._at += 1
            yield from self._members()
        if self._next():
            raise self._error("Extra data", self._at)

    def _members(self) -> Iterator[Part]:
        seen: set[str] = set()
        while self._next() != "}" or seen:
            if self._next() != '"':
                raise self._error("Expecting property name enclosed in double quotes", self._at)
            key = str(self._value())
            if key in seen:
                raise self._error(f"Expecting each property once, got {key!r} again", self._at)
            seen.add(key)
            self._expect(":")
            if self._next() == "[":
                yield from self._elements(key)
            else:
                yield Part(key, None, self._value())
            if self._next() == "}":
                break
            self._expect(",")
        self._at += 1

    def _elements(self, key: str) -> Iterator[Part]:
        self._at += 1
        yield Part(key, None, [])
        number = 0
        while self._next() != "]" or number:
            yield Part(key, number, self._value())
            number += 1
            if self._next() == "]":
                break
            self._expect(",")
        self._at += 1

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise self._error(f"Expecting '{sign}' delimiter", self._at)
        self._at += 1

    def _next(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACES:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _value(self) -> Any:
        self._next()
        while True:
            error, value, end = None, None, len(self._text)
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as refused:
                error = refused
            # What ends with the text, or is refused, may go on beyond it: 12 of 123.
            if end == len(self._text) and self._more():
                continue
            if error is not None:
                raise self._error(error.msg, error.pos)
            self._at = end
            return value

    def _more(self) -> bool:
        """Read on, and let go what was read; False at the end."""
        more = self._file.read(self._size)
        if not more:
            return False
        # A part that is longer than the text is read anew each time: twice as much, and it takes twice as long at most.
        self._size = _CHARACTERS if self._at else 2 * self._size
        before = self._text[: self._at]
        lines = before.count("\n")
        self._lines += lines
        self._column = len(before) - before.rfind("\n") if lines else self._column + len(before)
        self._text = self._text[self._at :] + more
        self._at = 0
        return True

    def _error(self, message: str, place: int) -> ValueError:
        before = self._text[:place]
        lines = before.count("\n")
        column = len(before) - before.rfind("\n") if lines else self._column + len(before)
        return ValueError(f"{message}: line {self._lines + lines} column {column}")
