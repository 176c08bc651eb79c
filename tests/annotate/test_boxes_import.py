"""Boxes of a COCO file brought into a workspace."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from fullshot.annotate import boxes_import as importing
from fullshot.annotate.formats.annotated import Annotated
from fullshot.annotate.formats.coco import CocoFormat, write_file
from fullshot.core import image_store, tables
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace

SETTINGS = Settings()
CATEGORIES = ("top", "bottom", "foot", "long", "Jeans", "Watches", "spaceship")


def picture(folder: Path, name: str, shade: int) -> Path:
    """A grey picture of 100×200 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (100, 200), (shade,) * 3).save(folder / name)
    return folder / name


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Holds the pictures of shade 10 and 20, under names of its own."""
    made = Workspace(tmp_path / "ws")
    rows = []
    for shade in (10, 20):
        stored = image_store.put(made.blobs, picture(tmp_path / "shop", f"{shade}.png", shade).read_bytes())
        size = {"width": stored.width, "height": stored.height, "bytes": stored.bytes}
        rows.append({"image_id": stored.image_id, "product_id": f"demo:{shade}", "path": stored.path, **size})
    made.write("images", tables.frame("images", rows))
    return made


def annotations(folder: Path, *pictures: Annotated) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "instances.json", pictures, CATEGORIES)
    return folder / "instances.json"


def one(*boxes: tuple[str, tuple[float, float, float, float]], name: str = "a.png") -> Annotated:
    return Annotated(name, 100, 200, boxes)


def corners(workspace: Workspace) -> list[tuple[Any, ...]]:
    columns = ["label", "x_min", "y_min", "x_max", "y_max", "source"]
    return [tuple(row) for row in workspace.read("boxes")[columns].itertuples(index=False)]


@pytest.mark.parametrize(
    ("boxes", "expected", "counted"),
    [
        # As it is, whatever the order of the corners' decimals.
        ([("top", (10, 20, 30.5, 40))], [("top", 10, 20, 30.5, 40, "import")], {"boxes": 1}),
        # The taxonomy knows what jeans are.
        ([("Jeans", (1, 2, 3, 4))], [("bottom", 1, 2, 3, 4, "import")], {"boxes": 1}),
        # A watch is worn, but no garment that a detector tells apart; nobody knows where a spaceship is worn.
        ([("Watches", (1, 2, 3, 4))], [], {"other": 1, "unknown": {}}),
        ([("spaceship", (1, 2, 3, 4))] * 2, [], {"unknown": {"spaceship": 2}}),
        # Cut at the edges of the picture.
        ([("foot", (-5, 150, 120, 230))], [("foot", 0, 150, 100, 200, "import")], {"clipped": 1}),
        # Nothing of it inside, or no area.
        ([("foot", (100, 0, 120, 20)), ("foot", (5, 5, 5, 9))], [], {"empty": 2, "clipped": 0}),
    ],
)
def test_boxes_are_read_into_the_table(
    workspace: Workspace,
    tmp_path: Path,
    boxes: list[tuple[str, tuple[float, float, float, float]]],
    expected: list[tuple[Any, ...]],
    counted: dict[str, Any],
) -> None:
    picture(tmp_path / "mine", "a.png", 10)
    stats = importing.import_boxes(workspace, SETTINGS, annotations(tmp_path / "mine", one(*boxes)), "coco")
    assert corners(workspace) == expected
    assert {key: stats[key] for key in counted} == counted


def test_what_a_file_says_beyond_the_label_is_the_product_type(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "mine", "a.png", 10)
    boxes = [(name, (1.0, 2.0, 30.0, 40.0 + number)) for number, name in enumerate(("Jeans", "top", "spaceship"))]
    file = annotations(tmp_path / "mine", one(*boxes))
    importing.import_boxes(workspace, SETTINGS, file, "coco")
    assert workspace.read("boxes")[["label", "product_type"]].fillna("").to_numpy().tolist() == [
        ["bottom", "Jeans"],
        ["top", ""],
    ]
    # A data set may say what a shop calls its categories.
    content = json.loads(file.read_text())
    for category in content["categories"]:
        if category["name"] == "spaceship":
            category["product_type"] = "Jackets"
    file.write_text(json.dumps(content))
    importing.import_boxes(workspace, SETTINGS, file, "coco")
    assert workspace.read("boxes")["product_type"].fillna("").tolist() == ["Jeans", "", "Jackets"]


def test_pictures_are_known_by_their_bytes(workspace: Workspace, tmp_path: Path) -> None:
    box = ("top", (0.0, 0.0, 10.0, 10.0))
    picture(tmp_path / "mine" / "photos", "renamed.png", 20)
    picture(tmp_path / "mine", "stranger.png", 99)
    names = ("renamed.png", "stranger.png", "gone.png")
    file = annotations(tmp_path / "mine", *(one(box, name=name) for name in names))
    stats = importing.import_boxes(workspace, SETTINGS, file, "coco")
    assert (stats["pictures"], stats["not_in_workspace"], stats["missing_files"]) == (1, 1, 1)
    assert stats["missing"] == ["gone.png"]
    images = workspace.read("images").set_index("image_id")
    assert [images.at[name, "product_id"] for name in workspace.read("boxes")["image_id"]] == ["demo:20"]
    # Told where the pictures are, it looks nowhere else.
    picture(tmp_path / "elsewhere", "gone.png", 10)
    stats = importing.import_boxes(workspace, SETTINGS, file, "coco", images=tmp_path / "elsewhere")
    assert (stats["pictures"], stats["missing_files"]) == (1, 2)
    assert len(workspace.read("boxes")) == 2


def test_a_second_import_replaces_the_first_and_nothing_else(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "mine", "a.png", 10)
    file = annotations(tmp_path / "mine", one(("top", (0.0, 0.0, 10.0, 10.0)), ("foot", (0.0, 150.0, 50.0, 200.0))))
    importing.import_boxes(workspace, SETTINGS, file, "coco")
    drawn = workspace.read("boxes").iloc[:1].assign(source="human", annotator="ada", product_id="demo:10")
    workspace.write("boxes", pd.concat([workspace.read("boxes"), drawn]))
    before = workspace.table("boxes").read_bytes()
    importing.import_boxes(workspace, SETTINGS, file, "coco")
    assert workspace.table("boxes").read_bytes() == before
    annotations(tmp_path / "mine", one(("long", (0.0, 0.0, 10.0, 10.0))))
    importing.import_boxes(workspace, SETTINGS, file, "coco")
    assert sorted(row[0] + row[-1] for row in corners(workspace)) == ["longimport", "tophuman"]


SHOPS = [("top", 0.0, 0.0, 10.0, 10.0), ("foot", 0.0, 150.0, 50.0, 200.0)]


@pytest.mark.parametrize(
    ("boxes", "known", "added"),
    [
        # As they are, in another order, and moved by half a pixel: nothing is added.
        ([("foot", (0.0, 150.5, 49.5, 200.0)), ("top", (0.0, 0.0, 10.0, 10.5))], 2, []),
        # Of a picture the best source counts alone, so the box that stayed goes with the one that was moved...
        (
            [("top", (0.0, 0.0, 10.0, 10.0)), ("foot", (0.0, 150.0, 49.0, 200.0))],
            0,
            [("top", 0.0, 0.0, 10.0, 10.0), ("foot", 0.0, 150.0, 49.0, 200.0)],
        ),
        # ... or was taken away, or has another label, or was drawn twice.
        ([("top", (0.0, 0.0, 10.0, 10.0))], 0, SHOPS[:1]),
        (
            [("long", (0.0, 0.0, 10.0, 10.0)), ("foot", (0.0, 150.0, 50.0, 200.0))],
            0,
            [("long", *SHOPS[0][1:]), SHOPS[1]],
        ),
        ([("top", (0.0, 0.0, 10.0, 10.0))] * 2, 0, [SHOPS[0]] * 2),
    ],
)
def test_what_the_shop_said_already_is_not_added_again(
    workspace: Workspace, tmp_path: Path, boxes: list[Any], known: int, added: list[tuple[Any, ...]]
) -> None:
    ten, twenty = (str(name) for name in workspace.read("images")["image_id"])
    rows = [dict(zip(("label", *("x_min", "y_min", "x_max", "y_max")), box, strict=True)) for box in SHOPS]
    rows = [{"image_id": name, "source": "shop", **row} for name in (ten, twenty) for row in rows]
    rows.append({**rows[0], "source": "model", "x_max": 90})  # it does not count
    workspace.write("boxes", tables.frame("boxes", rows))
    # That a picture is rejected does not bring its boxes a second time.
    workspace.write("curated", tables.frame("curated", [{"image_id": ten, "keep": False, "split": "train"}]))
    picture(tmp_path / "mine", "a.png", 10)
    stats = importing.import_boxes(workspace, SETTINGS, annotations(tmp_path / "mine", one(*boxes)), "coco")
    assert (stats["boxes"], stats["known"]) == (len(boxes), known)
    assert [row[:-1] for row in corners(workspace) if row[-1] == "import"] == added
    assert len(workspace.read("boxes")) == len(rows) + len(added)


def test_a_first_import_of_what_the_shop_said_says_so(
    workspace: Workspace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    box = ("top", (0.0, 0.0, 10.0, 10.0))
    row = dict(zip(("label", "x_min", "y_min", "x_max", "y_max"), (box[0], *box[1]), strict=True))
    ten = str(workspace.read("images")["image_id"].iloc[0])
    workspace.write("boxes", tables.frame("boxes", [{"image_id": ten, "source": "shop", **row}]))
    picture(tmp_path / "mine", "a.png", 10)
    importing.import_boxes(workspace, SETTINGS, annotations(tmp_path / "mine", one(box)), "coco")
    line = "boxes import: nothing has changed: all of these boxes are there already\n"
    assert capfd.readouterr().err == line


def test_a_listed_picture_without_a_box_keeps_those_that_are_here_and_that_is_said(
    workspace: Workspace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ten, twenty = (str(name) for name in workspace.read("images")["image_id"])
    where = {"x_min": 0, "y_min": 0, "x_max": 10, "y_max": 10}
    shop = {"image_id": ten, "label": "top", "source": "shop", **where}
    # What was imported before is replaced, by nothing here; what a model guessed does not count.
    others = [{**shop, "image_id": twenty, "source": source} for source in ("import", "model")]
    workspace.write("boxes", tables.frame("boxes", [shop, *others]))
    for shade in (10, 20):
        picture(tmp_path / "mine", f"{shade}.png", shade)
    file = annotations(tmp_path / "mine", one(name="10.png"), one(name="20.png"))
    stats = importing.import_boxes(workspace, SETTINGS, file, "coco")
    assert (stats["pictures"], stats["boxes"], stats["without_boxes"]) == (2, 0, 1)
    line = "boxes import: 1 listed picture has no box in the file and keeps the boxes that are here\n"
    assert capfd.readouterr().err == line
    assert [row[-1] for row in corners(workspace)] == ["shop", "model"]
    # A box of a category that nobody knows is a box all the same.
    annotations(tmp_path / "mine", one(("spaceship", (1, 2, 3, 4)), name="10.png"))
    stats = importing.import_boxes(workspace, SETTINGS, file, "coco")
    assert (stats["unknown"], stats["without_boxes"]) == ({"spaceship": 1}, 0)


def test_a_picture_under_two_names_has_each_box_once(workspace: Workspace, tmp_path: Path) -> None:
    top, foot = ("top", (0.0, 0.0, 10.0, 10.0)), ("foot", (0.0, 150.0, 50.0, 200.0))
    for name in ("a.png", "b.png", "c.png"):
        picture(tmp_path / "mine", name, 20 if name == "b.png" else 10)
    file = annotations(tmp_path / "mine", one(top), one(foot, name="b.png"), one(top, foot, name="c.png"))
    assert importing.import_boxes(workspace, SETTINGS, file, "coco")["pictures"] == 2
    assert [row[0] for row in corners(workspace)] == ["top", "foot", "foot"]


def test_an_import_is_recorded(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "mine", "a.png", 10)
    file = annotations(tmp_path / "mine", one(("top", (0.0, 0.0, 10.0, 10.0))))
    stats = importing.import_boxes(workspace, SETTINGS, file, "coco")
    (record,) = (workspace / "runs").glob("boxes-import-*.json")
    assert json.loads(record.read_text())["stats"] == stats


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", r"bad\.json: not a COCO file, which is JSON: "),
        ("[1]", r"bad\.json: the file: input should be .*, got \[1\]"),
        ('{"images": [], "categories": []}', r"bad\.json: annotations: field required"),
        (
            '{"images": [{"id": 1, "file_name": "a.png", "width": "wide", "height": 2}], "categories": [], '
            '"annotations": []}',
            r"bad\.json: images\.0\.width: .*, got 'wide'",
        ),
        (
            '{"images": [], "categories": [{"id": 1, "name": "top"}], '
            '"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3]}]}',
            r"bad\.json: annotations\.0\.bbox\.3: field required",
        ),
        (
            '{"images": [], "categories": [{"id": 1, "name": "top"}], '
            '"annotations": [{"image_id": 5, "category_id": 1, "bbox": [1, 2, 3, 4]}]}',
            r"bad\.json: annotations\.0: no image has the id 5",
        ),
        (
            '{"images": [{"id": 5, "file_name": "a.png", "width": 1, "height": 2}], "categories": [], '
            '"annotations": [{"image_id": 5, "category_id": 7, "bbox": [1, 2, 3, NaN]}]}',
            r"bad\.json: annotations\.0\.bbox\.3: .*finite",
        ),
    ],
)
def test_a_broken_file_is_said_in_one_line(workspace: Workspace, tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(UserError, match=words) as caught:
        importing.import_boxes(workspace, SETTINGS, tmp_path / "bad.json", "coco")
    assert "\n" not in str(caught.value)
    assert not workspace.table("boxes").exists()


def test_what_is_missing_is_said_in_one_line(workspace: Workspace, tmp_path: Path) -> None:
    file = annotations(tmp_path / "mine")
    with pytest.raises(UserError, match=r"expected the box format to be one of coco, yolo, .*, got 'xml'"):
        importing.import_boxes(workspace, SETTINGS, file, "xml")
    with pytest.raises(UserError, match=r"no file .*none\.json to read boxes from"):
        importing.import_boxes(workspace, SETTINGS, tmp_path / "none.json", "coco")
    with pytest.raises(UserError, match=r"no folder .*nowhere to look for the pictures"):
        importing.import_boxes(workspace, SETTINGS, file, "coco", images=tmp_path / "nowhere")
    with pytest.raises(MissingInput, match=r"no workspace at"):
        importing.import_boxes(Workspace(tmp_path / "none"), SETTINGS, file, "coco")


def test_boxes_for_a_picture_of_another_size_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "mine", "a.png", 10)
    file = annotations(tmp_path / "mine", Annotated("a.png", 50, 100, (("top", (1, 2, 3, 4)),)))
    with pytest.raises(UserError, match="annotations say 50×100 pixels, the picture has 100×200"):
        importing.import_boxes(workspace, SETTINGS, file, "coco")


def test_coco_is_read_as_it_was_written(tmp_path: Path) -> None:
    pictures = [one(("top", (1.5, 2.0, 30.25, 40.0)), ("foot", (0.0, 150.0, 50.0, 200.0))), one(name="none.png")]
    assert list(CocoFormat().load(annotations(tmp_path, *pictures))) == pictures
    with pytest.raises(ValueError, match="expected a label of top, got 'foot'"):
        write_file(tmp_path / "few.json", pictures, ["top"])


def test_a_persons_further_columns_stay(workspace: Workspace, tmp_path: Path) -> None:
    identity = str(workspace.read("images")["image_id"].iloc[0])
    drawn = {"image_id": identity, "label": "foot", "x_min": 1, "y_min": 1, "x_max": 2, "y_max": 2, "source": "human"}
    workspace.write("boxes", tables.frame("boxes", [drawn]).assign(mine="kept"))
    picture(tmp_path / "theirs", "a.png", 10)
    path = annotations(tmp_path / "theirs", one(("top", (10, 20, 30, 40))))
    assert importing.import_boxes(workspace, SETTINGS, path, "coco")["boxes"] == 1
    written = workspace.read("boxes")
    assert written["source"].tolist() == ["human", "import"]
    assert written["mine"].fillna("").tolist() == ["kept", ""]
