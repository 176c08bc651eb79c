"""Write the report of a workspace: tables in, one HTML file out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fullshot.core import files
from fullshot.core.files import digest
from fullshot.core.progress import bar
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.report import dataset as heap
from fullshot.curation.report import figures, page, samples
from fullshot.curation.report.advice import advice
from fullshot.curation.report.annotation import annotation
from fullshot.curation.report.duplicates import Duplicates, duplicates
from fullshot.curation.report.samples import Grid
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
    for name in heap.INPUTS:
        if not workspace.table(name).is_file():
            workspace.read(name)  # says what to run; the stage itself would make the folder of runs
    inputs = [workspace.table(name) for name in (*heap.INPUTS, *heap.OPTIONAL)]
    with workspace.stage("report", settings, inputs) as stats:
        tables = heap.load(workspace, {path.name: digest(path) for path in inputs})
        confusions = [] if truth is None else [from_file(tables, truth)]
        if by_persons := from_verdicts(tables):
            confusions.append(by_persons)
        grids = {
            "shots": samples.by_shot(tables, figures.kinds(tables)),
            "wears": samples.by_wear(tables),
            "issues": samples.by_issue(tables),
            "overridden": samples.overridden(tables),
            "mistakes": [samples.mistakes(number, one) for number, one in enumerate(confusions)],
        }
        work = annotation(tables)
        if work is not None:
            grids["comments"] = work.comments
        alike = duplicates(tables)
        with bar("report", "thumbnails") as advance:
            pictures = thumbnails(workspace.root, _paths(grids, alike), advance)
        look_at = advice(tables, confusions)
        html = page.render(tables, grids, alike, confusions, work, look_at, pictures)
        target = workspace / NAME if output is None else output
        files.write_text(target, html)
        stats |= {
            **figures.totals(tables),
            "look_at": [one.words for one in look_at],
            "truth": {one.source: _told(one) for one in confusions},
            "thumbnails": len(pictures),
            "bytes": len(html.encode("utf-8")),
            "report": str(target),
        }
    return stats


def _paths(grids: dict[str, Any], alike: Duplicates) -> Iterator[str]:
    """Each picture as often as it is shown; what nobody wants to miss comes first, should the budget end."""
    order: list[Grid] = [grid for pair in grids["mistakes"] for grid in pair]
    order += [*grids["shots"], *grids["issues"]]
    for grid in order:
        yield from (sample.path for sample in grid.samples)
    for cluster in alike.clusters:
        yield from (sample.path for sample in cluster.samples)
    if "comments" in grids:
        yield from (sample.path for sample in grids["comments"].samples)
    for grid in [*([grids["overridden"]] if grids["overridden"] else []), *grids["wears"]]:
        yield from (sample.path for sample in grid.samples)


def _told(confusion: Confusion) -> dict[str, Any]:
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
        "wrongly_full": len(confusion.wrongly_full),
        "missed": len(confusion.missed),
        "unmatched": confusion.unmatched,
        "contradicting": confusion.contradicting,
    }
