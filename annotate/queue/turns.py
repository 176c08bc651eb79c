"""Whose turn it is in the queue: that of a full shot, or of a picture that may be one."""

import math

import numpy as np
from numpy.typing import NDArray

_EXACT = 1e-9
"""What a product of a share and a whole number may be off."""

_NEAR = 0.5
"""How far from where it is due an unclear picture may stay: a share of the way to the next one."""


class Turns:
    """Spreads the unclear pictures evenly, at a fixed share of the queue as long as there are any.

    Each has a place of an endless queue, of which the first ones are annotated. Where the place that it had in an
    earlier order is near, it stays there: else each annotation would move them all.

    Args:
        unclear: shape (N,): whether a picture is.
        share: of the queue, in [0, 1].
        annotated: how many pictures are, so far.
        before: shape (N,): a picture's priority in an earlier order, the greatest first; 0 where there was none.
    """

    def __init__(self, unclear: NDArray[np.bool_], share: float, annotated: int, before: NDArray[np.float32]) -> None:
        self._unclear, self._share, self._annotated = unclear, share, annotated
        earlier = np.argsort(-before, kind="stable")
        self._earlier = earlier[before[earlier] > 0]
        self._next = 0  # of the earlier ones, the first that may not be taken yet
        self._left = {True: int(unclear.sum()), False: int((~unclear).sum())}
        self._is_taken = np.zeros(len(unclear), np.bool_)
        self._count, self._count_unclear = 0, 0

    def is_unclear_next(self) -> bool:
        """Whether an unclear picture comes next, rather than a full shot."""
        if not self._left[True] or not self._left[False]:
            return self._left[True] > 0
        if self._share <= 0:
            return False
        # The next one is due when the share of all so far, this one with them, comes to a whole number.
        whole = math.floor(self._annotated * self._share + _EXACT) + self._count_unclear + 1
        due = math.ceil(whole / self._share - _EXACT) - 1 - self._annotated
        while self._next < len(self._earlier) and self._is_taken[self._earlier[self._next]]:
            self._next += 1
        if self._next < len(self._earlier) and abs(self._count - due) <= _NEAR / self._share:
            return bool(self._unclear[self._earlier[self._next]])
        return self._count >= due

    def take(self, row: int) -> None:
        """Count a picture that comes next."""
        is_unclear = bool(self._unclear[row])
        self._is_taken[row] = True
        self._left[is_unclear] -= 1
        self._count += 1
        self._count_unclear += is_unclear
