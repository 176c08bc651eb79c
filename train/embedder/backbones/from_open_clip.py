"""Models of open_clip: their picture tower is a backbone."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor, nn

from fullshot.core.errors import UserError
from fullshot.core.settings import WeightsSettings
from fullshot.train.embedder.backbones.names import HF_HUB, OPEN_CLIP
from fullshot.train.embedder.preprocessing import LETTERBOX, STRETCH

_LOCAL = "local-dir:"
"""How open_clip names a folder that holds a model."""


class OpenClipBackbone:
    """The picture tower of a model of open_clip; see :class:`fullshot.core.interfaces.Backbone`.

    Args:
        name: ``hf-hub:ORG/NAME`` or ``open_clip:ARCH[/TAG]``; the latter without a tag has random weights.
        sources: where the weights of its makers may come from; None: random ones do, such as for a checkpoint.

    Attributes:
        feature_size: F, the length of what it gives.
        input_size: side in pixels of the pictures that it was made for.
        fixed_size: it takes no other size.
        mean: of each channel, as it was made for.
        std: of each channel, as it was made for.
        fit: how pictures become squares for it.

    Raises:
        UserError: open_clip knows no such model, or it is not to be had.
    """

    fixed_size = True

    def __init__(self, name: str, sources: WeightsSettings | None = None) -> None:
        self.name, self._sources = name, sources
        with _explained(name):
            _parsed(name, sources)
        with torch.device("meta"):  # no memory, and no random number, is used up to ask for shapes
            model = _built(name, None, device="meta")
        about = open_clip.get_model_preprocess_cfg(model)
        size = about["size"]
        self.input_size = int(size if isinstance(size, int) else size[0])
        self.mean: tuple[float, float, float] = tuple(about["mean"])
        self.std: tuple[float, float, float] = tuple(about["std"])
        self.fit = STRETCH if about.get("resize_mode") == "squash" else LETTERBOX
        with torch.device("meta"):
            self.feature_size = int(model.visual.eval()(torch.empty(1, 3, self.input_size, self.input_size)).shape[-1])

    def network(self) -> nn.Module:
        """A new network: (N, 3, side, side) → (N, F), float32, not normalised."""
        tower: nn.Module = self.model().visual
        return tower

    def model(self) -> Any:
        """The whole model, of pictures and words."""
        return _built(self.name, self._sources)

    def tokenizer(self) -> Callable[[list[str]], Tensor]:
        """What makes tokens of texts, shape (N, length), int64."""
        with _explained(self.name):
            made: Callable[[list[str]], Tensor] = open_clip.get_tokenizer(_parsed(self.name, self._sources)[0])
        return made


def _built(name: str, sources: WeightsSettings | None, device: str = "cpu") -> Any:
    """A model, with random weights where no sources are named."""
    with _explained(name):
        model, tag = _parsed(name, sources)
        is_of_makers = sources is not None and (tag is not None or ":" in model)
        with _offline(sources is not None and sources.download == "never"):
            weights = {"load_weights": is_of_makers, "require_pretrained": is_of_makers}
            return open_clip.create_model(model, pretrained=tag if is_of_makers else None, device=device, **weights)


def _parsed(name: str, sources: WeightsSettings | None) -> tuple[str, str | None]:
    """What open_clip calls a model, and the tag of its weights.

    Raises:
        UserError: open_clip knows no such model.
    """
    if name.startswith(HF_HUB):
        kept = _in_cache(name.removeprefix(HF_HUB))
        if kept is None and sources is not None and sources.download == "never":
            raise UserError(f"{name} is not in the cache, and weights.download says to ask nobody for it")
        return (f"{_LOCAL}{kept}" if kept else name), None
    rest = name.removeprefix(OPEN_CLIP)
    if rest.startswith(_LOCAL):
        return rest, None
    architecture, _, tag = rest.partition("/")
    if architecture not in open_clip.list_models():
        raise UserError(f"open_clip has no model {architecture!r}: such as ViT-B-32, or one of a hub, {HF_HUB}ORG/NAME")
    return architecture, tag or None


def _in_cache(repository: str) -> Path | None:
    """Where a hub's model lies on this machine; None: it does not, or without its weights."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
    except (OSError, ValueError):
        return None
    return folder if any(folder.glob("open_clip*.safetensors")) or any(folder.glob("open_clip*.bin")) else None


@contextlib.contextmanager
def _offline(wanted: bool) -> Iterator[None]:
    """Ask no hub for a while."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or wanted
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Say in one line what open_clip stumbles over; its own words of progress are not heard."""
    loggers = [logging.getLogger(one) for one in (None, "huggingface_hub")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # each of its readers, and the hub's client, has its own
        words = " ".join(str(error).split())[:200]
        raise UserError(f"the model {name!r} of open_clip cannot be had: {type(error).__name__}: {words}") from None
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
