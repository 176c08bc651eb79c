"""Torchvision's detectors on a backbone of timm: built here, and asked for boxes in one way.

Pictures are tensors of shape (N, 3, height, width), float32 in [0, 1], RGB, whose sides are multiples of
:data:`STRIDE`; a network normalises them itself. Class numbers start at 0, whatever torchvision counts from.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

import timm
import torch
from torch import Tensor, nn
from torchvision.models.detection import FCOS, FasterRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD
from torchvision.models.detection.ssdlite import SSDLiteHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import Conv2dNormActivation, FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from fullshot.core.errors import UserError

STRIDE = 64
"""Of the coarsest map: with sides that are no multiple of it, its cells would not lie where the anchors say."""

CHANNELS = 96
"""Of each map of the pyramid."""

_STRIDES = (8, 16, 32)
"""Of the backbone's maps; the pyramid adds the coarser one itself."""

_RATIOS = (0.5, 1.0, 2.0)

_EXTRA_CHANNELS = (512, 256, 256, 128)
"""Of the maps that SSDLite adds: those of torchvision's own."""

_SSD_SIDE = 320
"""In pixels; no picture is brought to it, but torchvision's SSD asks for one."""

MAX_OVERLAP = 0.6
"""Of two boxes of one label that overlap more (IoU), the better one is reported: as FCOS' authors do."""

_LEAST_SCORE = 0.001
"""Of a box that a Faster R-CNN gives; whoever asks for boxes wants surer ones."""

_NORM = partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)


class TimmBackbone(nn.Module):
    """A backbone of timm that gives maps at some strides.

    Args:
        name: of a backbone that timm knows.
        strides: of the maps.

    Attributes:
        body: the backbone alone.
        mean: what it was made for: to be taken from each channel of a picture.
        std: what each channel is divided by.

    Raises:
        UserError: timm does not know it, or it has no such maps.
    """

    def __init__(self, name: str, strides: Sequence[int]) -> None:
        super().__init__()
        try:
            info: Any = timm.create_model(name, features_only=True).feature_info
            levels = [info.reduction().index(stride) for stride in strides]
        except (RuntimeError, ValueError, AttributeError):
            raise UserError(
                f"the backbone {name!r}: expected one that timm knows, with maps at the strides 8, 16 and 32, such as "
                "tf_efficientnet_lite0 or resnet18"
            ) from None
        body: Any = timm.create_model(name, features_only=True, out_indices=levels)
        self.body: Any = body
        self.mean: tuple[float, ...] = tuple(body.pretrained_cfg["mean"])
        self.std: tuple[float, ...] = tuple(body.pretrained_cfg["std"])
        self._first = tuple(f"{row['module']}." for row in info.info if row["reduction"] < _STRIDES[0])
        self._keeps_statistics = False

    def give(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of the whole network that timm has under this name.

        Args:
            weights: by the names that they have there; those of layers that give no maps are not needed.

        Raises:
            UserError: they are not of this backbone.
        """
        own = self.body.state_dict()
        # Where maps are asked for, timm writes the first number of a name otherwise: ``stages.0.…`` is ``stages_0.…``.
        flat = {re.sub(r"^(\w+)\.(\d+)\.", r"\1_\2.", name): value for name, value in weights.items()}
        found = {name: {**flat, **weights}.get(name) for name in own}
        if not all(value is not None and value.shape == own[name].shape for name, value in found.items()):
            raise UserError("the weights to start from are of another backbone than the one to be trained")
        self.body.load_state_dict(found)

    def freeze(self) -> None:
        """Keep a pretrained backbone's first layers as they are, and the statistics of all its normalisations.

        The first layers see edges and colours, which are the same everywhere, and cost the most, at the finest strides;
        statistics of small batches are worse than those that the backbone comes with.
        """
        parameters = list(self.body.named_parameters())
        first = [number for number, (name, _) in enumerate(parameters) if name.startswith(self._first)]
        for _, parameter in parameters[: max(first, default=-1) + 1]:
            parameter.requires_grad_(False)
        self._keeps_statistics = True
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As of any module, but for what :meth:`freeze` keeps."""
        super().train(mode)
        if self._keeps_statistics:
            for module in self.body.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


class Pyramid(TimmBackbone):
    """A backbone with a feature pyramid: maps of :data:`CHANNELS` at the strides 8, 16, 32 and 64."""

    def __init__(self, name: str) -> None:
        super().__init__(name, _STRIDES)
        self.out_channels = CHANNELS
        self.pyramid = FeaturePyramidNetwork(self.body.feature_info.channels(), CHANNELS, LastLevelMaxPool())

    def forward(self, pictures: Tensor) -> Mapping[str, Tensor]:
        """Maps by their place, the finest first."""
        maps: Mapping[str, Tensor] = self.pyramid({str(level): one for level, one in enumerate(self.body(pictures))})
        return maps


class Extended(TimmBackbone):
    """A backbone whose last two maps are followed by ever smaller ones: at the strides 16, 32, 64, 128, 256 and 512.

    The blocks are those of SSDLite (https://arxiv.org/abs/1801.04381): a pointwise, a depthwise and a pointwise layer.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, _STRIDES[1:])
        channels = [*self.body.feature_info.channels(), *_EXTRA_CHANNELS]
        self.all_channels = channels
        self.extra = nn.ModuleList(map(_extra_block, channels[1:], channels[2:]))

    def forward(self, pictures: Tensor) -> Mapping[str, Tensor]:
        """Maps by their place, the finest first."""
        maps = list(self.body(pictures))
        for block in self.extra:
            maps.append(block(maps[-1]))
        return {str(level): one for level, one in enumerate(maps)}


def _extra_block(into: int, out: int) -> nn.Module:
    return nn.Sequential(
        Conv2dNormActivation(into, out // 2, kernel_size=1, norm_layer=_NORM, activation_layer=nn.ReLU6),
        Conv2dNormActivation(
            out // 2, out // 2, kernel_size=3, stride=2, groups=out // 2, norm_layer=_NORM, activation_layer=nn.ReLU6
        ),
        Conv2dNormActivation(out // 2, out, kernel_size=1, norm_layer=_NORM, activation_layer=nn.ReLU6),
    )


def build(architecture: str, backbone: str, classes: int) -> "tuple[nn.Module, int]":
    """A detector of torchvision with random weights.

    Args:
        architecture: one of :data:`ARCHITECTURES`.
        backbone: of timm.
        classes: how many labels it tells apart.

    Returns:
        The detector, which takes and gives what torchvision's do; and the number of its first label: 0, or 1 where it
        counts the background as one.

    Raises:
        UserError: timm does not know the backbone, or it has no maps as they are needed.
    """
    kind, make, first = ARCHITECTURES[architecture]
    body = kind(backbone)
    network: Any = make(body, classes)
    network.transform = _AsTheyCome(0, 0, body.mean, body.std, size_divisible=1)
    return network, first


class _AsTheyCome(GeneralizedRCNNTransform):  # type: ignore[misc]  # not typed
    """Normalises pictures, which come in the size that they are to be seen at."""

    def resize(self, image: Tensor, target: dict[str, Tensor] | None = None) -> tuple[Tensor, dict[str, Tensor] | None]:
        return image, target


def _fcos(backbone: Pyramid, classes: int) -> nn.Module:
    anchors = AnchorGenerator(tuple((stride,) for stride in (*_STRIDES, STRIDE)), ((1.0,),) * 4)
    network: nn.Module = FCOS(backbone, classes, anchor_generator=anchors)
    return network


def _retinanet(backbone: Pyramid, classes: int) -> nn.Module:
    scales = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
    sizes = tuple(tuple(4 * stride * scale for scale in scales) for stride in (*_STRIDES, STRIDE))
    network: nn.Module = RetinaNet(backbone, classes, anchor_generator=AnchorGenerator(sizes, (_RATIOS,) * 4))
    return network


def _faster_rcnn(backbone: Pyramid, classes: int) -> nn.Module:
    anchors = AnchorGenerator(tuple((4 * stride,) for stride in (*_STRIDES, STRIDE)), (_RATIOS,) * 4)
    pool = MultiScaleRoIAlign(["0", "1", "2"], output_size=7, sampling_ratio=2)
    network: nn.Module = FasterRCNN(backbone, classes + 1, rpn_anchor_generator=anchors, box_roi_pool=pool)
    return network


def _ssdlite(backbone: Extended, classes: int) -> nn.Module:
    channels = backbone.all_channels
    # As of torchvision's ssdlite320_mobilenet_v3_large. Boxes lie as shares of the picture, whatever its size.
    boxes = DefaultBoxGenerator([[2, 3]] * len(channels), min_ratio=0.2, max_ratio=0.95)
    head = SSDLiteHead(channels, boxes.num_anchors_per_location(), classes + 1, _NORM)
    network: nn.Module = SSD(backbone, boxes, (_SSD_SIDE, _SSD_SIDE), classes + 1, head=head)
    return network


ARCHITECTURES: Mapping[str, tuple[Callable[[str], Any], Callable[[Any, int], nn.Module], int]] = {
    "fcos": (Pyramid, _fcos, 0),
    "retinanet": (Pyramid, _retinanet, 0),
    "faster-rcnn": (Pyramid, _faster_rcnn, 1),
    "ssdlite": (Extended, _ssdlite, 1),
}
"""By family: what gives maps, what looks for boxes in them, and the number of the first label."""


class Candidates(nn.Module):
    """A detector that looks at every place once, with torchvision's choice of boxes left out: it can be exported.

    Args:
        network: of :func:`build`, but for a Faster R-CNN, see :class:`TwoStages`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        given: Any = network
        self.network: Any = given
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(given.transform.image_mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(given.transform.image_std).reshape(1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The box and the scores of every place, and what the pictures look like.

        Args:
            pictures: shape (N, 3, height, width), float32 in [0, 1], RGB; sides are multiples of :data:`STRIDE`.

        Returns:
            Shape (N, 4 + classes, K): centre, width and height in pixels, then scores in [0, 1]; and the mean of the
            pyramid's coarsest map, shape (N, D).
        """
        network = self.network
        maps = list(network.backbone((pictures - self.mean) / self.std).values())
        heads = network.head(maps)
        size = (int(pictures.shape[-2]), int(pictures.shape[-1]))
        anchors = network.anchor_generator(ImageList(pictures, [size]), maps)[0]
        logits = heads["cls_logits"]
        scores = logits.softmax(dim=-1)[..., 1:] if isinstance(network, SSD) else logits.sigmoid()
        if "bbox_ctrness" in heads:
            # As in FCOS' paper; torchvision takes the root of it, which ranks the same and calls unsure boxes sure.
            scores = scores * heads["bbox_ctrness"].sigmoid()
        corners = _decoded(network, heads["bbox_regression"], anchors)
        low, high = corners[..., :2], corners[..., 2:]
        rows = torch.cat([(low + high) / 2, high - low, scores], dim=-1)
        return rows.transpose(1, 2), maps[-1].mean(dim=(2, 3))


def _decoded(network: Any, regression: Tensor, anchors: Tensor) -> Tensor:
    """Corners, shape (N, K, 4), of what a head gives, in pixels."""
    anchors = anchors.expand_as(regression)
    if isinstance(network, FCOS):
        decoded: Tensor = network.box_coder.decode(regression, anchors)
    else:
        rows = network.box_coder.decode_single(regression.reshape(-1, 4), anchors.reshape(-1, 4))
        decoded = rows.reshape_as(regression)
    return decoded


class TwoStages(nn.Module):
    """A Faster R-CNN that gives its boxes as :class:`Candidates` does, but each garment once.

    Args:
        network: of :func:`build`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network: Any = network
        network.roi_heads.score_thresh, network.roi_heads.nms_thresh = _LEAST_SCORE, MAX_OVERLAP  # type: ignore[union-attr]

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The boxes of pictures, and what the pictures look like.

        Args:
            pictures: see :meth:`Candidates.forward`.

        Returns:
            Shape (N, M, 6): corners in pixels, score and class number, with rows of zeros where a picture has fewer
            boxes than another; and the mean of the pyramid's coarsest map, shape (N, D).
        """
        network = self.network
        images, _ = network.transform(list(pictures))
        maps = network.backbone(images.tensors)
        proposals, _ = network.rpn(images, maps)
        found, _ = network.roi_heads(maps, proposals, images.image_sizes)
        rows = [
            torch.cat([one["boxes"], one["scores"][:, None], (one["labels"] - 1)[:, None].to(one["boxes"])], dim=1)
            for one in found
        ]
        return nn.utils.rnn.pad_sequence(rows, batch_first=True), list(maps.values())[-1].mean(dim=(2, 3))
