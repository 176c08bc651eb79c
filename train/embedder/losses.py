"""The weighted triplet loss, and the triplets it is worth computing on."""

import math

from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import TripletMarginMiner
from pytorch_metric_learning.reducers import MeanReducer
from pytorch_metric_learning.regularizers import LpRegularizer
from torch import Tensor, nn

Triplets = tuple[Tensor, Tensor, Tensor]
"""Indices of anchors, positives and negatives in a batch: three tensors of shape (T,), int64."""


def squared_euclidean() -> LpDistance:
    """Squared Euclidean distance between embeddings as they are, not normalised."""
    return LpDistance(normalize_embeddings=False, p=2, power=2)


def weighted_triplet_loss(margin: float, alpha: float, dimension: int, embedding_scale: str = "1/d") -> nn.Module:
    """The weighted triplet loss, ``L = L_triplet + α·L_emb``.

    ``L_triplet = mean over triplets of max(0, ‖a − p‖² − ‖a − n‖² + m)`` on embeddings that are not normalised;
    ``L_emb = s·mean(‖a‖² + ‖p‖² + ‖n‖²)`` holds them inside the margin's radius. The article that describes the loss
    shows ``s`` in a picture only: ``s = 1/d`` is the reading taken here, ``1/√d`` the other one.

    ``L_emb`` counts every embedding of the batch alike, ``3·s·mean ‖e‖²``. Over all triplets of a batch with equally
    many pictures of every product, that is the same as the mean over triplets.

    Args:
        margin: m > 0.
        alpha: α > 0.
        dimension: d, the length of an embedding.
        embedding_scale: ``1/d`` or ``1/sqrt(d)``.

    Returns:
        A module to be called with embeddings (N, d), labels (N,) and, optionally, triplets; it gives a scalar.

    Raises:
        ValueError: a number is not above zero, or the scale is neither of the two.
    """
    if min(margin, alpha, dimension) <= 0:
        raise ValueError(f"expected margin, alpha and dimension above 0, got {margin}, {alpha}, {dimension}")
    scales = {"1/d": 1 / dimension, "1/sqrt(d)": 1 / math.sqrt(dimension)}
    if embedding_scale not in scales:
        raise ValueError(f"expected an embedding scale of {' or '.join(scales)}, got {embedding_scale!r}")
    loss: nn.Module = TripletMarginLoss(
        margin=margin,
        distance=squared_euclidean(),
        reducer=MeanReducer(),
        embedding_regularizer=LpRegularizer(p=2, power=2),
        embedding_reg_weight=3 * alpha * scales[embedding_scale],
    )
    return loss


def mine_triplets(embeddings: Tensor, products: Tensor, wears: Tensor, margin: float) -> Triplets:
    """The triplets of a batch that violate the margin, hard and semi-hard, with the negative of the anchor's wear.

    A shoe is told from a shirt by its wear before vectors are compared, so a shoe teaches nothing about shirts.

    Args:
        embeddings: shape (N, d).
        products: shape (N,), the product of each.
        wears: shape (N,), the wear of each, as a number.
        margin: m, in squared Euclidean distance.
    """
    miner = TripletMarginMiner(margin=margin, type_of_triplets="all", distance=squared_euclidean())
    anchors, positives, negatives = miner(embeddings, products)
    same_wear = wears[anchors] == wears[negatives]
    return anchors[same_wear], positives[same_wear], negatives[same_wear]
