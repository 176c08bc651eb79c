"""A backbone by its name, wherever it comes from."""

import importlib.util
from functools import cache
from typing import TYPE_CHECKING

from fullshot.core.errors import UserError
from fullshot.core.interfaces import Backbone
from fullshot.train.embedder import BACKBONES
from fullshot.train.embedder.backbones.names import HF_HUB, OPEN_CLIP, is_of_open_clip

if TYPE_CHECKING:
    from fullshot.core.settings import WeightsSettings

_INSTALL = {
    "timm": "pip install 'fullshot[train]'",
    "open_clip": "pip install 'fullshot[clip]'",
}


def open_backbone(name: str, sources: "WeightsSettings | None" = None) -> Backbone:
    """A backbone of this name.

    Args:
        name: one of :data:`fullshot.train.embedder.BACKBONES`; of a network of timm, such as ``tf_efficientnet_lite0``;
            ``hf-hub:ORG/NAME`` or ``open_clip:ARCH[/TAG]``, a model of open_clip.
        sources: whether a hub may be asked; None: it is not.

    Raises:
        UserError: there is none of this name; says what a name may be. Or what it needs is not installed.
    """
    if name in BACKBONES.names():
        return BACKBONES.get(name)()
    if is_of_open_clip(name):
        _refuse_without("open_clip", name)
        from fullshot.train.embedder.backbones.from_open_clip import OpenClipBackbone

        return OpenClipBackbone(name, sources)
    return _of_timm(name)


@cache
def _of_timm(name: str) -> Backbone:
    _refuse_without("timm", name)
    from fullshot.train.embedder.backbones import from_timm

    if not name or not from_timm.is_known(name):
        raise UserError(
            f"expected the backbone to be one of {', '.join(BACKBONES.names())}, of a network of timm such as "
            f"tf_efficientnet_lite0, {HF_HUB}ORG/NAME or {OPEN_CLIP}ARCH[/TAG], got {name!r}"
        )
    return from_timm.TimmBackbone(name)


def check_name(name: str) -> None:
    """Check a backbone's name, as far as that needs no library.

    Raises:
        UserError: see :func:`open_backbone`.
    """
    if name in BACKBONES.names():
        BACKBONES.check(name)
    else:
        _refuse_without("open_clip" if is_of_open_clip(name) else "timm", name)


def _refuse_without(library: str, name: str) -> None:
    if importlib.util.find_spec(library) is None:
        raise UserError(f"the backbone {name!r} needs {library}, which is not installed: {_INSTALL[library]}")


def side_of(backbone: Backbone, wanted: int) -> int:
    """Side in pixels of the squares that a backbone is given.

    Args:
        backbone: takes them.
        wanted: the setting ``embedder.image_size``; 0: the backbone's own.

    Raises:
        UserError: it takes no other size than its own.
    """
    if wanted and wanted != backbone.input_size and getattr(backbone, "fixed_size", False):
        raise UserError(
            f"setting embedder.image_size: this backbone takes {backbone.input_size} pixels alone, got {wanted}"
        )
    return wanted or backbone.input_size
