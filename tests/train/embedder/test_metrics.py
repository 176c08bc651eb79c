import math

import pytest
import torch
from torch import Tensor

from fullshot.train.embedder import metrics
from fullshot.train.embedder.metrics import product_ranks, recall_at

GALLERY = torch.tensor([[0.0], [1.0], [2.0], [2.1], [9.0]])
GALLERY_PRODUCTS = torch.tensor([10, 11, 12, 12, 11])


def test_ranks_count_distinct_products() -> None:
    queries = torch.tensor([[0.1], [3.0], [9.0]])
    ranks = product_ranks(queries, torch.tensor([10, 11, 10]), GALLERY, GALLERY_PRODUCTS)
    # The second query has two pictures of product 12 nearer, but that is one product; the third has 11, then 12.
    assert ranks.tolist() == [0, 1, 2]


def test_equal_embeddings_are_not_perfect() -> None:
    ranks = product_ranks(torch.zeros(2, 1), torch.tensor([10, 12]), torch.zeros(5, 1), GALLERY_PRODUCTS)
    assert ranks.tolist() == [2, 2]


def test_a_product_not_in_the_gallery_comes_last() -> None:
    assert product_ranks(torch.zeros(1, 1), torch.tensor([99]), GALLERY, GALLERY_PRODUCTS).tolist() == [3]


def test_double_precision_tells_what_single_does_not() -> None:
    gallery = torch.tensor([[1e-9], [2e-9], [3e-9]], dtype=torch.float64) + 1
    queries = gallery[[2, 0]]
    assert product_ranks(queries, torch.tensor([7, 7]), gallery, torch.tensor([5, 6, 7])).tolist() == [0, 2]


def test_recall() -> None:
    ranks = torch.tensor([0, 1, 4, 5])
    assert (recall_at(ranks, 1), recall_at(ranks, 5)) == (0.25, 0.75)
    assert math.isnan(recall_at(torch.zeros(0), 5))


def ranks_by_the_book(queries: Tensor, asked: Tensor, gallery: Tensor, products: Tensor) -> list[int]:
    """Each distance by itself, each product in turn."""
    ranks = []
    for query, product in zip(queries, asked.tolist(), strict=True):
        distances = ((gallery - query) ** 2).sum(dim=1)
        nearest = {each: float(distances[products == each].min()) for each in set(products.tolist())}
        own = nearest.pop(product, math.inf)
        ranks.append(sum(distance <= own for distance in nearest.values()))
    return ranks


@pytest.mark.parametrize("pictures", [1, 7, 8192])
def test_blocks_do_not_change_a_rank(monkeypatch: pytest.MonkeyPatch, pictures: int) -> None:
    monkeypatch.setattr(metrics, "QUERIES", 5)
    monkeypatch.setattr(metrics, "PICTURES", pictures)
    numbers = torch.Generator().manual_seed(3)
    products = torch.randint(0, 12, (60,), generator=numbers) * 3
    asked = torch.randint(0, 14, (23,), generator=numbers) * 3  # 36 and 39 are not there
    # On a grid, so that some are exactly as far as others; and far from the origin, where a product of matrices in
    # single precision says next to nothing of such distances.
    gallery = torch.randint(0, 9, (60, 3), generator=numbers) + 4096.0
    queries = torch.randint(0, 9, (23, 3), generator=numbers) + 4096.0
    expected = ranks_by_the_book(queries, asked, gallery, products)
    assert len(set(expected)) > 5
    assert product_ranks(queries, asked, gallery, products).tolist() == expected


def test_equal_pictures_are_equally_far_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "PICTURES", 100)
    picture = torch.randn(1, 64, generator=torch.Generator().manual_seed(0))
    query = picture + 0.01
    assert product_ranks(query, torch.tensor([7]), picture.repeat(1000, 1), torch.arange(1000)).tolist() == [999]


def test_an_empty_gallery_ranks_nothing() -> None:
    nothing = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    assert product_ranks(torch.zeros(2, 4), torch.tensor([1, 2]), *nothing).tolist() == [0, 0]
