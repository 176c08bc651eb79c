"""Measures of a picture's quality, each in [0, 1], from its pixels alone.

Looked at on 7,153 photos (street photos, two sizes of a shop's, garments at home), drawings of the built-in shop, and
defects planted on pictures of each kind and saved as JPEG (``benchmarks.quality``). With a sharpness of at least
0.36, a detail of at least 0.02 and at most 0.05 of a watermark, clean ones on the wrong side are two blurred photos
(soft ones, taken at home) and, of 900 drawings, one in fine stripes all over; with at most 0.2 of a collage none of
450 drawings and 7,153 photos is. Found of what was planted, on 120 of each kind of photo:

* Blurred by a Gaussian of 1/150 of the longer side: 99 to 100%. Moved by 1/40 of it: 98 to 100% of street photos and
  the large shop photos, 68 to 74% of the others, which are smaller.
* Empty frames with noise and a slope of brightness: all.
* Two photos that touch, side by side or one above the other: 72 to 84%, with a gutter 98 to 100%; next to none where
  both stand on one white.
* Half-transparent words all over: 3 to 33%, the fewest on the smallest pictures. A print that fills the frame repeats
  itself too, and to lose good pictures costs more. Large letters that stand there once are not looked for.
"""

from functools import lru_cache
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from fullshot.core.boxes import Picture

MEASURES = ("sharpness", "detail", "watermark", "collage")
"""What :func:`measure` finds, each in [0, 1]."""

LONGEST, LONGEST_MARKED = 384, 192
"""Longer side, in pixels, of the grey copy: what is blurred at that size is blurred at any. For marks half of it."""

_LEAST_MEASURED = 8  # pixels: in less, no edge is told from its neighbour
_LEAST_CHANGE = 0.05  # squared levels a pixel: rounding makes as much
_LEAST_STRENGTH = 1.5  # levels: what is fainter is noise of the JPEG
_LEAST_PEAK = 0.02  # of the autocorrelation, over what is around
_CANDIDATES = 10
_GRID = 4
_BEST = 6  # of the candidates
_LONGEST_EDGES, _EDGE = 128, 16  # pixels; levels
_RADII = np.hypot(*np.mgrid[-6:7, -6:7])
_RING = ((_RADII > 4.5) & (_RADII < 6.2)).astype(np.uint8)
_PANEL = 0.15  # of the side: what is narrower than this is no picture of a collage
_PLAIN = 6.0  # levels (standard deviation) below which a panel is a bar, not a picture
_LEAST_PERIOD, _MOST_PERIOD = 0.07, 0.45  # of the longer side
_LEAST_SHARED = 0.3  # of the picture, that is there again one period on
_LEAST_MARKED = 64  # pixels: in less, no letters are told from noise
_FINE = 1.3  # pixels (standard deviation)
_AROUND = 21  # pixels (a square)
_MOST_LINE = 2.5  # times the lines around
_MOST_STEP = 40  # levels
_PARTS = 8  # of the height
_PASSED_OVER = 1  # of the parts: two pictures may be of one colour somewhere
_EVERY = 3  # a row in so many is looked at: a seam runs through all of them
_BESIDE = 3  # columns

Grey = NDArray[np.float32]
AnyGrey = TypeVar("AnyGrey", NDArray[np.uint8], NDArray[np.float32])


def measure(picture: Picture) -> dict[str, float]:
    """What of a picture decides whether it is junk.

    Args:
        picture: shape (height, width, 3), uint8, RGB, of any size from one pixel on.

    Returns:
        A value in [0, 1] for each of :data:`MEASURES`.
    """
    whole = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    small = reduced(whole, LONGEST)
    grey = small.astype(np.float32)
    down, across = (whole[::_EVERY], np.ascontiguousarray(whole[:, ::_EVERY].T))
    return {
        "sharpness": sharpness(grey),
        "detail": detail(small),
        "watermark": watermark(reduced(grey, LONGEST_MARKED)),
        "collage": max(seam(down), seam(across)),
    }


def reduced(grey: AnyGrey, longest: int) -> AnyGrey:
    """A copy whose longer side is at most so many pixels; the picture itself, where it is."""
    height, width = grey.shape
    if max(height, width) <= longest:
        return grey
    while max(height, width) >= 2 * longest and min(height, width) > 1:
        # Halving is the one reduction by areas that OpenCV does fast; a last odd line is left out.
        height, width = height // 2, width // 2
        even = grey[: 2 * height, : 2 * width]
        grey = cast(AnyGrey, cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
    share = min(1.0, longest / max(height, width))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    # Of at most two pixels in one the mean is what interpolation finds, in a fifth of the time.
    return cast(AnyGrey, cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR))


def sharpness(grey: Grey) -> float:
    """How narrow the picture's edges are, in the direction in which they are widest.

    Second differences over first ones, as root mean squares, horizontally, vertically and along both diagonals; half of
    the least, at most 1. A step edge under a Gaussian of s pixels has a ratio of 1 / (s * sqrt(2)), whatever its
    contrast. The four directions are asked alone because a picture that moved keeps the edges along its movement.

    Args:
        grey: shape (height, width), in levels from 0 to 255.
    """
    height, width = grey.shape
    if min(height, width) < _LEAST_MEASURED:
        return 1.0
    here = grey[1:-1, 1:-1]
    least = 2.0
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        after = grey[1 + down : height - 1 + down, 1 + right : width - 1 + right]
        before = grey[1 - down : height - 1 - down, 1 - right : width - 1 - right]
        first = float(cv2.norm(after, before, cv2.NORM_L2SQR)) / 4
        if first > _LEAST_CHANGE * here.size:  # else there are no edges in this direction
            second = float(cv2.norm(after + before, 2 * here, cv2.NORM_L2SQR))
            least = min(least, (second / first) ** 0.5)
    return least / 2


def detail(grey: NDArray[np.uint8]) -> float:
    """The share of the picture that is an edge: where levels within 3 x 3 pixels span more than :data:`_EDGE`.

    A vignette, a ground that grows darker and a sensor's noise are none; the outline of a white shoe on white is.

    Args:
        grey: shape (height, width).
    """
    tiny = reduced(grey, _LONGEST_EDGES)
    edges = cv2.morphologyEx(tiny, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return float(np.count_nonzero(edges > _EDGE)) / tiny.size


def watermark(grey: Grey) -> float:
    """How much a mark that is repeated all over the picture shows where it shows least.

    The picture's fine lines are brought to one strength everywhere, so that a faint mark on plain ground counts as much
    as a pattern on cloth. Peaks of their autocorrelation are steps at which they may come again; a ridge, as straight
    lines make it, is no peak. Over the best of these steps the agreement is told in 16 parts of the picture, and the
    part that agrees least counts: a checked shirt repeats itself too, but not the ground around it. A mark that stands
    there once, or on one half only, is not found; a print that fills the frame is taken for one where it is fine.

    Args:
        grey: shape (height, width), in levels from 0 to 255.
    """
    height, width = grey.shape
    if min(height, width) < _LEAST_MARKED:
        return 0.0
    fine = grey - cv2.GaussianBlur(grey, (0, 0), _FINE)
    strength = np.sqrt(np.maximum(cv2.sqrBoxFilter(fine, -1, (_AROUND, _AROUND)), 0))  # rounding may leave less
    lines = np.clip(fine / np.maximum(strength, _LEAST_STRENGTH), -_MOST_LINE, _MOST_LINE)
    lines = (lines - lines.mean()).astype(np.float32)
    agreements = []
    for down, right in _steps(lines):
        first = lines[: height - down, max(0, -right) : width - max(0, right)]
        again = lines[down:, max(0, right) : width - max(0, -right)]
        agreements.append(cv2.resize(first * again, (_GRID, _GRID), interpolation=cv2.INTER_AREA).ravel())
    if not agreements:
        return 0.0
    # A lattice comes again at many steps; what disagrees by chance at one does not at the next.
    found = np.array(agreements)
    lower_half = np.sort(found, axis=1)[:, : found.shape[1] // 2].mean(axis=1)
    best = found[np.argsort(-lower_half)[:_BEST]].mean(axis=0)
    return float(np.clip(best.min(), 0, 1))


def _steps(lines: Grey) -> list[tuple[int, int]]:
    """Steps (down, right; in pixels) at which fine lines, shape (height, width), may come again."""
    height, width = lines.shape
    longest = max(height, width)
    far = round(_MOST_PERIOD * longest)
    shape = [fft.next_fast_len(side + far, real=True) for side in (height, width)]
    spectrum = fft.rfft2(lines, s=shape)
    # Amplitudes, not their squares as in an autocorrelation: a repeated mark's peaks are sharper so.
    repeats = fft.irfft2(np.abs(spectrum), s=shape)
    repeats /= max(float(repeats[0, 0]), 1e-6)
    down, right = min(far, height - 1), min(far, width - 1)
    # Some rows above the first, which are those below it turned round, so that its neighbours are seen as well.
    above = min(_RING.shape[0], down)
    repeats = np.hstack([repeats[: down + 1, -right:], repeats[: down + 1, : right + 1]])
    framed = np.vstack([repeats[above:0:-1, ::-1], repeats])
    around = cv2.dilate(framed, _RING)
    peaks = np.where(framed >= cv2.dilate(framed, np.ones((5, 5), np.uint8)), framed - np.maximum(around, 0), 0)[above:]
    peaks = np.where(_far_enough(height, width, down, right), peaks, 0).ravel()
    best = np.flatnonzero(peaks > _LEAST_PEAK)
    best = best[np.argsort(-peaks[best], kind="stable")[:_CANDIDATES]]
    rows, columns = np.divmod(best, 2 * right + 1)
    return [(int(row), int(column) - right) for row, column in zip(rows, columns, strict=True)]


@lru_cache(maxsize=128)
def _far_enough(height: int, width: int, down: int, right: int) -> NDArray[np.bool_]:
    """Which steps are neither so short that cloth has them nor so long that little of the picture is there twice."""
    rows, columns = np.arange(down + 1)[:, None], np.abs(np.arange(-right, right + 1))[None, :]
    distance = np.hypot(rows, columns) / max(height, width)
    shared = (height - rows) * (width - columns) / (height * width)
    return np.asarray((distance > _LEAST_PERIOD) & (distance < _MOST_PERIOD) & (shared > _LEAST_SHARED))


def seam(grey: NDArray[np.uint8]) -> float:
    """How strong the picture's strongest straight seam is that runs from its top to its bottom.

    Where two pictures meet, neighbouring columns differ in all of their height, just there: so the difference is
    measured in parts of the height, over that of the columns beside it, and the weakest part is passed over. Bars of
    one colour at the sides (letterboxes) are no pictures, and their edges no seams.

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
