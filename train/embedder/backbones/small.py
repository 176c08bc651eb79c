"""The Siamese network: one set of weights embeds anchors, positives and negatives alike."""

import torch
from torch import Tensor, nn

WIDTHS = (24, 48, 96, 128)
"""Channels of the four blocks; each halves the picture's side."""


def _block(inputs: int, outputs: int) -> nn.Sequential:
    # Pooled first: the other two then do a quarter of the work, to nearly the same end, since they keep the order.
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Network(nn.Module):
    """A small convolutional network that keeps colour.

    Every block's output is averaged over the picture and handed to the last layer: the early ones are close to a
    histogram of colours and fine patterns, the late ones say where on the garment they are.

    Args:
        dimension: d, the length of an embedding.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            _block(inputs, outputs) for inputs, outputs in zip((3, *WIDTHS), WIDTHS, strict=False)
        )
        self.normalize = nn.BatchNorm1d(sum(WIDTHS))
        self.embed = nn.Linear(sum(WIDTHS), dimension)
        # The order of bytes in which a CPU convolves small pictures in less than half the time (measured at 64 px).
        self.to(memory_format=torch.channels_last)

    def forward(self, crops: Tensor) -> Tensor:
        """Embed crops.

        Args:
            crops: shape (N, 3, side, side), float in [0, 1], RGB.

        Returns:
            Shape (N, d), float; not normalised.
        """
        features = (crops * 2 - 1).contiguous(memory_format=torch.channels_last)
        pooled = []
        for block in self.blocks:
            features = block(features)
            pooled.append(features.mean(dim=(2, 3)))
        embeddings: Tensor = self.embed(self.normalize(torch.cat(pooled, dim=1)))
        return embeddings
