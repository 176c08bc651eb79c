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

from fullshot.core.boxes import Corners, Picture
from fullshot.curation.pose.model_file import PoseModel
from fullshot.curation.pose.skeletons import BLAZEPOSE, Layout

MOST_PEOPLE = 3
"""People looked for in a picture. With one, 2 of 811 street photos were judged by a passer-by."""


@dataclass(frozen=True, eq=False)
class People:
    """People of one picture, or of many.

    Args:
        keypoints: shape (N, J, 4), float: for each person and each joint of the layout its x and y as shares of the
            picture's width and height (0, 0 is the top left corner; outside [0, 1] the joint is guessed, outside the
            frame), then its visibility and its presence in [0, 1].
        layout: the joints.

    Raises:
        ValueError: the keypoints are not of that shape.
    """

    keypoints: NDArray[np.floating[Any]]
    layout: Layout = BLAZEPOSE

    def __post_init__(self) -> None:
        expected = (len(self.keypoints), len(self.layout.joints), 4)
        if self.keypoints.shape != expected:
            raise ValueError(f"keypoints must have shape {expected}, but got shape {self.keypoints.shape}")

    def __len__(self) -> int:
        return len(self.keypoints)

    def joints(self, names: Sequence[str]) -> NDArray[np.floating[Any]]:
        """The rows of some joints, shape (N, len(names), 4).

        Raises:
            KeyError: a name is not one of the layout's.
        """
        return self.keypoints[:, self.layout.numbers(names)]


@dataclass(frozen=True, eq=False)
class Person:
    """A person in a picture.

    Args:
        keypoints: shape (J, 4), float, as a row of :attr:`People.keypoints`.
        layout: the joints.

    Raises:
        ValueError: the keypoints are not of that shape.
    """

    keypoints: NDArray[np.floating[Any]]
    layout: Layout = BLAZEPOSE

    def __post_init__(self) -> None:
        expected = (len(self.layout.joints), 4)
        if self.keypoints.shape != expected:
            raise ValueError(f"keypoints must have shape {expected}, but got shape {self.keypoints.shape}")

    def joints(self, names: Sequence[str]) -> NDArray[np.floating[Any]]:
        """The rows of some joints, shape (len(names), 4).

        Raises:
            KeyError: a name is not one of the layout's.
        """
        return self.keypoints[self.layout.numbers(names)]

    @property
    def place(self) -> Corners:
        """The box round all joints, ``(x_min, y_min, x_max, y_max)``, as shares of the picture."""
        x_min, y_min = self.keypoints[:, :2].min(axis=0)
        x_max, y_max = self.keypoints[:, :2].max(axis=0)
        return float(x_min), float(y_min), float(x_max), float(y_max)


def gathered(people: Sequence[Person], layout: Layout = BLAZEPOSE) -> People:
    """The people of a picture as one array.

    Args:
        people: all with this layout.
        layout: the joints, where there is nobody as well.
    """
    keypoints = np.zeros((len(people), len(layout.joints), 4))
    for number, person in enumerate(people):
        keypoints[number] = person.keypoints
    return People(keypoints, layout)


def _ignore_profiling_timer() -> None:
    """Keep the timer that MediaPipe's library counts its CPU time by from ending the process.

    The library tells the system to ignore the timer's signal, behind Python's back; whoever restores the handlers that
    Python knows of (Lightning does after each training) would bring back the signal's default, which is to die of it.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGPROF, signal.SIG_IGN)


class PoseEstimator(Protocol):
    """Whatever finds people in a picture."""

    @property
    def layout(self) -> Layout:
        """The joints that it finds."""

    def people(self, picture: Picture) -> list[Person]:
        """The people in a picture, the surest first.

        Args:
            picture: shape (height, width, 3), uint8, RGB.
        """


class MediaPipePose:
    """MediaPipe's pose landmarker on single pictures; to be closed, or used as a context manager.

    Args:
        model: the pose model, from :func:`fullshot.curation.pose.model_file.provide`.
        most_people: how many people are looked for at most.

    Example:
        >>> with MediaPipePose(provide(settings)) as pose:
        ...     people = pose.people(read_rgb(path))
    """

    layout = BLAZEPOSE

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
