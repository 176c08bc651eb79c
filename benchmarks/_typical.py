"""Which pictures to label first, before any detector is there: TypiClust on the features of a pretrained backbone.

Hacohen, Dekel and Weinshall, "Active learning on a budget: opposite strategies suit high and low budgets" (2022): of as
many clusters as pictures are to be labelled, the most typical picture of each.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.cluster.vq import kmeans2

from fullshot.core.pictures import read_reduced
from fullshot.train import weights

BACKBONE = "tf_efficientnet_lite0"
_SIDE = 224
_NEIGHBOURS = 20
_AT_ONCE = 16


def features_of(paths: Sequence[Path]) -> NDArray[np.float32]:
    """What ImageNet's weights see in pictures: shape (N, D), each of length 1.

    Raises:
        SystemExit: no weights are there.
    """
    start = weights.find(weights.IMAGENET, backbone=BACKBONE)
    if start.path is None:
        raise SystemExit(f"no weights of ImageNet are there for {BACKBONE}")
    network: Any = timm.create_model(BACKBONE)
    network.load_state_dict(weights.read(start.path, network.state_dict(), in_order=start.in_order))
    network.eval()
    mean, std = (torch.tensor(network.pretrained_cfg[name])[:, None, None] for name in ("mean", "std"))
    parts = []
    for first in range(0, len(paths), _AT_ONCE):
        squares = [
            np.asarray(Image.fromarray(read_reduced(path, longest=_SIDE).pixels).resize((_SIDE, _SIDE)))
            for path in paths[first : first + _AT_ONCE]
        ]
        pictures = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            parts.append(network.forward_features((pictures - mean) / std).mean(dim=(2, 3)).numpy())
    found = np.concatenate(parts)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def typical(features: NDArray[np.float32], count: int, seed: int) -> list[int]:
    """Rows of pictures, one a cluster, those of the largest clusters first.

    Args:
        features: shape (N, D).
        count: how many.
        seed: of the clusters.
    """
    _, cluster = kmeans2(features.astype(np.float64), count, minit="++", seed=seed)
    sizes = np.bincount(cluster, minlength=count)
    chosen = []
    for number in np.argsort(-sizes, kind="stable"):
        members = np.flatnonzero(cluster == number)
        if len(members):
            apart = np.linalg.norm(features[members, None] - features[None, members], axis=2)
            nearest = np.sort(apart, axis=1)[:, 1 : _NEIGHBOURS + 1]
            chosen.append(int(members[nearest.mean(axis=1).argmin() if len(members) > 1 else 0]))
    left = [row for row in np.random.default_rng(seed).permutation(len(features)) if row not in chosen]
    return [*chosen, *map(int, left)][:count]
