"""A table that is taken out of a workspace: of a CSV that is deleted alone, the Parquet brings it back."""

from fullshot.core.tables.stored import TableFiles
from fullshot.core.workspace import Workspace


def remove_table(workspace: Workspace, name: str) -> None:
    """Delete a table's CSV and its Parquet, as far as they are there."""
    table = TableFiles.of(workspace.root, name, workspace.table(name))
    for file in (table.csv, table.parquet):
        file.unlink(missing_ok=True)
