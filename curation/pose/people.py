"""The people whom a pose estimator found, as one array."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fullshot.curation.pose.skeletons import Skeleton

FOUND = 0.05
"""A joint of a lower presence was not found at all (OpenPose), and its place says nothing."""


@dataclass(frozen=True, eq=False)
class People:
    """People of one picture, or of many.

    Args:
        keypoints: shape (N, J, 4), float: for each person and each joint of the skeleton its x and y as shares of the
            picture's width and height (0, 0 is the top left corner; outside [0, 1] the joint is guessed, outside the
            frame), then its visibility and its presence in [0, 1].
        skeleton: the joints.

    Raises:
        ValueError: the key points are not of that shape.
    """

    keypoints: NDArray[np.floating[Any]]
    skeleton: Skeleton

    def __post_init__(self) -> None:
        expected = (len(self.keypoints), len(self.skeleton.joints), 4)
        if self.keypoints.shape != expected:
            raise ValueError(f"key points must have shape {expected}, but got shape {self.keypoints.shape}")

    def __len__(self) -> int:
        return len(self.keypoints)

    def __getitem__(self, rows: int | slice | NDArray[Any]) -> Self:
        """Some of the people, by number, slice, numbers or mask; of one number, that person alone."""
        chosen = self.keypoints[[rows]] if isinstance(rows, int | np.integer) else self.keypoints[rows]
        return type(self)(chosen, self.skeleton)

    def joints(self, names: Sequence[str]) -> NDArray[np.floating[Any]]:
        """The key points of some joints, shape (N, len(names), 4).

        Raises:
            KeyError: a name is not one of the skeleton's.
        """
        return self.keypoints[:, self.skeleton.rows(names)]

    @property
    def boxes(self) -> NDArray[np.float64]:
        """The box round each person's joints, ``(x_min, y_min, x_max, y_max)``, as shares of the picture; (N, 4).

        It reaches beyond the picture where joints are guessed outside the frame.
        """
        points = places(self.keypoints, guessed=True)
        return np.concatenate([np.nanmin(points, axis=1), np.nanmax(points, axis=1)], axis=1)


def nobody(skeleton: Skeleton) -> People:
    """No people."""
    return People(np.zeros((0, len(skeleton.joints), 4)), skeleton)


def places(joints: NDArray[np.floating[Any]], *, guessed: bool = False) -> NDArray[np.float64]:
    """Where joints are.

    Args:
        joints: key points, shape (…, 4).
        guessed: whether a joint counts that was not found but guessed outside the frame (MediaPipe does that): the body
            goes on there.

    Returns:
        x and y as shares of the picture, shape (…, 2); NaN where a joint was not found.
    """
    found = joints[..., 3] >= FOUND
    if guessed:
        found = found | ((joints[..., :2] < 0) | (joints[..., :2] > 1)).any(axis=-1)
    return np.asarray(np.where(found[..., None], joints[..., :2], np.nan), np.float64)
