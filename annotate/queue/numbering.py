"""Priorities: numbers that say an order, of which as few as possible change when the order does.

A rank would change for everybody above a picture that is annotated, and each change is a request to Label Studio.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise

DIGITS = 6
"""Decimals of a priority, here and where it is shown."""


def priorities(order: Sequence[str], before: Mapping[str, float]) -> list[float]:
    """A number for each picture, greater than that of the next and than 0.

    The pictures that kept their order among themselves, as many as there can be, keep their numbers. The others get
    numbers in between. Where decimals leave no room for them, all are numbered anew, by how many come after.

    Args:
        order: the pictures' names, each once, the first to annotate first.
        before: the numbers of an earlier order, of some of these and of others.
    """
    numbers: list[float | None] = [None] * len(order)
    for place in _longest_falling([before.get(name, 0.0) for name in order]):
        numbers[place] = before[order[place]]
    _fill(numbers)
    rounded = [round(number or 0.0, DIGITS) for number in numbers]
    if any(first <= second for first, second in pairwise([*rounded, 0.0])):
        return [float(number) for number in range(len(order), 0, -1)]
    return rounded


def _longest_falling(values: Sequence[float]) -> list[int]:
    """The places of the longest strictly falling subsequence of those that are greater than 0.

    Patience sorting: Fredman, "On computing the length of longest increasing subsequences" (1975).
    """
    ends: list[float] = []  # the negative of the last value of the best subsequence of each length
    at: list[int] = []  # the place of that value
    previous: dict[int, int | None] = {}
    for place, value in enumerate(values):
        if value <= 0:
            continue
        length = bisect_left(ends, -value)
        previous[place] = at[length - 1] if length else None
        ends[length : length + 1] = [-value]
        at[length : length + 1] = [place]
    places = []
    last = at[-1] if at else None
    while last is not None:
        places.append(last)
        last = previous[last]
    return places[::-1]


def _fill(numbers: list[float | None]) -> None:
    """Put numbers in place of None: above the first number in steps of one, elsewhere evenly between two of them."""
    known = [place for place, number in enumerate(numbers) if number is not None]
    top = known[0] if known else len(numbers)
    above = (numbers[top] or 0.0) if known else 0.0
    numbers[:top] = [above + top - place for place in range(top)]
    for first, second in pairwise([*known, len(numbers)]):
        high, low = numbers[first] or 0.0, (numbers[second] or 0.0) if second < len(numbers) else 0.0
        step = (high - low) / (second - first)
        numbers[first + 1 : second] = [high - step * (place - first) for place in range(first + 1, second)]
