"""An embedder's weights as a file, and read from it; earlier versions wrote another kind of file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.core.errors import UserError
from fullshot.core.files import write_bytes
from fullshot.core.settings import EmbedderSettings
from fullshot.train.embedder.in_use import FIRST
from fullshot.train.embedder.preprocessing import KEEP, STRETCH, Preparation
from fullshot.train.weights import SAFETENSORS

if TYPE_CHECKING:
    from torch import Tensor

VERSION = "1"
"""Of what a file says of its weights."""


class NotAnEmbedder(UserError):
    """A file holds no embedder, or a damaged one; the message says what it holds."""


@dataclass(frozen=True)
class About:
    """What a file says of the embedder that it holds.

    Attributes:
        backbone: its name.
        image_size: side in pixels of the crops.
        dimension: d, the length of an embedding.
        pooling: of the backbone's maps.
        fit: how crops become squares.
        background: whether it stays.
    """

    backbone: str
    image_size: int
    dimension: int
    pooling: str = "gem"
    fit: str = STRETCH
    background: str = KEEP

    @classmethod
    def of(cls, settings: EmbedderSettings) -> "About":
        """That of an embedder that is trained with these settings; their ``image_size`` is not 0."""
        return cls(**settings.model_dump(include=set(cls.__dataclass_fields__)))

    @classmethod
    def said(cls, about: Mapping[str, str]) -> "About":
        """What the metadata of a file say.

        Raises:
            KeyError: something is missing.
            ValueError: a number is none.
        """
        return cls(
            about["backbone"],
            int(about["image_size"]),
            int(about["dimension"]),
            about["pooling"],
            about["fit"],
            about["background"],
        )

    @property
    def preparation(self) -> Preparation:
        """Of its crops."""
        return Preparation(self.image_size, self.fit, self.background)


def write(path: Path, weights: "Mapping[str, Tensor]", about: About, *, half: bool = False) -> None:
    """Write a file of weights in the format safetensors, in one step.

    Args:
        path: of the file.
        weights: of a :class:`fullshot.train.embedder.network.EmbeddingNetwork`.
        about: what has to be known of it.
        half: keep what has more than one axis as float16, in half the space; it is read as float32.
    """
    import torch
    from safetensors.torch import save

    def kept(value: "Tensor") -> "Tensor":
        value = value.half() if half and value.ndim > 1 and value.is_floating_point() else value
        # The order of bytes is the network's own matter.
        return value.detach().cpu().contiguous(memory_format=torch.contiguous_format)

    said = {name: str(value) for name, value in asdict(about).items()}
    write_bytes(path, save({name: kept(value) for name, value in weights.items()}, {**said, "version": VERSION}))


def read_about(path: Path) -> About:
    """What a file says of its embedder.

    Raises:
        NotAnEmbedder: it holds no embedder, or one of a later version.
    """
    from safetensors import SafetensorError, safe_open

    if path.suffix != SAFETENSORS:
        return _read_of_0_1(path)[0]
    try:
        with safe_open(path, framework="numpy") as file:
            said = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise NotAnEmbedder(f"{path} holds no weights ({type(error).__name__})") from None
    try:
        about = About.said(said)
    except (KeyError, ValueError):
        what = "a detector" if "architecture" in said else "no embedder that fullshot trained"
        raise NotAnEmbedder(f"{path}: expected the weights of an embedder, got {what}") from None
    if said.get("version") != VERSION:
        raise NotAnEmbedder(f"{path} was written by another version of fullshot: its weights are not understood")
    return about


def read(path: Path) -> "tuple[About, dict[str, Tensor]]":
    """An embedder's weights; nothing in the file is run.

    Args:
        path: of a file that :func:`write` wrote, or version 0.1.

    Raises:
        NotAnEmbedder: it holds no embedder.
    """
    if path.suffix != SAFETENSORS:
        return _read_of_0_1(path)
    from safetensors.torch import load_file

    about, found = read_about(path), load_file(path)
    return about, {name: value.float() if value.is_floating_point() else value for name, value in found.items()}


def _read_of_0_1(path: Path) -> "tuple[About, dict[str, Tensor]]":
    import torch

    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        about = About(str(saved.get("backbone", FIRST)), int(saved["image_size"]), int(saved["dimension"]))
        return about, dict(saved["weights"])
    except Exception as error:  # torch raises whatever a broken file makes its readers stumble over
        raise NotAnEmbedder(f"{path} holds no embedder that fullshot trained ({type(error).__name__})") from None
