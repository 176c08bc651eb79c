"""What was written is read again, to 0.01 px."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullshot.annotate import formats
from fullshot.annotate.formats import labels
from fullshot.annotate.formats.annotated import Annotated
from fullshot.core import taxonomy
from fullshot.core.boxes import Corners

EXACT = [name for name, box_format in formats.BOX_FORMATS.load_all().items() if not box_format.whole_pixels]


@st.composite
def pictures(draw: st.DrawFn) -> tuple[int, int, list[Corners]]:
    """A picture's size, up to the longest side of a JPEG, and boxes inside it."""
    width, height = draw(st.integers(1, 65_535)), draw(st.integers(1, 65_535))
    boxes = []
    for _ in range(draw(st.integers(1, 3))):
        xs = sorted(draw(st.lists(st.floats(0, width), min_size=2, max_size=2)))
        ys = sorted(draw(st.lists(st.floats(0, height), min_size=2, max_size=2)))
        boxes.append((xs[0], ys[0], xs[1], ys[1]))
    return width, height, boxes


def written_and_read(name: str, width: int, height: int, boxes: list[Corners]) -> list[tuple[str, Corners]]:
    """A picture's boxes after they were saved and loaded, in pixels."""
    box_format = formats.BOX_FORMATS.get(name)()
    label_map = labels.load(name, taxonomy.built_in())
    names = list(label_map.export.values())
    named = tuple((names[number % len(names)], corners) for number, corners in enumerate(boxes))
    with tempfile.TemporaryDirectory() as folder:
        file = f"{box_format.picture('val', 'a', 1)}.jpg"
        (Path(folder) / file).parent.mkdir(parents=True)
        (Path(folder) / file).touch()
        picture = Annotated(file, width, height, named)
        box_format.save(Path(folder), {"val": [picture]}, label_map.categories)
        (read,) = formats.load_boxes(Path(folder), name)
    assert (read.width, read.height) in ((width, height), (None, None))
    found = []
    for (label, corners), (expected, _) in zip(read.boxes, named, strict=True):
        assert label == expected
        if read.in_shares:
            a, b, c, d = corners
            corners = a * width, b * height, c * width, d * height
        found.append((label, corners))
    return found


@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=60, deadline=None)
@given(picture=pictures())
def test_boxes_come_back_to_a_hundredth_of_a_pixel(name: str, picture: tuple[int, int, list[Corners]]) -> None:
    found = written_and_read(name, *picture)
    for (_, corners), expected in zip(found, picture[2], strict=True):
        assert corners == pytest.approx(expected, abs=0.01)


AWKWARD = [
    (3, 7, (1 / 3, 2 / 3, 2.9999999, 6.5)),
    (4001, 6007, (0.0, 0.0, 4001.0, 6007.0)),  # the whole picture
    (4001, 6007, (3999.995, 6006.125, 4001.0, 6007.0)),  # a speck in the last corner
    (65_535, 65_535, (65_534.001, 0.004, 65_534.999, 65_535.0)),
    (1, 1, (0.0, 0.015625, 0.0, 0.015625)),  # nothing at all, and not where decimals end
    (480, 640, (12.0, 34.0, 240.0, 320.0)),  # whole pixels
]


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(("width", "height", "corners"), AWKWARD)
def test_awkward_boxes_come_back(name: str, width: int, height: int, corners: Corners) -> None:
    ((_, found),) = written_and_read(name, width, height, [corners])
    assert found == pytest.approx(corners, abs=0.01)


@pytest.mark.parametrize(("width", "height", "corners"), AWKWARD)
def test_deepfashion_has_the_whole_pixels_around_a_box(width: int, height: int, corners: Corners) -> None:
    ((_, found),) = written_and_read("deepfashion", width, height, [corners])
    for before, after, outward in zip(corners, found, (-1, -1, 1, 1), strict=True):
        assert after == int(after)
        assert 0 <= (after - before) * outward < 1
    assert found[2] <= width
    assert found[3] <= height
