import math

import pytest
import torch
from torch import Tensor

from fullshot.train.embedder.losses import mine_triplets, weighted_triplet_loss

# Two pictures of each of two products, of one wear; d = 2.
EMBEDDINGS = [[1.0, 0.0], [0.0, 2.0], [2.0, 1.0], [3.0, 3.0]]
PRODUCTS = [0, 0, 1, 1]
MARGIN, ALPHA = 0.5, 0.1


def by_hand(scale: float) -> float:
    """The formula as it is written, triplet by triplet."""
    hinges, sizes = [], []
    for a, anchor in enumerate(EMBEDDINGS):
        for p, positive in enumerate(EMBEDDINGS):
            for n, negative in enumerate(EMBEDDINGS):
                if a == p or PRODUCTS[a] != PRODUCTS[p] or PRODUCTS[a] == PRODUCTS[n]:
                    continue
                near = sum((x - y) ** 2 for x, y in zip(anchor, positive, strict=True))
                far = sum((x - y) ** 2 for x, y in zip(anchor, negative, strict=True))
                hinges.append(max(0.0, near - far + MARGIN))
                sizes.append(sum(x * x for part in (anchor, positive, negative) for x in part))
    return sum(hinges) / len(hinges) + ALPHA * scale * sum(sizes) / len(sizes)


@pytest.mark.parametrize(("name", "scale"), [("1/d", 1 / 2), ("1/sqrt(d)", 1 / math.sqrt(2))])
def test_is_the_formula_computed_by_hand(name: str, scale: float) -> None:
    loss = weighted_triplet_loss(MARGIN, ALPHA, 2, name)
    assert float(loss(torch.tensor(EMBEDDINGS), torch.tensor(PRODUCTS))) == pytest.approx(by_hand(scale))


def test_embeddings_are_not_normalised() -> None:
    loss = weighted_triplet_loss(MARGIN, ALPHA, 2)
    doubled = 2 * torch.tensor(EMBEDDINGS)
    assert float(loss(doubled, torch.tensor(PRODUCTS))) != pytest.approx(by_hand(1 / 2))


def test_a_batch_without_triplets_still_holds_embeddings_in() -> None:
    nothing: tuple[Tensor, Tensor, Tensor] = (torch.zeros(0, dtype=torch.long),) * 3
    loss = weighted_triplet_loss(MARGIN, ALPHA, 2)(torch.tensor(EMBEDDINGS), torch.tensor(PRODUCTS), nothing)
    mean_square = sum(x * x for row in EMBEDDINGS for x in row) / len(EMBEDDINGS)
    assert float(loss) == pytest.approx(ALPHA * 3 * mean_square / 2)


def test_mined_triplets_violate_the_margin_within_one_wear() -> None:
    generator = torch.Generator().manual_seed(1)
    embeddings = torch.randn(24, 3, generator=generator)
    products = torch.arange(24) // 3
    wears = products % 2
    anchors, positives, negatives = mine_triplets(embeddings, products, wears, MARGIN)
    assert len(anchors) > 0
    assert (products[anchors] == products[positives]).all()
    assert (anchors != positives).all()
    assert (products[anchors] != products[negatives]).all()
    assert (wears[anchors] == wears[negatives]).all()
    near = (embeddings[anchors] - embeddings[positives]).square().sum(1)
    far = (embeddings[anchors] - embeddings[negatives]).square().sum(1)
    assert (near - far + MARGIN > -1e-5).all()


@pytest.mark.parametrize(
    ("margin", "alpha", "dimension", "scale"),
    [(0, 0.1, 2, "1/d"), (0.5, -1, 2, "1/d"), (0.5, 0.1, 0, "1/d"), (0.5, 0.1, 2, "d")],
)
def test_numbers_that_make_no_loss(margin: float, alpha: float, dimension: int, scale: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        weighted_triplet_loss(margin, alpha, dimension, scale)
