"""From vectors to places on a plane: near ones stay near."""

import math

import numpy as np
from numpy.typing import NDArray

_SEED = 0

_PERPLEXITY = 30.0
"""Neighbours that a place depends on, about; 5 to 50 are usual (van der Maaten and Hinton 2008)."""

_CELLS = 2.6
"""Cells of the grid that pictures are given, for each of them: with fewer, groups lose their shape; with more, pictures
become small."""

_MARGIN = 0.12
"""Cells around the grid, as a share of its longer side: a group at the border keeps its shape, too."""

_NARROWEST = 0.2
"""A side of the grid at least, as a share of the longer one: of items in a row it would have no area."""

_FEWEST = 5
"""With fewer items there is nothing to lay out."""


def lay_out(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The places of vectors by t-SNE (van der Maaten 2014, Barnes-Hut): the same for the same vectors.

    Args:
        vectors: shape (N, d), float32.

    Returns:
        Shape (N, 2), in [0, 1], with the proportions that it gave; a grid where there are fewer than five
        vectors, or all are the same.
    """
    if len(vectors) < _FEWEST or np.ptp(vectors, axis=0).max() == 0:
        return _grid(len(vectors))
    places = _by_tsne(vectors)
    low, high = places.min(axis=0), places.max(axis=0)
    extent = float((high - low).max()) or 1.0
    result: NDArray[np.float64] = (places - (low + high) / 2) / extent + 0.5
    return result


def spread(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Give each item a cell of a grid, the nearest that is free: no picture covers another, and neighbours stay so.

    Those in the middle choose first, so that a dense group grows outwards.

    Args:
        places: shape (N, 2), see :func:`lay_out`.

    Returns:
        The middles of their cells, shape (N, 2), within [0, 1]; and the side of a cell.
    """
    low = places.min(axis=0)
    extent = np.maximum(np.ptp(places, axis=0), _NARROWEST)
    side = math.sqrt(extent.prod() / (_CELLS * len(places)))
    columns, rows = (math.ceil(length / side) for length in extent)
    margin = max(1, round(_MARGIN * max(columns, rows)))
    lines = (np.arange(-margin, count + margin) + 0.5 for count in (columns, rows))
    free = np.stack(np.meshgrid(*lines), axis=-1).reshape(-1, 2)
    wanted = (places - low) / side
    taken = np.zeros_like(places)
    middle = np.array([columns, rows]) / 2
    for item in np.argsort(((wanted - middle) ** 2).sum(axis=1), kind="stable"):
        nearest = int(((free - wanted[item]) ** 2).sum(axis=1).argmin())
        taken[item] = free[nearest]
        free[nearest] = np.inf
    first, last = taken.min(axis=0) - 0.5, taken.max(axis=0) + 0.5
    longest = float((last - first).max())
    result: NDArray[np.float64] = (taken - (first + last) / 2) / longest + 0.5
    return result, 1 / longest


def _by_tsne(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    # Threads add up forces in an order of their own, and the last digits decide where a group goes in the end.
    with threadpool_limits(1):
        found = TSNE(2, perplexity=perplexity, init="pca", random_state=_SEED, n_jobs=1).fit_transform(vectors)
    return np.asarray(found, np.float64)


def _grid(count: int) -> NDArray[np.float64]:
    side = max(1, math.ceil(math.sqrt(count)))
    numbers = np.arange(count)
    return (np.stack([numbers % side, numbers // side], axis=1) + 0.5) / side
