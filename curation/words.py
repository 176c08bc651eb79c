"""Texts of many pictures, few of them different."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pyarrow
from numpy.typing import NDArray

_NONE, _UNKNOWN = -1, -2


class Words:
    """A text, or none, for each of N pictures: a number each, and every text once.

    For four million pictures that is 8 MB; as Python objects it is 32, as texts of Arrow about 100.

    Args:
        count: N; nowhere is a text yet.
    """

    def __init__(self, count: int) -> None:
        self._codes = np.full(count, _NONE, np.int16)
        self._texts: list[str] = []

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, row: int) -> str | None:
        code = self._codes[row]
        return None if code == _NONE else self._texts[code]

    @classmethod
    def of(cls, codes: NDArray[np.integer[Any]], texts: Sequence[str]) -> Self:
        """Words that are numbers already.

        Args:
            codes: shape (N,), places in ``texts``.
            texts: each once.
        """
        words = cls(0)
        words._codes, words._texts = codes.astype(np.int16), list(texts)
        return words

    def copy(self) -> Self:
        """The same, to be changed by itself."""
        return self.of(self._codes, self._texts)

    def put(self, rows: NDArray[np.int64], texts: NDArray[np.object_] | str) -> None:
        """Set the texts of some pictures.

        Args:
            rows: shape (M,), their numbers.
            texts: shape (M,), None for no text; or one for all of them.
        """
        if isinstance(texts, str):
            self._codes[rows] = self._coded(texts)
            return
        encoded = pyarrow.array(texts, pyarrow.string()).dictionary_encode()
        codes = np.array([*map(self._coded, encoded.dictionary.to_pylist()), _NONE], np.int16)
        self._codes[rows] = codes[encoded.indices.fill_null(_NONE).to_numpy()]

    def spread(self, rows: NDArray[np.int64], count: int) -> "Words":
        """The same texts, as those of some of more pictures; the others have none.

        Args:
            rows: shape (N,), the numbers that these pictures have there.
            count: how many there are.
        """
        words = Words(count)
        words._codes[rows], words._texts = self._codes, list(self._texts)
        return words

    def equal(self, text: str) -> NDArray[np.bool_]:
        """Which pictures have a text; shape (N,)."""
        return np.asarray(self._codes == self._code(text), np.bool_)

    def differ(self, others: "Words") -> NDArray[np.bool_]:
        """Which pictures have another text there, or one of the two has none; shape (N,)."""
        codes = np.array([*map(self._code, others._texts), _NONE], np.int16)
        return np.asarray(self._codes != codes[others._codes], np.bool_)

    def array(self) -> pyarrow.DictionaryArray:
        """As a column of a table."""
        return pyarrow.DictionaryArray.from_arrays(
            pyarrow.array(self._codes, mask=self._codes == _NONE), pyarrow.array(self._texts, pyarrow.string())
        )

    def _code(self, text: str) -> int:
        return self._texts.index(text) if text in self._texts else _UNKNOWN

    def _coded(self, text: str) -> int:
        if text not in self._texts:
            self._texts.append(text)
        return self._texts.index(text)
