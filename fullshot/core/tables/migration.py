"""A workspace whose tables are CSVs alone, as version 0.1 wrote them, is brought up to date in one step."""

import os
import shutil
from typing import TYPE_CHECKING

from fullshot.core.errors import BadTable, StageFailed
from fullshot.core.progress import say
from fullshot.core.tables.connection import connect
from fullshot.core.tables.schemas import EXPORTS, PARQUETS, SCHEMAS
from fullshot.core.tables.stored import TableFiles

if TYPE_CHECKING:
    from fullshot.core.workspace import Workspace


def bring_up_to_date(workspace: "Workspace") -> None:
    """Keep the tables of an older workspace as Parquet too: all of them or, where it is stopped, none.

    A table that does not hold what its schema says is left to the command that asks for it.

    Args:
        workspace: nothing is done where it has such a folder, or no table.

    Raises:
        StageFailed: the system refuses it, such as in a folder that this user may only read.
    """
    folder = workspace / PARQUETS
    names = [name for name in SCHEMAS if workspace.table(name).parent.name != EXPORTS]
    there = [name for name in names if workspace.table(name).is_file()]
    if folder.exists() or not there:
        return
    unfinished = workspace / f".{PARQUETS}.{os.getpid()}.part"
    taken_in = []
    try:
        with connect() as connection:
            for name in there:
                csv_file = workspace.table(name)
                beside = TableFiles(
                    name, csv_file, unfinished / f"{csv_file.stem}.parquet", unfinished / f"{name}.json"
                )
                try:
                    beside.take_in(connection)
                except BadTable:
                    continue
                taken_in.append(csv_file.name)
        if taken_in:
            try:
                unfinished.rename(folder)
            except OSError:
                if not folder.is_dir():
                    raise
                return  # another command was as far first
            taken = f"are CSVs alone, as version 0.1 wrote them: taken into {PARQUETS}/"
            say(f"fullshot: the tables of {workspace.root} {taken}")
    except OSError as error:
        where = error.filename or unfinished
        raise StageFailed(
            f"{workspace.root} has tables of version 0.1, which cannot be taken into {PARQUETS}/: "
            f"{error.strerror or error}: {where}: let this user write there, or copy the folder to where that is so"
        ) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
