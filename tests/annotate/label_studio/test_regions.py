"""Boxes as Label Studio has them, of pictures that stand on their side and of rectangles that are turned."""

import math

import pytest

from fullshot.annotate.label_studio.regions import answer, from_boxes, read
from fullshot.core.boxes import Box
from fullshot.core.geometry import ImageGeometry

BOX = Box("top", 10, 20, 40, 80)


@pytest.mark.parametrize(
    ("orientation", "shown"),
    [
        # The box in a stored picture of 100 by 200 pixels, in percent of the picture as it is shown.
        (1, (10, 10, 30, 30)),
        (2, (60, 10, 30, 30)),
        (3, (60, 60, 30, 30)),
        (4, (10, 60, 30, 30)),
        (5, (10, 10, 30, 30)),
        (6, (60, 10, 30, 30)),
        (7, (60, 60, 30, 30)),
        (8, (10, 60, 30, 30)),
    ],
)
def test_a_box_stands_where_the_browser_shows_it(orientation: int, shown: tuple[int, ...]) -> None:
    geometry = ImageGeometry(100, 200, orientation)
    (region,) = from_boxes([BOX], geometry)
    value = region["value"]
    assert tuple(value[name] for name in ("x", "y", "width", "height")) == pytest.approx(shown)
    assert (region["original_width"], region["original_height"]) == ((200, 100) if orientation > 4 else (100, 200))
    (back,) = read([region], geometry)
    assert back.corners == pytest.approx(BOX.corners)
    assert back.labels == ("top",)


@pytest.mark.parametrize(("rotation", "expected"), [(0, (20, 20, 40, 60)), (360, (20, 20, 40, 60))])
def test_a_whole_turn_is_none(rotation: float, expected: tuple[float, ...]) -> None:
    part = {**from_boxes([Box("top", 20, 20, 40, 60)], ImageGeometry(100, 100))[0]}
    part["value"]["rotation"] = rotation
    (region,) = read([part], ImageGeometry(100, 100))
    assert region.corners == pytest.approx(expected)
    assert not region.is_rotated


def test_a_turned_rectangle_becomes_the_box_around_it() -> None:
    # 100 wide and 200 high: 20 by 20 pixels, turned by 45° about (50, 50).
    part = from_boxes([Box("top", 50, 50, 70, 70)], ImageGeometry(100, 200))[0]
    part["value"]["rotation"] = 45
    (region,) = read([part], ImageGeometry(100, 200))
    half = 20 / math.sqrt(2)
    assert region.corners == pytest.approx((50 - half, 50, 50 + half, 50 + 2 * half))
    assert region.is_rotated


@pytest.mark.parametrize("value", [{}, {"x": 1, "y": 2, "width": "wide", "height": 3}, {"x": math.nan}])
def test_a_rectangle_that_is_none_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a rectangle needs"):
        read([{"type": "rectanglelabels", "value": value}], ImageGeometry(1, 1))


def test_what_is_no_rectangle_is_passed_over() -> None:
    parts = [{"type": "choices", "from_name": "shot", "value": {"choices": ["half"]}}]
    assert read(parts, ImageGeometry(1, 1)) == []
    assert answer(parts, "shot") == "half"
    assert answer(parts, "comment") is None
