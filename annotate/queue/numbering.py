"""Priorities: numbers that say an order, of which as few as possible change when the order does.

A rank would change for everybody above a picture that is annotated, and each change is a request to Label Studio.
"""

from array import array
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

DIGITS = 6
"""Decimals of a priority, here and where it is shown."""


def priorities(before: Numbers) -> Numbers:
    """A number for each picture, greater than that of the next and than 0.

    The pictures that kept their order among themselves, as many as there can be, keep their numbers. The others get
    numbers in between. Where decimals leave no room for them, all are numbered anew, by how many come after.

    Args:
        before: shape (N,): the number that each picture had in an earlier order, 0 where it had none; the pictures that
            are to be annotated first come first.

    Returns:
        Shape (N,), rounded.
    """
    count = len(before)
    numbers = np.round(_filled(before, _longest_falling(before)), DIGITS)
    if count and (np.diff(numbers, append=0.0) >= 0).any():
        return np.arange(count, 0, -1, dtype=np.float64)
    return numbers


def _longest_falling(values: Numbers) -> NDArray[np.int64]:
    """The places of the longest strictly falling subsequence of those that are greater than 0.

    Patience sorting: Fredman, "On computing the length of longest increasing subsequences" (1975).
    """
    ends: list[float] = []  # the negative of the last value of the best subsequence of each length
    at = array("q")  # the place of that value
    there = np.flatnonzero(values > 0)
    previous = array("q", bytes(8 * len(values)))  # the place before, -1 where there is none
    for place, negative in zip(array("q", there.tobytes()), array("d", (-values[there]).tobytes()), strict=True):
        length = bisect_left(ends, negative) if ends and negative <= ends[-1] else len(ends)
        previous[place] = at[length - 1] if length else -1
        if length == len(ends):
            ends.append(negative)
            at.append(place)
        else:
            ends[length], at[length] = negative, place
    places = array("q")
    last = at[-1] if at else -1
    while last >= 0:
        places.append(last)
        last = previous[last]
    return np.array(places, np.int64)[::-1]


def _filled(before: Numbers, kept: NDArray[np.int64]) -> Numbers:
    """Numbers of all places: above the first that is kept in steps of one, elsewhere evenly between two of them."""
    count = len(before)
    borders = np.append(kept, count)
    values = np.append(before[kept], 0.0)
    places = np.arange(count)
    following = np.searchsorted(borders, places, side="right")
    first, second = borders[following - 1], borders[np.minimum(following, len(borders) - 1)]
    high, low = values[following - 1], values[np.minimum(following, len(values) - 1)]
    with np.errstate(divide="ignore", invalid="ignore"):  # above the first, where the next line does not hold
        numbers = high - (high - low) / (second - first) * (places - first)
    top = borders[0]
    numbers[:top] = values[0] + top - places[:top]
    return np.asarray(numbers)
