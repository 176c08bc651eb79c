"""Write the report of a workspace: tables in, one HTML file out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fullshot.core import files, tables
from fullshot.core.progress import say_unchanged, say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.report import dataset as datasets
from fullshot.curation.report import figures, page, samples
from fullshot.curation.report.advice import advice
from fullshot.curation.report.annotation import annotation
from fullshot.curation.report.duplicates import Duplicates, duplicates
from fullshot.curation.report.samples import Grid, Sample
from fullshot.curation.report.thumbnails import thumbnails
from fullshot.curation.report.truth import Confusion, from_file, from_verdicts

NAME = "report.html"


def write_report(
    workspace: Workspace, settings: Settings, *, truth: Path | None = None, output: Path | None = None
) -> dict[str, Any]:
    """Write the report of a curated workspace; of the same tables, the same bytes.

    Args:
        workspace: with ``products``, ``images`` and ``curated``.
        settings: kept in the record of the run.
        truth: a CSV that says which pictures are full shots: see :func:`fullshot.curation.report.truth.from_file`.
        output: where the page goes; None: ``report.html`` in the workspace.

    Returns:
        The page's numbers, ready for JSON; ``report`` is its path, ``bytes`` its size.

    Raises:
        MissingInput: nothing was crawled, added or curated yet.
        UserError: the truth is not such a CSV, or the workspace is in use.
    """
    inputs = (*datasets.INPUTS, *datasets.OPTIONAL)
    # A table may have columns of its user's own, under the names of the report's as well.
    own = {name: tables.columns(name) for name in inputs}
    with workspace.stage("report", settings, inputs) as stats, workspace.open(own) as data:
        dataset = datasets.load(data, workspace.digests(inputs))
        confusions = [] if truth is None else [from_file(dataset, truth)]
        if by_persons := from_verdicts(dataset):
            confusions.append(by_persons)
        grids = {
            "shots": samples.by_shot(dataset, figures.kinds(dataset)),
            "wears": samples.by_wear(dataset),
            "issues": samples.by_issue(dataset),
            "overridden": samples.overridden(dataset),
            "mistakes": [samples.mistakes(dataset, number, one) for number, one in enumerate(confusions)],
        }
        section = annotation(dataset)
        if section is not None:
            grids["comments"] = section.comments
        near_duplicates = duplicates(dataset)
        shown = list(_shown(grids, near_duplicates))
        labels = samples.labels(dataset, shown)
        paths = (labels[sample.image_id].path for sample in shown)
        pictures, unreadable = thumbnails(workspace.root, paths, settings.engine.name)
        say_unreadable("report", unreadable)
        look_at = advice(dataset, confusions)
        html = page.render(dataset, grids, near_duplicates, confusions, section, look_at, labels, pictures)
        target = workspace / NAME if output is None else output
        if target.is_file() and target.read_bytes() == html.encode("utf-8"):
            say_unchanged("report", f"{target} was written", "it stays as it is")
        else:
            files.write_text(target, html)
        stats |= {
            **figures.totals(dataset),
            "look_at": [one.words for one in look_at],
            "truth": {one.source: _figures(one) for one in confusions},
            "thumbnails": len(pictures),
            "unreadable_thumbnails": len(unreadable),
            "bytes": len(html.encode("utf-8")),
            "report": str(target),
        }
    return stats


def _shown(grids: dict[str, Any], near_duplicates: Duplicates) -> Iterator[Sample]:
    """Each picture as often as it is shown; what nobody wants to miss comes first, should the budget end."""
    order: list[Grid] = [grid for pair in grids["mistakes"] for grid in pair]
    order += [*grids["shots"], *grids["issues"]]
    for grid in order:
        yield from grid.samples
    for cluster in near_duplicates.clusters:
        yield from cluster.samples
    if "comments" in grids:
        yield from grids["comments"].samples
    for grid in [*([grids["overridden"]] if grids["overridden"] else []), *grids["wears"]]:
        yield from grid.samples


def _figures(confusion: Confusion) -> dict[str, Any]:
    shares = {
        "accuracy": confusion.accuracy,
        "precision": confusion.precision,
        "recall": confusion.recall,
        "accuracy_with_unclear_as_wrong": confusion.strict_accuracy,
    }
    return {
        "pictures": confusion.pictures,
        "decided": confusion.decided,
        **{name: None if share is None else round(share, 4) for name, share in shares.items()},
        "wrongly_full": confusion.wrongly_full,
        "missed": confusion.missed,
        "unmatched": confusion.unmatched,
        "contradicting": confusion.contradicting,
    }
