"""Some pictures with the boxes that were found in them, as TensorBoard shows them after each epoch."""

from collections.abc import Sequence

from PIL import Image

from fullshot.core.boxes import Box, Picture
from fullshot.train.detector.photos import draw_boxes

SHOWN = 6
"""Pictures of a sample."""

_SURE = 0.25
"""The least score of their boxes."""


def side_by_side(pictures: Sequence[Picture], found: Sequence[Sequence[Box]]) -> Image.Image:
    """Pictures with their boxes, one beside the other.

    Args:
        pictures: one or more, each of shape (height, width, 3), uint8, RGB; the first :data:`SHOWN` are drawn.
        found: their boxes, in their pixels, the best first; for as many pictures or more.
    """
    drawn = [
        draw_boxes(picture, [box for box in boxes if (box.score or 0) > _SURE])
        for picture, boxes in zip(pictures[:SHOWN], found, strict=False)
    ]
    whole = Image.new("RGB", (sum(one.width for one in drawn), max(one.height for one in drawn)))
    left = 0
    for one in drawn:
        whole.paste(one, (left, 0))
        left += one.width
    return whole
