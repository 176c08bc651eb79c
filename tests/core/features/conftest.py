"""A workspace of small pictures, and what is made of them."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from PIL import Image

from fullshot.core import image_store
from fullshot.core.blobs import LocalBlobs
from fullshot.core.features import FeatureStore, Job, Unreadable, reading
from fullshot.core.features.jobs import Made
from fullshot.core.pictures import read_rgb

SCHEMA = pyarrow.schema(
    [("red", pyarrow.float32()), ("corner", pyarrow.binary(3)), ("mean", pyarrow.list_(pyarrow.float32(), 3))]
)


def measure(jobs: Sequence[Job]) -> list[Made]:
    """The mean colour of each picture, and of which process it is the work; leaves a mark for each file it opens."""
    made: list[Made] = []
    for job in jobs:
        pixels = reading(job.path, read_rgb)
        with (job.path.parents[2] / "opened.txt").open("a") as file:
            file.write(f"{job.image_id} {os.getpid()}\n")
        if isinstance(pixels, Unreadable):
            made.append(pixels)
            continue
        if job.box is not None:
            x_min, y_min, x_max, y_max = (int(corner) for corner in job.box)
            pixels = pixels[y_min:y_max, x_min:x_max]
        mean = pixels.mean(axis=(0, 1)).astype(np.float32)
        made.append({"red": float(mean[0]), "corner": pixels[0, 0].tobytes(), "mean": mean})
    return made


def opened(root: Path) -> list[str]:
    """The pictures that were opened since this was asked last."""
    file = root / "opened.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return sorted(line.split()[0] for line in lines)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "ws"


@pytest.fixture
def put(root: Path) -> Callable[[int], dict[str, str | int]]:
    """Stores a picture of so much red; returns a row of ``images``."""

    def stored(red: int) -> dict[str, str | int]:
        file = root / "new.png"
        root.mkdir(exist_ok=True)
        Image.new("RGB", (8, 4), (red, 10, 20)).save(file)
        there = image_store.put(LocalBlobs(root), file.read_bytes())
        return {"image_id": there.image_id, "path": there.path, "bytes": there.bytes}

    return stored


@pytest.fixture
def keys(put: Callable[[int], dict[str, str | int]]) -> pyarrow.Table:
    """Forty pictures, of red from 0 to 39."""
    return pyarrow.Table.from_pylist([put(red) for red in range(40)])


@pytest.fixture
def store(root: Path) -> FeatureStore:
    return FeatureStore(root, "colours", "1", SCHEMA, "colour")
