"""The page of an evaluation: figures and pictures in one file of HTML, which opens without a network."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fullshot.core import html
from fullshot.train.embedder.evaluation.card import LEAKS, QUESTIONS, TARGETS, caveat
from fullshot.train.embedder.evaluation.comparison import caveats, tables
from fullshot.train.thumbnails import Crop, crop_addresses

_FOLDER = Path(__file__).parent

_KINDS = {
    "best": "Best answers",
    "typical": "Typical answers",
    "worst": "Worst answers",
}


def render(root: Path, about: Mapping[str, Any], measured: Sequence[Mapping[str, Any]], mark: str) -> str:
    """The page of an embedder.

    Args:
        root: of the workspace, for pictures.
        about: see :func:`fullshot.train.embedder.evaluation.card.of_contender`.
        measured: of each split, what its ``evaluation-<split>.json`` holds.
        mark: see :mod:`fullshot.train.marks`.
    """
    return (
        html.environment(_FOLDER)
        .get_template("page.html.j2")
        .render(
            about=about,
            caveat=caveat(about),
            leaks=LEAKS,
            measured=measured,
            mark=Markup(mark),  # noqa: S704  # a digest
            questions=QUESTIONS,
            targets=TARGETS,
            kinds=_KINDS,
            address_of=_Addresses(crop_addresses(root, _crops(measured))),
        )
    )


def render_comparison(measured: Sequence[Mapping[str, Any]], pages: Sequence[str]) -> str:
    """The page that shows embedders side by side.

    Args:
        measured: the figures of each.
        pages: where the page of each lies, seen from this one.
    """
    template = html.environment(_FOLDER).get_template("comparison.html.j2")
    names = [figures["run"] for figures in measured]
    return template.render(
        split=measured[0]["split"], names=names, pages=pages, tables=tables(measured), caveats=caveats(measured)
    )


class _Addresses:
    """The address of a sample's picture; None where it cannot be read any more."""

    def __init__(self, found: Mapping[Crop, str]) -> None:
        self._found = found

    def __call__(self, sample: Mapping[str, Any]) -> str | None:
        return self._found.get(_crop(sample))


def _crop(sample: Mapping[str, Any]) -> Crop:
    box = sample["box"]
    return sample["path"], None if box is None else (box[0], box[1], box[2], box[3])


def _crops(measured: Sequence[Mapping[str, Any]]) -> Iterator[Crop]:
    for figures in measured:
        for details in figures["details"].values():
            for rows in details["samples"].values():
                for row in rows:
                    yield _crop(row["query"])
                    yield from map(_crop, row["answers"])
