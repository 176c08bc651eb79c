import math

import numpy as np
import pytest
from numpy.typing import NDArray

from fullshot.train.embedder import metrics
from fullshot.train.embedder.metrics import product_ranks, recall_at

GALLERY = np.array([[0.0], [1.0], [2.0], [2.1], [9.0]], np.float32)
GALLERY_PRODUCTS = np.array([10, 11, 12, 12, 11])


def test_ranks_count_distinct_products() -> None:
    queries = np.array([[0.1], [3.0], [9.0]], np.float32)
    ranks = product_ranks(queries, np.array([10, 11, 10]), GALLERY, GALLERY_PRODUCTS)
    # The second query has two pictures of product 12 nearer, but that is one product; the third has 11, then 12.
    assert ranks.tolist() == [0, 1, 2]


def test_equal_embeddings_are_not_perfect() -> None:
    ranks = product_ranks(
        np.zeros((2, 1), np.float32), np.array([10, 12]), np.zeros((5, 1), np.float32), GALLERY_PRODUCTS
    )
    assert ranks.tolist() == [2, 2]


def test_a_product_not_in_the_gallery_comes_last() -> None:
    assert product_ranks(np.zeros((1, 1), np.float32), np.array([99]), GALLERY, GALLERY_PRODUCTS).tolist() == [3]


def test_recall() -> None:
    ranks = np.array([0, 1, 4, 5])
    assert (recall_at(ranks, 1), recall_at(ranks, 5)) == (0.25, 0.75)
    assert math.isnan(recall_at(np.zeros(0, np.int64), 5))


def ranks_by_the_book(
    queries: NDArray[np.float32], asked: NDArray[np.int64], gallery: NDArray[np.float32], products: NDArray[np.int64]
) -> list[int]:
    """Each distance by itself, each product in turn."""
    ranks = []
    for query, product in zip(queries, asked.tolist(), strict=True):
        distances = ((gallery - query) ** 2).sum(axis=1)
        nearest = {each: float(distances[products == each].min()) for each in set(products.tolist())}
        own = nearest.pop(product, math.inf)
        ranks.append(sum(distance <= own for distance in nearest.values()))
    return ranks


@pytest.mark.parametrize("pictures", [1, 7, 8192])
def test_blocks_do_not_change_a_rank(monkeypatch: pytest.MonkeyPatch, pictures: int) -> None:
    monkeypatch.setattr(metrics, "QUERIES", 5)
    monkeypatch.setattr(metrics, "PICTURES", pictures)
    dice = np.random.default_rng(3)
    products = dice.integers(0, 12, 60) * 3
    asked = dice.integers(0, 14, 23) * 3  # 36 and 39 are not there
    # On a grid, so that some are exactly as far as others; and far from the origin, where a product of matrices in
    # single precision says next to nothing of such distances.
    gallery = (dice.integers(0, 9, (60, 3)) + 4096).astype(np.float32)
    queries = (dice.integers(0, 9, (23, 3)) + 4096).astype(np.float32)
    expected = ranks_by_the_book(queries, asked, gallery, products)
    assert len(set(expected)) > 5
    assert product_ranks(queries, asked, gallery, products).tolist() == expected


def test_equal_pictures_are_equally_far_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "PICTURES", 100)
    picture = np.random.default_rng(0).standard_normal((1, 64)).astype(np.float32)
    query = picture + np.float32(0.01)
    assert product_ranks(query, np.array([7]), picture.repeat(1000, axis=0), np.arange(1000)).tolist() == [999]


def test_an_empty_gallery_ranks_nothing() -> None:
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    assert product_ranks(np.zeros((2, 4), np.float32), np.array([1, 2]), *nothing).tolist() == [0, 0]
