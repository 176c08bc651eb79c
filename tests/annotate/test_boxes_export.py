"""Boxes of a workspace written as data sets, and read from them again."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image
from typer.testing import CliRunner

from fullshot.annotate import boxes_export as export
from fullshot.annotate import boxes_import as importing
from fullshot.annotate import formats
from fullshot.cli import app
from fullshot.core import files, image_store, tables
from fullshot.core import pictures as storage
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.pictures import read_rgb
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from tests.removing import remove_table

SETTINGS = Settings()
WIDTH, HEIGHT = 90, 60

# A picture's name, its split, and its boxes: label, corners, source, revision.
Drawn = tuple[str, tuple[float, float, float, float], str, int | None]
PICTURES: dict[str, tuple[str | None, list[Drawn]]] = {
    "a": ("train", [("top", (1 / 3, 2.0, 30.1234, 40.0), "import", None), ("foot", (5, 50, 20.5, 60), "import", None)]),
    "b": ("val", [("bottom", (0.0, 0.0, 90.0, 60.0), "import", None), ("top", (1, 1, 5, 5), "shop", None)]),
    # The newest revision of the best source counts: what was drawn last by a person.
    "c": (
        "train",
        [
            ("top", (9, 9, 19, 19), "human", 1),
            ("long", (10.5, 11.5, 70.25, 55.75), "human", 2),
            ("top", (1, 1, 5, 5), "import", None),
        ],
    ),
    # Turned by EXIF, and in no split.
    "turned": (None, [("top", (10, 5, 40, 20), "human", 1)]),
    # Only a model's; thrown out.
    "guessed": ("test", [("top", (1, 1, 5, 5), "model", None)]),
    "thrown out": ("train", [("top", (1, 1, 5, 5), "human", 1)]),
}


def picture(folder: Path, name: str) -> bytes:
    """A picture of its own colour, dark at its left end."""
    pixels = np.full((HEIGHT, WIDTH, 3), 40 + 20 * list(PICTURES).index(name), np.uint8)
    pixels[:, :20] = 0
    exif = Image.Exif()
    if name == "turned":
        exif[ExifTags.Base.Orientation] = 6
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / f"{name}.jpg", quality=95, exif=exif)
    return (folder / f"{name}.jpg").read_bytes()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "ws")
    images, curated, boxes = [], [], []
    for name, (split, drawn) in PICTURES.items():
        stored = image_store.put(made.blobs, picture(tmp_path / "shop", name))
        size = {"width": stored.width, "height": stored.height, "bytes": stored.bytes}
        images.append({"image_id": stored.image_id, "product_id": f"demo:{name}", "path": stored.path, **size})
        if split:
            curated.append({"image_id": stored.image_id, "split": split, "keep": name != "thrown out"})
        for label, corners, source, revision in drawn:
            cells = dict(zip(("x_min", "y_min", "x_max", "y_max"), corners, strict=True))
            boxes.append({"image_id": stored.image_id, "label": label, **cells, "source": source, "revision": revision})
    for table, rows in (("images", images), ("curated", curated), ("boxes", boxes)):
        made.write(table, tables.frame(table, rows))
    return made


def written(workspace: Workspace, folder: Path, name: str = "coco", **options: Any) -> dict[str, Any]:
    return export.export_boxes(workspace, SETTINGS, folder, name, **options)


def boxes_of(workspace: Workspace) -> list[tuple[str, str, tuple[float, ...]]]:
    """The product that names a picture, the label and the corners of each box, sorted."""
    products = workspace.read("images").set_index("image_id")["product_id"]
    rows = workspace.read("boxes")[["image_id", "label", "x_min", "y_min", "x_max", "y_max"]]
    found = rows.itertuples(index=False, name=None)
    return sorted((products[row[0]].removeprefix("demo:"), row[1], tuple(map(float, row[2:]))) for row in found)


BEST = [
    ("a", "foot", (5, 50, 20.5, 60)),
    ("a", "top", (1 / 3, 2.0, 30.1234, 40.0)),
    ("b", "bottom", (0, 0, 90, 60)),
    ("c", "long", (10.5, 11.5, 70.25, 55.75)),
    ("turned", "top", (10, 5, 40, 20)),
]
NO_FOOT = [box for box in BEST if box[1] != "foot"]


@pytest.mark.parametrize(
    ("name", "back"),
    [
        ("coco", BEST),
        ("yolo", BEST),
        ("voc", BEST),
        ("modanet", BEST),
        ("fashionpedia", BEST),
        # No footwear; pictures get numbers for names, so one that had to be written anew is not known again.
        ("deepfashion2", [box for box in NO_FOOT if box[0] != "turned"]),
        # Whole pixels around each box.
        (
            "deepfashion",
            [
                ("a", "top", (0, 2, 31, 40)),
                ("b", "bottom", (0, 0, 90, 60)),
                ("c", "long", (10, 11, 71, 56)),
                ("turned", "top", (10, 5, 40, 20)),
            ],
        ),
    ],
)
def test_what_is_exported_is_imported_again(workspace: Workspace, tmp_path: Path, name: str, back: list[Any]) -> None:
    stats = written(workspace, tmp_path / "out", name)
    assert stats["written_anew"] == 1
    place = tmp_path / "far" / "away"
    place.parent.mkdir()
    shutil.move(tmp_path / "out", place)
    remove_table(workspace, "boxes")
    read = importing.import_boxes(workspace, SETTINGS, place, name)
    assert (read["missing_files"], read["clipped"], read["unknown"]) == (0, 0, {})
    found = boxes_of(workspace)
    assert [box[:2] for box in found] == [box[:2] for box in back]
    for (*_, corners), (*_, expected) in zip(found, back, strict=True):
        assert corners == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("name", ["coco", "yolo", "voc", "modanet", "fashionpedia", "deepfashion"])
def test_what_is_exported_and_imported_again_is_known(workspace: Workspace, tmp_path: Path, name: str) -> None:
    written(workspace, tmp_path / "out", name)
    before = workspace.table("boxes").read_bytes()
    read = importing.import_boxes(workspace, SETTINGS, tmp_path / "out", name)
    assert read["known"] == read["boxes"] > 0
    assert workspace.table("boxes").read_bytes() == before


def test_pictures_may_be_links(workspace: Workspace, tmp_path: Path) -> None:
    written(workspace, tmp_path / "out", "yolo", link=True)
    # All but the one that was written anew.
    assert sum(file.is_symlink() for file in (tmp_path / "out/images").rglob("*")) == 3
    (tmp_path / "far").mkdir()
    for name in ("out", "ws"):
        shutil.move(tmp_path / name, tmp_path / "far" / name)
    stats = importing.import_boxes(Workspace(tmp_path / "far/ws"), SETTINGS, tmp_path / "far/out", "yolo")
    assert (stats["pictures"], stats["missing_files"]) == (4, 0)


def test_stats_tell_what_was_written(workspace: Workspace, tmp_path: Path) -> None:
    stats = written(workspace, tmp_path / "out")
    assert stats == {
        "pictures": 4,
        "boxes": 5,
        "splits": {"train": 2, "val": 1, "unsplit": 1},
        "labels": {"top": 2, "bottom": 1, "foot": 1, "long": 1},
        "left_out": {},
        "pictures_left_out": 0,
        "rounded": 0,
        "written_anew": 1,
        "unreadable": 0,
    }
    (record,) = (workspace / "runs").glob("boxes-export-*.json")
    run = json.loads(record.read_text())
    assert run["stats"] == stats
    assert set(run["inputs"]) == {"images.csv", "boxes.csv", "curated.csv"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"split": "train"}, {"splits": {"train": 2}, "boxes": 3}),
        ({"source": "shop"}, {"splits": {"val": 1}, "boxes": 1}),
        # An import's boxes count where they are asked for, though a person drew others.
        ({"source": "import"}, {"splits": {"train": 2, "val": 1}, "boxes": 4}),
        ({"source": "model"}, {"splits": {"test": 1}, "boxes": 1}),
    ],
)
def test_a_split_or_a_source_alone(
    workspace: Workspace, tmp_path: Path, options: dict[str, str], expected: dict[str, Any]
) -> None:
    stats = written(workspace, tmp_path / "out", **options)
    assert {key: stats[key] for key in expected} == expected


def test_what_a_person_took_back_is_not_exported(workspace: Workspace, tmp_path: Path) -> None:
    drawn = workspace.read("boxes")
    identity = drawn.loc[drawn["revision"] == 2, "image_id"].item()
    said = [("boxes", 2), ("not_full_shot", 3)]
    rows = [
        {"image_id": identity, "revision": number, "verdict": verdict, "annotation": 1, "boxes": 0}
        for verdict, number in said
    ]
    workspace.write("annotations", tables.frame("annotations", rows))
    with workspace.open() as data:
        export.choose(data)
        assert (identity,) not in data.rows("SELECT image_id FROM exported")
    assert written(workspace, tmp_path / "out")["labels"] == {"top": 2, "bottom": 1, "foot": 1}


def test_what_a_format_cannot_carry_is_counted(workspace: Workspace, tmp_path: Path) -> None:
    drawn = workspace.read("boxes")
    swapped = {"foot": "bottom", "bottom": "foot"}
    drawn["label"] = drawn["label"].map(lambda label: swapped.get(label, label))
    workspace.write("boxes", drawn)
    stats = written(workspace, tmp_path / "out", "deepfashion")
    assert stats["left_out"] == {
        "smaller ones, deepfashion has one box a picture": 1,
        "foot, which deepfashion has no category for": 1,
    }
    assert (stats["pictures"], stats["pictures_left_out"], stats["boxes"], stats["rounded"]) == (3, 1, 3, 2)
    # Of a's two boxes the top is the larger.
    assert stats["labels"] == {"top": 2, "long": 1}
    with pytest.raises(UserError, match=r"nothing to export of 1 pictures: boxes 1 on foot, which deepfashion2 has no"):
        written(workspace, tmp_path / "feet", "deepfashion2", split="val")
    assert not (tmp_path / "feet").exists()


def test_splits_and_pictures_lie_where_the_format_has_them(workspace: Workspace, tmp_path: Path) -> None:
    ids = {box[0]: image_store.image_id((tmp_path / "shop" / f"{box[0]}.jpg").read_bytes()) for box in BEST}
    expected = {
        "coco": ["instances.json", "instances_train.json", "instances_val.json", f"images/{ids['a']}.jpg"],
        "yolo": [
            "data.yaml",
            f"images/train/{ids['a']}.jpg",
            f"labels/val/{ids['b']}.txt",
            f"images/unsplit/{ids['turned']}.png",
        ],
        "voc": [
            "ImageSets/Main/train.txt",
            "ImageSets/Main/val.txt",
            f"Annotations/{ids['a']}.xml",
            f"JPEGImages/{ids['b']}.jpg",
        ],
        "deepfashion": ["Anno/list_bbox.txt", "Eval/list_eval_partition.txt", f"img/{ids['a']}.jpg"],
        "deepfashion2": [
            "train/annos/000001.json",
            "train/image/000002.jpg",
            "validation/annos/000001.json",
            "unsplit/image/000001.png",
        ],
    }
    for name, paths in expected.items():
        written(workspace, tmp_path / name, name)
        there = {file.relative_to(tmp_path / name).as_posix() for file in (tmp_path / name).rglob("*")}
        assert set(paths) <= there
    partition = (tmp_path / "deepfashion/Eval/list_eval_partition.txt").read_text().split()
    assert sorted(zip(partition[3::2], partition[4::2], strict=True)) == sorted(
        [(f"img/{ids['a']}.jpg", "train"), (f"img/{ids['b']}.jpg", "val"), (f"img/{ids['c']}.jpg", "train")]
    )
    assert (tmp_path / "voc/ImageSets/Main/val.txt").read_text() == ids["b"] + "\n"
    # ids of the data sets' own, and 1 for a list of ours.
    for name, ids_of in (("modanet", [4, 8, 9]), ("fashionpedia", [1, 6, 23]), ("coco", [1, 2, 3])):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        written(workspace, tmp_path / name, name)
        data = [json.loads((tmp_path / name / f"instances_{split}.json").read_text()) for split in ("train", "val")]
        found = {row["category_id"] for part in data for row in part["annotations"]}
        assert set(ids_of) <= found


def test_a_turned_picture_is_written_as_it_is_stored(workspace: Workspace, tmp_path: Path) -> None:
    written(workspace, tmp_path / "out", "voc")
    (file,) = (tmp_path / "out/JPEGImages").glob("*.png")
    assert storage.read_geometry(file).orientation == 1
    stored = read_rgb(tmp_path / "shop" / "turned.jpg")
    assert np.array_equal(read_rgb(file), stored)


def test_a_name_stands_for_a_picture_only_if_its_size_fits(workspace: Workspace, tmp_path: Path) -> None:
    written(workspace, tmp_path / "out", "voc")
    (file,) = (tmp_path / "out/JPEGImages").glob("*.png")
    for size, foreign in (((WIDTH, HEIGHT), 0), ((WIDTH, HEIGHT + 1), 1)):
        Image.new("RGB", size).save(file)
        stats = importing.import_boxes(workspace, SETTINGS, tmp_path / "out", "voc")
        assert (stats["pictures"], stats["not_in_workspace"]) == (4 - foreign, foreign)
    file.write_text("no picture")
    assert importing.import_boxes(workspace, SETTINGS, tmp_path / "out", "voc")["not_in_workspace"] == 1


TURNED = "0 0.5 0.1 1 0.2\n"  # the top fifth, as it is shown: the left end, as it is stored, and some more


def test_yolo_means_a_picture_as_it_is_shown(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "set/labels").mkdir(parents=True)
    shutil.copytree(tmp_path / "shop", tmp_path / "set/images")
    (tmp_path / "set/labels/turned.txt").write_text(TURNED)
    (tmp_path / "set/labels/classes.txt").write_text("top\n")
    remove_table(workspace, "boxes")
    importing.import_boxes(workspace, SETTINGS, tmp_path / "set", "yolo")
    # EXIF 6 turns the stored picture clockwise: its left end is shown at the top.
    ((name, _, corners),) = boxes_of(workspace)
    assert name == "turned"
    assert corners == pytest.approx((0, 0, WIDTH / 5, HEIGHT))
    assert read_rgb(tmp_path / "shop/turned.jpg")[:, : WIDTH // 5].max() < 10


def test_a_corrupt_picture_is_counted_and_named_and_the_others_are_imported(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = workspace.read("images")
    corrupt = b"no picture"
    images.loc[0, "image_id"] = storage_id = image_store.image_id(corrupt)
    workspace.write("images", images)
    curated = workspace.read("curated")
    workspace.write("curated", curated[curated["image_id"].isin(images["image_id"])])
    for name, content in (("corrupt", corrupt), ("turned", (tmp_path / "shop/turned.jpg").read_bytes())):
        for folder, suffix, written_there in (("images", "jpg", content), ("labels", "txt", TURNED.encode())):
            (tmp_path / "set" / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / "set" / folder / f"{name}.{suffix}").write_bytes(written_there)
    (tmp_path / "set/labels/classes.txt").write_text("top\n")
    remove_table(workspace, "boxes")
    stats = importing.import_boxes(workspace, SETTINGS, tmp_path / "set", "yolo")
    assert (stats["pictures"], stats["boxes"], stats["unreadable"]) == (1, 1, 1)
    assert "1 picture that cannot be read is left out: images/corrupt.jpg" in capsys.readouterr().err
    assert storage_id not in set(workspace.read("boxes")["image_id"])


def test_a_size_tells_whether_a_picture_is_meant_as_it_is_shown(workspace: Workspace, tmp_path: Path) -> None:
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, HEIGHT, WIDTH / 5]}
    data: dict[str, Any] = {"categories": [{"id": 1, "name": "top"}], "annotations": [box]}
    for name, fits in (("turned", True), ("a", False)):
        data["images"] = [{"id": 1, "file_name": f"{name}.jpg", "width": HEIGHT, "height": WIDTH}]
        (tmp_path / "shop/a.json").write_text(json.dumps(data))
        remove_table(workspace, "boxes")
        if fits:
            importing.import_boxes(workspace, SETTINGS, tmp_path / "shop/a.json", "coco")
            assert boxes_of(workspace)[0][2] == pytest.approx((0, 0, WIDTH / 5, HEIGHT))
        else:
            with pytest.raises(UserError, match=r"a\.jpg: the annotations say 60×90 pixels, the picture has 90×60"):
                importing.import_boxes(workspace, SETTINGS, tmp_path / "shop/a.json", "coco")


def test_an_earlier_export_is_replaced_and_nothing_else(workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert written(workspace, out, "voc")["pictures"] == 4
    # Nobody changed it, Ultralytics' caches are none of theirs.
    (out / "labels.cache").touch()
    assert written(workspace, out, "voc", split="val")["pictures"] == 1
    assert len(list((out / "JPEGImages").iterdir())) == 1
    (changed,) = (out / "Annotations").iterdir()
    changed.write_text(changed.read_text().replace("bottom", "top"))
    with pytest.raises(UserError, match=r"out was changed since it was exported: import it first, or export into"):
        written(workspace, out, "voc")
    assert "top" in changed.read_text()
    with pytest.raises(UserError, match=r"out holds an export in the format voc: export into a new folder"):
        written(workspace, out, "yolo")
    with pytest.raises(UserError, match=r"ws holds something else: export into a new folder"):
        written(workspace, workspace.root)
    (tmp_path / "file").touch()
    for name in ("file", "boxes.json"):
        with pytest.raises(UserError, match=rf"expected a folder to export into, got .*{name}"):
            written(workspace, tmp_path / name)


@pytest.mark.parametrize("content", [None, b"no picture", "half"])
def test_a_picture_that_cannot_be_read_is_named_and_the_rest_exported(
    workspace: Workspace, tmp_path: Path, content: bytes | str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(workspace.read("images")["path"].iloc[2])
    if content is None:
        (workspace / path).unlink()
    else:
        whole = (workspace / path).read_bytes()
        (workspace / path).write_bytes(whole[: len(whole) // 2] if isinstance(content, str) else content)
    stats = written(workspace, tmp_path / "out")
    assert (stats["pictures"], stats["unreadable"]) == (3, 1)
    assert f"1 picture that cannot be read is left out: {path}" in capsys.readouterr().err
    assert len(list((tmp_path / "out/images").iterdir())) == 3
    result = CliRunner().invoke(app, ["boxes", "export", str(workspace.root), str(tmp_path / "out"), "--json"])
    assert (result.exit_code, json.loads(result.stdout)["unreadable"]) == (1, 1)


def test_an_export_of_which_nothing_can_be_read_leaves_nothing_behind(workspace: Workspace, tmp_path: Path) -> None:
    written(workspace, tmp_path / "out")
    before = sorted((tmp_path / "out").rglob("*"))
    for path in workspace.read("images")["path"]:
        (workspace / str(path)).unlink()
    for name in ("out", "fresh"):
        with pytest.raises(UserError, match=r"nothing to export: of 4 pictures, such as images/.*, none can be read"):
            written(workspace, tmp_path / name)
    assert sorted((tmp_path / "out").rglob("*")) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "shop", "ws"]


def test_what_a_killed_export_left_is_no_export(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a kill leaves it: no clearing up is done.
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    monkeypatch.setattr(files, "write_text", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        written(workspace, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert (tmp_path / ".out.part/instances.json").is_file()
    monkeypatch.undo()
    written(workspace, tmp_path / "out")
    assert not (tmp_path / ".out.part").exists()
    assert (tmp_path / "out" / export.RECORD).is_file()


def test_what_is_missing_is_said_in_one_line(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected the box format to be one of coco, .*, got 'xml'"):
        written(workspace, tmp_path / "out", "xml")
    with pytest.raises(UserError, match=r"no boxes of shop on kept pictures in the split test in .*ws"):
        written(workspace, tmp_path / "out", source="shop", split="test")
    remove_table(workspace, "curated")
    # Without a curation, no picture has a split or was thrown out.
    assert written(workspace, tmp_path / "out")["splits"] == {"unsplit": 5}
    remove_table(workspace, "boxes")
    with pytest.raises(MissingInput, match=r"no boxes\.csv in .*: run `fullshot boxes import"):
        written(workspace, tmp_path / "out")


def test_labels_of_ones_own_hold_in_both_directions(workspace: Workspace, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[labels]\nOberteil = "top"\n"short sleeve top" = "other"\n[export]\ntop = "Oberteil"\n')
    written(workspace, tmp_path / "out", "yolo", labels=own)
    assert "0: Oberteil" in (tmp_path / "out/data.yaml").read_text()
    remove_table(workspace, "boxes")
    assert importing.import_boxes(workspace, SETTINGS, tmp_path / "out", "yolo")["unknown"] == {"Oberteil": 2}
    assert importing.import_boxes(workspace, SETTINGS, tmp_path / "out", "yolo", labels=own)["unknown"] == {}
    assert len(boxes_of(workspace)) == len(BEST)


@pytest.mark.parametrize("name", formats.BOX_FORMATS.names())
def test_a_missing_picture_is_counted_and_named(workspace: Workspace, tmp_path: Path, name: str) -> None:
    written(workspace, tmp_path / "out", name)
    pictures = [file for file in (tmp_path / "out").rglob("*") if file.suffix in (".jpg", ".png")]
    for file in pictures:
        file.unlink()
    stats = importing.import_boxes(workspace, SETTINGS, tmp_path / "out", name)
    assert (stats["pictures"], stats["missing_files"]) == (0, len(pictures))
    assert sorted(Path(missing).stem for missing in stats["missing"]) == sorted(file.stem for file in pictures)


def test_the_commands(workspace: Workspace, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    call = ["boxes", "export", str(workspace.root), out, "--format", "voc", "--split", "train", "--link", "--json"]
    result = CliRunner().invoke(app, call)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["splits"] == {"train": 2}
    result = CliRunner().invoke(app, ["boxes", "import", str(workspace.root), out, "--format", "voc"])
    assert (result.exit_code, result.stdout.splitlines()[0].split()) == (0, ["pictures", "2"])
    result = CliRunner().invoke(app, ["boxes", "export", str(workspace.root), out, "--format", "yolo"])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
