"""What a training of a YOLO begins with: a file, weights that Ultralytics publishes, or an architecture alone."""

import re
from dataclasses import dataclass
from pathlib import Path

from fullshot.core.settings import WeightsSettings
from fullshot.train.detector.yolo import library
from fullshot.train.weights import NONE, Published

_NAMES = re.compile(r"(yolov?\d+)([a-tv-z]?)(6?)(-spp|-tiny)?(u?)|rtdetr-[lx]")
"""What Ultralytics publishes: version and size; ``6`` is for larger pictures, ``u`` an old network with a new head."""


@dataclass(frozen=True)
class Start:
    """What a training begins with.

    Attributes:
        file: as :func:`fullshot.train.detector.yolo.library.open_model` takes it.
        source: where it comes from, in words.
    """

    file: str
    source: str


def find(model: str, weights: str, sources: WeightsSettings) -> Start:
    """What a training begins with.

    Args:
        model: a file (``.pt``, ``.yaml``), an architecture's name (``garment-nano``, ``yolo11n.yaml``), or the name of
            weights that Ultralytics publishes (``yolo11n.pt``, or ``yolo11n``): these are learnt from scratch where the
            weights cannot be had.
        weights: :data:`fullshot.train.weights.NONE`: such a name means the architecture alone.
        sources: whether their makers may be asked, and where.

    Raises:
        UserError: there is no such model.
    """
    if Path(model).expanduser().is_file() or (architecture := architecture_of(model)) is None:
        file = library.model_file(model)
        return Start(file, f"from {file}" if file.endswith(".pt") else "from scratch")
    if weights == NONE:
        return Start(architecture, "from scratch, as the settings say")
    name = f"{model.removesuffix('.pt')}.pt"
    published = Published("Ultralytics", name, lambda: f"{sources.ultralytics_url.rstrip('/')}/{name}")
    found = published.find(download=sources.download == "auto")
    return Start(str(found.path), found.source) if found else Start(architecture, "from scratch")


def architecture_of(name: str) -> str | None:
    """The architecture of weights that Ultralytics publishes; None: the name is not of such weights.

    Args:
        name: such as ``yolov3u.pt`` or ``rtdetr-l``.
    """
    stem = name.removesuffix(".pt")
    match = _NAMES.fullmatch(stem)
    if match is None:
        return None
    version, size, larger, kind, _ = match.groups(default="")
    file = f"{version}{size}{'-p6' if larger else ''}{kind}.yaml" if version else f"{stem}.yaml"
    return file if library.shipped(file) else None
