"""Average precision as COCO defines it, on boxes whose figures are known by hand."""

import pytest

from fullshot.core.boxes import Box
from fullshot.train.detector.metrics import average_precision

LABELS = ("top", "bottom", "foot", "long")
SIZE = (100, 200)


def box(label: str, left: float, score: float | None = None) -> Box:
    return Box(label, left, 10, left + 20, 50, score)


def test_every_box_found_is_all_and_none_found_is_nothing() -> None:
    expected = [[box("top", 10), box("bottom", 40)], [box("top", 30)]]
    found = [[Box(b.label, *b.corners, 0.9) for b in boxes] for boxes in expected]
    assert average_precision(LABELS, expected, found, [SIZE] * 2) == {
        "map50": 1.0,
        "map50_95": 1.0,
        "classes": {
            "top": {"boxes": 2, "map50": 1.0, "map50_95": 1.0, "precision": 1.0, "recall": 1.0},
            "bottom": {"boxes": 1, "map50": 1.0, "map50_95": 1.0, "precision": 1.0, "recall": 1.0},
        },
    }
    nothing = average_precision(LABELS, expected, [[], []], [SIZE] * 2)
    assert (nothing["map50"], nothing["map50_95"]) == (0.0, 0.0)
    assert nothing["classes"]["top"] == {"boxes": 2, "map50": 0.0, "map50_95": 0.0, "precision": 0.0, "recall": 0.0}
    assert average_precision(LABELS, [[]], [[box("top", 1, 0.5)]], [SIZE]) == {
        "map50": 0.0,
        "map50_95": 0.0,
        "classes": {},
    }


def test_a_wrong_box_before_the_right_ones_costs_precision_and_one_after_them_does_not() -> None:
    expected = [[box("top", 10)], [box("top", 10)]]
    right = [[box("top", 10, 0.8)], [box("top", 10, 0.6)]]
    last = [[*right[0], box("top", 70, 0.1)], right[1]]
    assert average_precision(LABELS, expected, last, [SIZE] * 2)["map50"] == 1.0
    # Right, wrong, right: precision is 1 up to a recall of a half (51 of 101), and two thirds after it (50 of 101).
    between = [[right[0][0], box("top", 70, 0.7)], right[1]]
    measured = average_precision(LABELS, expected, between, [SIZE] * 2)
    assert measured["map50"] == pytest.approx((51 + 50 * 2 / 3) / 101, abs=1e-4)
    assert measured["classes"]["top"]["precision"] == pytest.approx(2 / 3, abs=1e-4)
    assert measured["classes"]["top"]["recall"] == 1.0


def test_a_box_that_is_half_right_counts_at_the_overlaps_that_it_reaches() -> None:
    # 40 of 50 pixels of height: an IoU of 0.8, which reaches 0.5 to 0.75 and, as the first above it, 0.8.
    expected, found = [[Box("top", 0, 0, 20, 50)]], [[Box("top", 0, 0, 20, 41, 0.9)]]
    measured = average_precision(LABELS, expected, found, [SIZE])
    assert (measured["map50"], measured["map50_95"]) == (1.0, 0.7)


def test_a_label_that_is_not_measured_takes_no_part() -> None:
    expected = [[box("top", 10), box("hat", 40)]]
    measured = average_precision(("top",), expected, [[box("top", 10, 0.9), box("hat", 70, 0.95)]], [SIZE])
    assert (measured["map50"], list(measured["classes"])) == (1.0, ["top"])
