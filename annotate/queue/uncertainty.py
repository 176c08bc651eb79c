"""How unsure the detector is of a picture, from the scores of its boxes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fullshot.core.taxonomy import GARMENTS, Wear

Floats = NDArray[np.float32]

EXPECTED = ((Wear.TOP, Wear.LONG), (Wear.BOTTOM, Wear.LONG), (Wear.FOOT,))
"""What a full shot shows for certain: one garment of each of these."""

_COLUMN = {label: number for number, label in enumerate(GARMENTS)}
_EXPECTED_COLUMNS = [[_COLUMN[label] for label in labels] for labels in EXPECTED]


@dataclass(frozen=True)
class Uncertainty:
    """How unsure the detector is, of N pictures.

    Attributes:
        total: shape (N,), float32 in [0, 1].
        garments: shape (N, 4), float32 in [0, 1]: of the most uncertain box of each of
            :data:`fullshot.core.taxonomy.GARMENTS`.
        boxes: shape (N, 4), int64: which of its boxes that is.
        missing: shape (N, 3), float32 in [0, 1]: how far each of :data:`EXPECTED` is from being found.
    """

    total: Floats
    garments: Floats
    boxes: NDArray[np.int64]
    missing: Floats


def certainty(scores: Floats, threshold: float) -> Floats:
    """Scores brought to a scale on which the score from which boxes are reported is one half.

    A detector that has seen few pictures gives low scores even where it is right, so 0.5 decides nothing of its own.

    Args:
        scores: any shape, float32 in [0, 1].
        threshold: of the decision, in (0, 1).

    Returns:
        The same shape, in [0, 1]; linear on either side of the threshold.
    """
    threshold = float(np.clip(threshold, 0.01, 0.99))
    scaled = np.where(scores < threshold, scores / threshold, 1 + (scores - threshold) / (1 - threshold))
    return (scaled / 2).astype(np.float32)


def margin(certain: Floats) -> Floats:
    """The 1-vs-2 margin of Brust, Käding and Denzler, "Active learning for deep object detection" (2019), equation 2.

    ``(1 − (p₁ − p₂))²`` of the two likeliest answers. Each box is one question, garment or none, so
    ``p₁ − p₂ = |2p − 1|``. What looks like a top and like a dress is two boxes, each of them uncertain.

    Args:
        certain: any shape, in [0, 1], see :func:`certainty`; 0 where there is no box.

    Returns:
        The same shape: 1 where it may as well be as not, 0 where it is certain.
    """
    return np.asarray(np.square(1 - np.abs(2 * certain - 1)), np.float32)


def class_weights(boxes: Floats) -> Floats:
    """How much more a garment counts of which few boxes are labelled.

    Brust et al., section 3.4: ``(boxes + classes) / (boxes of the class + 1)``; here divided by the greatest.

    Args:
        boxes: shape (4,): labelled boxes of each garment, those on one picture counted once.

    Returns:
        Shape (4,), in (0, 1]; the rarest garment's is 1.
    """
    inverse = (boxes.sum() + len(boxes)) / (boxes + 1)
    return np.asarray(inverse / inverse.max(), np.float32)


def uncertainty(scores: Floats, threshold: float, weights: Floats) -> Uncertainty:
    """How unsure the detector is of each picture: the weighted sum over its boxes, which Brust et al. found best.

    Of several boxes of one garment only the most uncertain counts: two shoes are no two reasons. What a full shot shows
    for certain and the detector does not find is a mistake that no box tells of; it counts as much as an uncertain box.

    Args:
        scores: shape (N, 4, k), float32: the k best scores of each garment; 0 where there are fewer boxes.
        threshold: the score from which boxes are reported.
        weights: shape (4,), see :func:`class_weights`.
    """
    certain = certainty(scores, threshold)
    margins = margin(certain)
    garments = margins.max(axis=2)
    best = certain.max(axis=2)
    missing = np.stack([1 - best[:, columns].max(axis=1) for columns in _EXPECTED_COLUMNS], axis=1)
    total = (garments @ weights + missing.sum(axis=1)) / (weights.sum() + len(EXPECTED))
    return Uncertainty(total.astype(np.float32), garments, margins.argmax(axis=2), missing.astype(np.float32))
