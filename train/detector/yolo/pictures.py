"""What is known of a data set's pictures before Ultralytics reads them, and what it has read."""

import numpy as np
from numpy.typing import NDArray

from fullshot.train.detector.data import DetectionData

Loaded = tuple[NDArray[np.uint8], tuple[int, int], tuple[int, int]]
"""A picture (height, width, 3), uint8, BGR, brought to a training's size; height and width before, and after."""


class Pictures:
    """What is known of pictures before they are read, and those that were.

    Attributes:
        shapes: height and width of each picture upright, by its ``image_id``.
        in_memory: what was read, by its path in the data set and the side in pixels that it was brought to.
        in_crops: see :class:`fullshot.train.detector.data.DetectionData`.
    """

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[int, int]] = {}
        self.in_memory: dict[tuple[str, int], Loaded] = {}
        self.in_crops = False

    def know(self, data: DetectionData) -> None:
        """Note the shapes of these pictures, and how they are learnt from."""
        self.in_crops = data.in_crops
        for pictures in data.splits.values():
            self.shapes.update({picture.image_id: (picture.height, picture.width) for picture in pictures})

    def forget(self) -> None:
        """Free the memory."""
        self.shapes.clear()
        self.in_memory.clear()
