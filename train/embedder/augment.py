"""Light augmentation on batches: what two photos of one garment differ in, and never its colour."""

import math

import torch
from torch import Tensor
from torch.nn import functional

SCALE = 0.12
"""The most a crop grows or shrinks: people draw boxes that differ by about as much."""

SHIFT = 0.06
"""The most a crop is moved, as a share of its side."""

ROTATION = math.radians(8)
"""The most it is turned: people do not stand straight."""

BRIGHTNESS = 0.12
"""The most it becomes lighter or darker; all three channels alike, so that the hue stays."""


def augment(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Flip, move, scale, turn and relight every crop of a batch by itself.

    Args:
        crops: shape (N, 3, side, side), float in [0, 1], RGB.
        generator: where the random numbers come from, on the CPU.

    Returns:
        Shape and range of the input.
    """
    count = len(crops)

    def between(most: float) -> Tensor:
        return (torch.rand(count, generator=generator) * 2 - 1) * most

    angle, scale = between(ROTATION), 1 + between(SCALE)
    flip = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    # One sampling of the picture does all moves: theta maps places of the result to places of the crop.
    theta = torch.stack(
        [
            torch.stack([cosine * flip, -sine, between(2 * SHIFT)], dim=1),
            torch.stack([sine * flip, cosine, between(2 * SHIFT)], dim=1),
        ],
        dim=1,
    ).to(crops)
    grid = functional.affine_grid(theta, list(crops.shape), align_corners=False)
    moved = functional.grid_sample(crops, grid, padding_mode="border", align_corners=False)
    light = (1 + between(BRIGHTNESS)).to(crops)
    return (moved * light[:, None, None, None]).clamp(0, 1)
