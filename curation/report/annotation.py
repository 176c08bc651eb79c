"""What the report says of annotators: how far they are, if they agree, what they changed of the machine's boxes."""

from collections import defaultdict
from dataclasses import dataclass, replace

import pandas as pd

from fullshot.core.annotations import CONSENSUS, WITHDRAWN
from fullshot.core.boxes import Box
from fullshot.core.dataset import Dataset as Tables
from fullshot.core.tables import SPLITS
from fullshot.core.tables.cells import literal
from fullshot.curation.report.agreement import Agreement, Drawn, agreements
from fullshot.curation.report.charts import Bars, Stacks, bars, stacks
from fullshot.curation.report.dataset import Dataset
from fullshot.curation.report.samples import MOST, Grid, one_sample

_NOBODY = "not known"

_DRAWN = "SELECT * FROM boxes WHERE source = 'human' AND revision IS NOT NULL"
# The boxes that count, by label.
_LABELS = f"""
SELECT label, count(*) FROM ({_DRAWN})
JOIN (SELECT image_id, revision FROM annotations_in_force WHERE verdict = 'boxes') USING (image_id, revision)
GROUP BY label
"""
# When each version of a model was first worked with.
_FIRST = """
SELECT model, min(updated_at) FROM annotations WHERE model IS NOT NULL AND updated_at IS NOT NULL GROUP BY model
"""


@dataclass(frozen=True)
class Annotator:
    """One annotator's work, by the newest state of each annotation.

    Attributes:
        name: usually an address.
        drawn: pictures with boxes, or without any where there is no garment.
        boxes: on these.
        not_full_shot: pictures of which they said that.
        skipped: pictures that they passed over.
        taken_back: annotations that were deleted since.
        seconds: the median of what they spent on a picture that they did not skip; None where it is not known.
    """

    name: str
    drawn: int
    boxes: int
    not_full_shot: int
    skipped: int
    taken_back: int
    seconds: float | None


@dataclass(frozen=True)
class Version:
    """What people changed of the boxes that one version of a model drew.

    Attributes:
        name: its digest, or where else the boxes came from.
        since: the day of the first annotation that began with it.
        pictures: that were annotated with it.
        mean_iou: of its boxes that stayed with what became of them; None where none did.
        added: boxes a picture that it had not drawn.
        deleted: boxes a picture that it should not have drawn.
        relabelled: boxes a picture that were called something else.
    """

    name: str
    since: str
    pictures: int
    mean_iou: float | None
    added: float
    deleted: float
    relabelled: float


@dataclass(frozen=True)
class Annotation:
    """The section of annotation."""

    progress: Stacks
    annotators: tuple[Annotator, ...]
    labels: Bars
    agreements: tuple[Agreement, ...]
    versions: tuple[Version, ...]
    edits: Stacks
    comments: Grid


def annotation(dataset: Dataset) -> Annotation | None:
    """The section; None where nobody annotated anything."""
    data = dataset.tables
    if not dataset.number("SELECT count(*) FROM annotations"):
        return None
    who = f"coalesce(annotator, {literal(_NOBODY)})"
    data.create(
        "people",
        "SELECT image_id, revision, verdict, boxes, comment, seconds, model, updated_at, mean_iou, added, deleted, "
        f"relabelled, {who} AS name FROM newest_annotations WHERE {who} <> {literal(CONSENSUS)}",
    )
    people = data.query(
        "SELECT name, verdict, boxes, comment, seconds, model, mean_iou, added, deleted, relabelled FROM people"
    )
    edits, versions = _versions(people, dict(data.rows(_FIRST)))
    return Annotation(
        progress=_progress(data),
        annotators=tuple(_annotator(str(name), rows) for name, rows in people.groupby("name")),
        labels=bars(dict(data.rows(_LABELS)), "Boxes that people drew", "Label", "boxes"),
        agreements=tuple(agreements(_by_picture(data))),
        versions=versions,
        edits=edits,
        comments=_comments(dataset),
    )


def _progress(data: Tables) -> Stacks:
    """How many of the pictures that go to annotators came back, by split."""
    rows = data.rows(
        "SELECT coalesce(split, 'none') AS name, count(*) FILTER (force.image_id IS NOT NULL) AS annotated, "
        "count(*) FILTER (force.image_id IS NULL) AS waiting "
        "FROM reported LEFT JOIN annotations_in_force AS force USING (image_id) "
        "WHERE NOT left_out AND kind IN ('full', 'unclear') GROUP BY name"
    )
    counts = {name: numbers for name, *numbers in rows}
    table = pd.DataFrame.from_dict(counts, orient="index", columns=["annotated", "to annotate"])
    table = table.loc[[split for split in (*SPLITS, "none") if split in counts]]
    return stacks(table, "Progress by split", "Split", whole=True, in_order=True)


def _annotator(name: str, rows: pd.DataFrame) -> Annotator:
    verdicts = rows["verdict"].value_counts()
    # To skip a picture takes a moment, which says nothing of how long one takes to annotate.
    seconds = rows.loc[rows["verdict"] != "skipped", "seconds"].dropna().astype(float)
    taken_back = int(rows["comment"].eq(WITHDRAWN).fillna(False).sum())
    return Annotator(
        name,
        int(verdicts.get("boxes", 0)),
        int(rows.loc[rows["verdict"] == "boxes", "boxes"].sum()),
        int(verdicts.get("not_full_shot", 0)),
        int(verdicts.get("skipped", 0)) - taken_back,
        taken_back,
        float(seconds.median()) if len(seconds) else None,
    )


def _by_picture(data: Tables) -> dict[str, dict[str, Drawn]]:
    """What each person's newest annotation of a picture says, where several have one; skips are left out."""
    data.create(
        "compared",
        "SELECT image_id, name, revision, verdict FROM people WHERE verdict <> 'skipped' "
        "QUALIFY count(*) OVER (PARTITION BY image_id) > 1 ORDER BY revision, image_id",
    )
    boxes: dict[tuple[str, int], list[Box]] = defaultdict(list)
    query = (
        f"SELECT image_id, revision, label, x_min, y_min, x_max, y_max FROM ({_DRAWN}) "
        "SEMI JOIN compared USING (image_id, revision)"
    )
    for image_id, revision, label, *corners in data.stream(query):
        boxes[image_id, revision].append(Box(label, *corners))
    found: dict[str, dict[str, Drawn]] = defaultdict(dict)
    for image_id, name, revision, verdict in data.stream("SELECT image_id, name, revision, verdict FROM compared"):
        found[image_id][name] = boxes[image_id, revision] if verdict == "boxes" else None
    return found


def _versions(people: pd.DataFrame, first: dict[str, str]) -> tuple[Stacks, tuple[Version, ...]]:
    """What became of each version's boxes, the oldest first: by the newest states, but dated by all of them.

    Whoever looks again at what an old version began makes the annotation younger, not the version.
    """
    begun = people[people["model"].notna() & people["added"].notna() & (people["verdict"] == "boxes")]
    kept, versions = {}, []
    for name, rows in sorted(begun.groupby("model"), key=lambda group: (first.get(str(group[0]), "~"), group[0])):
        added, deleted, relabelled = (int(rows[column].sum()) for column in ("added", "deleted", "relabelled"))
        stayed = (rows["boxes"] - rows["added"]).astype(float)
        measured = stayed[rows["mean_iou"].notna()].sum()
        overlap = float((rows["mean_iou"].astype(float) * stayed).sum())
        # Only mean_iou tells whether a box was moved, so what stayed may have been.
        kept[str(name)] = (int(stayed.sum()) - relabelled, relabelled, added, deleted)
        count = len(rows)
        since = first.get(str(name), "")[:10]
        mean = overlap / measured if measured else None
        versions.append(Version(str(name), since, count, mean, added / count, deleted / count, relabelled / count))
    table = pd.DataFrame.from_dict(kept, orient="index", columns=["kept", "relabelled", "added", "deleted"])
    overlaps = {one.name: "–" if one.mean_iou is None else f"{one.mean_iou:.2f}" for one in versions}
    caption = "What became of the machine’s boxes, by version"
    chart = stacks(table, caption, "Version", also=("Mean IoU", overlaps), whole=True, in_order=True)
    return chart, tuple(versions)


def _comments(dataset: Dataset) -> Grid:
    """What annotators wrote, the newest first."""
    data = dataset.tables
    data.create(
        "comments",
        "SELECT image_id, revision, updated_at, comment, name AS annotator FROM people "
        f"WHERE comment <> {literal(WITHDRAWN)}",
    )
    commented = "FROM reported JOIN comments USING (image_id)"
    query = f"SELECT * {commented} ORDER BY updated_at DESC NULLS LAST, image_id, revision LIMIT {MOST}"
    # What the rule thought of a picture is not what the comment is of.
    samples = tuple(
        replace(one_sample(row, row["comment"], f"– {row['annotator']}"), score=None)
        for row in data.arrow(query).to_pylist()
    )
    return Grid("annotators-comments", "Comments", dataset.number(f"SELECT count(*) {commented}"), samples)
