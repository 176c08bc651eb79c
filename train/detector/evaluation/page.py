"""The page of an evaluation: figures, plots and pictures in one file of HTML, which opens without a network."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fullshot.core import html
from fullshot.train.detector.evaluation import plots
from fullshot.train.detector.evaluation.card import leaks_in_words
from fullshot.train.detector.evaluation.links import linked
from fullshot.train.detector.evaluation.showing import MOST
from fullshot.train.thumbnails import addresses

_FOLDER = Path(__file__).parent

_MOST_NAMED = 6
"""Boxes in the words below a picture, the surest first; the others are counted."""

GROUPS = {
    "size": "Box size",
    "shop": "Shop",
    "product_type": "Product type",
    "shot": "Kind of shot",
    "occlusion": "Occlusion",
    "layering": "Layering",
}
"""By what figures are told apart, and how the page calls it."""


def render(
    root: Path, about: Mapping[str, Any], measured: Sequence[Mapping[str, Any]], label_studio: str, mark: str
) -> str:
    """The page of a detector.

    Args:
        root: of the workspace, for pictures.
        about: see :func:`fullshot.train.detector.evaluation.card.card`.
        measured: of each split, what its ``evaluation-<split>.json`` holds.
        label_studio: the address of the Label Studio that doubted boxes are linked to; empty: not known.
        mark: see :mod:`fullshot.train.marks`.
    """
    return (
        html.environment(_FOLDER)
        .get_template("page.html.j2")
        .render(
            about=about,
            leaks=leaks_in_words(about["leaks"]),
            measured=[{**linked(figures, label_studio), "plots": _plots(figures)} for figures in measured],
            mark=Markup(mark),  # noqa: S704  # a digest
            groups=GROUPS,
            most=MOST,
            most_named=_MOST_NAMED,
            pictures=addresses(root, _paths(measured)),
        )
    )


def render_comparison(
    rows: Sequence[Mapping[str, Any]], splits: Sequence[str], pages: Mapping[str, str], caveats: Mapping[str, str]
) -> str:
    """The page that shows detectors side by side.

    Args:
        rows: see :func:`fullshot.train.detector.evaluation.comparison.side_by_side`.
        splits: that they were measured on.
        pages: where the page of each lies, by its name, seen from this one.
        caveats: why the figures of some may be too good, by name.
    """
    template = html.environment(_FOLDER).get_template("comparison.html.j2")
    return template.render(runs=rows, splits=splits, pages=pages, caveats=caveats)


def _plots(figures: Mapping[str, Any]) -> dict[str, str]:
    details = figures["details"]
    return {
        "precision_recall": plots.precision_recall(details["curves"]),
        "confusion": plots.confusion(details["labels"], details["confusion"]),
        "reliability": plots.reliability(details["calibration"]["bins"]),
    }


def _paths(measured: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for figures in measured:
        for row in figures["details"]["worst"]["pictures"]:
            yield row["path"]
        for row in figures["details"]["doubted"]["boxes"][:MOST]:
            yield row["path"]
