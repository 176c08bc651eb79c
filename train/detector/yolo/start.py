"""What a training of a YOLO begins with: a file, weights that Ultralytics publishes, or an architecture alone."""

import re
from dataclasses import dataclass
from pathlib import Path

from fullshot.core.errors import UserError
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
        is_published: whether it is looked for by the name of weights that Ultralytics publishes.
        lacks: whether these are not to be had.
    """

    file: str
    source: str
    is_published: bool = False
    lacks: bool = False


def find(model: str, weights: str, sources: WeightsSettings | None) -> Start:
    """What a training begins with.

    Args:
        model: a file (``.pt``, ``.yaml``), an architecture's name (``garment-nano``, ``yolo11n.yaml``), or the name of
            weights that Ultralytics publishes (``yolo11n.pt``, or ``yolo11n``): these are learnt from scratch where the
            weights cannot be had.
        weights: :data:`fullshot.train.weights.NONE`: such a name means the architecture alone.
        sources: whether their makers may be asked, and where; None: they are not, and no word is said of it.

    Raises:
        UserError: there is no such model, or it is a file of weights and the settings want none.
    """
    architecture = architecture_of(model)
    if weights == NONE:
        if architecture is not None:
            return Start(architecture, "from scratch, as the settings say")
        if model.endswith(".pt"):
            raise UserError(
                f"setting detector.weights: {NONE} and the weights {model} cannot both be: name an architecture by "
                "detector.model, such as yolo11n.yaml"
            )
    if architecture is None or Path(model).expanduser().is_file():
        file = library.model_file(model)
        return Start(file, f"from {file}" if file.endswith(".pt") else "from scratch")
    name = f"{model.removesuffix('.pt')}.pt"
    server = (sources or WeightsSettings()).ultralytics_url.rstrip("/")
    published = Published("Ultralytics", name, lambda: f"{server}/{name}")
    found = published.find(download=sources.download == "auto") if sources else published.cached()
    if found is None:
        return Start(architecture, "from scratch", is_published=True, lacks=True)
    return Start(str(found.path), found.source, is_published=True)


def names_weights(model: str, weights: str) -> bool:
    """Whether the settings want a training to begin with weights, whether they can be had or not.

    Args:
        model: see :func:`find`.
        weights: see :func:`find`.
    """
    return weights != NONE and (model.endswith(".pt") or architecture_of(model) is not None)


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
