"""The page itself: figures, grids and thumbnails into one file of HTML."""

import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from fullshot.curation.report import figures
from fullshot.curation.report.advice import Advice
from fullshot.curation.report.annotation import Annotation
from fullshot.curation.report.dataset import Dataset
from fullshot.curation.report.duplicates import Duplicates
from fullshot.curation.report.samples import Label
from fullshot.curation.report.thumbnails import HEIGHT, Thumbnail
from fullshot.curation.report.truth import Confusion

_FOLDER = Path(__file__).parent

# Okabe and Ito's colours, told apart by the colour-blind; in page.css most have a pattern as well, for print in grey.
_STYLES = {
    "full": "blue",
    "half": "sky",
    "item": "orange",
    "unclear": "purple",
    "not full": "orange",
    "unclear or unread": "purple",
    "unreadable": "black",
    "not judged": "white",
    "train": "blue",
    "val": "orange",
    "test": "green",
    "none": "white",
    "annotated": "blue",
    "to annotate": "white",
    "kept": "blue",
    "relabelled": "orange",
    "added": "green",
    "deleted": "purple",
}


def render(
    dataset: Dataset,
    grids: dict[str, Any],
    near_duplicates: Duplicates,
    confusions: list[Confusion],
    annotation: Annotation | None,
    look_at: list[Advice],
    labels: dict[str, Label],
    thumbnails: dict[str, Thumbnail],
) -> str:
    """The whole page as text.

    Args:
        dataset: the tables.
        grids: the grids of samples: ``shots``, ``wears``, ``issues``, ``mistakes`` (a pair a confusion), and
            ``overridden`` (one, or None).
        near_duplicates: the duplicates.
        confusions: the rule against what is known.
        annotation: the annotators' work; None where there is none.
        look_at: what is to be looked at.
        labels: of the samples, by image_id.
        thumbnails: by path.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,  # names, types and reasons are a shop's words: nothing of them is mark-up
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "percent": _percent, "decimal": _decimal, "when": _when}
    settings = dataset.run.get("settings")
    curate = settings.get("curate") if isinstance(settings, dict) else None
    return environment.get_template("page.html.j2").render(
        css=Markup((_FOLDER / "page.css").read_text("utf-8")),  # noqa: S704 – a file of this package
        styles=_STYLES,
        height=HEIGHT,
        name=dataset.root.resolve().name,
        run=_run(dataset.run),
        outdated=dataset.outdated,
        curate=curate if isinstance(curate, dict) else {},
        totals=figures.totals(dataset),
        kinds=figures.kinds(dataset),
        look_at=look_at,
        counts=figures.counts(dataset),
        full_by_type=figures.full_by_type(dataset),
        kinds_by_type=figures.kinds_by_type(dataset),
        splits=figures.split_by_wear_and_gender(dataset),
        sizes=figures.sizes(dataset),
        colours=figures.colours(dataset),
        reasons=figures.reasons(dataset),
        scores=figures.scores(dataset),
        issues=figures.issues(dataset),
        failures=figures.failures(dataset),
        overrides=figures.overrides(dataset),
        coverage=figures.coverage(dataset),
        grids=grids,
        near_duplicates=near_duplicates,
        confusions=confusions,
        annotation=annotation,
        labels=labels,
        thumbnails=thumbnails,
    )


def _run(record: dict[str, Any]) -> dict[str, str]:
    """When, by which version, and in how many seconds; a record may be an older one's, or edited."""
    seconds = record.get("seconds")
    return {
        "started_at": str(record.get("started_at", "")),
        "version": str(record.get("version", "")),
        "seconds": f"{seconds:.1f}" if isinstance(seconds, int | float) else "",
    }


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _when(moment: str) -> str:
    """A time of a run's record as people write it; a record may be edited, then as it stands there."""
    try:
        time = datetime.datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def _percent(share: float | None) -> str:
    """A share in words: one that is neither nothing nor all is never told as such."""
    if share is None:
        return "–"
    if 0 < share < 0.001:
        return "< 0.1%"
    if 0.999 < share < 1:
        return "> 99.9%"
    return f"{share:.1%}"
