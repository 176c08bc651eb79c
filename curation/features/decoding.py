"""JPEGs decoded by OpenCV: its libjpeg finds the same pixels as Pillow's, without a copy in Pillow's own layout."""

import contextlib
import functools
import os
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

_REDUCED = {
    1: cv2.IMREAD_COLOR_RGB,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
"""By what libjpeg divides. The flags of reduced pictures go with no other order of colours than BGR."""


def decode_jpeg(content: bytes, divisor: int) -> NDArray[np.uint8] | None:
    """See :data:`fullshot.core.pictures.DecodeJpeg`."""
    with _without_warnings():
        try:
            pixels = cv2.imdecode(np.frombuffer(content, np.uint8), _REDUCED[divisor] | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error:
            return None
    if pixels is None:  # it is cut off
        return None
    return np.asarray(pixels if divisor == 1 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep off stderr what libjpeg says of a picture that decodes all the same; Pillow's says nothing."""
    try:
        stderr = os.dup(2)
    except OSError:  # a process without stderr
        yield
        return
    os.dup2(_nowhere(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


@functools.cache
def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY)
