"""OpenPose-style networks, which OpenCV runs."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Picture
from fullshot.core.errors import UserError
from fullshot.core.files import digest
from fullshot.curation.pose.people import People, nobody
from fullshot.curation.pose.skeletons import COCO18, MPI15, Skeleton

if TYPE_CHECKING:
    from fullshot.core.settings import Settings

SIDE = 368
"""Pixels along a side of a network's input: OpenPose's own size, and that of the public scripts."""

THRESHOLD = 0.2
"""The peak from which on a joint counts as found; the public scripts take 0.2 to 0.45."""

MIN_JOINTS = 3
"""Joints found from which on somebody is there: OpenPose itself keeps no person of fewer."""

_SKELETONS = {skeleton.name: skeleton for skeleton in (COCO18, MPI15)}

_DECODING = "3"
"""Of :func:`decode`, as it stands in the version: a change of what it finds is another one."""

_FIELDS = {COCO18.name: 38, MPI15.name: 28}
"""Maps of part affinity fields (x and y for each limb) behind the heatmaps in a network's output."""

_CAFFE = {".caffemodel", ".prototxt"}
_TENSORFLOW = ".pb"


@dataclass(frozen=True)
class Preparation:
    """What is done to a picture's values before a network sees them: ``(value - mean) * scale``.

    Args:
        order: the colours in the order of the input's channels.
        mean: of the values, 0 to 255.
        scale: what the difference is multiplied with.
    """

    order: Literal["RGB", "BGR"]
    mean: float
    scale: float

    def blob(self, picture: Picture, side: int) -> tuple[NDArray[np.float32], tuple[float, float]]:
        """A picture as a network's input: shrunk or grown to fit, its aspect kept, in the upper left corner.

        What is left of the input at the right or below holds the mean, which a network sees as zeros.

        Args:
            picture: shape (height, width, 3), uint8, RGB.
            side: of the input, in pixels.

        Returns:
            The input, shape (1, 3, side, side); and the shares of its width and of its height that the picture fills.
        """
        height, width = picture.shape[:2]
        factor = side / max(height, width)
        size = max(1, round(width * factor)), max(1, round(height * factor))
        fitted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
        colours = fitted if self.order == "RGB" else fitted[:, :, ::-1]
        blob = np.zeros((1, 3, side, side), np.float32)
        blob[0, :, : size[1], : size[0]] = (colours.transpose(2, 0, 1) - np.float32(self.mean)) * np.float32(self.scale)
        return blob, (size[0] / side, size[1] / side)


OPENPOSE = Preparation("BGR", 127.5, 1 / 255)
"""As OpenPose's own networks and their conversions are trained: blue first, -0.5 to 0.5."""

TENSORFLOW = Preparation("BGR", 0.0, 1.0)
"""For ``graph_opt.pb``, the TensorFlow network that nearly all public scripts use: blue first, as read.

So does its maker's own code. On 50 street photos 99% of COCO's joints were found so; with red first and 127.5 taken
off, as the scripts do, 86%.
"""


class OpenPose:
    """An OpenPose-style network on single pictures; see :class:`fullshot.core.interfaces.PoseEstimator`.

    It finds one person, as the public scripts do: each joint is the highest point of its heatmap, wherever that is.
    With several people in a picture, joints of different people may be taken for one person's; the affinity fields
    that could tell them apart are not read. A joint's visibility and its presence are both the height of its peak.

    Args:
        network: a file that OpenCV reads: ``.onnx``, ``.pb`` or ``.tflite``. Its input is one picture, its output of
            shape (1, maps, h, w) starts with a heatmap a joint, in the skeleton's order; a map of the background and
            those of affinity fields may follow. Of several outputs, the last one that fits is taken.
        skeleton: the joints that the network was trained for.
        threshold: the peak from which on a joint counts as found; with fewer than :data:`MIN_JOINTS` found, nobody is.
        preparation: of a picture; None: :data:`TENSORFLOW` for a ``.pb``, else :data:`OPENPOSE`.
        side: of the network's input, in pixels.

    Example:
        >>> with contextlib.closing(OpenPose("pose_coco.onnx", COCO18)) as estimator:
        ...     people = estimator.predict(read_rgb(path))
    """

    def __init__(
        self,
        network: Path | str,
        skeleton: Skeleton = COCO18,
        threshold: float = THRESHOLD,
        preparation: Preparation | None = None,
        side: int = SIDE,
    ) -> None:
        self._path = Path(network)
        self._skeleton = skeleton
        self._threshold = threshold
        self._preparation = preparation or (TENSORFLOW if self._path.suffix.lower() == _TENSORFLOW else OPENPOSE)
        self._side = side
        self._network: cv2.dnn.Net | None = None

    @classmethod
    def from_settings(cls, settings: "Settings") -> Self:
        """The estimator with the network that the settings name.

        Raises:
            UserError: they name none, or there is no such file.
        """
        path = Path(settings.curate.pose_network)
        if not settings.curate.pose_network:
            raise UserError(
                "the pose estimator openpose needs its network: set curate.pose_network, or --pose-network FILE"
            )
        if not path.is_file():
            raise UserError(f"expected an OpenPose network, got no such file: {path}")
        return cls(path, _SKELETONS[settings.curate.pose_layout])

    @property
    def skeleton(self) -> Skeleton:
        """See :class:`fullshot.core.interfaces.PoseEstimator`."""
        return self._skeleton

    @cached_property
    def version(self) -> str:
        """See :class:`fullshot.core.interfaces.PoseEstimator`."""
        return f"{self._skeleton.name} {digest(self._path)} {_DECODING}"

    @property
    def model_source(self) -> str:
        """See :class:`fullshot.core.interfaces.PoseEstimator`."""
        return "settings"

    def predict(self, picture: Picture) -> People:
        """See :meth:`fullshot.core.interfaces.PoseEstimator.predict`.

        Raises:
            UserError: there is no such network, OpenCV cannot read or run it, or its output has another shape.
        """
        blob, filled = self._preparation.blob(picture, self._side)
        keypoints = decode(self._heatmaps(blob), filled)
        if np.count_nonzero(keypoints[:, 2] >= self._threshold) < MIN_JOINTS:
            return nobody(self._skeleton)
        return People(keypoints[None], self._skeleton)

    def close(self) -> None:
        """See :meth:`fullshot.core.interfaces.PoseEstimator.close`."""
        self._network = None

    def __getstate__(self) -> Mapping[str, Any]:
        return {**self.__dict__, "_network": None}

    def _heatmaps(self, blob: NDArray[np.float32]) -> NDArray[np.float32]:
        """The joints' heatmaps, shape (J, h, w), of a network's input of shape (1, 3, side, side)."""
        network = self._network = self._network or _read(self._path)
        try:
            with _quiet():
                network.setInput(blob)
                outputs = network.forward(list(network.getUnconnectedOutLayersNames()))
        except cv2.error as error:
            what = f"a picture of {self._side} x {self._side} pixels"
            raise UserError(f"OpenCV cannot run {self._path} on {what}: {_words(error)}") from None
        joints = len(self._skeleton.joints)
        fields = _FIELDS.get(self._skeleton.name, 0)
        expected = sorted({joints, joints + 1, joints + 1 + fields})
        fitting = [one for one in outputs if one.ndim == 4 and one.shape[0] == 1 and one.shape[1] in expected]
        if not fitting:
            maps = ", ".join(map(str, expected[:-1]))
            got = " and ".join(str(tuple(one.shape)) for one in outputs)
            raise UserError(
                f"the output of {self._path} must have shape (1, maps, h, w) with {maps} or {expected[-1]} maps for "
                f"the skeleton {self._skeleton.name}, but got shape {got}; is it a network for another skeleton?"
            )
        return np.asarray(fitting[-1][0, :joints], np.float32)


def decode(heatmaps: NDArray[np.floating[Any]], filled: Sequence[float] = (1.0, 1.0)) -> NDArray[np.float64]:
    """Key points from heatmaps, all joints at once.

    A joint is at the highest cell of its heatmap, moved by less than half a cell to the top of the parabola through
    that cell and its two neighbours, in x and in y. On 4,000 peaks as wide as OpenPose's (Gaussians with a standard
    deviation of 7 pixels, in cells of 8) the mean error was 0.04 cells along an axis, without it 0.25.

    Args:
        heatmaps: shape (J, h, w); values that are no numbers count as 0.
        filled: the shares of the maps' width and height that the picture fills, from the upper left corner; cells
            beyond are not looked at.

    Returns:
        Shape (J, 4): x and y as shares of the picture's width and height, then the peak twice, clipped to [0, 1]: as
        visibility and as presence.
    """
    extent = np.array(filled) * heatmaps.shape[:0:-1]
    # The cells whose centres lie in the picture; of the thinnest strip, one all the same.
    columns, rows = np.maximum(np.ceil(extent - 0.5).astype(int), 1)
    maps = np.nan_to_num(heatmaps[:, :rows, :columns].astype(np.float64), posinf=0.0, neginf=0.0)
    joints = np.arange(len(maps))
    y, x = np.divmod(maps.reshape(len(maps), -1).argmax(axis=1), columns)
    peaks = maps[joints, y, x]
    x_before, x_after = _neighbours(x, int(columns))
    y_before, y_after = _neighbours(y, int(rows))
    x_offset = _offset(maps[joints, y, x_before], peaks, maps[joints, y, x_after])
    y_offset = _offset(maps[joints, y_before, x], peaks, maps[joints, y_after, x])
    places = (np.stack([x + x_offset, y + y_offset], axis=1) + 0.5) / extent
    return np.column_stack([np.clip(places, 0, 1), np.clip([peaks, peaks], 0, 1).T])


def _neighbours(cells: NDArray[np.int_], count: int) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """The cells before and after; at either end both are the same one, so that nothing draws the peak anywhere."""
    before = np.where(cells > 0, cells - 1, cells + 1)
    after = np.where(cells < count - 1, cells + 1, cells - 1)
    return np.clip(before, 0, count - 1), np.clip(after, 0, count - 1)


def _offset(before: NDArray[np.float64], peak: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the top of the parabola through three cells is from the middle one, in [-0.5, 0.5] cells."""
    bend = 2 * peak - before - after
    return 0.5 * (after - before) / np.where(bend > 0, bend, 1.0)


def _read(path: Path) -> cv2.dnn.Net:
    """A network from its file.

    Raises:
        UserError: there is none, or OpenCV cannot read it.
    """
    suffix = path.suffix.lower()
    if suffix in _CAFFE:
        raise UserError(
            f"{path} is a Caffe network, which OpenCV 5 does not read any more: convert its .prototxt and .caffemodel "
            "to ONNX, for example by the package caffe2onnx, and give the .onnx"
        )
    if not path.is_file():
        raise UserError(f"there is no network {path}: give the path of an .onnx, .pb or .tflite file")
    # OpenCV 5.0.0's new engine ends the process on some files that are no TensorFlow network.
    engine = cv2.dnn.ENGINE_CLASSIC if suffix == _TENSORFLOW else cv2.dnn.ENGINE_AUTO
    try:
        with _quiet():
            network = cv2.dnn.readNet(str(path), engine=engine)
    except cv2.error as error:
        raise UserError(f"OpenCV cannot read {path} as an .onnx, .pb or .tflite network: {_words(error)}") from None
    if network.empty():
        raise UserError(f"OpenCV finds no network in {path}: expected an .onnx, .pb or .tflite file with weights")
    return network


def _words(error: cv2.error) -> str:
    """What OpenCV says went wrong, in one line and without the place in its sources."""
    return " ".join(str(error.err or error).split())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV from logging what is raised as an error anyway."""
    log = cv2.utils.logging
    level = log.getLogLevel()
    log.setLogLevel(log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(level)
