import math

import numpy as np
import pytest
from numpy.typing import NDArray

from fullshot.train.embedder import nearest
from fullshot.train.embedder.nearest import KS, SHOWN, UNKNOWN, Answers, Pictures, answers, products_of

DICE = np.random.default_rng(5)


def drawn(count: int, products: int, *, in_order: bool) -> Pictures:
    """On a grid, so that some are exactly as far as others; far from the origin, where single precision fails."""
    vectors = (DICE.integers(0, 6, (count, 3)) + 4096).astype(np.float32)
    numbers = DICE.integers(0, products, count) * 3
    clusters = np.where(DICE.random(count) < 0.5, DICE.integers(0, 8, count), UNKNOWN)
    return Pictures(vectors, np.sort(numbers) if in_order else numbers, clusters)


def by_the_book(
    queries: Pictures, gallery: Pictures, row: int, asked: int, classes: NDArray[np.int64]
) -> tuple[int, list[int], float, list[bool]]:
    """One query's answers: every distance by itself, every product in turn."""
    found: list[tuple[float, bool]] = []
    for place, product in enumerate(sorted(set(gallery.products.tolist()))):
        distances = [
            float(np.square(gallery.vectors[picture].astype(float) - queries.vectors[row]).sum())
            for picture in range(len(gallery))
            if gallery.products[picture] == product
            and (queries.clusters[row] == UNKNOWN or gallery.clusters[picture] != queries.clusters[row])
        ]
        if distances and product != queries.products[row]:
            found.append((min(distances), asked != UNKNOWN and int(classes[place]) == asked))
    ranked = [right for _, right in sorted(found)]  # of equals, False comes first
    count = sum(ranked)
    hits = [sum(ranked[:k]) for k in KS]
    precision = sum(sum(ranked[: place + 1]) / (place + 1) for place in range(count) if ranked[place])
    return count, hits, precision / count if count else 0.0, ranked[:SHOWN]


@pytest.mark.parametrize(("pictures", "memory"), [(1, 1), (7, 1000), (8192, 2**20)])
def test_blocks_answer_as_the_book_does(monkeypatch: pytest.MonkeyPatch, pictures: int, memory: int) -> None:
    monkeypatch.setattr(nearest, "PICTURES", pictures)
    monkeypatch.setattr(nearest, "MEMORY_BYTES", memory)
    queries, gallery = drawn(40, 30, in_order=False), drawn(90, 25, in_order=True)
    there = products_of(gallery)
    asked, classes = DICE.integers(-1, 4, len(queries)), DICE.integers(-1, 4, len(there))
    other = DICE.integers(0, 9, len(queries)), DICE.integers(0, 9, len(there))
    found = answers(queries, gallery, {"few": (asked, classes), "many": other})
    for name, (of_queries, of_products) in {"few": (asked, classes), "many": other}.items():
        its = found[name]
        for row in range(len(queries)):
            count, hits, precision, first = by_the_book(queries, gallery, row, int(of_queries[row]), of_products)
            assert (its.right[row], its.hits[row].tolist()) == (count, hits)
            assert math.isclose(its.average_precision[row], precision, abs_tol=1e-12)
            assert its.is_right[row, : len(first)].tolist() == first
            answered = its.nearest[row]
            own = np.flatnonzero(there == queries.products[row])
            assert not set(own.tolist()) & set(answered.tolist())
            assert (of_products[answered[: len(first)]] == of_queries[row])[first].all()
    assert (found["few"].right == 0).any()
    assert found["many"].hits.max() > 1


def test_equal_embeddings_are_not_perfect() -> None:
    gallery = Pictures(np.zeros((12, 2), np.float32), np.arange(12), np.full(12, UNKNOWN))
    query = Pictures(np.zeros((1, 2), np.float32), np.array([0]), np.array([UNKNOWN]))
    classes = np.arange(12) % 2
    (found,) = answers(query, gallery, {"class": (np.array([0]), classes)}).values()
    # Five others of its class, behind the six that are not.
    assert found.right.tolist() == [5]
    assert found.hits.tolist() == [[0, 0, 4]]
    assert found.average_precision.tolist() == [0]
    assert not found.is_right.any()


def test_a_copy_of_the_query_is_no_answer_and_its_product_is_judged_by_other_pictures() -> None:
    gallery = Pictures(
        np.array([[0.0], [3.0], [1.0], [2.0]], np.float32), np.array([4, 4, 5, 6]), np.array([9, UNKNOWN, 9, UNKNOWN])
    )
    query = Pictures(np.zeros((1, 1), np.float32), np.array([UNKNOWN]), np.array([9]))
    (found,) = answers(query, gallery, {"class": (np.array([0]), np.zeros(3, np.int64))}).values()
    assert found.right.tolist() == [2]
    assert found.nearest[0].tolist() == [2, 0, UNKNOWN, UNKNOWN, UNKNOWN]


def test_few_products_and_none() -> None:
    gallery = Pictures(np.zeros((1, 1), np.float32), np.array([7]), np.array([UNKNOWN]))
    query = Pictures(np.zeros((2, 1), np.float32), np.array([7, 8]), np.array([UNKNOWN, UNKNOWN]))
    classes = np.array([0, 0]), np.array([0])
    found = answers(query, gallery, {"class": classes})["class"]
    assert found.right.tolist() == [0, 1]
    assert found.hits.tolist() == [[0, 0, 0], [1, 1, 1]]
    empty = Pictures(np.zeros((0, 1), np.float32), np.zeros(0, np.int64), np.zeros(0, np.int64))
    nothing = answers(query, empty, {"class": (classes[0], np.zeros(0, np.int64))})["class"]
    assert isinstance(nothing, Answers)
    assert not nothing.right.any()
    with pytest.raises(ValueError, match="order"):
        answers(query, Pictures(np.zeros((2, 1), np.float32), np.array([2, 1]), np.array([-1, -1])), {})
