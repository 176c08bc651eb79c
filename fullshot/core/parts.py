"""The rows of a long table some at a time, in order, where other questions are asked in between."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fullshot.core.dataset import Dataset

if TYPE_CHECKING:
    import pyarrow


def parts(data: Dataset, table: str, number: str, together: str, size: int) -> "Iterator[pyarrow.Table]":
    """The rows of a table in the order of their numbers, about ``size`` at a time.

    Each part is a question of its own, so that DuckDB keeps nothing of the others; to stream a sorted table is to hold
    it, up to DuckDB's limit, until its last row is read.

    Args:
        data: knows the table.
        table: its name.
        number: the column of its rows' numbers: each from 0 once, and about in the order of its file.
        together: a column: rows that follow each other and have the same in it come in one part.
        size: rows of a part, about.
    """
    import pyarrow

    rest: pyarrow.Table | None = None
    ((count,),) = data.rows(f"SELECT count(*) FROM {table}")
    for start in range(0, count, size):
        chosen = f"{number} >= {start} AND {number} < {start + size}"
        part = data.arrow(f"SELECT * FROM {table} WHERE {chosen} ORDER BY {number}")
        part = part if rest is None else pyarrow.concat_tables([rest, part])
        last = part[together][-1].as_py()
        end = len(part)
        while end and part[together][end - 1].as_py() == last:
            end -= 1
        rest = part.slice(end)
        if end:
            yield part.slice(0, end)
    if rest is not None:
        yield rest
