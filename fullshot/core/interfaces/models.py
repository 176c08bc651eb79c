"""What is trained, and what it gives."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Box, Picture
from fullshot.core.progress import Advance
from fullshot.core.settings import DetectorSettings, WeightsSettings

if TYPE_CHECKING:
    from torch import nn

Data_contra = TypeVar("Data_contra", contravariant=True)


class Detector(Protocol):
    """Finds garments in pictures.

    Attributes:
        labels: what it tells apart, in the order of its class numbers.
        digest: of its weights, in hexadecimal; boxes carry it as their ``model``.
        image_size: the longer side in pixels that it brings pictures to; larger ones show it nothing more.
    """

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def digest(self) -> str: ...

    @property
    def image_size(self) -> int: ...

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """Find the garments of each picture.

        Args:
            pictures: each of shape (height, width, 3), uint8, RGB, upright; of any sizes.

        Returns:
            A picture's boxes, best score first, none below the settings' ``detector.confidence``; corners in pixels of
            the picture as it was given, inside it.
        """


@runtime_checkable
class DetectorWithFeatures(Detector, Protocol):
    """A detector that can also say what a picture looks like to it, in the same pass: ask with ``isinstance``."""

    def predict_with_features(self, pictures: Sequence[Picture]) -> tuple[list[list[Box]], NDArray[np.float32]]:
        """Find the garments of each picture, and describe the picture.

        Args:
            pictures: see :meth:`Detector.predict`.

        Returns:
            The boxes, as :meth:`Detector.predict` gives them, and features of shape (N, D), float32, not normalised.
            Those of a picture do not depend on the pictures beside it.
        """


@runtime_checkable
class DetectorInPrecision(Detector, Protocol):
    """A detector whose settings say how precisely it computes: ask with ``isinstance``. Others do so in float32.

    Attributes:
        precision: ``float32``, or ``bfloat16``, which moves boxes a little: what is kept of one is not of the other.
    """

    @property
    def precision(self) -> str: ...


class DetectorTrainer(Protocol[Data_contra]):
    """One family of detectors: trains them, and opens what it trained.

    Registry: :data:`fullshot.train.detector.DETECTORS`, by ``detector.family``. What is the same for every family is
    done by :mod:`fullshot.train.detector.fitting`: it chooses the boxes, finds the run to go on with, and says when a
    run is finished. ``data`` is a :class:`fullshot.train.detector.DetectionData`, ``folder`` the folder of a run.
    """

    @classmethod
    def from_settings(cls, settings: DetectorSettings) -> Self:
        """The family with these settings; it reads no file yet."""

    def inputs(self) -> Mapping[str, Mapping[str, str]]:
        """What the weights depend on besides the pictures, the boxes and the settings: tables of one row, by name.

        Such as ``{"model": {"name": …, "sha256": …}}`` of the file that a training begins with. The setting ``model``
        counts by what is said here alone. Where it differs, the model is trained anew.

        Raises:
            UserError: the settings name a model that there is not.
        """

    def fit(self, data: Data_contra, folder: Path, advance: Advance) -> Mapping[str, Any]:
        """Train; go on after the last whole epoch where the folder holds one.

        Args:
            data: the pictures and boxes of the splits ``train`` and, where there are any, ``val``.
            folder: of the run; a kill may have left it in any state.
            advance: is given the number of epochs done and in all, after each.

        Returns:
            ``resumed_at`` (epochs done before), ``epochs``, ``best_epoch`` and ``seconds`` of training.

        Raises:
            UserError: the settings name a device that there is not, or a model that is none.
            StageFailed: the training broke off.
        """

    def clean_up(self, folder: Path) -> None:
        """Delete what only going on would need of a finished run."""

    def weights(self, folder: Path) -> Path:
        """Where the best weights lie."""

    def load(self, folder: Path) -> Detector:
        """The detector of a finished run, with the settings' ``device`` and ``confidence``.

        Raises:
            UserError: the weights do not hold one, or this machine has no such device.
        """


@runtime_checkable
class ExportingTrainer(Protocol):
    """A family whose networks can be exported: asked for with ``isinstance``."""

    def export(self, folder: Path) -> Any:
        """The network of a finished run, as a :class:`fullshot.train.exported.Export`.

        Args:
            folder: of the run.

        Raises:
            NotExportable: this one cannot be; says why.
        """


@runtime_checkable
class KnowsDefaults(Protocol):
    """A family that says with what it is trained where the settings do not: ask its class with ``isinstance``."""

    @classmethod
    def defaults(cls, settings: DetectorSettings) -> Mapping[str, float]:
        """What stands for a setting that is 0: some of ``epochs``, ``image_size`` and ``learning_rate``.

        Args:
            settings: of the detector, such as what it begins with. Nobody is asked on the network for it.
        """


@runtime_checkable
class StartsFromWeights(Protocol):
    """A family of detectors that can begin with weights which their makers publish: ask with ``isinstance``.

    Such weights may be had today and not tomorrow, and a run that began with them need not be lost for that.
    """

    def look_for_weights(self, sources: WeightsSettings) -> None:
        """Say where weights may be looked for. A family that is told nothing asks nobody on the network.

        Args:
            sources: see :class:`fullshot.core.settings.WeightsSettings`.
        """

    def lacks_weights(self) -> bool:
        """Whether weights are wanted that are not there, so that a training would begin from scratch."""

    def inputs_as(self, made_with: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]] | None:
        """What :meth:`DetectorTrainer.inputs` says where the weights are found that a run began with.

        Args:
            made_with: of that run, from its ``run.json``.

        Returns:
            Tables of one row, by name; None: the settings do not leave open which weights they are, such as those of a
            file that they name.
        """


@runtime_checkable
class ContinuingTrainer(DetectorTrainer[Data_contra], Protocol[Data_contra]):
    """A family that can go on to other epochs than were asked for at first: ask with ``isinstance``.

    Its :meth:`fit` goes on from the checkpoint to the settings' number of epochs, whatever it was before.
    """

    def epochs_done(self, folder: Path) -> int:
        """How many whole epochs the checkpoint in a run's folder holds; 0: there is none."""

    def take_over(self, before: Path, folder: Path) -> None:
        """Give a new run the checkpoint that a finished one ended with.

        Args:
            before: folder of the finished run, which stays as it is.
            folder: of the new run; a kill leaves it without a checkpoint, or with a whole one.
        """


class Backbone(Protocol):
    """A network that turns pictures into features, by name. Registry: :data:`fullshot.train.embedder.BACKBONES`.

    It is made without arguments. Its name stands in the checkpoint of an embedder that was trained with it.

    Attributes:
        feature_size: F, the length of a picture's features.
        input_size: side in pixels of the squares that it takes, unless the settings' ``embedder.image_size`` says so.
        mean: of each channel (R, G, B), in [0, 1]; taken from the picture before it goes in.
        std: of each channel (R, G, B); the picture is divided by it.
    """

    feature_size: int
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def network(self) -> "nn.Module":
        """A new network: (N, 3, side, side), float32, less ``mean`` and divided by ``std`` → (N, F), float32.

        It begins with random weights, drawn from torch's global generator, or with pretrained ones.
        """


@runtime_checkable
class GivesMaps(Protocol):
    """A backbone that says whether its network gives maps: ask with ``isinstance``. Others give (N, F).

    Attributes:
        gives_maps: its network gives (N, F, height, width), which the embedder pools.
    """

    gives_maps: bool


class Embedder(Protocol):
    """Turns crops of garments into vectors that lie close where the garments look alike.

    Attributes:
        digest: of the weights; vectors of two digests do not compare.
        dimension: d, the length of an embedding.
        image_size: side in pixels of the squares that crops are brought to; larger crops show it nothing more.
    """

    @property
    def digest(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def image_size(self) -> int: ...

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        """Embed crops of garments.

        Args:
            crops: each of shape (height, width, 3), uint8, RGB; upright, of any sizes; one garment each, tight around
                it.

        Returns:
            Shape (N, d), float32, not normalised: to be compared by squared Euclidean distance.
        """


@runtime_checkable
class TextEmbedder(Protocol):
    """An embedder whose vectors of garments and of words compare: ask with ``isinstance``."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed words, such as ``a red dress``.

        Args:
            texts: what garments look like.

        Returns:
            Shape (N, d), float32, of length 1, as the vectors of pictures are: the nearest by squared Euclidean
            distance is the most similar.
        """
