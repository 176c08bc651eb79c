"""The pictures that a folder or a CSV names, and the facts that it gives on each."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A picture that a source names.

    Attributes:
        file: where it lies.
        uri: its ``file:`` address.
        identity: the product's id in the shop.
        named_by_path: whether that id is the picture's path, for want of a better one.
        facts: by keys of :data:`fullshot.curation.add.options.PRODUCT_COLUMN`, as they stand in the source.
        folder_type: the product type that the name of its folder suggests.
    """

    file: Path
    uri: str
    identity: str
    named_by_path: bool
    facts: dict[str, str]
    folder_type: str | None = None


@dataclass(frozen=True)
class Failure:
    """What is no picture: ``kind`` is its class in ``failures``, such as ``missing``."""

    uri: str
    kind: str
    message: str


@dataclass
class Source:
    """The content of a folder or a CSV.

    Attributes:
        uri: its ``file:`` address.
        entries: its pictures, in its order.
        failures: rows and folders that lead to no file.
        passed_over: files that are obviously no pictures, by suffix.
    """

    uri: str
    entries: list[Entry] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
