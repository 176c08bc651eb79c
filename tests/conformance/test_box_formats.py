"""What every box format does, whichever it is."""

from pathlib import Path

import pytest

from fullshot.annotate import BOX_FORMATS, load_boxes
from fullshot.annotate.formats import labels
from fullshot.annotate.formats.annotated import UNSPLIT, Annotated
from fullshot.annotate.formats.labels import Category, LabelMap
from fullshot.core import taxonomy
from fullshot.core.boxes import Corners
from fullshot.core.errors import UserError
from fullshot.core.interfaces import BoxFormat

WIDTH, HEIGHT = 300, 400
SPLITS = ("train", "val", "test", UNSPLIT)
BOXES: tuple[Corners, ...] = ((1 / 3, 2.5, 100.25, 300.0), (0.0, 0.0, 300.0, 400.0))

Format = BoxFormat[Annotated, Category]


@pytest.fixture(params=BOX_FORMATS.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def box_format(name: str) -> Format:
    return BOX_FORMATS.get(name)()


@pytest.fixture
def label_map(name: str) -> LabelMap:
    return labels.load(name, taxonomy.built_in())


def put(folder: Path, box_format: Format, split: str, image_id: str, *boxes: tuple[str, Corners]) -> Annotated:
    """The first picture of a split, whose file is there."""
    name = f"{box_format.picture(split, image_id, 1)}.jpg"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()
    return Annotated(name, WIDTH, HEIGHT, boxes)


def in_pixels(picture: Annotated) -> list[tuple[str, Corners]]:
    across, down = (WIDTH, HEIGHT) if picture.in_shares else (1, 1)
    return [(name, (a * across, b * down, c * across, d * down)) for name, (a, b, c, d) in picture.boxes]


def test_what_is_saved_is_loaded(tmp_path: Path, box_format: Format, name: str, label_map: LabelMap) -> None:
    categories = list(label_map.export.values())
    count = 1 if box_format.one_box else len(BOXES)
    saved: dict[str, list[Annotated]] = {}
    for number, split in enumerate(SPLITS):
        boxes = [(categories[each % len(categories)], BOXES[each]) for each in range(count)]
        saved[split] = [put(tmp_path, box_format, split, f"{split}{number}", *boxes)]
    box_format.save(tmp_path, saved, label_map.categories)
    loaded = list(load_boxes(tmp_path, name))
    assert len(loaded) == len(SPLITS)
    for picture in loaded:
        assert (picture.width, picture.height) in ((WIDTH, HEIGHT), (None, None))
        found = in_pixels(picture)
        assert [label for label, _ in found] == categories[:count]
        for (_, corners), expected in zip(found, BOXES, strict=False):
            if box_format.whole_pixels:
                assert all(corner == int(corner) for corner in corners)
            assert corners == pytest.approx(expected, abs=1.0 if box_format.whole_pixels else 0.01)


def test_pictures_are_found_where_they_lie(tmp_path: Path, box_format: Format, label_map: LabelMap) -> None:
    boxes = [(next(iter(label_map.export.values())), BOXES[0])]
    saved = {split: [put(tmp_path, box_format, split, f"{split}a", *boxes)] for split in SPLITS}
    box_format.save(tmp_path, saved, label_map.categories)
    places = [tmp_path / beside for beside in box_format.beside]
    for picture in box_format.load(tmp_path):
        file_name = picture.file_name.removeprefix("images/")
        there = [place / f"{file_name}{suffix}" for place in places for suffix in ("", ".jpg")]
        there.append(tmp_path / picture.file_name)
        assert any(file.is_file() for file in there), picture.file_name


def test_no_two_pictures_lie_in_one_place(box_format: Format) -> None:
    names = [box_format.picture(split, f"{split}{number}", number) for split in SPLITS for number in (1, 2)]
    assert len(set(names)) == len(names)
    assert not any(Path(name).is_absolute() or ".." in Path(name).parts for name in names)


def test_a_picture_without_boxes_stays_one(tmp_path: Path, box_format: Format, label_map: LabelMap) -> None:
    if box_format.one_box:
        pytest.skip("a picture has one box")
    picture = put(tmp_path, box_format, "train", "a")
    box_format.save(tmp_path, {"train": [picture]}, label_map.categories)
    assert [each.boxes for each in box_format.load(tmp_path)] == [()]


def test_an_unknown_category_is_not_written(tmp_path: Path, box_format: Format, name: str, label_map: LabelMap) -> None:
    if name == "voc":
        pytest.skip("it has no list of categories")
    picture = put(tmp_path, box_format, "train", "a", ("no such category", BOXES[0]))
    with pytest.raises((ValueError, KeyError)):
        box_format.save(tmp_path, {"train": [picture]}, label_map.categories)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"{", b"<annotation>", b"[[[[", b"names: [", b"1 2 3"])
def test_a_broken_file_is_one_line(tmp_path: Path, box_format: Format, label_map: LabelMap, content: bytes) -> None:
    picture = put(tmp_path, box_format, "train", "a", (next(iter(label_map.export.values())), BOXES[0]))
    box_format.save(tmp_path, {"train": [picture]}, label_map.categories)
    for file in sorted(tmp_path.rglob("*")):
        if not file.is_file() or file.suffix == ".jpg":
            continue
        before = file.read_bytes()
        file.write_bytes(content)
        message = ""
        try:
            box_format.load(tmp_path)
        except UserError as error:
            message = str(error)
        file.write_bytes(before)
        assert "\n" not in message
        assert not message or file.name in message or file.parent.name in message
    box_format.load(tmp_path)


def test_an_empty_folder_is_one_line(tmp_path: Path, box_format: Format) -> None:
    with pytest.raises(UserError) as caught:
        box_format.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_unknown_format_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected the box format to be one of coco, yolo, .*, got 'xml'"):
        load_boxes(tmp_path, "xml")
