"""What a training of an embedder shows as it goes: figures, where pictures come to lie, and what is nearest to some."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.boxes import Picture
from fullshot.train.journal import Journal

_MOST = 1_000
"""Pictures in the projector: TensorBoard lays their thumbnails on one sheet, and a browser moves so many smoothly."""

_THUMBNAIL = 48
_QUERIES, _NEIGHBOURS = 8, 5
_TILE, _EDGE = 80, 4
_RIGHT, _WRONG, _QUERY = (0, 158, 115), (213, 94, 0), (120, 120, 120)
"""Colours of frames; told apart by people who see colours differently."""


class Watching:
    """Tells TensorBoard of a training: ``tensorboard --logdir models``.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(folder)

    def scalars(self, row: Mapping[str, float | None]) -> None:
        """Write the figures of an epoch.

        Args:
            row: its ``epoch``, and figures by name, such as ``loss`` and ``recall@5``; None: not measured.
        """
        self._journal.scalars({name: value for name, value in row.items() if value is not None})

    def __call__(
        self, epoch: int, vectors: NDArray[np.float32], pictures: Sequence[Picture], labels: Sequence[str]
    ) -> None:
        """Show where pictures lie after an epoch, and what is nearest to some of them.

        Args:
            epoch: from 1.
            vectors: shape (N, d), float32.
            pictures: N, each of shape (height, width, 3), uint8, RGB; those of some are looked at.
            labels: N, such as product types: a neighbour of the same label is framed as right.
        """
        if len(vectors) < 2:
            return
        self._journal.picture("nearest", nearest_grid(vectors, pictures, labels), epoch)
        chosen = evenly(len(vectors), _MOST)
        thumbnails = np.stack([_square(pictures[row], _THUMBNAIL) for row in chosen])
        self._journal.embeddings(vectors[chosen], thumbnails, [labels[row] for row in chosen], epoch)


def nearest_grid(vectors: NDArray[np.float32], pictures: Sequence[Picture], labels: Sequence[str]) -> NDArray[np.uint8]:
    """A row a query: its picture, and the five nearest of the others, framed by whether their label is the query's.

    Args:
        vectors: see :meth:`Watching.__call__`.
        pictures: likewise.
        labels: likewise.

    Returns:
        Shape (height, width, 3), uint8, RGB. The queries are the same in every epoch.
    """
    side = _TILE + 2 * _EDGE
    neighbours = min(_NEIGHBOURS, len(vectors) - 1)
    queries = evenly(len(vectors), _QUERIES)
    grid = np.full((len(queries) * side, (1 + neighbours) * side, 3), 255, np.uint8)
    for line, query in enumerate(queries):
        distances = ((vectors - vectors[query]) ** 2).sum(axis=1)
        distances[query] = -np.inf
        for place, row in enumerate(np.argsort(distances, kind="stable")[: 1 + neighbours]):
            frame = _QUERY if place == 0 else _RIGHT if labels[row] == labels[query] else _WRONG
            top, left = line * side, place * side
            grid[top : top + side, left : left + side] = frame
            tile = _square(pictures[row], _TILE)
            grid[top + _EDGE : top + _EDGE + _TILE, left + _EDGE : left + _EDGE + _TILE] = tile
    return grid


def evenly(count: int, most: int) -> NDArray[np.int64]:
    """Numbers below ``count``, ``most`` of them at most, evenly apart: the same ones every time."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _square(picture: Picture, side: int) -> NDArray[np.uint8]:
    """A picture within a white square, its proportions kept: shape (side, side, 3), uint8."""
    small = Image.fromarray(np.ascontiguousarray(picture))
    small.thumbnail((side, side), Image.Resampling.BILINEAR)
    square = Image.new("RGB", (side, side), "white")
    square.paste(small, ((side - small.width) // 2, (side - small.height) // 2))
    return np.asarray(square)
