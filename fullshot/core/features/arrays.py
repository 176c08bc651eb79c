"""Columns of Arrow as arrays of numpy, without a Python object for each value."""

import mmap
import tempfile
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray

_ROWS_AT_ONCE = 128
"""Rows that are paged in together: with each the system may page in half a megabyte around it."""


def values(chunk: pyarrow.Array) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """The values of an array that are not null.

    Returns:
        Which of the N values they are, shape (N,); and the M values: shape (M,), or (M, n) where a value is n bytes
        (uint8) or a list of n numbers.

    Raises:
        ValueError: bytes or lists are of several lengths.
    """
    is_valid = np.asarray(chunk.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    there = chunk.drop_null() if chunk.null_count else chunk
    kind = chunk.type
    if pyarrow.types.is_fixed_size_binary(kind):
        width = kind.byte_width
        content = np.frombuffer(there.buffers()[1], np.uint8)[there.offset * width :]
        return is_valid, content[: len(there) * width].reshape(len(there), width)
    if pyarrow.types.is_fixed_size_list(kind):
        return is_valid, there.flatten().to_numpy().reshape(len(there), kind.list_size)
    if pyarrow.types.is_list(kind):
        return is_valid, there.flatten().to_numpy().reshape(len(there), _one(np.diff(there.offsets.to_numpy())))
    if pyarrow.types.is_binary(kind):
        offsets = np.frombuffer(there.buffers()[1], np.int32)[there.offset : there.offset + len(there) + 1]
        data = there.buffers()[2]
        content = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]] if data else np.zeros(0, np.uint8)
        return is_valid, content.reshape(len(there), _one(np.diff(offsets)))
    return is_valid, np.asarray(there.to_numpy(zero_copy_only=False))


def empty(kind: pyarrow.DataType) -> NDArray[Any]:
    """No values of a type, with the shape and dtype of :func:`values`."""
    if pyarrow.types.is_fixed_size_binary(kind):
        return np.zeros((0, kind.byte_width), np.uint8)
    if pyarrow.types.is_fixed_size_list(kind):
        return np.zeros((0, kind.list_size), kind.value_type.to_pandas_dtype())
    if pyarrow.types.is_list(kind):
        return np.zeros((0, 0), kind.value_type.to_pandas_dtype())
    if pyarrow.types.is_binary(kind):
        return np.zeros((0, 0), np.uint8)
    return np.zeros(0, kind.to_pandas_dtype())


def zeros(shape: tuple[int, ...], dtype: np.dtype[np.generic], most: int) -> NDArray[Any]:
    """An array in memory up to ``most`` bytes; beyond, in a nameless file that the system pages in and out."""
    if np.prod(shape, dtype=np.int64) * dtype.itemsize <= most:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype, "w+", shape=shape)


def take(array: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """Rows of an array, copied; of one that is mapped from a file, few pages are in this process's memory at a time.

    Args:
        array: shape (N, …).
        rows: shape (M,): their numbers.
    """
    if getattr(array, "_mmap", None) is None:
        return np.asarray(array[rows])
    found = np.empty((len(rows), *array.shape[1:]), array.dtype)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        found[start : start + _ROWS_AT_ONCE] = array[rows[start : start + _ROWS_AT_ONCE]]
        let_go(array)
    return found


def copied(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """A column of its own: while a column that DuckDB gave is held, the others of its table stay in memory too."""
    return pyarrow.chunked_array([pyarrow.concat_arrays([chunk]) for chunk in column.chunks], column.type)


def let_go(array: NDArray[Any]) -> None:
    """Take an array that is mapped from a file out of this process's memory; what is asked of it is paged in again."""
    mapped = getattr(array, "_mmap", None)
    if mapped is not None:
        mapped.madvise(mmap.MADV_DONTNEED)


def _one(lengths: NDArray[np.int32]) -> int:
    if len(lengths) and (lengths != lengths[0]).any():
        raise ValueError(f"expected values of one length, got {lengths.min()} to {lengths.max()}")
    return int(lengths[0]) if len(lengths) else 0
