"""Embedders wherever they come from: a run, a file, the one that comes along, or a network that others trained."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import digest
from fullshot.core.interfaces import Embedder
from fullshot.core.progress import say
from fullshot.core.settings import EmbedderSettings, Settings, WeightsSettings
from fullshot.core.workspace import Workspace
from fullshot.train import exported, finding
from fullshot.train.embedder import checkpoints
from fullshot.train.embedder.backbones.names import HF_HUB, OPEN_CLIP, is_of_open_clip
from fullshot.train.embedder.in_use import FIRST, KIND, STARTER, STARTER_FILE, embedder_in_use, weights_of
from fullshot.train.embedder.loading import open_file
from fullshot.train.embedder.published import IMAGENET_BACKBONE, ClipSource, ImagenetSource, export_in_cache
from fullshot.train.runs import Run
from fullshot.train.weights import IMAGENET, SAFETENSORS

_SUFFIXES = (SAFETENSORS, ".pt")


class Source(Protocol):
    """Where an embedder comes from.

    Attributes:
        name: of the run, or as it was named.
        backbone: its name.
        digest: of the weights, in hexadecimal; vectors are kept by it.
        file: of the weights; None: they lie in a package or a hub's cache.
        run: that it was trained in; None: nothing more is known.
    """

    @property
    def name(self) -> str: ...
    @property
    def backbone(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def file(self) -> Path | None: ...
    @property
    def run(self) -> Run | None: ...

    def load(self, device: str = "") -> Embedder:
        """The embedder; its digest is that of the source.

        Args:
            device: see :func:`fullshot.train.devices.device_of`.

        Raises:
            UserError: it cannot be had, or this machine has no such device.
        """


@dataclass(frozen=True)
class RunSource:
    """A finished run; see :class:`Source`.

    Attributes:
        run: the run.
        digest: of its weights, which are those that it was finished with.
    """

    run: Run
    digest: str

    @property
    def name(self) -> str:
        """Of the run."""
        return self.run.name

    @property
    def backbone(self) -> str:
        """Of the run."""
        return str(self.run.section.get("backbone", FIRST))

    @property
    def file(self) -> Path:
        """In the run's folder."""
        return weights_of(self.run.folder)

    def load(self, device: str = "") -> Embedder:
        """See :meth:`Source.load`.

        Raises:
            StageFailed: the weights do not load.
        """
        file = self.file
        try:
            return open_file(file, self.run.folder / exported.FILE, device, key=self.digest)
        except checkpoints.NotAnEmbedder as error:
            folder = self.run.folder
            raise StageFailed(
                f"cannot load {file} ({error}): delete {folder} and run `fullshot train {KIND}` again"
            ) from None


@dataclass(frozen=True)
class FileSource:
    """A file of weights, such as the one that comes along; see :class:`Source`.

    Attributes:
        name: see there.
        file: that a training wrote.
        run: none.
    """

    name: str
    file: Path
    run: None = None

    @cached_property
    def digest(self) -> str:
        """Of the file."""
        return digest(self.file)

    @property
    def backbone(self) -> str:
        """As the file says."""
        return checkpoints.read_about(self.file).backbone

    def load(self, device: str = "") -> Embedder:
        """See :meth:`Source.load`."""
        return open_file(self.file, export_in_cache(self.digest), device, key=self.digest)


def find_source(name: str, workspace: Workspace | None = None, settings: Settings | None = None) -> Source:
    """The embedder of this name; no weights are loaded.

    Args:
        name: of a run of the workspace; the folder of a run; a file that a training wrote (``.safetensors``, or ``.pt``
            of earlier versions); :data:`STARTER`; ``imagenet``, or ``imagenet:NAME`` for another network of timm;
            ``hf-hub:ORG/NAME`` or ``open_clip:ARCH[/TAG]``.
        workspace: whose runs have names here; None: none have.
        settings: say where weights may be looked for; None: the usual places.

    Raises:
        UserError: there is none, or the run is not finished or one of another kind.
        StageFailed: the run's weights are gone or damaged.
    """
    sources = settings.weights if settings else WeightsSettings()
    if is_of_open_clip(name):
        return ClipSource(name, sources)
    if name == IMAGENET or name.startswith(f"{IMAGENET}:"):
        return ImagenetSource(name, name.partition(":")[2] or IMAGENET_BACKBONE, sources)
    if name == STARTER:
        if not STARTER_FILE.is_file():
            raise UserError(
                f"no starter weights of an embedder come along ({STARTER_FILE} is not there): "
                f"name others, such as `--weights {IMAGENET}`"
            )
        return FileSource(name, STARTER_FILE)
    path = Path(name).expanduser()
    if path.suffix in _SUFFIXES and path.is_file():
        return FileSource(name, path)
    if found := finding.run_called(name, KIND, workspace, lambda run: weights_of(run.folder)):
        return RunSource(*found)
    raise UserError(
        f"weights {name!r}: expected a file {SAFETENSORS}, the folder of a run, {STARTER}, {IMAGENET}, "
        f"{HF_HUB}ORG/NAME or {OPEN_CLIP}ARCH[/TAG], or {'a workspace' if workspace is None else 'the name of a run'}"
    )


def source_in_use(workspace: Workspace, settings: Settings | None = None) -> Source:
    """The embedder that a workspace uses, see :func:`fullshot.train.embedder.in_use.embedder_in_use`."""
    used = embedder_in_use(workspace, settings)
    return RunSource(used.run, used.digest) if used.run else FileSource(STARTER, STARTER_FILE)


def load(workspace: Workspace, run: str | None = None, *, device: str = "") -> Embedder:
    """The embedder in use, or that of a finished run.

    On a CPU it is run by ONNX Runtime or OpenVINO, from its export; that of an older run is made when it is opened
    first.

    Args:
        workspace: where it was trained.
        run: a name that :func:`find_source` understands; None: the one in use.
        device: see :func:`fullshot.train.devices.device_of`.

    Raises:
        MissingInput: there is none yet; says what to run first.
        UserError: there is no such run, or it is not finished; its backbone was of a package that is not there; this
            machine has no such device.
        StageFailed: its weights are gone or damaged, or do not load.
    """
    if run is not None:
        return find_source(run, workspace).load(device)
    source = source_in_use(workspace)
    if source.run is None:
        say(f"fullshot: no embedder was trained in {workspace.root}: the starter weights embed")
    return source.load(device)


def open_source(name: str, settings: Settings | None = None) -> Source:
    """An embedder by its name alone.

    Args:
        name: see :func:`find_source`; or a workspace, for the embedder that it uses.
        settings: see there.

    Raises:
        UserError: there is none.
        MissingInput: the workspace has no embedder.
    """
    if not name:  # an unset variable of a script, which is not to stand for the folder it runs in
        raise UserError(f"expected weights, got nothing: name {STARTER}, {IMAGENET}, a file, a run or a workspace")
    path = Path(name).expanduser()
    is_named = name in (STARTER, IMAGENET) or is_of_open_clip(name)
    if not is_named and path.is_dir() and not (path / "run.json").is_file():
        return source_in_use(Workspace(path), settings)
    return find_source(name, settings=settings)


def open_embedder(name: str, section: EmbedderSettings | None = None) -> Embedder:
    """An embedder from its weights alone; no workspace is needed.

    Args:
        name: see :func:`open_source`.
        section: the device.
    """
    return open_source(name).load((section or EmbedderSettings()).device)


def is_workspace(place: Path) -> bool:
    """Whether a folder is a workspace with pictures, not a folder of photos."""
    from fullshot.core.tables.schemas import is_there

    return place.is_dir() and is_there(Workspace(place).table("images"))
