"""What a map can be asked for: what is wrong is said before a library is loaded."""

from pathlib import Path

from fullshot.core.errors import UserError
from fullshot.core.workspace import Workspace
from fullshot.index.catalog import must_have_catalog

FILE = "map.html"
"""In the workspace, unless the user names another one."""

MOST = 5_000
"""Items of a map: so many pictures are a page of some 8 MB, which any machine draws smoothly."""


def must_be_drawable(workspace: Workspace, output: Path | None, most: int) -> None:
    """Check that a map can be drawn; see :func:`fullshot.index.map.making.draw_map`.

    Raises:
        MissingInput: there is no workspace, or no catalog in it; says what to run first.
        UserError: not so many items can be shown; the output is a folder.
    """
    if most < 1:
        raise UserError(f"--most: expected 1 or more items, got {most}")
    if output is not None and output.is_dir():
        raise UserError(f"--output: expected a file, got the folder {output}")
    workspace.must_be_there()
    must_have_catalog(workspace)
