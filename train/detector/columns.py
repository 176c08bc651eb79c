"""The boxes of many pictures in columns: of millions, none is an object."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Box


@dataclass(frozen=True)
class BoxColumns:
    """N boxes, those of a picture one after the other.

    Attributes:
        pictures: shape (N,), int64, ascending: the number of each one's picture, from 0.
        labels: shape (N,), int64: the place of each one's label among those that are told apart.
        corners: shape (N, 4), float64: ``(x_min, y_min, x_max, y_max)``, in pixels of the upright picture.
        scores: shape (N,), float64, in [0, 1]; NaN of a box that was drawn.
    """

    pictures: NDArray[np.int64]
    labels: NDArray[np.int64]
    corners: NDArray[np.float64]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, labels: Sequence[str], pictures: Iterable[Sequence[Box]]) -> Self:
        """The boxes of pictures, in their order; those with another label are left out.

        Args:
            labels: that are told apart.
            pictures: each one's boxes.
        """
        places = {label: place for place, label in enumerate(labels)}
        numbers, classes, corners, scores = array("q"), array("q"), array("d"), array("d")
        for number, boxes in enumerate(pictures):
            for box in boxes:
                if box.label not in places:
                    continue
                numbers.append(number)
                classes.append(places[box.label])
                corners.extend(box.corners)
                scores.append(np.nan if box.score is None else box.score)
        return cls(
            np.array(numbers, np.int64),
            np.array(classes, np.int64),
            np.array(corners, np.float64).reshape(-1, 4),
            np.array(scores, np.float64),
        )

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def areas(self) -> NDArray[np.float64]:
        """Shape (N,), float64, in square pixels."""
        return np.asarray(np.prod(self.corners[:, 2:] - self.corners[:, :2], axis=1))

    def chosen(self, which: NDArray[np.bool_]) -> "BoxColumns":
        """Those of the boxes that are chosen, shape (N,)."""
        return BoxColumns(self.pictures[which], self.labels[which], self.corners[which], self.scores[which])

    def of_pictures(self, which: NDArray[np.bool_]) -> "BoxColumns":
        """The boxes of chosen pictures, which are numbered anew.

        Args:
            which: shape (P,), of all P pictures.
        """
        kept = self.chosen(which[self.pictures])
        numbers = np.cumsum(which) - 1
        return BoxColumns(numbers[kept.pictures], kept.labels, kept.corners, kept.scores)

    def borders(self, pictures: int) -> NDArray[np.int64]:
        """Shape (P + 1,): where each of P pictures' boxes begin, and the end."""
        return np.searchsorted(self.pictures, np.arange(pictures + 1))
