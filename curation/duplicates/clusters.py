"""Clusters of near duplicates, and the picture that stands for each."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def label_clusters(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Clusters of pictures that pairs join, by union-find.

    Args:
        count: how many pictures there are.
        pairs: int64 (M, 2), rows of pictures.

    Returns:
        int64 (count,), for each picture the lowest row of its cluster: its own where it is alone.
    """
    if count == 0:
        return np.zeros(0, np.int64)
    graph = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    return np.asarray(first[labels], np.int64)


def representatives(
    labels: NDArray[np.int64],
    pixels: NDArray[np.int64],
    sharpness: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Which picture stands for each cluster: the largest, then the sharpest, then the first.

    Args:
        labels: int64 (N,), one number a cluster.
        pixels: int64 (N,), width times height.
        sharpness: float (N,); NaN is less sharp than anything.

    Returns:
        int64 (N,), for each picture the row of the one that stands for its cluster; that one's is its own.
    """
    if len(labels) == 0:
        return np.zeros(0, np.int64)
    order = np.lexsort((-np.nan_to_num(sharpness, nan=-np.inf), -pixels, labels))
    in_order = labels[order]
    starts = np.r_[True, in_order[1:] != in_order[:-1]]
    chosen = np.empty(len(labels), np.int64)
    chosen[order] = order[starts][np.cumsum(starts) - 1]
    return chosen
