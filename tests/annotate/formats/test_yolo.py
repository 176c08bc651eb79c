"""YOLO's label files and data.yaml."""

from pathlib import Path

import pytest

from fullshot.annotate.formats.annotated import Annotated
from fullshot.annotate.formats.yolo import YoloFormat
from fullshot.core.errors import UserError

NAMES = "names: [top, bottom]\n"


def data_set(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def told(pictures: list[Annotated]) -> dict[str, list[str]]:
    """A picture's name and the categories of its boxes."""
    return {picture.file_name: [name for name, _ in picture.boxes] for picture in pictures}


def test_a_line_is_a_class_a_centre_and_a_size(tmp_path: Path) -> None:
    label = "1 0.5 0.25 0.5 0.5\n\n0 0.125 0.875 0.25 0.25"
    data_set(tmp_path, {"data.yaml": NAMES + "train: images", "images/a.jpg": "", "labels/a.txt": label})
    boxes = (("bottom", (0.25, 0.0, 0.75, 0.5)), ("top", (0.0, 0.75, 0.25, 1.0)))
    assert YoloFormat().load(tmp_path) == [Annotated("images/a.jpg", None, None, boxes, in_shares=True)]
    assert YoloFormat().load(tmp_path / "data.yaml") == YoloFormat().load(tmp_path)


ONE = "0 0.5 0.5 1 1"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # Splits, folders in folders, and a picture without a label file, which has no boxes.
        (
            {
                "data.yaml": "names: {0: top}\ntrain: images/train\nval: images/val\ntest:",
                "images/train/deep/a.jpg": "",
                "labels/train/deep/a.txt": ONE,
                "images/val/b.PNG": "",
            },
            {"images/train/deep/a.jpg": ["top"], "images/val/b.PNG": []},
        ),
        # Roboflow's: the splits outside, and a path that is not what it says.
        (
            {
                "data.yaml": NAMES + "train: ../train/images\nval: ../train/images",
                "train/images/a.jpg": "",
                "train/labels/a.txt": ONE,
            },
            {"train/images/a.jpg": ["top"]},
        ),
        # A data set that was moved.
        (
            {
                "data.yaml": NAMES + "path: /once/elsewhere\ntrain: [images/x, images/y]",
                "images/x/a.jpg": "",
                "labels/x/a.txt": ONE,
                "labels/y/b.txt": ONE,
            },
            {"images/x/a.jpg": ["top"], "images/y/b": ["top"]},
        ),
        # Names alone, as supervision writes them.
        ({"data.yaml": "names: [top]\nnc: 1", "labels/a.txt": ONE}, {"images/a": ["top"]}),
        # A list of pictures.
        (
            {"data.yaml": NAMES + "train: train.txt", "train.txt": "./images/a.jpg\n", "labels/a.txt": ONE},
            {"images/a.jpg": ["top"]},
        ),
        # No data.yaml: names as labelImg writes them, or numbers.
        ({"labels/a.txt": ONE, "labels/classes.txt": "shirt\nshoe\n"}, {"images/a": ["shirt"]}),
        ({"labels/a.txt": "7 0.5 0.5 1 1"}, {"images/a": ["7"]}),
        # np.savetxt writes classes so.
        ({"labels/a.txt": "1.000e+00 5.0e-01 5.0e-01 1.0e+00 1.0e+00"}, {"images/a": ["1"]}),
        # A byte order mark, and Windows' ends of lines.
        ({"labels/a.txt": "\ufeff" + ONE + "\r\n" + ONE + "\r\n"}, {"images/a": ["0", "0"]}),
    ],
)
def test_data_sets_are_laid_out_in_many_ways(
    tmp_path: Path, files: dict[str, str], expected: dict[str, list[str]]
) -> None:
    assert told(YoloFormat().load(data_set(tmp_path / "set", files))) == expected


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 0.5 0.5 0.1", "expected `class x y width height`, got 4 words"),
        ("0 0.5 0.5 0.1 0.1 0.9", "expected `class x y width height`, got 6 words"),
        ("0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2", "got 9 words, which is an outline or a turned box"),
        ("top 0.5 0.5 0.1 0.1", "expected a number, got 'top'"),
        ("0 0.5 0.5 0.1 1_0", "expected a finite number, got '1_0'"),
        ("0 0.5 nan 0.1 0.1", "expected a finite number, got 'nan'"),
        ("0 0.5 0.5 inf 0.1", "expected a finite number, got 'inf'"),
        ("2 0.5 0.5 0.1 0.1", "expected a class of 0 top, 1 bottom, got 2"),
        ("-1 0.5 0.5 0.1 0.1", "expected a class of 0 top, 1 bottom, got -1"),
        ("0.5 0.5 0.5 0.1 0.1", "expected a class of 0 top, 1 bottom, got 0.5"),
        ("0 320 200 40 40", "expected x as a share of the picture's, 0 to 1, got 320"),
        ("0 0.5 0.5 -0.1 0.1", "expected width as a share of the picture's, 0 to 1, got -0.1"),
        ("0 0.5 0.5 0.1 1.2", "expected height as a share of the picture's, 0 to 1, got 1.2"),
    ],
)
def test_a_malformed_line_names_its_file_and_line(tmp_path: Path, line: str, words: str) -> None:
    data_set(tmp_path, {"data.yaml": NAMES + "train: images", "labels/a.txt": f"{ONE}\n{ONE}\n{line}\n{ONE}\n"})
    with pytest.raises(UserError) as caught:
        YoloFormat().load(tmp_path)
    assert str(caught.value).endswith(words)
    assert str(caught.value).startswith(f"{tmp_path}/labels/a.txt:3: ")


def test_a_label_file_that_is_no_text_names_its_line(tmp_path: Path) -> None:
    (data_set(tmp_path, {"labels/a.txt": ""}) / "labels" / "a.txt").write_bytes(b"0 0.5 0.5 1 1\n\xff\xfe\n")
    with pytest.raises(UserError, match=r"labels/a\.txt:2: expected UTF-8 text, got the byte 0xff"):
        YoloFormat().load(tmp_path)


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("names: [top\ntrain: x", r"data\.yaml:2: not YAML: "),
        ("names: a\tb: c: d", r"data\.yaml:1: not YAML: "),
        ("- top", r"data\.yaml: expected names, train and val, got \['top'\]"),
        ("train: images", r"data\.yaml: names: expected a list, or numbers and names, got None"),
        ("names: {top: 0}\ntrain: images", r"data\.yaml: names: expected numbers and names, got \{'top': 0\}"),
        ("names: [top]", r"data\.yaml: expected train, val or test"),
        ("names: [top]\ntrain: nowhere", r"data\.yaml: train: no folder .*nowhere"),
        ("names: [top]\nval: [3]", r"data\.yaml: val: expected a folder, got 3"),
    ],
)
def test_a_broken_data_yaml_is_said_in_one_line(tmp_path: Path, yaml: str, words: str) -> None:
    data_set(tmp_path, {"data.yaml": yaml, "pictures/a.jpg": ""})
    with pytest.raises(UserError, match=words) as caught:
        YoloFormat().load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected a data\.yaml, or images/ and labels/, in "):
        YoloFormat().load(tmp_path)
