"""A detector of torchvision as a file, and opened from it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fullshot.core.errors import UserError
from fullshot.core.files import write_bytes
from fullshot.train.detector.torchvision.networks import (
    ARCHITECTURES,
    MAX_OVERLAP,
    STRIDE,
    Candidates,
    TwoStages,
    build,
)
from fullshot.train.exported import Export, NotExportable

_TWO_STAGES = "faster-rcnn"
_SQUARE = "ssdlite"

_TELL_LABELS = ("cls_logits", "cls_score", "bbox_pred", "classification_head.module_list")
"""Parts of the names of weights that belong to a label each."""

Run = Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]]


@dataclass(frozen=True)
class Saved:
    """What a file of weights holds.

    Attributes:
        architecture: see :data:`fullshot.train.detector.torchvision.networks.ARCHITECTURES`.
        backbone: of timm.
        labels: in the order of class numbers.
        image_size: longer side in pixels that it was trained with.
        weights: by name. Those of layers are kept as float16, which moves no box that is seen, and read as float32.
    """

    architecture: str
    backbone: str
    labels: tuple[str, ...]
    image_size: int
    weights: Mapping[str, Tensor]

    def network(self) -> nn.Module:
        """The network with these weights, in evaluation mode."""
        network, _ = build(self.architecture, self.backbone, len(self.labels))
        network.load_state_dict(self.weights)
        return network.eval()


def save(path: Path, saved: Saved) -> None:
    """Write a file of weights in the format safetensors, in one step."""
    about = {
        "architecture": saved.architecture,
        "backbone": saved.backbone,
        "labels": json.dumps(saved.labels),
        "image_size": str(saved.image_size),
    }
    weights = {name: (value.half() if value.ndim > 1 else value).contiguous() for name, value in saved.weights.items()}
    write_bytes(path, safetensors.torch.save(weights, about))


def read(path: Path) -> Saved:
    """Read a file of weights; nothing in it is run.

    Raises:
        UserError: it is not there, or not such a file.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            about = file.metadata()
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
        if about["architecture"] not in ARCHITECTURES:
            raise ValueError(about["architecture"])
        labels, image_size = tuple(json.loads(about["labels"])), int(about["image_size"])
    except Exception as error:  # a broken file makes its readers stumble over anything
        words = f"({type(error).__name__})"
        raise UserError(f"{path} holds no detector that fullshot trained with torchvision {words}") from None
    weights = {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    return Saved(about["architecture"], about["backbone"], labels, image_size, weights)


def carry_over(saved: Saved, network: nn.Module, labels: Sequence[str]) -> None:
    """Give a network the weights of another of its kind; where their labels differ, it learns to tell them anew.

    Args:
        saved: the other one.
        network: of the same architecture and backbone.
        labels: that the network is to tell apart.

    Raises:
        UserError: it is of another kind.
    """
    own = network.state_dict()
    is_of_labels = {name for name in own if any(part in name for part in _TELL_LABELS)}
    # The same shape does not make them the same labels.
    anew = is_of_labels if tuple(labels) != saved.labels else set()
    found = {name: value for name, value in saved.weights.items() if name in own and name not in anew}
    found = {name: value for name, value in found.items() if value.shape == own[name].shape}
    if len(found) < len(own) - len(anew):
        raise UserError(
            f"weights to start from: they are of {saved.architecture} on {saved.backbone}, which is another network "
            "than the one to be trained"
        )
    network.load_state_dict(found, strict=False)


class Runner(NamedTuple):
    """A network that torch runs, for :class:`fullshot.train.detector.candidates.CandidateNetwork`."""

    run: Run
    facts: Mapping[str, str]


def runner(network: nn.Module, architecture: str, labels: Sequence[str], device: torch.device) -> Runner:
    """A network as it is asked for boxes, run by torch.

    Args:
        network: see :func:`fullshot.train.detector.torchvision.networks.build`; in evaluation mode.
        architecture: of it.
        labels: in the order of class numbers.
        device: that it lies on, or is to lie on.
    """
    asked: Any = (TwoStages if architecture == _TWO_STAGES else Candidates)(network).eval().to(device)

    def run(pictures: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        with torch.inference_mode():
            return [given.float().cpu().numpy() for given in asked(torch.from_numpy(pictures).to(device))]

    return Runner(run, _facts(architecture, labels))


def _facts(architecture: str, labels: Sequence[str]) -> Mapping[str, str]:
    return {
        "labels": json.dumps(list(labels)),
        "stride": str(STRIDE),
        "end2end": str(architecture == _TWO_STAGES),
        "overlap": str(MAX_OVERLAP),
        "square": str(architecture == _SQUARE),
        "several": str(True),
        "smooth": str(True),
        "family": architecture,
    }


def export_of(saved: Saved) -> Export:
    """What :class:`fullshot.train.detector.candidates.CandidateNetwork` needs of a detector.

    Raises:
        NotExportable: it looks at a picture in two stages.
    """
    if saved.architecture == _TWO_STAGES:
        raise NotExportable("a network that looks in two stages is not exported")
    is_square = saved.architecture == _SQUARE
    generator = torch.Generator().manual_seed(0)
    side = -(-saved.image_size // STRIDE) * STRIDE
    other = side if is_square else side + STRIDE
    return Export(
        Candidates(saved.network()).eval(),
        example=torch.rand(1, 3, side, side, generator=generator),
        other=torch.rand(2, 3, side, other, generator=generator),
        axes={"pictures": [0] if is_square else [0, 2, 3], "boxes": [0] if is_square else [0, 2], "features": [0]},
        facts={**_facts(saved.architecture, saved.labels), "image_size": str(saved.image_size)},
    )
