from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fullshot.core.boxes import Box, Corners, area, crop, intersection_over_area, iou, matched

SQUARE: Corners = (0, 0, 10, 10)

numbers = st.floats(-50, 50, allow_nan=False)
boxes = st.tuples(numbers, numbers, st.floats(1, 50), st.floats(1, 50)).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@pytest.mark.parametrize(
    ("other", "union", "share"),
    [
        (SQUARE, 1, 1),
        ((5, 0, 15, 10), 1 / 3, 1 / 2),  # half of each lies in the other
        ((-5, -5, 15, 15), 1 / 4, 1),  # all of ours lies in a larger one
        ((2, 2, 4, 7), 1 / 10, 1 / 10),  # a smaller one lies in ours
        ((10, 0, 20, 10), 0, 0),  # they touch
        ((20, 20, 30, 30), 0, 0),
        ((5, 5, 5, 9), 0, 0),  # without an area
        ((8, 0, 2, 10), 0, 0),  # corners in the wrong order
    ],
)
def test_overlaps(other: Corners, union: float, share: float) -> None:
    assert iou([SQUARE], [other]).item() == pytest.approx(union)
    assert iou([other], [SQUARE]).item() == pytest.approx(union)
    assert intersection_over_area([SQUARE], [other]).item() == pytest.approx(share)


def test_nothing_of_a_box_without_an_area_lies_in_another() -> None:
    assert intersection_over_area([(5, 5, 5, 9)], [SQUARE]).item() == 0
    assert iou([(5, 5, 5, 5)], [(5, 5, 5, 5)]).item() == 0


@pytest.mark.parametrize("overlap", [iou, intersection_over_area])
def test_every_pair_has_a_cell(overlap: Callable[[list[Corners], list[Corners]], NDArray[np.float64]]) -> None:
    found = overlap([SQUARE, (20, 0, 30, 10)], [SQUARE, (5, 0, 15, 10), (18, 0, 40, 10)])
    assert found.shape == (2, 3)
    assert (found > 0).tolist() == [[True, True, False], [False, False, True]]
    assert overlap([], [SQUARE]).shape == (0, 1)
    assert overlap([SQUARE], []).shape == (1, 0)


@given(boxes, boxes)
def test_an_overlap_is_a_share_of_the_area(one: Corners, other: Corners) -> None:
    union, mine, theirs = (
        share.item()
        for share in (
            iou([one], [other]),
            intersection_over_area([one], [other]),
            intersection_over_area([other], [one]),
        )
    )
    assert mine * area(one) == pytest.approx(theirs * area(other), abs=1e-6)
    common = mine * area(one)
    assert union == pytest.approx(common / (area(one) + area(other) - common), abs=1e-9)


def test_area() -> None:
    assert area((1, 2, 4, 12)) == 30
    assert area((4, 2, 1, 12)) == area((1, 12, 4, 2)) == area((4, 12, 1, 2)) == 0


@pytest.mark.parametrize(
    ("overlaps", "least", "expected"),
    [
        ([[0.6, 0.7], [0.2, 0.9]], 0.5, [(1, 1), (0, 0)]),
        ([[0.6, 0.7], [0.2, 0.9]], 0.6, [(1, 1), (0, 0)]),  # the least is enough
        ([[0.6, 0.7], [0.2, 0.9]], 0.65, [(1, 1)]),
        ([[0.6, 0.9], [0.2, 0.7]], 0.5, [(0, 1)]),  # the best pair first, though what is left does not match then
        ([[0.7, 0.8, 0.75]], 0.5, [(0, 1)]),  # each box is in one pair at most
        ([[0.7], [0.8], [0.75]], 0.5, [(1, 0)]),
        ([[0.0, 0.0]], 0.0, []),  # boxes that do not meet never match
        ([[1e-6]], 0.0, [(0, 0)]),
        ([[], []], 0.5, []),
    ],
)
def test_the_pair_that_overlaps_most_is_matched_first(
    overlaps: list[list[float]], least: float, expected: list[tuple[int, int]]
) -> None:
    table = np.array(overlaps)
    assert matched(table, least) == expected
    assert table.tolist() == overlaps  # the caller's own is left as it is


PICTURE = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
"""8 pixels wide and 6 high, no two pixels alike."""


@pytest.mark.parametrize(
    ("corners", "rows", "columns"),
    [
        ((1, 2, 5, 4), slice(2, 4), slice(1, 5)),
        ((0, 0, 8, 6), slice(0, 6), slice(0, 8)),  # all of it
        ((1.9, 2.9, 4.1, 3.1), slice(2, 4), slice(1, 5)),  # each pixel that the box touches
        ((-3.5, -2, 3, 1), slice(0, 1), slice(0, 3)),  # beyond the top left corner
        ((6, 4, 8.5, 99), slice(4, 6), slice(6, 8)),  # beyond the bottom right one
        ((7, 5, 8, 6), slice(5, 6), slice(7, 8)),  # the last pixel
    ],
)
def test_a_crop_is_whole_pixels_inside_the_picture(corners: Corners, rows: slice, columns: slice) -> None:
    np.testing.assert_array_equal(crop(PICTURE, corners), PICTURE[rows, columns])


@pytest.mark.parametrize(
    "corners",
    [
        (8, 0, 12, 6),  # to the right
        (0, 6, 8, 9),  # below
        (-4, 0, 0, 6),  # to the left
        (0, -4, 8, 0),  # above
        (3, 1, 3, 4),  # no width
        (3, 1, 5, 1),  # no height
        (5, 1, 3, 4),  # corners in the wrong order
    ],
)
def test_a_box_without_a_pixel_of_the_picture_is_refused(corners: Corners) -> None:
    with pytest.raises(ValueError, match="inside a picture of 8×6 pixels, got corners") as caught:
        crop(PICTURE, corners)
    assert str(corners) in str(caught.value)


def test_a_box_has_corners() -> None:
    box = Box("top", 1, 2, 3, 4)
    assert (box.corners, box.score, box.source) == ((1, 2, 3, 4), None, "model")
