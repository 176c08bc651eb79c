"""Draw found joints over a picture, so that a person sees why it was judged as it was."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Picture
from fullshot.curation.pose.people import People
from fullshot.curation.pose.skeletons import Skeleton

COUNTS = (0, 158, 115)
"""The green of joints and bones that count (RGB), from Okabe and Ito's colours, which the colour-blind tell apart."""

DOUBTFUL = (230, 97, 0)
"""The orange of those that do not. They are hollow and thin as well: the colour is not the only sign."""

_EDGE = (255, 255, 255)
_BAND = (24, 24, 24)
_WORDS = (255, 255, 255)

_RADIUS = 1 / 110
"""Of a joint's disc, as a share of the picture's longer side; bones and edges are in proportion to it."""

_QUALITY = 90
_LONGEST_JPEG = 65_500
"""Pixels along a side, the most that libjpeg takes."""

_LETTERS = cv2.FONT_HERSHEY_SIMPLEX
_LETTER_HEIGHT = 22.0
"""Height in pixels that OpenCV gives capitals of that font at scale 1."""

_MIN_LETTERS, _MAX_LETTERS = 8.0, 40.0
"""Height of capitals in pixels: fewer cannot be read, more are not needed."""

_PLAIN = str.maketrans({"–": "-", "−": "-", "’": "'", "≥": ">=", "≤": "<=", "×": "x", "·": "-"})
"""OpenCV's fonts draw ASCII only."""


def counting(people: People, visible: float | NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which joints count: visible enough and inside the frame.

    Args:
        people: N of them, with J joints.
        visible: the least visibility, in [0, 1]; one for all, or shape (J,).

    Returns:
        Shape (N, J).
    """
    return np.asarray((people.keypoints[..., 2] >= visible) & _inside(people.keypoints))


def draw(picture: Picture, people: People, counts: NDArray[np.bool_], caption: str = "") -> Picture:
    """A picture with the joints and bones of people drawn over it.

    A joint that counts is a filled green disc, another one a hollow orange ring; a bone is a thick green line where
    both its ends count, else a thin orange one. Joints outside the frame, and bones that lead to them, are not drawn.

    Args:
        picture: shape (height, width, 3), uint8, RGB; stays as it is.
        people: in the picture.
        counts: which of their joints count, shape (N, J), as :func:`counting` has it.
        caption: words below the picture, on a band of their own that hides nothing of it; empty: no band.

    Returns:
        Shape (height and the band's, width, 3), uint8, RGB.

    Raises:
        ValueError: ``counts`` has another shape.
    """
    if counts.shape != people.keypoints.shape[:2]:
        raise ValueError(f"counts must have shape {people.keypoints.shape[:2]}, but got shape {counts.shape}")
    drawn = np.array(picture, order="C")  # a copy, also of a view that OpenCV could not draw on
    for keypoints, chosen in zip(people.keypoints, counts, strict=True):
        _draw_person(drawn, keypoints, chosen, people.skeleton)
    return np.vstack([drawn, _band(caption, drawn.shape[1], max(drawn.shape[:2]))]) if caption else drawn


def encode(picture: Picture) -> bytes:
    """A picture as a JPEG file.

    Args:
        picture: shape (height, width, 3), uint8, RGB.

    Raises:
        ValueError: it is larger than a JPEG can be.
    """
    # OpenCV would log an error and give an empty answer.
    if max(picture.shape[:2]) > _LONGEST_JPEG:
        raise ValueError(f"no JPEG can be made of a picture of shape {picture.shape}: it is too long")
    bgr = np.ascontiguousarray(picture[:, :, ::-1])
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def _inside(keypoints: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Which joints, shape (…, J, 4), lie inside the frame; shape (…, J)."""
    return np.asarray(((keypoints[..., :2] >= 0) & (keypoints[..., :2] <= 1)).all(axis=-1))


def _draw_person(
    picture: Picture, keypoints: NDArray[np.floating[Any]], counts: NDArray[np.bool_], skeleton: Skeleton
) -> None:
    height, width = picture.shape[:2]
    radius = max(1, round(max(height, width) * _RADIUS))
    thick, thin = max(1, round(radius * 0.6)), max(1, round(radius * 0.3))
    inside = _inside(keypoints)
    shares = np.where(inside[:, None], keypoints[:, :2], 0.0)
    pixels = np.minimum((shares * (width, height)).astype(int), (width - 1, height - 1))
    points = [(int(x), int(y)) for x, y in pixels]
    bones = [skeleton.rows(bone) for bone in skeleton.bones]
    # What counts is drawn last, so that nothing doubtful covers it.
    for one, other in sorted(bones, key=lambda bone: bool(counts[bone].all())):
        if inside[one] and inside[other]:
            good = counts[one] and counts[other]
            line = (COUNTS, thick) if good else (DOUBTFUL, thin)
            # A pale edge keeps lines apart from clothes of their colour.
            cv2.line(picture, points[one], points[other], _EDGE, line[1] + 2 * thin, cv2.LINE_AA)
            cv2.line(picture, points[one], points[other], *line, cv2.LINE_AA)
    for joint in sorted(np.flatnonzero(inside), key=lambda joint: bool(counts[joint])):
        if counts[joint]:
            cv2.circle(picture, points[joint], radius + thin, _EDGE, cv2.FILLED, cv2.LINE_AA)
            cv2.circle(picture, points[joint], radius, COUNTS, cv2.FILLED, cv2.LINE_AA)
        else:
            cv2.circle(picture, points[joint], radius, _EDGE, 3 * thin, cv2.LINE_AA)
            cv2.circle(picture, points[joint], radius, DOUBTFUL, thin, cv2.LINE_AA)


def _band(caption: str, width: int, side: int) -> Picture:
    """A dark band with words in as many lines as they need.

    Args:
        caption: the words.
        width: of the band, in pixels.
        side: the picture's longer one, in pixels; letters are in proportion to it.
    """
    letters = float(np.clip(side / 45, _MIN_LETTERS, _MAX_LETTERS))
    scale, thickness = letters / _LETTER_HEIGHT, max(1, round(letters / 11))
    margin, step = round(letters * 0.6), round(letters * 1.7)
    lines: list[str] = []
    for word in caption.translate(_PLAIN).encode("ascii", "replace").decode().split():
        longer = f"{lines[-1]} {word}" if lines else word
        fits = cv2.getTextSize(longer, _LETTERS, scale, thickness)[0][0] <= width - 2 * margin
        lines[-1:] = [longer] if fits or not lines else [lines[-1], word]
    band = np.full((2 * margin + step * len(lines), width, 3), _BAND, np.uint8)
    for number, line in enumerate(lines):
        # Below the base line there is room for tails.
        base = margin + step * number + round(letters * 1.2)
        cv2.putText(band, line, (margin, base), _LETTERS, scale, _WORDS, thickness, cv2.LINE_AA)
    return band
