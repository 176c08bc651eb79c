from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fullshot.train.embedder.evaluation import ValidationQuestions


def examples(rows: Sequence[tuple[str | None, str, float | None, str | None, str | None]]) -> pd.DataFrame:
    """Rows of product, split, x_min, product type and colour; all tops for women."""
    frame = pd.DataFrame(rows, columns=["product_id", "split", "x_min", "product_type", "colour"])
    return frame.assign(wear="top", gender="women", image_id=[f"i{row}" for row in range(len(rows))])


def measured(frame: pd.DataFrame, vectors: list[float], use: NDArray[np.bool_] | None = None) -> dict[str, object]:
    every = np.ones(len(frame), bool)
    questions = ValidationQuestions(frame, every if use is None else use, every)
    return questions.measure(np.array(vectors, np.float32)[questions.rows, None])


SHOTS = [
    ("a", "val", None, "Shirts", "Red"),
    ("b", "val", None, "Shirts", "Red"),
    ("c", "val", None, "Tops", "Red"),
    ("d", "train", None, "Tops", "Blue"),
]


def test_worn_garments_come_first() -> None:
    frame = examples([*SHOTS, ("a", "val", 3.0, "Shirts", "Red"), ("d", "train", 3.0, "Tops", "Blue")])
    found = measured(frame, [0, 1, 20, 5, 0.4, 9])
    assert (found["queries"], found["recall@1"]) == (1, 1)
    assert (found["measure"], found["score"]) == ("recall@5", 1)
    # The shop's question is answered as well.
    assert found["shop"]["product_type"]["precision@1"] == 1  # type: ignore[index]


def test_where_every_product_has_one_picture_type_and_colour_judge() -> None:
    found = measured(examples(SHOTS), [0, 1, 9, 0.5])
    assert found["queries"] == 0
    # Of the two shirts each finds the other, among two products: a fifth of five.
    assert (found["measure"], found["score"]) == ("precision@5 by type and colour", pytest.approx(0.2))
    shop = found["shop"]
    assert isinstance(shop, dict)
    assert shop["products"] == 3
    assert shop["type_and_colour"]["queries"] == 2


def test_without_colours_the_type_judges_and_without_types_nothing_does() -> None:
    frame = examples(SHOTS)
    found = measured(frame.drop(columns="colour"), [0, 1, 9, 0.5])
    assert (found["measure"], found["score"]) == ("precision@5 by type", pytest.approx(0.2))
    found = measured(frame.drop(columns=["colour", "product_type"]), [0, 1, 9, 0.5])
    assert (found["measure"], found["score"], found["shop"]) == (None, None, None)


def test_a_second_picture_of_a_product_is_sought_where_nobody_wears_it() -> None:
    frame = examples([*SHOTS, ("a", "val", None, "Shirts", "Red")])
    found = measured(frame, [0, 10, 20, 1, 0.4])
    assert (found["queries"], found["recall@1"], found["measure"]) == (1, 1, "recall@5")


def test_boxes_of_no_product_ask_for_their_type() -> None:
    frame = examples([*SHOTS, (None, "val", 3.0, "Shirts", None)])
    found = measured(frame, [0, 1, 9, 0.5, 0.2])
    street = found["street"]
    assert isinstance(street, dict)
    assert street["product_type"] == {
        "queries": 1,
        "precision@1": 1,
        "precision@5": 0.4,
        "precision@10": 0.2,
        "recall@5": 1,
        "recall@10": 1,
        "map@r": 1,
        "left_out": 0,
    }
    assert found["measure"] == "precision@5 by type and colour"


def test_what_is_left_out_is_not_asked_and_the_digest_says_what_was_compared() -> None:
    frame = examples(SHOTS)
    every = np.ones(4, bool)
    use = np.array([True, True, False, True])
    first, second = ValidationQuestions(frame, every, every), ValidationQuestions(frame, use, every)
    assert (first.rows.tolist(), second.rows.tolist()) == ([0, 1, 2], [0, 1])
    again = ValidationQuestions(frame, every, every)
    assert first.digest == again.digest != second.digest
