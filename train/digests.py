"""What a model is made of, as digests: by them a run is known that need not be trained again."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

import fullshot
from fullshot.core.files import digest as file_digest
from fullshot.core.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.dataset import Dataset

VOLATILE = frozenset({"fetched_at", "updated_at"})
"""Columns that change when a table is made again from the same input."""

WITHOUT_EFFECT = frozenset({"device"})
"""Settings that say how a model is trained, not which model comes out."""

BY_ROWS = "rows-"
"""How the digest of a run begins whose rows were digested one by one; those of version 0.1 were digested as text."""


def inputs_digest(
    workspace: Workspace,
    tables: Sequence[str] | Mapping[str, str],
    section: BaseModel,
    more: Mapping[str, Mapping[str, str]],
    *,
    without: frozenset[str] = WITHOUT_EFFECT,
) -> str:
    """Digest of all that a model can depend on, whole tables among it: to see that nothing changed, no row is read.

    Args:
        workspace: where.
        tables: that its rows are chosen from; or their digests, where they were taken before (``workspace.digests``).
        section: the settings' section.
        more: what else it is made of, by name.
        without: settings of the section that do not change the model.
    """
    made_of = {
        "version": fullshot.__version__,  # another one may choose other rows
        "tables": tables if isinstance(tables, Mapping) else workspace.digests(tables),
        "taxonomy": file_digest(workspace / "taxonomy.toml"),
        "settings": section.model_dump(mode="json", exclude=set(without)),
        "more": more,
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def rows_of(data: "Dataset", names: Sequence[str]) -> Mapping[str, Sequence[object]]:
    """What tells rows from others, by table: every cell is read.

    Args:
        data: knows the rows.
        names: of the tables or queries whose rows they are; their order does not matter.
    """
    rows = {}
    for name in names:
        columns = [str(row[0]) for row in data.rows(f"SELECT column_name FROM (DESCRIBE SELECT * FROM {name})")]
        text = ", ".join(f'coalesce("{column}"::VARCHAR, chr(30))' for column in columns)
        # A sum, so that the rows need not be sorted, nor be in memory.
        digest = f"sum(md5_number_lower(concat_ws(chr(31), {text}))::HUGEINT)"
        rows[name] = [columns, *(str(number) for number in data.rows(f"SELECT count(*), {digest} FROM {name}")[0])]
    return rows


def rows_digest(
    rows: Mapping[str, Sequence[object]],
    section: BaseModel,
    more: Mapping[str, Mapping[str, str]],
    *,
    without: frozenset[str] = WITHOUT_EFFECT,
) -> str:
    """Digest of exactly the rows that a model is made from, and of the settings it is made with.

    Args:
        rows: see :func:`rows_of`.
        section: the settings' section.
        more: what else the model is made of, by name.
        without: settings of the section that do not change the model.

    Returns:
        :data:`BY_ROWS` and 16 hexadecimal digits.
    """
    made_of = {"rows": rows, "settings": section.model_dump(mode="json", exclude=set(without)), "more": more}
    return BY_ROWS + hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def frames_digest(
    frames: "Mapping[str, pd.DataFrame]", section: BaseModel, *, without: frozenset[str] = WITHOUT_EFFECT
) -> str:
    """Digest of rows and settings as version 0.1 made it, to know what it made: it takes the rows as text.

    Args:
        frames: a name and its rows; the order of rows and the columns :data:`VOLATILE` do not matter.
        section: the settings' section.
        without: settings of the section that do not change the model.

    Returns:
        16 hexadecimal digits.
    """
    state = hashlib.sha256(section.model_dump_json(exclude=set(without)).encode())
    for name in sorted(frames):
        rows = frames[name].drop(columns=list(VOLATILE), errors="ignore")
        lines = rows.to_csv(index=False, lineterminator="\n").splitlines()
        state.update(f"\n{name}\n".encode() + "\n".join([*lines[:1], *sorted(lines[1:])]).encode())
    return state.hexdigest()[:16]
