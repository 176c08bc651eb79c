"""The page itself: figures, grids and thumbnails into one file of HTML."""

from pathlib import Path
from typing import Any

from fullshot.core import html
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
    settings = dataset.run.get("settings")
    curate = settings.get("curate") if isinstance(settings, dict) else None
    return (
        html.environment(_FOLDER)
        .get_template("page.html.j2")
        .render(
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
    )


def _run(record: dict[str, Any]) -> dict[str, str]:
    """When, by which version, and in how many seconds; a record may be an older one's, or edited."""
    seconds = record.get("seconds")
    return {
        "started_at": str(record.get("started_at", "")),
        "version": str(record.get("version", "")),
        "seconds": f"{seconds:.1f}" if isinstance(seconds, int | float) else "",
    }
