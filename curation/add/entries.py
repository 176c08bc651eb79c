"""What a source names: its pictures, and what it says of each."""

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
        says: keys of :data:`fullshot.curation.add.options.PRODUCT_COLUMN`, and what the source says.
    """

    file: Path
    uri: str
    identity: str
    named_by_path: bool
    says: dict[str, str]


@dataclass(frozen=True)
class Failure:
    """What is no picture: ``kind`` is its class in ``failures``, such as ``missing``."""

    uri: str
    kind: str
    message: str


@dataclass
class Source:
    """What was found in a folder or a CSV.

    Attributes:
        uri: its ``file:`` address.
        entries: its pictures, in its order.
        failures: what could not even be looked for.
        passed_over: files that are obviously no pictures, by suffix.
    """

    uri: str
    entries: list[Entry] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
