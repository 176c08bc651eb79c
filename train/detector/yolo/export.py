"""A YOLO's network as :mod:`fullshot.train.exported` writes it: the boxes and the features in one pass."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fullshot.train.detector.yolo import library
from fullshot.train.detector.yolo.weights import keep_backbone_output
from fullshot.train.exported import Export, NotExportable

_HEADS = {"Detect", "v10Detect"}
"""The last layers that are known to get their pictures prepared, and to give their boxes, as it is done without torch;
that of RT-DETR does not."""


_MAX_OVERLAP = 0.7
"""Of two boxes of one label that overlap more (IoU), the better one is reported: Ultralytics' default."""


class _WithFeatures(nn.Module):
    """Gives the head's output, and the backbone's, averaged over the picture."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self._backbone_output: list[Tensor] = []
        keep_backbone_output(network, self._backbone_output)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        boxes: Tensor = self.network(pictures)
        return boxes, self._backbone_output[0].mean(dim=(2, 3))


def export_of(weights: Path, image_size: int) -> Export:
    """What :class:`fullshot.train.detector.candidates.CandidateNetwork` needs of a file of weights.

    Args:
        weights: a ``.pt`` file of Ultralytics.
        image_size: longer side in pixels that pictures are brought to.

    Raises:
        UserError: the file does not hold a detector.
        NotExportable: it holds one of another kind.
    """
    model = library.open_model(str(weights))
    network = model.model.float().eval().fuse(verbose=False)
    head = network.model[-1]
    if type(head).__name__ not in _HEADS:
        raise NotExportable(f"a network whose head is {type(head).__name__} is not exported")
    head.export, head.dynamic, head.format = True, True, "onnx"
    stride = int(max(network.stride))
    side = -(-image_size // stride) * stride
    generator = torch.Generator().manual_seed(0)
    return Export(
        _WithFeatures(network).eval(),
        example=torch.rand(1, 3, side, side, generator=generator),
        other=torch.rand(2, 3, side, max(stride, side - stride), generator=generator),
        axes={"pictures": [0, 2, 3], "boxes": [0, 1] if head.end2end else [0, 2], "features": [0]},
        facts={
            "labels": json.dumps([str(name) for _, name in sorted(model.names.items())]),
            "stride": str(stride),
            "end2end": str(bool(head.end2end)),
            "overlap": str(_MAX_OVERLAP),
            "square": str(False),
            "image_size": str(image_size),
            "several": str(False),
            "smooth": str(False),
            "family": "yolo",
        },
    )
