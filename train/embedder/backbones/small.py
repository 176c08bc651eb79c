"""A small convolutional network, to be trained from nothing on a CPU."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

WIDTHS = (24, 48, 96, 128)
"""Channels of the four blocks; each halves the picture's side."""


class SmallBackbone:
    """Four convolutional blocks, of which each adds to the features; it takes squares from 16 pixels on."""

    feature_size = sum(WIDTHS)
    input_size = 64
    mean = (0.5, 0.5, 0.5)
    std = (0.5, 0.5, 0.5)

    def network(self) -> "nn.Module":
        """A new network: (N, 3, side, side), float32, in [-1, 1] → (N, 296), float32."""
        from fullshot.train.embedder.backbones.blocks import Blocks  # not above: it loads torch

        return Blocks(WIDTHS)
