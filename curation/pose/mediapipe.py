"""MediaPipe's pose landmarker."""

import contextlib
import os
import signal
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from fullshot.core.boxes import Picture
from fullshot.curation.pose import model_file
from fullshot.curation.pose.model_file import PoseModel
from fullshot.curation.pose.people import People, nobody
from fullshot.curation.pose.skeletons import BLAZEPOSE, Skeleton

if TYPE_CHECKING:
    from fullshot.core.settings import Settings

MOST_PEOPLE = 3
"""People looked for in a picture. With one, 2 of 811 street photos were judged by a passer-by."""


def _ignore_profiling_timer() -> None:
    """Keep the timer that MediaPipe's library counts its CPU time by from ending the process.

    The library tells the system to ignore the timer's signal, behind Python's back; whoever restores the handlers that
    Python knows of (Lightning does after each training) would bring back the signal's default, which is to die of it.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGPROF, signal.SIG_IGN)


class MediaPipePose:
    """MediaPipe's pose landmarker on single pictures; see :class:`fullshot.core.interfaces.PoseEstimator`.

    Args:
        model: the pose model, from :func:`fullshot.curation.pose.model_file.provide`.
        most_people: how many people are looked for at most.

    Example:
        >>> with contextlib.closing(MediaPipePose(provide(settings))) as estimator:
        ...     people = estimator.predict(read_rgb(path))
    """

    def __init__(self, model: PoseModel, most_people: int = MOST_PEOPLE) -> None:
        self.model = model
        self._most_people = most_people
        self._close: Callable[[], object] | None = None
        self._landmarker: Any = None
        self._has_warned = False

    @classmethod
    def from_settings(cls, settings: "Settings") -> Self:
        """The estimator with the model that the settings name, fetched if need be.

        Raises:
            UserError: there is no model.
        """
        return cls(model_file.provide(settings))

    @property
    def skeleton(self) -> Skeleton:
        """See :class:`fullshot.core.interfaces.PoseEstimator`."""
        return BLAZEPOSE

    @property
    def version(self) -> str:
        """See :class:`fullshot.core.interfaces.PoseEstimator`."""
        return f"{BLAZEPOSE.name} {self.model.sha256} {self._most_people}"

    @property
    def model_source(self) -> str:
        """See :class:`fullshot.core.interfaces.PoseEstimator`."""
        return self.model.route

    def predict(self, picture: Picture) -> People:
        """See :meth:`fullshot.core.interfaces.PoseEstimator.predict`."""
        mediapipe = _library()
        landmarker = self._landmarker or self._load()
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        # The library warns once of each of its parts: the last of them starts with the first person found.
        with contextlib.nullcontext() if self._has_warned else _silence():
            bodies = landmarker.detect(image).pose_landmarks
        self._has_warned = self._has_warned or bool(bodies)
        if not bodies:
            return nobody(BLAZEPOSE)
        points = [[(point.x, point.y, point.visibility, point.presence) for point in body] for body in bodies]
        return People(np.array(points, dtype=float), BLAZEPOSE)

    def close(self) -> None:
        """See :meth:`fullshot.core.interfaces.PoseEstimator.close`."""
        if self._close is not None:
            self._close()
        self._close = self._landmarker = None

    def _load(self) -> Any:
        with _silence():
            tasks = _library().tasks
            vision = tasks.vision
            options = vision.PoseLandmarkerOptions(
                base_options=tasks.BaseOptions(model_asset_path=str(self.model.path)),
                running_mode=vision.RunningMode.IMAGE,
                num_poses=self._most_people,
            )
            self._landmarker = vision.PoseLandmarker.create_from_options(options)
        _ignore_profiling_timer()
        # Also when this object goes away, and when Python ends.
        self._close = weakref.finalize(self, _close, self._landmarker)
        return self._landmarker

    def __reduce__(self) -> tuple[type[Self], tuple[PoseModel, int]]:
        return type(self), (self.model, self._most_people)


_UNUSED = ("matplotlib", "matplotlib.pyplot", "sounddevice")
"""What MediaPipe loads to plot in three dimensions and to record sound; it takes three times as long as all the rest of
it, in every worker process."""


def _library() -> Any:
    """MediaPipe, loaded with nothing in the places of :data:`_UNUSED`, where these are not loaded anyway."""
    if "mediapipe" not in sys.modules and not any(name in sys.modules for name in _UNUSED):
        places = {name: ModuleType(name) for name in _UNUSED}
        sys.modules |= places
        try:
            import mediapipe
        finally:
            for name, place in places.items():
                if sys.modules.get(name) is place:
                    del sys.modules[name]
    import mediapipe

    return mediapipe


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
