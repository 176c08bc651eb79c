"""From the files of item shots to their vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fullshot.core.pictures import read_or_none, read_rgb
from fullshot.core.progress import bar, say_unreadable
from fullshot.train.embedder import Embedder, crop_to_foreground, has_plain_background, resize

CHUNK = 256
"""Pictures that are in memory at once."""


@dataclass(frozen=True, eq=False)
class ItemVectors:
    """The vectors of those of N pictures that can be read: M of them.

    Args:
        readable: shape (N,), bool: which can be read.
        vectors: shape (M, d), float32.
        alone: shape (M,), bool: which show their product by itself on plain ground.
    """

    readable: NDArray[np.bool_]
    vectors: NDArray[np.float32]
    alone: NDArray[np.bool_]


def embed_item_shots(stage: str, root: Path, paths: Sequence[str], embedder: Embedder) -> ItemVectors:
    """Embed whole pictures, upright and without their plain background.

    Those that cannot be read are left out, and said on stderr.

    Args:
        stage: what it is done for, such as ``index build``; for the progress and what is said.
        root: of the workspace.
        paths: of the pictures, relative to it.
        embedder: the one in use.
    """
    readable, alone = np.zeros(len(paths), np.bool_), np.zeros(len(paths), np.bool_)
    vectors = [np.zeros((0, embedder.dimension), np.float32)]
    with bar(stage, "pictures") as advance:
        for start in range(0, len(paths), CHUNK):
            crops = []
            for row in range(start, min(start + CHUNK, len(paths))):
                picture = read_or_none(root / paths[row], partial(read_rgb, upright=True))
                if picture is None:
                    continue
                readable[row], alone[row] = True, has_plain_background(picture)
                # Made small at once: whole pictures of a chunk would be gigabytes.
                crops.append(resize(crop_to_foreground(picture), embedder.image_size))
            vectors.append(embedder.embed(crops))
            advance(min(start + CHUNK, len(paths)), len(paths))
    say_unreadable(stage, [path for path, is_readable in zip(paths, readable, strict=True) if not is_readable])
    return ItemVectors(readable, np.concatenate(vectors), alone[readable])
