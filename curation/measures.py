"""Measures of a picture's quality, each in [0, 1], from its pixels alone."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.boxes import Picture

MEASURES = ("sharpness", "detail", "watermark", "collage")
"""What :func:`measure` finds, each in [0, 1]."""

LONGEST = 256
"""Longer side, in pixels, of the grey copy: what is blurred at that size is blurred at any."""

_BLUR = (9, 1)  # the kernel of Crete et al.
_PANEL = 0.15  # of the side: what is narrower than this is no picture of a collage
_PLAIN = 6.0  # levels (standard deviation) below which a panel is a bar, not a picture
_LEAST_PERIOD, _MOST_PERIOD = 0.08, 0.35  # of the longer side
_LEAST_SHARED = 0.2  # of the picture, that is there again one period on
_LEAST_MARKED = 64  # pixels: in less, no letters are told from noise
_FINE = 1.5  # pixels (standard deviation)
_AROUND = 25  # pixels (a square)
_MOST_LINE = 3.0  # times the lines around
_MOST_STEP = 40  # levels
_PARTS = 8  # of the height
_PASSED_OVER = 2  # of the parts: two pictures may be of one colour somewhere
_EVERY = 3  # a row in so many is looked at: a seam runs through all of them
_BESIDE = 3  # columns

Grey = NDArray[np.float32]


def measure(picture: Picture) -> dict[str, float]:
    """What of a picture decides whether it is junk.

    Args:
        picture: shape (height, width, 3), uint8, RGB, of any size from one pixel on.

    Returns:
        A value in [0, 1] for each of :data:`MEASURES`.
    """
    small = reduced(picture)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    whole = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    down, across = (whole[::_EVERY], np.ascontiguousarray(whole[:, ::_EVERY].T))
    return {
        "sharpness": sharpness(grey),
        "detail": detail(small),
        "watermark": watermark(grey),
        "collage": max(seam(down), seam(across)),
    }


def reduced(picture: Picture) -> Picture:
    """A copy of at most :data:`LONGEST` pixels."""
    height, width = picture.shape[:2]
    while max(height, width) >= 2 * LONGEST:
        # Halving is the one reduction by areas that OpenCV does fast; a last odd line is left out.
        height, width = max(1, height // 2), max(1, width // 2)
        even = picture[: max(1, 2 * height), : max(1, 2 * width)]
        picture = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    share = min(1.0, LONGEST / max(height, width))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def sharpness(grey: Grey) -> float:
    """How much of the picture's edges goes when it is blurred: 0 for one that is blurred already.

    One minus the blur effect of Crete, Dolmière, Ladret and Nicolas ("The blur effect: perception and estimation with a
    new no-reference perceptual blur metric", 2007), which does not depend on contrast.

    Args:
        grey: shape (height, width), in levels from 0 to 255.
    """
    least = 1.0
    for image, kernel in ((grey, _BLUR), (np.ascontiguousarray(grey.T), _BLUR)):
        if image.shape[1] < 2:
            continue
        edges = np.abs(np.diff(image, axis=1))
        blurred = np.abs(np.diff(cv2.blur(image, kernel), axis=1))
        total = float(edges.sum())
        if total:
            least = min(least, float(np.maximum(edges - blurred, 0).sum()) / total)
    return least


def detail(picture: Picture) -> float:
    """The range of the channel that varies most, from the 0.5th to the 99.5th percentile, as a share of all levels."""
    ranges = []
    for channel in range(picture.shape[2]):
        levels = picture[::2, ::2, channel].ravel()
        shares = np.bincount(levels, minlength=256).cumsum() / len(levels)
        ranges.append(int(np.searchsorted(shares, 0.995)) - int(np.searchsorted(shares, 0.005)))
    return max(ranges) / 255


def watermark(grey: Grey) -> float:
    """How much of the picture is covered by fine lines that come again one period on, as by a mark laid all over it.

    The picture's fine lines are brought to one strength everywhere, so that a faint mark on plain ground counts as much
    as a pattern on cloth; their greatest autocorrelation is the share of the picture that repeats itself. A checked
    shirt repeats itself too, but not the ground around it. A mark that stands there once is not found.

    Args:
        grey: shape (height, width), in levels from 0 to 255.
    """
    height, width = grey.shape
    if min(height, width) < _LEAST_MARKED:
        return 0.0
    fine = grey - cv2.GaussianBlur(grey, (0, 0), _FINE)
    strength = np.sqrt(np.maximum(cv2.sqrBoxFilter(fine, -1, (_AROUND, _AROUND)), 0))  # rounding may leave less
    lines = np.clip(fine / np.maximum(strength, 1.0), -_MOST_LINE, _MOST_LINE)
    shape, there, weights = _one_period_on(height, width)
    padded = np.zeros(shape, np.float32)
    padded[:height, :width] = lines - lines.mean()
    spectrum = cv2.dft(padded)
    repeats = cv2.idft(cv2.mulSpectrums(spectrum, spectrum, 0, conjB=True), flags=cv2.DFT_SCALE).ravel()
    return float(np.clip((repeats[there] * weights).max(initial=0.0), 0, 1))


@lru_cache(maxsize=128)
def _one_period_on(height: int, width: int) -> tuple[tuple[int, int], NDArray[np.intp], Grey]:
    """Where an autocorrelation is looked at: its shape, the flat places in it, and one over the pixels shared there.

    It is padded by zeros as far as is looked, so that one side does not go on at the other. Half of it is enough: it is
    the same either way.
    """
    longest = max(height, width)
    padded = (side + round(_MOST_PERIOD * longest) for side in (height, width))
    shape = (cv2.getOptimalDFTSize(next(padded)), cv2.getOptimalDFTSize(next(padded)))
    down, right = np.arange(round(_MOST_PERIOD * longest)), np.arange(shape[1])
    aside = np.minimum(right, shape[1] - right)
    distance = np.hypot(down[:, None], aside[None, :])
    shared = np.clip(height - down, 0, None)[:, None] * np.clip(width - aside, 0, None)[None, :]
    there = (distance > _LEAST_PERIOD * longest) & (distance < _MOST_PERIOD * longest)
    there &= shared > _LEAST_SHARED * height * width
    rows, columns = np.nonzero(there)
    return shape, rows * shape[1] + columns, (1 / shared[there]).astype(np.float32)


def seam(grey: NDArray[np.uint8]) -> float:
    """How strong the picture's strongest straight seam is that runs from its top to its bottom.

    Where two pictures meet, neighbouring columns differ in all of their height, just there: so the difference is
    measured in parts of the height, over that of the columns beside it, and some of the weakest parts are passed
    over. Bars of one colour at the sides (letterboxes) are no pictures, and their edges no seams.

    Args:
        grey: shape (height, width), uint8; not reduced across, so that a seam is one column wide.

    Returns:
        In [0, 1]: 1 is a difference of :data:`_MOST_STEP` levels in every part.
    """
    height, width = grey.shape
    first, last = round(width * _PANEL), round(width * (1 - _PANEL)) - 1
    if height < 4 * _PARTS or last - first < 2 * _BESIDE + 1:
        return 0.0
    steps = np.minimum(cv2.absdiff(grey[:, 1:], grey[:, :-1]), _MOST_STEP)
    part = height // _PARTS
    columns = steps[: part * _PARTS].reshape(_PARTS, part, -1).mean(axis=1, dtype=np.float32)
    beside = np.max([np.roll(columns, move, axis=1) for move in (-3, -2, 2, 3)], axis=0)
    strength = np.sort(columns - beside, axis=0)[_PASSED_OVER] / _MOST_STEP
    inner = strength[first:last]
    place = first + int(inner.argmax())
    panels = (grey[:, : place - 1], grey[:, place + 3 :])
    if min(float(panel[::4, ::4].std()) for panel in panels) < _PLAIN:
        return 0.0
    return float(np.clip(inner.max(), 0, 1))
