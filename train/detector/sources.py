"""Weights of a detector, wherever they lie: in a run, in a file, or in the package; what opens and exports them."""

import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import platformdirs

from fullshot.core.errors import UserError
from fullshot.core.files import digest
from fullshot.core.interfaces import Detector, ExportingTrainer
from fullshot.core.settings import DetectorSettings
from fullshot.train import finding
from fullshot.train.detector.families import FIRST, KIND, image_size_of, labels_of, trainer_of
from fullshot.train.exported import Export, NotExportable, read_export
from fullshot.train.runs import Run
from fullshot.train.runtimes import OPENVINO_SUFFIX
from fullshot.train.weights import SAFETENSORS, STARTER, STARTER_FILE

if TYPE_CHECKING:
    from fullshot.core.workspace import Workspace

EXPORTS = (".onnx", OPENVINO_SUFFIX)
"""Of files that hold an export."""


class Source(Protocol):
    """Where a detector comes from.

    Attributes:
        name: of the run, :data:`STARTER`, or the file as it was named.
        family: that trained it.
        model: of the family, in words.
        labels: what it tells apart, in the order of its class numbers.
        image_size: longer side in pixels of the pictures that it learnt from.
        file: of the weights.
        files: all that it consists of; the file of the weights alone, but for OpenVINO's own format.
        digest: the sha256 of what it consists of, in hexadecimal.
        run: that it was trained in; None: of a file, nothing more is known.
    """

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def image_size(self) -> int: ...
    @property
    def file(self) -> Path: ...
    @property
    def files(self) -> tuple[Path, ...]: ...
    @property
    def digest(self) -> str: ...
    @property
    def run(self) -> Run | None: ...

    def load(self, section: DetectorSettings) -> Detector:
        """The detector, with the section's device, runtime and confidence."""

    def export(self) -> Export:
        """Its network as it is exported.

        Raises:
            NotExportable: it cannot be; says why.
        """


@dataclass(frozen=True)
class RunSource:
    """The weights of a finished run; see :class:`Source`.

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
    def family(self) -> str:
        """Of the run."""
        return str(self.run.record.get("family", FIRST))

    @property
    def model(self) -> str:
        """Of the run."""
        made_with = self.run.record.get("made_with") or {}  # runs of before do not have it
        return str(self.run.section.get("model") or made_with.get("model", {}).get("name") or "the family's own")

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the run."""
        return labels_of(self.run)

    @property
    def image_size(self) -> int:
        """Of the run."""
        return image_size_of(self.run)

    @property
    def file(self) -> Path:
        """In the run's folder."""
        return _weights_of(self.run)

    @property
    def files(self) -> tuple[Path, ...]:
        """The one in the run's folder."""
        return (self.file,)

    def load(self, section: DetectorSettings) -> Detector:
        """See :meth:`Source.load`."""
        return trainer_of(self.run, section).load(self.run.folder)

    def export(self) -> Export:
        """See :meth:`Source.export`."""
        trainer = trainer_of(self.run, DetectorSettings())
        if not isinstance(trainer, ExportingTrainer):
            raise NotExportable(f"the family {self.family} gives no network to export")
        exported: Export = trainer.export(self.run.folder)
        return exported


class _OfFile(ABC):
    """What a file says of the detector that it holds."""

    @property
    @abstractmethod
    def _facts(self) -> Mapping[str, str]: ...

    @property
    def labels(self) -> tuple[str, ...]:
        """As the file says."""
        return tuple(json.loads(self._facts["labels"]))

    @property
    def image_size(self) -> int:
        """As the file says."""
        return int(self._facts["image_size"])


@dataclass(frozen=True)
class FileSource(_OfFile):
    """A file that a training of torchvision's families wrote; see :class:`Source`.

    Attributes:
        name: see there.
        file: in the format safetensors.

    Raises:
        UserError: it holds no such detector; when anything is asked of it.
    """

    name: str
    file: Path
    run: None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The file."""
        return (self.file,)

    @cached_property
    def digest(self) -> str:
        """Of the file."""
        return digest(self.file)

    @cached_property
    def _facts(self) -> Mapping[str, str]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.file, framework="numpy") as file:
                about: dict[str, str] = file.metadata()
            int(about["image_size"]), json.loads(about["labels"]), about["architecture"], about["backbone"]
        except (SafetensorError, OSError, TypeError, KeyError, ValueError):
            raise UserError(f"{self.file} holds no detector that fullshot trained") from None
        return about

    @property
    def family(self) -> str:
        """As the file says."""
        return self._facts["architecture"]

    @property
    def model(self) -> str:
        """As the file says."""
        return self._facts["backbone"]

    def load(self, section: DetectorSettings) -> Detector:
        """See :meth:`Source.load`."""
        from fullshot.train.detector.torchvision import open_weights

        size = self.image_size
        # Beside weights that came along or from elsewhere may be no place to write.
        place = Path(platformdirs.user_cache_dir("fullshot")) / "detectors" / f"{self.digest[:16]}.onnx"
        with contextlib.suppress(OSError):  # it is then said that the export cannot be written
            place.parent.mkdir(parents=True, exist_ok=True)
        return open_weights(self.file, place, section.model_copy(update={"image_size": size}))

    def export(self) -> Export:
        """See :meth:`Source.export`."""
        from fullshot.train.detector.torchvision import export_weights

        return export_weights(self.file)


@dataclass(frozen=True)
class ExportSource(_OfFile):
    """A file that holds an export; see :class:`Source`.

    Attributes:
        name: see there.
        file: of the format ONNX, or of OpenVINO's own.

    Raises:
        UserError: it holds no such detector; when anything is asked of it.
    """

    name: str
    file: Path
    run: None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The file; with OpenVINO's own, the one beside it that holds the numbers."""
        return (self.file, self.file.with_suffix(".bin")) if self.file.suffix == OPENVINO_SUFFIX else (self.file,)

    @cached_property
    def digest(self) -> str:
        """Of the file; of OpenVINO's two, one of both."""
        first, *others = map(digest, self.files)
        return sha256(" ".join([first, *others]).encode()).hexdigest() if others else first

    @property
    def family(self) -> str:
        """That trained what was exported, as the file says."""
        return self._facts.get("family", "exported")

    @cached_property
    def _facts(self) -> Mapping[str, str]:
        return self._of_detector(read_export(self.file).facts)

    def _of_detector(self, facts: Mapping[str, str]) -> Mapping[str, str]:
        if "stride" not in facts:
            raise UserError(f"{self.file} holds no detector, but another network that was exported")
        return facts

    @property
    def model(self) -> str:
        """Of what it was exported."""
        return f"exported, of the weights {self._facts['weights']}"

    def load(self, section: DetectorSettings) -> Detector:
        """See :meth:`Source.load`."""
        from fullshot.train.detector.candidates import CandidateNetwork
        from fullshot.train.detector.network_detector import NetworkDetector

        network = read_export(self.file, section.runtime, section.precision)
        size = int(self._of_detector(network.facts)["image_size"])
        run = CandidateNetwork.of_export(network, image_size=size, confidence=section.confidence)
        return NetworkDetector(run, digest=self.digest[:16], image_size=size)

    def export(self) -> Export:
        """See :meth:`Source.export`."""
        raise NotExportable("it is an export already")


def find_source(weights: str, workspace: "Workspace | None" = None) -> Source:
    """The weights of this name.

    Args:
        weights: the name of a run of the workspace; :data:`STARTER`; a file that a training of torchvision's families
            wrote (``.safetensors``), or an export (``.onnx``, ``.xml``); or the folder of a run.
        workspace: whose runs have names here; None: none have.

    Raises:
        UserError: there is none, or the run is not finished or one of another kind.
        StageFailed: the run's weights are gone or damaged.
    """
    path = STARTER_FILE if weights == STARTER else Path(weights).expanduser()
    if path.suffix == SAFETENSORS and path.is_file():
        return FileSource(weights, path)
    if path.suffix in EXPORTS and path.is_file():
        return ExportSource(weights, path)
    if found := finding.run_called(weights, KIND, workspace, _weights_of):
        return RunSource(*found)
    raise UserError(
        f"weights {weights!r}: expected {STARTER}, a file {SAFETENSORS}, {' or '.join(EXPORTS)}, the folder of a run"
        + (", or a workspace" if workspace is None else ", or the name of one")
    )


def _weights_of(run: Run) -> Path:
    return trainer_of(run, DetectorSettings()).weights(run.folder)
