"""Pictures with boxes as a training sees them: drawn anew each time, by torchvision's transforms."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from fullshot.train.detector.crops import part_about
from fullshot.train.detector.network_detector import GREY

_LEAST_SIDE = 4
"""In pixels; what is narrower after a crop shows too little of a garment to be learnt from."""


class Sample(NamedTuple):
    """One picture of a batch.

    Attributes:
        row: of the picture in the data set.
        seed: of what is drawn for it.
        height: of the batch, in pixels.
        width: of the batch, in pixels.
    """

    row: int
    seed: int
    height: int
    width: int


_PLACED = v2.Compose(
    [
        v2.RandomHorizontalFlip(),
        v2.RandomChoice(
            [
                v2.Identity(),
                v2.RandomZoomOut(fill=GREY, side_range=(1.0, 2.2), p=1.0),
                v2.RandomIoUCrop(min_scale=0.4, sampler_options=[0.3, 0.5, 0.7, 0.9, 1.0]),
            ],
            p=[0.3, 0.25, 0.45],
        ),
    ]
)
"""Before a picture is brought to its size."""

_PLACED_CROP = v2.Compose(
    [v2.RandomHorizontalFlip(), v2.RandomApply([v2.RandomZoomOut(fill=GREY, side_range=(1.0, 2.2), p=1.0)], p=0.5)]
)
"""The same of a crop about a box; it is not cropped again, but shown smaller, as garments are in a whole picture."""

_COLOURED = v2.Compose(
    [
        v2.RandomApply([v2.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.4, hue=0.04)], p=0.7),
        v2.RandomGrayscale(0.05),
    ]
)
"""After it: a smaller picture has fewer pixels to change."""


def drawn(
    picture: Tensor, boxes: Tensor, labels: Tensor, sample: Sample, *, in_crops: bool = False
) -> tuple[Tensor, Mapping[str, Tensor]]:
    """A picture as it is learnt from this time.

    Args:
        picture: shape (3, height, width), uint8, RGB.
        boxes: shape (M, 4), float32, corners in pixels.
        labels: shape (M,), int64.
        sample: says what is drawn, and the size of the batch.
        in_crops: whether it is cropped about a box, any one of them, first.

    Returns:
        The picture, shape (3, sample.height, sample.width), uint8; and ``boxes`` and ``labels`` of what is still seen.
    """
    height, width = picture.shape[-2:]
    corners: Any = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(height, width))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(sample.seed)
        image: Any = tv_tensors.Image(picture)
        if in_crops:
            box: Any = boxes[int(torch.randint(len(boxes), ()))].tolist()
            part = part_about(box, width, height, torch.rand(4).tolist())
            where = (part.top, part.left, part.height, part.width)
            image, corners = v2.functional.crop(image, *where), v2.functional.crop(corners, *where)
            corners, which = v2.functional.sanitize_bounding_boxes(corners, min_size=_LEAST_SIDE)
            labels = labels[which]
        image, corners, labels = (_PLACED_CROP if in_crops else _PLACED)(image, corners, labels)
        image, corners = _fitted(image, corners, sample.height, sample.width)
        image = _COLOURED(image)
    kept, which = v2.functional.sanitize_bounding_boxes(corners, min_size=_LEAST_SIDE)
    return image.as_subclass(Tensor), {"boxes": kept.as_subclass(Tensor), "labels": labels[which]}


def _fitted(image: Any, boxes: Any, height: int, width: int) -> tuple[Any, Any]:
    """Brought into a rectangle with its sides in proportion, grey beside it, which is on either side by chance."""
    before_height, before_width = image.shape[-2:]
    share = min(height / before_height, width / before_width)
    size = [max(1, round(before_height * share)), max(1, round(before_width * share))]
    below, right = height - size[0], width - size[1]
    top, left = (int(torch.randint(free + 1, ())) for free in (below, right))
    padding = [left, top, right - left, below - top]
    image = v2.functional.pad(v2.functional.resize(image, size, antialias=True), padding, fill=GREY)
    return image, v2.functional.pad(v2.functional.resize(boxes, size), padding)
