"""What the report says of annotators: how far they are, if they agree, what they changed of the machine's boxes."""

from collections import defaultdict
from dataclasses import dataclass, replace

import pandas as pd

from fullshot.core.annotations import CONSENSUS, WITHDRAWN
from fullshot.core.boxes import Box
from fullshot.core.tables import SPLITS
from fullshot.curation.report.agreement import Agreement, Drawn, agreements
from fullshot.curation.report.charts import Bars, Stacks, bars, stacks
from fullshot.curation.report.dataset import Dataset
from fullshot.curation.report.samples import MOST, Grid, one_sample

_NOBODY = "not known"


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
    if dataset.annotations.empty:
        return None
    states = dataset.newest_annotations
    people = states[states["annotator"].fillna(_NOBODY) != CONSENSUS]
    edits, versions = _versions(people, dataset.annotations)
    counts = dataset.annotations_in_force
    return Annotation(
        progress=_progress(dataset, set(counts["image_id"])),
        annotators=tuple(_annotator(str(name), rows) for name, rows in people.groupby(_names(people))),
        labels=_labels(dataset.drawn, counts),
        agreements=tuple(agreements(_by_picture(people, dataset.drawn))),
        versions=versions,
        edits=edits,
        comments=_comments(dataset, people),
    )


def _names(rows: pd.DataFrame) -> "pd.Series[str]":
    return rows["annotator"].fillna(_NOBODY).rename("name")


def _progress(dataset: Dataset, done: set[str]) -> Stacks:
    """How many of the pictures that go to annotators came back, by split."""
    asked = dataset.pictures[dataset.pictures["kind"].isin(["full", "unclear"]) & ~dataset.pictures["left_out"]]
    progress = asked["image_id"].isin(done).map({True: "annotated", False: "to annotate"})
    table = pd.crosstab(asked["split"].fillna("none"), progress)
    table = table.reindex(columns=["annotated", "to annotate"], fill_value=0)
    table = table.loc[[split for split in (*SPLITS, "none") if split in table.index]]
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


def _labels(drawn: pd.DataFrame, counts: pd.DataFrame) -> Bars:
    """The boxes that count, by label."""
    valid = counts.loc[counts["verdict"] == "boxes", ["image_id", "revision"]]
    return bars(drawn.merge(valid)["label"].value_counts(), "Boxes that people drew", "Label", "boxes")


def _by_picture(people: pd.DataFrame, drawn: pd.DataFrame) -> dict[str, dict[str, Drawn]]:
    """What each person's newest annotation of each picture says; skipped pictures are left out."""
    boxes: dict[tuple[str, int], list[Box]] = defaultdict(list)
    columns = ["image_id", "revision", "label", "x_min", "y_min", "x_max", "y_max"]
    for identity, revision, label, *corners in drawn[columns].itertuples(index=False, name=None):
        x_min, y_min, x_max, y_max = map(float, corners)
        boxes[identity, int(revision)].append(Box(str(label), x_min, y_min, x_max, y_max))
    found: dict[str, dict[str, Drawn]] = defaultdict(dict)
    by_revision = people.assign(name=_names(people)).sort_values("revision")
    for identity, name, verdict, revision in by_revision[["image_id", "name", "verdict", "revision"]].to_numpy():
        if verdict != "skipped":
            found[identity][name] = boxes[identity, int(revision)] if verdict == "boxes" else None
    return found


def _versions(people: pd.DataFrame, states: pd.DataFrame) -> tuple[Stacks, tuple[Version, ...]]:
    """What became of each version's boxes, the oldest first: by the newest states, but dated by all of them.

    Whoever looks again at what an old version began makes the annotation younger, not the version.
    """
    begun = people[people["model"].notna() & people["added"].notna() & (people["verdict"] == "boxes")]
    first = states.dropna(subset=["model", "updated_at"]).groupby("model")["updated_at"].min().astype(str)
    kept, versions = {}, []
    for name, rows in sorted(begun.groupby("model"), key=lambda group: (first.get(group[0], "~"), group[0])):
        added, deleted, relabelled = (int(rows[column].sum()) for column in ("added", "deleted", "relabelled"))
        stayed = (rows["boxes"] - rows["added"]).astype(float)
        measured = stayed[rows["mean_iou"].notna()].sum()
        overlap = float((rows["mean_iou"].astype(float) * stayed).sum())
        # Only mean_iou tells whether a box was moved, so what stayed may have been.
        kept[str(name)] = (int(stayed.sum()) - relabelled, relabelled, added, deleted)
        count = len(rows)
        since = first.get(name, "")[:10]
        mean = overlap / measured if measured else None
        versions.append(Version(str(name), since, count, mean, added / count, deleted / count, relabelled / count))
    table = pd.DataFrame.from_dict(kept, orient="index", columns=["kept", "relabelled", "added", "deleted"])
    overlaps = {one.name: "–" if one.mean_iou is None else f"{one.mean_iou:.2f}" for one in versions}
    caption = "What became of the machine’s boxes, by version"
    chart = stacks(table, caption, "Version", also=("Mean IoU", overlaps), whole=True, in_order=True)
    return chart, tuple(versions)


def _comments(dataset: Dataset, people: pd.DataFrame) -> Grid:
    """What annotators wrote, the newest first."""
    comments = people[people["comment"].notna() & (people["comment"] != WITHDRAWN)].assign(name_of=_names(people))
    comments = comments.sort_values(["updated_at", "image_id"], ascending=[False, True])
    comments = comments[["image_id", "comment", "name_of"]]
    # A table may have columns of its user's own, under these names as well.
    rows = comments.merge(dataset.pictures.drop(columns=["comment", "name_of"], errors="ignore"), on="image_id")
    # What the rule thought of a picture is not what the comment is of.
    samples = tuple(
        replace(one_sample(row, str(row["comment"]), f"– {row['name_of']}"), score=None)
        for row in rows.head(MOST).to_dict("records")
    )
    return Grid("annotators-comments", "Comments", len(rows), samples)
