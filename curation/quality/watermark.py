"""Pictures with a mark that is repeated all over."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.curation.quality.reductions import Grey, Reductions

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.settings import CurateSettings

_LEAST_STRENGTH = 1.5  # levels: what is fainter is noise of the JPEG
_LEAST_PEAK = 0.02  # of the autocorrelation, over what is around
_CANDIDATES = 10
_GRID = 4
_BEST = 6  # of the candidates
_RADII = np.hypot(*np.mgrid[-6:7, -6:7])
_RING = ((_RADII > 4.5) & (_RADII < 6.2)).astype(np.uint8)
_SQUARE = np.ones((5, 5), np.uint8)
_LEAST_PERIOD, _MOST_PERIOD = 0.07, 0.45  # of the longer side
_LEAST_SHARED = 0.3  # of the picture, that is there again one period on
_LEAST_MARKED = 64  # pixels: in less, no letters are told from noise
_FINE = 1.3  # pixels (standard deviation)
_AROUND = 21  # pixels (a square)
_MOST_LINE = 2.5  # times the lines around


class Watermark:
    """See :class:`fullshot.core.interfaces.QualityCheck`."""

    name = "watermark"
    words = "a mark repeated all over"
    measures = ("watermark",)

    def measure(self, reductions: Reductions) -> Mapping[str, float]:
        """See :meth:`fullshot.core.interfaces.QualityCheck.measure`."""
        return {"watermark": watermark(reductions.tiny_levels)}

    def failed(self, rows: "pd.DataFrame", settings: "CurateSettings") -> "pd.Series[bool]":
        """See :meth:`fullshot.core.interfaces.QualityCheck.failed`."""
        return rows["watermark"] > settings.max_watermark


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
    from scipy import fft  # takes long to load: who asks which measures there are needs none

    height, width = lines.shape
    longest = max(height, width)
    far = round(_MOST_PERIOD * longest)
    shape = [fft.next_fast_len(side + far, real=True) for side in (height, width)]
    spectrum = fft.rfft2(lines, s=shape)
    # Amplitudes, not their squares as in an autocorrelation: a repeated mark's peaks are sharper so.
    repeats = fft.irfft2(np.abs(spectrum), s=shape)
    down, right = min(far, height - 1), min(far, width - 1)
    # Some rows above the first, which are those below it turned round, so that its neighbours are seen as well.
    above = min(_RING.shape[0], down)
    whole = max(float(repeats[0, 0]), 1e-6)
    repeats = np.hstack([repeats[: down + 1, -right:], repeats[: down + 1, : right + 1]]) / whole
    framed = np.vstack([repeats[above:0:-1, ::-1], repeats])
    is_peak = (framed >= cv2.dilate(framed, _SQUARE))[above:] & _far_enough(height, width, down, right)
    places = np.flatnonzero(is_peak)
    around = cv2.dilate(framed, _RING)[above:].ravel()[places]
    peaks = repeats.ravel()[places] - np.maximum(around, 0)
    best = np.flatnonzero(peaks > _LEAST_PEAK)
    best = places[best[np.argsort(-peaks[best], kind="stable")[:_CANDIDATES]]]
    rows, columns = np.divmod(best, 2 * right + 1)
    return [(int(row), int(column) - right) for row, column in zip(rows, columns, strict=True)]


@lru_cache(maxsize=128)
def _far_enough(height: int, width: int, down: int, right: int) -> NDArray[np.bool_]:
    """Which steps are neither so short that cloth has them nor so long that little of the picture is there twice."""
    rows, columns = np.arange(down + 1)[:, None], np.abs(np.arange(-right, right + 1))[None, :]
    distance = np.hypot(rows, columns) / max(height, width)
    shared = (height - rows) * (width - columns) / (height * width)
    return np.asarray((distance > _LEAST_PERIOD) & (distance < _MOST_PERIOD) & (shared > _LEAST_SHARED))
