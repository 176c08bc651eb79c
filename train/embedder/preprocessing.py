"""From a picture to what a network sees: the product without its plain background, brought to a square."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.boxes import Picture

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.interfaces import Embedder

STRETCH, LETTERBOX = "stretch", "letterbox"
"""Of the setting ``embedder.fit``."""

KEEP, REMOVE, GRABCUT = "keep", "remove", "grabcut"
"""Of the setting ``embedder.background``."""

NEUTRAL = 128
"""What removed background is painted with, in each channel: about the mean that networks take from a picture."""

VERSION = "1"
"""Of what is done here: crops of another version are cut anew."""

_BORDER = 0.02
"""Width of the border whose colour is taken for the background, as a share of the picture's shorter side."""

_PLAIN = 0.6
"""The share of the border that has the background's colour where it is cut away."""

_EDGE = 0.9
"""The share of each edge of the border that has the background's colour in a picture of a product alone. Of the
built-in shop's 720 item shots that tells all pictures of a product alone from all that show it worn, or cut off."""

_TOLERANCE = 18
"""The largest difference in a channel (of 255) that still counts as background: JPEG noise and soft shadows."""

_MARGIN = 0.01
"""What is left around the product, as a share of the picture's longer side."""

_GRABCUT_SIDE, _GRABCUT_ROUNDS = 128, 3
"""The longer side in pixels that GrabCut looks at, and how often it does: more takes longer and changes little."""

_LEAST_GARMENT, _LEAST_BACKGROUND = 0.15, 0.03
"""Shares of a crop: where GrabCut leaves less than that, it has found something else than a garment."""


def has_plain_background(picture: Picture) -> bool:
    """Whether a picture is a packshot: a product alone on plain ground that no edge cuts off.

    Args:
        picture: shape (height, width, 3), uint8, RGB.
    """
    edges = _edges(picture)
    background = np.median(np.concatenate(edges), axis=0)
    return all(float(np.mean(_differs(edge, background))) <= 1 - _EDGE for edge in edges)


def preferred_item_shots(products: "pd.Series[str]", packshots: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which item shots to learn from and to search in.

    A picture of shoes that shows the legs, the trousers and the street as well says little about the shoes, and it is
    near to whoever wears such trousers. So a product that has packshots is known by these, and any other by all the
    item shots that it has.

    Args:
        products: the product of each item shot; N of them.
        packshots: shape (N,), see :func:`has_plain_background`.

    Returns:
        Shape (N,).
    """
    import pandas as pd  # not above: who opens an embedder to embed one picture has no table

    has_one = pd.Series(packshots, index=products.index).groupby(products).transform("any").to_numpy(bool)
    return np.asarray(packshots | ~has_one)


def crop_to_foreground(picture: Picture) -> Picture:
    """An item shot without its plain background, as tight around the product as a box drawn by hand.

    Args:
        picture: shape (height, width, 3), uint8, RGB.

    Returns:
        The part that differs from the border's colour; the whole picture where its border is not plain, or where
        next to nothing differs from it (a close-up of cloth).
    """
    height, width = picture.shape[:2]
    border = np.concatenate(_edges(picture))
    background = np.median(border, axis=0)
    if np.mean(_differs(border, background)) > 1 - _PLAIN:
        return picture
    differs = _differs(picture, background)
    rows = np.flatnonzero(differs.mean(axis=1) > _MARGIN)
    columns = np.flatnonzero(differs.mean(axis=0) > _MARGIN)
    if len(rows) < height * 0.1 or len(columns) < width * 0.1:
        return picture
    margin = round(max(height, width) * _MARGIN)
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    return picture[top : rows[-1] + 1 + margin, left : columns[-1] + 1 + margin]


def resize(picture: Picture, side: int) -> NDArray[np.uint8]:
    """A crop brought to a square, whatever its proportions: shape (side, side, 3), uint8, RGB."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((side, side), Image.Resampling.BILINEAR))


def letterbox(picture: Picture, side: int) -> NDArray[np.uint8]:
    """A crop brought to a square with its proportions, in the middle: shape (side, side, 3), uint8, RGB.

    What is left over has the colour of the crop's own border: bars of one colour for all would be an edge to learn, and
    would tell a street photo from a packshot before anything of the garment is seen.
    """
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    inner = Image.fromarray(np.ascontiguousarray(picture)).resize(size, Image.Resampling.BILINEAR)
    square = np.empty((side, side, 3), np.uint8)
    square[:] = np.median(np.concatenate(_edges(picture)), axis=0).astype(np.uint8)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    square[top : top + size[1], left : left + size[0]] = np.asarray(inner)
    return square


def remove_background(picture: Picture, *, by_grabcut: bool = False) -> Picture:
    """A crop whose background is grey (:data:`NEUTRAL`).

    Plain background is what has the border's colour and is joined to the border: a white print on a shirt stays.

    Args:
        picture: shape (height, width, 3), uint8, RGB.
        by_grabcut: look for a background that is not plain as well (GrabCut, Rother et al. 2004).

    Returns:
        The picture as it is where no background is found.
    """
    background = _plain_background(picture)
    if background is None and by_grabcut:
        background = _background_by_grabcut(picture)
    if background is None:
        return picture
    painted = picture.copy()
    painted[background] = NEUTRAL
    return painted


def _plain_background(picture: Picture) -> NDArray[np.bool_] | None:
    border = np.concatenate(_edges(picture))
    colour = np.median(border, axis=0)
    if np.mean(_differs(border, colour)) > 1 - _PLAIN:
        return None
    import cv2  # not above: who keeps the background has no use for it

    _, areas = cv2.connectedComponents((~_differs(picture, colour)).astype(np.uint8), connectivity=4)
    rim = np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]])
    joined = np.zeros(int(areas.max()) + 1, bool)
    joined[rim] = True
    joined[0] = False  # what differs
    return np.asarray(joined[areas])


def _background_by_grabcut(picture: Picture) -> NDArray[np.bool_] | None:
    """What GrabCut takes for the background of a crop that is tight around its garment; None: it finds no garment."""
    import cv2

    height, width = picture.shape[:2]
    scale = min(1.0, _GRABCUT_SIDE / max(height, width))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    # The garment fills its box, but hardly ever the corners.
    guess = np.full(small.shape[:2], cv2.GC_PR_BGD, np.uint8)
    cv2.ellipse(guess, (size[0] // 2, size[1] // 2), (size[0] // 2, size[1] // 2), 0, 0, 360, cv2.GC_PR_FGD, -1)
    cv2.setRNGSeed(0)  # it begins with clusters of colours, which it draws by lot
    try:
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(small, guess, None, *models, _GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    except cv2.error:  # of a crop of a few pixels
        return None
    garment = ((guess == cv2.GC_FGD) | (guess == cv2.GC_PR_FGD)).astype(np.uint8)
    if not _LEAST_GARMENT <= garment.mean() <= 1 - _LEAST_BACKGROUND:
        return None
    return np.asarray(cv2.resize(garment, (width, height), interpolation=cv2.INTER_NEAREST) == 0)


@dataclass(frozen=True)
class Preparation:
    """How a crop becomes what a network sees. Crops of different ones are kept apart.

    Attributes:
        side: of the square, in pixels.
        fit: :data:`STRETCH` or :data:`LETTERBOX`.
        background: :data:`KEEP`, :data:`REMOVE` or :data:`GRABCUT`.
    """

    side: int
    fit: str = STRETCH
    background: str = KEEP

    @property
    def version(self) -> str:
        """Of the crops; those that are stretched and keep their background are called as they always were."""
        return version_of(str(self.side), self.fit, self.background)

    def __call__(self, crop: Picture) -> NDArray[np.uint8]:
        """A crop, of shape (height, width, 3), uint8, RGB, as the network sees it: shape (side, side, 3)."""
        if self.background != KEEP:
            crop = remove_background(crop, by_grabcut=self.background == GRABCUT)
        return letterbox(crop, self.side) if self.fit == LETTERBOX else resize(crop, self.side)

    def all_of(self, crops: Sequence[Picture]) -> NDArray[np.uint8]:
        """Several crops: shape (N, side, side, 3), uint8, RGB."""
        return np.stack([self(crop) for crop in crops]) if len(crops) else self.none

    @property
    def none(self) -> NDArray[np.uint8]:
        """No crops: shape (0, side, side, 3)."""
        return np.zeros((0, self.side, self.side, 3), np.uint8)


def version_of(side: str, fit: str, background: str) -> str:
    """The version of crops, see :class:`Preparation`; the side may be ``*``."""
    own = [word for word, usual in ((fit, STRETCH), (background, KEEP)) if word != usual]
    return "-".join([VERSION, side, *own])


def preparation_of(embedder: "Embedder") -> Preparation:
    """How an embedder wants its crops; one that does not say so stretches them."""
    own = getattr(embedder, "preparation", None)
    return own if isinstance(own, Preparation) else Preparation(embedder.image_size)


def embed_prepared(embedder: "Embedder", crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Embed crops that are prepared already (:func:`preparation_of`): nothing is done to them a second time."""
    own = getattr(embedder, "embed_prepared", None)
    vectors: NDArray[np.float32] = own(crops) if own else embedder.embed(crops)
    return vectors


def _edges(picture: Picture) -> list[NDArray[np.uint8]]:
    """The pixels of the upper, lower, left and right edge of the border, each of shape (n, 3)."""
    width = max(1, round(min(picture.shape[:2]) * _BORDER))
    strips = (picture[:width], picture[-width:], picture[:, :width], picture[:, -width:])
    return [strip.reshape(-1, 3) for strip in strips]


def _differs(pixels: NDArray[np.uint8], background: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(pixels.astype(np.int16) - background.astype(np.int16)).max(axis=-1) > _TOLERANCE)
