"""Pictures of one's own, brought into a workspace: a folder of them, or a CSV that names them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullshot.core.errors import UserError
from fullshot.curation.add.options import AddOptions, parse_constants

if TYPE_CHECKING:
    from fullshot.core.settings import Settings
    from fullshot.core.workspace import Workspace

__all__ = ["AddOptions", "add_pictures", "parse_constants"]


def add_pictures(
    workspace: "Workspace", settings: "Settings", path: Path, options: AddOptions | None = None
) -> dict[str, Any]:
    """Bring a folder or a CSV of pictures into a workspace: :func:`fullshot.curation.add.run.add_pictures`."""
    options = options or AddOptions()
    options.check(workspace.taxonomy())
    if not path.exists():
        raise UserError(f"expected a folder or a CSV of pictures, got no such file: {path}")
    from fullshot.curation.add.run import add_pictures as work

    return work(workspace, settings, path, options)
