"""Whether two thumbnails are of one picture: resized, encoded anew, cropped by up to 3% a side, or brightened."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from fullshot.curation.duplicates.fingerprint import CELLS, SIDE

CROP = 0.03
"""Share of a picture that may be cut off each of its sides."""

MOST_GAIN = 1.4
"""How many times brighter a duplicate may be."""

SCALE = 100.0
"""Levels of error, of 255, at which the similarity of two pictures is 0."""

_GAINS = np.linspace(1, MOST_GAIN, 6, dtype=np.float32)
_WHITE = 247  # JPEG's ground is seldom 255
_NEAR_WHITE = 250
_REACH = 1.2  # cells by which a match may be moved after the crop was undone: 3% of 32 cells, and a little
_MOST_ERROR = 60.0  # levels; beyond them a cell is other, no matter how much
_FEWEST_CELLS = 8
_MOST_LOST = 0.9  # of the cells shown may be white in one only: brightened enough, cream is white
_STEADY = 50.0  # added to the diagonal of least squares: a picture without edges says nothing of shifts
_COARSE = 8  # rows and columns
_COARSE_ERROR = 12.0  # levels; of 2,550 photos and their copies, cropped or brightened, the most is 11.1
_HOPELESS = 3.0  # times the error asked for
_BATCH = 256

Planes = NDArray[np.float32]
Thumbnails = NDArray[np.uint8]


def is_near_duplicate(ours: Thumbnails, theirs: Thumbnails, least: float) -> NDArray[np.bool_]:
    """Which pairs of pictures have at least this similarity; see :func:`similarity`.

    Most pairs are settled by less: those that differ too much when seen in 8 by 8 cells, those that are similar as
    they are, and those that no crop would save.

    Args:
        ours: uint8 (N, 1536).
        theirs: as many.
        least: of similarity, in [0, 1]; 0: all pairs have it.

    Returns:
        bool (N,).
    """
    if least <= 0:
        return np.ones(len(ours), np.bool_)
    found = np.zeros(len(ours), np.bool_)
    most = (1 - least) * SCALE
    maybe = np.flatnonzero(_roughly(ours, theirs))
    same = _most_error(ours[maybe], theirs[maybe]) <= most
    found[maybe[same]] = True
    maybe = maybe[~same]
    for start in range(0, len(maybe), _BATCH):
        rows = maybe[start : start + _BATCH]
        darker, lighter = _by_brightness(ours[rows], theirs[rows])
        error = _error(darker, lighter)
        middling = (error > most) & (error <= most * _HOPELESS)
        error[middling] = _error_if_cropped(darker[middling], lighter[middling])
        found[rows] = error <= most
    return found


def similarity(ours: Thumbnails, theirs: Thumbnails) -> NDArray[np.float32]:
    """How similar pictures are, pair by pair, whichever of the two was resized, encoded anew, cropped or brightened.

    The darker thumbnail is made as bright as the other (up to 1.4 times, clipped at white) and laid over it: as it
    is, or with 3% cut off each side of one of the two, in every case moved and stretched by up to 1.2 cells, as
    least squares have it. The error that is left is that of a cell's worst colour, root mean square over the cells
    that are not white in both: a white ground says nothing.

    Args:
        ours: thumbnails, uint8 (N, 1536).
        theirs: as many.

    Returns:
        float32 (N,), 1 for the same, down to 0.4; one less a hundredth of the error in levels of 255.
    """
    pair = _by_brightness(ours, theirs)
    error = np.minimum(_error(*pair), _error_if_cropped(*pair))
    return np.asarray(1 - error / SCALE, np.float32)


def _by_brightness(ours: Thumbnails, theirs: Thumbnails) -> tuple[Planes, Planes]:
    one, other = _rgb(ours), _rgb(theirs)
    swap = (one.mean(axis=(1, 2, 3)) > other.mean(axis=(1, 2, 3)))[:, None, None, None]
    return np.where(swap, other, one), np.where(swap, one, other)


def _error_if_cropped(darker: Planes, lighter: Planes) -> NDArray[np.float32]:
    return np.minimum(_error(_cropped(darker), lighter), _error(darker, _cropped(lighter)))


def _shown(light: Planes, other: Planes) -> NDArray[np.bool_]:
    return (light < _WHITE) | (other < _WHITE)


def _root_mean_square(error: Planes, shown: NDArray[np.bool_]) -> NDArray[np.float32]:
    rows = (np.minimum(error, _MOST_ERROR) * shown).reshape(len(error), CELLS)
    count = np.maximum(shown.reshape(len(error), CELLS).sum(axis=1), _FEWEST_CELLS)
    return np.asarray(np.sqrt((rows**2).sum(axis=1) / count), np.float32)


def _most_error(ours: Thumbnails, theirs: Thumbnails) -> NDArray[np.float32]:
    """What the error of two thumbnails as they are is at most: ``255/219 |Y| + 2.02 max(|U|, |V|)`` (BT.601)."""
    apart = np.abs(ours.astype(np.float32) - theirs)
    light = apart[:, :CELLS].reshape(-1, SIDE, SIDE)
    colours = apart[:, CELLS:].reshape(-1, 2, SIDE // 2, SIDE // 2).max(axis=1)
    error = 1.17 * light + 2.02 * colours.repeat(2, axis=1).repeat(2, axis=2)
    shown = np.minimum(ours[:, :CELLS], theirs[:, :CELLS]).reshape(-1, SIDE, SIDE) < 228
    return _root_mean_square(error, shown)


def _roughly(ours: Thumbnails, theirs: Thumbnails) -> NDArray[np.bool_]:
    """Whether pictures may be similar, seen in 8 by 8 cells of brightness and 4 by 4 of colour."""
    one, other = _coarse(ours), _coarse(theirs)
    swap = (one[0].mean(axis=1) > other[0].mean(axis=1))[:, None]
    darker, lighter = np.where(swap, other[0], one[0]), np.where(swap, one[0], other[0])
    light = np.maximum(lighter - darker * np.float32(MOST_GAIN), 0) + np.maximum(darker - lighter, 0)
    colour = np.abs(one[1] - other[1])
    worst = np.maximum((light**2).mean(axis=1), (colour**2).mean(axis=1))
    return np.asarray(worst <= _COARSE_ERROR**2, np.bool_)


def _coarse(thumbnails: Thumbnails) -> tuple[Planes, Planes]:
    block = SIDE // _COARSE
    light = thumbnails[:, :CELLS].reshape(-1, _COARSE, block, _COARSE, block).mean(axis=(2, 4), dtype=np.float32) - 16
    half = _COARSE // 2
    colours = thumbnails[:, CELLS:].reshape(-1, 2, half, block, half, block).mean(axis=(3, 5), dtype=np.float32)
    return light.reshape(len(light), -1), colours.reshape(len(light), -1)


def _rgb(thumbnails: Thumbnails) -> Planes:
    """Thumbnails as float32 (N, 3, 32, 32), red, green, blue in 0 to 255: what OpenCV's I420 undone gives."""
    values = thumbnails.astype(np.float32)
    light = (values[:, :CELLS].reshape(-1, SIDE, SIDE) - 16) * np.float32(255 / 219)
    colours = values[:, CELLS:].reshape(-1, 2, SIDE // 2, SIDE // 2) - 128
    blue, red = np.moveaxis(_doubled() @ colours @ _doubled().T, 1, 0)
    # ITU-R BT.601, video range.
    planes = (light + 1.596 * red, light - 0.813 * red - 0.391 * blue, light + 2.018 * blue)
    return np.asarray(np.clip(np.stack(planes, axis=1), 0, 255), np.float32)


def _resampling(cells: int, wanted: int, start: float, end: float) -> Planes:
    """The matrix (wanted, cells) that takes averages over cells of [0, 1] to averages over cells of [start, end]."""
    totals = np.vstack([np.zeros(cells), np.cumsum(np.eye(cells), axis=0) / cells])
    upto = CubicSpline(np.linspace(0, 1, cells + 1), totals, axis=0)
    edges = np.linspace(start, end, wanted + 1)
    return np.asarray(np.diff(upto(edges), axis=0) * wanted / (end - start), np.float32)


@cache
def _doubled() -> Planes:
    return _resampling(SIDE // 2, SIDE, 0, 1)


@cache
def _inner() -> Planes:
    return _resampling(SIDE, SIDE, CROP, 1 - CROP)


def _cropped(planes: Planes) -> Planes:
    return np.asarray(np.clip(_inner() @ planes @ _inner().T, 0, 255), np.float32)


def _greatest(planes: Planes) -> Planes:
    """The greatest value of each cell and its eight neighbours."""
    padded = np.pad(planes, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    rows = np.maximum(np.maximum(padded[:, :, :-2], padded[:, :, 1:-1]), padded[:, :, 2:])
    found: Planes = np.maximum(np.maximum(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])
    return found


def _brightened(darker: Planes, lighter: Planes) -> Planes:
    """The darker pictures as bright as the lighter ones.

    Cells at a white ground hold some of it, which does not get brighter: how much is not known, so any value
    between what their darkest neighbour tells and a cell without white is taken.
    """
    ground = _greatest(darker.max(axis=1, keepdims=True))
    darkest = -_greatest(-darker)
    white = (darker - darkest) / np.maximum(255 - darkest, 1)
    best = darker
    least = np.full(len(darker), np.inf, np.float32)
    for gain in _GAINS:
        upper = np.minimum(darker * gain, 255)
        mixed = darker + (1 - white) * (np.minimum(darkest * gain, 255) - darkest)
        lower = np.where(ground * gain >= _NEAR_WHITE, np.minimum(mixed, upper), upper)
        fitted = np.clip(lighter, lower, upper)
        # A little in favour of less: with more, ever more cells are near white and fit whatever they hold.
        cost = np.abs(lighter - fitted).sum(axis=(1, 2, 3)) * (1 + 0.3 * (gain - 1))
        better = cost < least
        least = np.where(better, cost, least)
        best = np.where(better[:, None, None, None], fitted, best)
    return best


def _error(darker: Planes, lighter: Planes) -> NDArray[np.float32]:
    fitted = _brightened(darker, lighter)
    down, across = np.gradient((fitted + lighter) / 2, axis=(2, 3))
    place = np.linspace(-1, 1, SIDE, dtype=np.float32)
    moves = np.stack([across, across * place, down, down * place[:, None]], axis=1).reshape(len(darker), 4, 3 * CELLS)
    error = (lighter - fitted).reshape(len(darker), 3 * CELLS, 1)
    squares = moves @ moves.transpose(0, 2, 1) + np.float32(_STEADY) * np.eye(4, dtype=np.float32)
    shifts = np.linalg.solve(squares, moves @ error)
    reach = np.abs(shifts).reshape(len(shifts), 2, 2).sum(axis=2).max(axis=1)
    shifts *= (_REACH / np.maximum(reach, _REACH))[:, None, None]
    left = (error - moves.transpose(0, 2, 1) @ shifts).reshape(darker.shape)
    dark, light = darker.min(axis=1), lighter.min(axis=1)
    shown = _shown(dark, light)
    lost = (light >= _WHITE) & (dark < _WHITE)
    unknown = lost.sum(axis=(1, 2)) > _MOST_LOST * shown.sum(axis=(1, 2))
    return np.where(unknown, np.float32(_MOST_ERROR), _root_mean_square(np.abs(left).max(axis=1), shown))
