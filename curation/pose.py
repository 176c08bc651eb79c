"""Find people and their joints in a picture."""

import contextlib
import os
import signal
import tempfile
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from curation.pose_model import PoseModel
from fullshot.boxes import Picture

NAMES = (
    "nose",
    "left eye (inner)",
    "left eye",
    "left eye (outer)",
    "right eye (inner)",
    "right eye",
    "right eye (outer)",
    "left ear",
    "right ear",
    "mouth (left)",
    "mouth (right)",
    "left shoulder",
    "right shoulder",
    "left elbow",
    "right elbow",
    "left wrist",
    "right wrist",
    "left pinky",
    "right pinky",
    "left index",
    "right index",
    "left thumb",
    "right thumb",
    "left hip",
    "right hip",
    "left knee",
    "right knee",
    "left ankle",
    "right ankle",
    "left heel",
    "right heel",
    "left foot index",
    "right foot index",
)
"""BlazePose's joints, in the order of the rows of :attr:`Person.keypoints`; left and right are the person's own."""

_NUMBERS = {name: number for number, name in enumerate(NAMES)}

MOST_PEOPLE = 3
"""People looked for in a picture. With one, 2 of 811 street photos were judged by a passer-by."""


@dataclass(frozen=True, eq=False)
class Person:
    """A person in a picture.

    Args:
        keypoints: shape (33, 4), float: for each of :data:`NAMES` its x and y as shares of the picture's width and
            height (0, 0 is the top left corner; outside [0, 1] the joint is guessed, outside the frame), then its
            visibility and its presence in [0, 1].
    """

    keypoints: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.keypoints.shape != (len(NAMES), 4):
            raise ValueError(f"keypoints must have shape ({len(NAMES)}, 4), but got shape {self.keypoints.shape}")

    def joints(self, names: Sequence[str]) -> NDArray[np.float64]:
        """The rows of some joints, shape (len(names), 4).

        Raises:
            KeyError: a name is not one of :data:`NAMES`.
        """
        return self.keypoints[[_NUMBERS[name] for name in names]]

    @property
    def place(self) -> tuple[float, float, float, float]:
        """The box round all joints, ``(x_min, y_min, x_max, y_max)``, as shares of the picture."""
        x_min, y_min = self.keypoints[:, :2].min(axis=0)
        x_max, y_max = self.keypoints[:, :2].max(axis=0)
        return float(x_min), float(y_min), float(x_max), float(y_max)


def _ignore_profiling_timer() -> None:
    """Keep the timer that MediaPipe's library counts its CPU time by from ending the process.

    The library tells the system to ignore the timer's signal, behind Python's back; whoever restores the handlers that
    Python knows of (Lightning does after each training) would bring back the signal's default, which is to die of it.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGPROF, signal.SIG_IGN)


class PoseEstimator(Protocol):
    """Whatever finds people in a picture."""

    def people(self, picture: Picture) -> list[Person]:
        """The people in a picture, the surest first.

        Args:
            picture: shape (height, width, 3), uint8, RGB.
        """


class MediaPipePose:
    """MediaPipe's pose landmarker on single pictures; to be closed, or used as a context manager.

    Args:
        model: the pose model, from :func:`curation.pose_model.provide`.
        most_people: how many people are looked for at most.

    Example:
        >>> with MediaPipePose(provide(settings)) as pose:
        ...     people = pose.people(read_rgb(path))
    """

    def __init__(self, model: PoseModel, most_people: int = MOST_PEOPLE) -> None:
        with _silence():
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.PoseLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(model.path)),
                running_mode=vision.RunningMode.IMAGE,
                num_poses=most_people,
            )
            self._landmarker = vision.PoseLandmarker.create_from_options(options)
        _ignore_profiling_timer()
        self._finalizer = weakref.finalize(self, _close, self._landmarker)
        self._has_warned = False

    def people(self, picture: Picture) -> list[Person]:
        """See :meth:`PoseEstimator.people`."""
        import mediapipe

        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        # The library warns once of each of its parts: the last of them starts with the first person found.
        with contextlib.nullcontext() if self._has_warned else _silence():
            found = self._landmarker.detect(image).pose_landmarks
        self._has_warned = self._has_warned or bool(found)
        return [
            Person(np.array([(point.x, point.y, point.visibility, point.presence) for point in points], dtype=float))
            for points in found
        ]

    def close(self) -> None:
        """Give back the model's memory."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _close(landmarker: Any) -> None:
    """Close a landmarker; one that is left open until Python ends can only be let go."""
    try:
        landmarker.close()
    except RuntimeError:  # its thread has ended already
        landmarker._handle = None  # or it tries again when it is deleted, and prints a traceback


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what C++ libraries log off this process's stderr; their own switches for it do nothing here."""
    with tempfile.TemporaryFile() as sink:
        try:
            stderr = os.dup(2)
        except OSError:  # a process without stderr
            yield
            return
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
