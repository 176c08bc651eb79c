import math

import torch

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
