"""The annotators' work as the report tells it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fullshot.core import tables
from fullshot.core.annotations import CONSENSUS, WITHDRAWN
from fullshot.core.boxes import Box
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.report import write_report
from fullshot.curation.report.agreement import Drawn, agreements, kappa
from fullshot.curation.report.samples import MOST
from tests.browser import Opened
from tests.curation.report.conftest import Curate

Open = Callable[..., Opened]

HOSTILE = "<script>alert(1)</script><b>a skirt?</b>"
FULL = {"shot": "full", "shot_score": 0.9, "shot_reason": "full length"}
PICTURES = ("outfit", "front", "half", "bus", "zidane")
TOP, FOOT = (10.0, 10.0, 50.0, 60.0), (10.0, 90.0, 50.0, 100.0)
# TOP and this overlap by 40 × 40 of 40 × 60.
LOWER = (10.0, 20.0, 50.0, 70.0)

Row = dict[str, Any]


def state(name: str, number: int | None, annotator: str | None, verdict: str = "boxes", **more: Any) -> Row:
    """What somebody said of a picture; ``drawn`` are its boxes."""
    return {"name": name, "annotation": number, "annotator": annotator, "verdict": verdict, **more}


STATES = [
    state("outfit", 1, "anna", drawn=[("top", TOP)], seconds=5.0, updated_at="2026-11-01T10:00:00Z"),
    # The state above is outdated. The machine's top was moved, its second box deleted, the feet added.
    state(
        *("outfit", 1, "anna"),
        drawn=[("top", TOP), ("foot", FOOT)],
        seconds=10.0,
        updated_at="2026-11-03T10:00:00Z",
        model="second",
        mean_iou=0.8,
        added=1,
        deleted=1,
        relabelled=0,
        comment=HOSTILE,
    ),
    state("outfit", 2, "bert", drawn=[("top", LOWER), ("top", FOOT)], seconds=20.0, updated_at="2026-11-02T10:00:00Z"),
    state(
        *("front", 3, "anna"),
        drawn=[("top", TOP), ("foot", FOOT)],
        seconds=30.0,
        updated_at="2026-11-02T10:00:00Z",
        model="first",
        mean_iou=0.5,
        added=0,
        deleted=0,
        relabelled=1,
    ),
    state("front", 4, "bert", "not_full_shot", updated_at="2026-11-02T11:00:00Z"),
    state("half", 5, "anna", "skipped", updated_at="2026-11-02T12:00:00Z"),
    state("bus", 6, None, drawn=[("top", TOP)]),
    state("bus", 6, None, "skipped", comment=WITHDRAWN),
    state("outfit", None, CONSENSUS, drawn=[("top", TOP)], updated_at="2026-11-03T10:00:00Z"),
]


def annotated(workspace: Workspace, states: list[Row]) -> None:
    """Write these states of annotations, and the boxes in them."""
    images = workspace.read("images")
    ids = {Path(url).stem: identity for url, identity in zip(images["url"], images["image_id"], strict=True)}
    rows, boxes = [], []
    for revision, given in enumerate(states, 1):
        row = {**given, "image_id": ids[given["name"]], "revision": revision, "boxes": len(given.get("drawn", ()))}
        del row["name"]
        for label, corners in row.pop("drawn", ()):
            cells = dict(zip(("x_min", "y_min", "x_max", "y_max"), corners, strict=True))
            boxes.append(
                {"image_id": row["image_id"], "label": label, **cells, "source": "human", "revision": revision}
            )
        rows.append(row)
    workspace.write("annotations", tables.frame("annotations", rows))
    workspace.write("boxes", tables.frame("boxes", boxes))


@pytest.fixture
def workspace(curate: Curate) -> Workspace:
    return curate([(f"s:{name}", name) for name in PICTURES], dict.fromkeys(PICTURES, FULL))


def test_without_annotations_nothing_is_said_of_them(workspace: Workspace, settings: Settings, opened: Open) -> None:
    write_report(workspace, settings)
    assert opened(workspace / "report.html").page.locator("#annotation, a[href='#annotation']").count() == 0


def test_the_newest_state_of_each_annotation_counts(workspace: Workspace, settings: Settings, opened: Open) -> None:
    annotated(workspace, STATES)
    write_report(workspace, settings)
    page = opened(workspace / "report.html")
    assert page.errors == []
    # The outfit and the front came back; the half was skipped, the bus taken back.
    assert page.table("Progress by split")["train"] == ["2 40.0%", "3 60.0%", "5"]
    annotators = page.table("Annotators")
    assert annotators["anna"] == ["2", "4", "0", "1", "0", "20.0"]
    assert annotators["bert"] == ["1", "2", "1", "0", "0", "20.0"]
    assert annotators["not known"] == ["0", "0", "0", "0", "1", "–"]
    assert CONSENSUS not in annotators
    # Of the outfit what was agreed on counts, of the front bert's word: no boxes.
    assert page.table("Boxes that people drew") == {"Label": ["Boxes", "Share"], "top": ["1", "100.0%"]}
    edits = page.table("What became of the machine’s boxes, by version")
    assert list(edits) == ["Version", "first", "second"]
    assert edits["first"] == ["0.50", "1 50.0%", "1 50.0%", "0 0.0%", "0 0.0%", "2"]
    assert edits["second"] == ["0.80", "1 33.3%", "0 0.0%", "1 33.3%", "1 33.3%", "3"]
    assert page.table("Edits a picture, by version")["second"] == ["2026-11-03", "1", "0.80", "0.00", "1.00", "1.00"]
    assert page.table("Agreement of annotators")["anna, bert"] == ["2", "50.0%", "100.0%", "0.83", "50.0%", "0.00"]


def test_a_comment_is_text_beside_its_picture(workspace: Workspace, settings: Settings, opened: Open) -> None:
    annotated(workspace, STATES)
    stats = write_report(workspace, settings)
    page = opened(workspace / "report.html")
    comments = page.page.locator("#annotators-comments .sample")
    assert comments.count() == 1
    assert HOSTILE in comments.inner_text()
    assert "anna" in comments.inner_text()
    assert comments.locator("img").count() == 1
    assert stats["thumbnails"] == len(PICTURES)
    assert page.page.locator("script").count() == 0


@pytest.mark.parametrize("width", [400, 1280])
def test_it_is_no_wider_than_the_window(workspace: Workspace, settings: Settings, opened: Open, width: int) -> None:
    long = "a.very.long.name@annotators.of.a.very.long.domain.example.com"
    annotated(workspace, [{**row, "annotator": row["annotator"] and f"{row['annotator']}.{long}"} for row in STATES])
    write_report(workspace, settings)
    page = opened(workspace / "report.html", width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#annotation table:not(:has(> caption))").count() == 0


def test_one_annotation_without_anything_else_is_enough(workspace: Workspace, settings: Settings, opened: Open) -> None:
    annotated(workspace, [state("outfit", 1, None)])
    write_report(workspace, settings)
    page = opened(workspace / "report.html")
    assert page.errors == []
    assert page.table("Annotators")["not known"] == ["1", "0", "0", "0", "0", "–"]
    words = page.page.locator("#annotation").inner_text()
    assert "No picture was annotated by two people." in words
    assert "No annotation began with a machine’s boxes." in words


def test_a_version_is_as_old_as_its_first_annotation(workspace: Workspace, settings: Settings, opened: Open) -> None:
    edits: Row = {"mean_iou": 0.5, "added": 0, "deleted": 0, "relabelled": 0}
    old = state("outfit", 1, "anna", drawn=[("top", TOP)], model="old", updated_at="2026-11-01T10:00:00Z", **edits)
    new = state("front", 2, "anna", drawn=[("top", TOP)], model="new", updated_at="2026-11-02T10:00:00Z", **edits)
    # Looked at again once there was a new version.
    annotated(workspace, [old, new, {**old, "updated_at": "2026-11-03T10:00:00Z"}])
    write_report(workspace, settings)
    versions = opened(workspace / "report.html").table("Edits a picture, by version")
    assert [(name, cells[0]) for name, cells in versions.items()][1:] == [("old", "2026-11-01"), ("new", "2026-11-02")]


def test_what_is_not_known_lowers_nothing(workspace: Workspace, settings: Settings, opened: Open) -> None:
    drawn = [("top", TOP)]
    none: Row = {"added": 0, "deleted": 0, "relabelled": 0}
    states = [
        state("outfit", 1, "anna", drawn=drawn, model="one", mean_iou=0.8, seconds=10.0, **none),
        state("front", 2, "anna", drawn=drawn, model="one", **none),
        state("half", 3, "anna", drawn=drawn, model="one"),
        state("bus", 4, "anna", "skipped", seconds=1.0),
    ]
    annotated(workspace, states)
    write_report(workspace, settings)
    page = opened(workspace / "report.html")
    assert page.table("Edits a picture, by version")["one"] == ["–", "2", "0.80", "0.00", "0.00", "0.00"]
    assert page.table("Annotators")["anna"][-1] == "10.0"


def test_columns_of_a_users_own_do_no_harm(workspace: Workspace, settings: Settings, opened: Open) -> None:
    workspace.write("curated", workspace.read("curated").assign(comment="mine", name_of="mine"))
    annotated(workspace, STATES)
    write_report(workspace, settings)
    comments = opened(workspace / "report.html").page.locator("#annotators-comments .sample")
    assert HOSTILE in comments.inner_text()


def test_the_newest_comments_come_first(workspace: Workspace, settings: Settings, opened: Open) -> None:
    days = [f"2026-11-{day:02d}T10:00:00Z" for day in range(1, MOST + 2)]
    states = [
        state("outfit", number, "anna", updated_at=day, comment=f"on {day[:10]}") for number, day in enumerate(days, 1)
    ]
    annotated(workspace, states)
    write_report(workspace, settings)
    notes = opened(workspace / "report.html").page.locator("#annotators-comments .sample").all_inner_texts()
    assert len(notes) == MOST
    assert f"on {days[-1][:10]}" in notes[0]
    assert f"on {days[1][:10]}" in notes[-1]


def test_copies_and_what_was_rejected_wait_for_nobody(curate: Curate, settings: Settings, opened: Open) -> None:
    said = {**dict.fromkeys(PICTURES, FULL), "half": {**FULL, "keep": False}, "bus": {**FULL, "duplicate_of": "outfit"}}
    workspace = curate([(f"s:{name}", name) for name in PICTURES], said)
    annotated(workspace, [state("outfit", 1, "anna")])
    write_report(workspace, settings)
    page = opened(workspace / "report.html")
    assert page.table("Progress by split")["train"] == ["1 33.3%", "2 66.7%", "3"]


# The mathematics


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], None),
        ([("top", "top")] * 3, None),  # by chance they would agree as well
        ([("top", "top"), ("foot", "foot")], 1.0),
        ([("top", "foot"), ("foot", "top")], -1.0),
        # Cohen's own kind of example: 35 of 50 agreed, 0.7; by chance 0.5 × 0.6 + 0.5 × 0.4 = 0.5.
        ([("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15, 0.4),
    ],
)
def test_kappa(labels: list[tuple[str, str]], expected: float | None) -> None:
    assert kappa(labels) == pytest.approx(expected)


def test_a_pair_shares_pictures_and_boxes() -> None:
    top, foot, lower = Box("top", *TOP), Box("foot", *FOOT), Box("long", *LOWER)
    pictures: dict[str, dict[str, Drawn]] = {
        "one": {"anna": [top, foot], "bert": [lower], "carl": [top]},
        "two": {"anna": None, "bert": None},
        "three": {"anna": [], "bert": None},
    }
    first, *others = agreements(pictures)
    # The top and the long one overlap by two thirds; of three boxes two are one.
    assert (first.pair, first.pictures) == (("anna", "bert"), 3)
    shares = (first.same_verdict, first.matched, first.mean_iou, first.same_label, first.kappa)
    assert shares == pytest.approx((2 / 3, 2 / 3, 2 / 3, 0, 0))
    assert [one.pair for one in others] == [("anna", "carl"), ("bert", "carl")]
    assert others[0].kappa is None
    assert agreements({"two": {"anna": None, "bert": None}})[0].matched is None
    assert agreements({"one": {"anna": [top]}}) == []
