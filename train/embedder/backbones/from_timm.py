"""Any network of timm as a backbone, by the name that timm has for it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import timm
import torch
from torch import Tensor, nn

from fullshot.core.errors import UserError

_MAPS = 4
"""Axes of maps: pictures, channels, height, width."""


class Body(nn.Module):
    """A network of timm without its classifier, whose maps are not pooled.

    Args:
        body: the network.
    """

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body
        # The order of bytes in which a CPU convolves half as fast again (23 pictures a second against 15, measured).
        self.to(memory_format=torch.channels_last)

    def forward(self, crops: Tensor) -> Tensor:
        features: Tensor = self.body(crops.contiguous(memory_format=torch.channels_last))
        return features

    def give(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of the whole network that timm has under this name; the classifier's are not needed.

        Raises:
            UserError: they are not of this backbone.
        """
        own = self.body.state_dict()
        found = {name: weights[name] for name in own if name in weights and weights[name].shape == own[name].shape}
        if len(found) < len(own):
            raise UserError("the weights to start from are of another backbone than the one to be trained")
        self.body.load_state_dict(found)


class TimmBackbone:
    """A network of timm; see :class:`fullshot.core.interfaces.Backbone`.

    Args:
        name: that timm has for it, with or without a tag of its weights.

    Attributes:
        feature_size: F, the channels of its maps, or the length of what it gives.
        input_size: side in pixels of the pictures that it was made for.
        fixed_size: whether it takes no other size.
        mean: of each channel, as it was made for.
        std: of each channel, as it was made for.
        gives_maps: whether it gives maps (N, F, height, width), which are to be pooled; else it gives (N, F).

    Raises:
        UserError: timm has no network of this name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            with torch.device("meta"):  # no memory, and no random number, is used up to ask for shapes
                body: Any = timm.create_model(name, num_classes=0, global_pool="")
                about = body.pretrained_cfg
                self.input_size = int(about["input_size"][-1])
                picture = torch.empty(1, *about["input_size"])
                shape = body.eval()(picture).shape
                # A transformer gives tokens, or maps whose channels come last: it pools them as it was made to.
                self.gives_maps = len(shape) == _MAPS and shape[1] == body.num_features
                if not self.gives_maps:
                    shape = timm.create_model(name, num_classes=0).eval()(picture).shape
        except (RuntimeError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"the backbone {name!r} of timm: {' '.join(str(error).split())[:200]}") from None
        self.feature_size = int(shape[1])
        self.fixed_size = bool(about.get("fixed_input_size"))
        self.mean: tuple[float, float, float] = tuple(about["mean"])
        self.std: tuple[float, float, float] = tuple(about["std"])

    def network(self) -> Body:
        """A new network with random weights: (N, 3, side, side) → (N, F, height, width), or (N, F)."""
        more: Any = {"global_pool": ""} if self.gives_maps else {}
        return Body(timm.create_model(self.name, num_classes=0, **more))

    @cached_property
    def names(self) -> Mapping[str, Tensor]:
        """The weights of the whole network, classifier and all: names in their order, without values."""
        with torch.device("meta"):
            whole: Mapping[str, Tensor] = timm.create_model(self.name).state_dict()
        return whole


def is_known(name: str) -> bool:
    """Whether timm has a network of this name."""
    return bool(timm.is_model(name))
