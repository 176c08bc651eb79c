"""Which found boxes are right, on boxes that are matched by hand."""

import numpy as np
import pytest

from fullshot.core.boxes import Box
from fullshot.train.detector.columns import BoxColumns
from fullshot.train.detector.evaluation.calibration import calibration
from fullshot.train.detector.evaluation.matching import NONE, best_score, match

LABELS = ("top", "bottom")


def box(label: str, left: float, score: float | None = None) -> Box:
    return Box(label, left, 0, left + 100, 100, score)


def columns(*pictures: list[Box]) -> BoxColumns:
    return BoxColumns.of(LABELS, pictures)


def test_of_two_boxes_in_a_place_the_surer_one_is_right() -> None:
    expected, found = columns([box("top", 0)]), columns([box("top", 0, 0.6), box("top", 20, 0.9)])
    matches = match(expected, found, 1)
    assert matches.is_right.tolist() == [False, True]
    assert (matches.taken_with.tolist(), matches.own.tolist()) == ([0.9], [0.9])


def test_a_box_takes_the_free_one_that_it_overlaps_most() -> None:
    expected = columns([box("top", 0), box("top", 30)])
    # Both lie on either; the surer one takes the second, and the other one what is left.
    matches = match(expected, columns([box("top", 24, 0.5), box("top", 28, 0.9)]), 1)
    assert matches.is_right.tolist() == [True, True]
    assert matches.taken_with.tolist() == [0.5, 0.9]


def test_half_of_an_overlap_is_enough_and_less_is_not() -> None:
    expected = columns([Box("top", 0, 0, 100, 100)], [Box("top", 0, 0, 100, 100)])
    found = columns([Box("top", 0, 0, 100, 50, 0.9)], [Box("top", 0, 0, 100, 49, 0.9)])
    assert match(expected, found, 2).is_right.tolist() == [True, False]


def test_what_is_right_elsewhere_is_no_other_label_in_a_place() -> None:
    expected = columns([box("top", 0), box("bottom", 10)])
    right = match(expected, columns([box("bottom", 10, 0.9)]), 1)
    assert (right.other.tolist(), right.other_label.tolist()) == ([0.0, 0.0], [NONE, NONE])
    wrong = match(columns([box("top", 0)]), columns([box("bottom", 10, 0.9)]), 1)
    assert (wrong.own.tolist(), wrong.other.tolist(), wrong.other_label.tolist()) == ([0.0], [0.9], [1])


def test_boxes_of_other_pictures_do_not_meet() -> None:
    matches = match(columns([box("top", 0)], []), columns([], [box("top", 0, 0.9)]), 2)
    assert (matches.is_right.tolist(), matches.taken_with.tolist()) == ([False], [0.0])


@pytest.mark.parametrize(
    ("scores", "is_right", "expected", "best"),
    [
        ([0.9, 0.8, 0.7], [True, True, False], 2, 0.8),
        ([0.9, 0.7, 0.8], [True, True, False], 2, 0.7),  # 2/3, 2/4, 4/5
        ([0.5, 0.5, 0.5], [True, False, False], 1, 0.5),  # boxes of one score are believed together
        ([0.87654321], [True], 1, 0.8765),  # rounded down: it counts with what is told
        ([0.9], [False], 1, 1.0),
        ([], [], 1, 1.0),
    ],
)
def test_the_score_from_which_boxes_are_best_believed(
    scores: list[float], is_right: list[bool], expected: int, best: float
) -> None:
    found = columns([box("top", 0, score) for score in scores])
    assert best_score(found, np.array(is_right, np.bool_), expected) == best


def test_calibration_leaves_out_the_least_scores_and_weighs_bins_by_their_boxes() -> None:
    scores, is_right = np.array([0.05, 0.45, 0.41, 0.43, 1.0]), np.array([False, True, False, False, True])
    measured = calibration(scores, is_right)
    assert measured["boxes"] == 4
    assert [(row["from"], row["to"], row["boxes"]) for row in measured["bins"]] == [(0.4, 0.5, 3), (0.9, 1.0, 1)]
    assert measured["expected_calibration_error"] == pytest.approx((3 * abs(0.43 - 1 / 3) + 0) / 4, abs=1e-4)
    assert calibration(scores[:1], is_right[:1]) == {"boxes": 0, "expected_calibration_error": None, "bins": []}
