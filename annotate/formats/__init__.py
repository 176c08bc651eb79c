"""Box formats, one module each, of pure load and save.

A new format is a module here with ``load(path) -> list[Annotated]`` and a line in :data:`FORMATS`.
"""

from collections.abc import Callable
from pathlib import Path

from annotate.formats import coco
from annotate.formats.annotated import Annotated
from fullshot.errors import UserError

Load = Callable[[Path], list[Annotated]]

FORMATS: dict[str, Load] = {"coco": coco.load}
"""A format's name and what reads it."""


def load(path: Path, name: str) -> list[Annotated]:
    """Read a file of boxes.

    Args:
        path: the file.
        name: its format, a key of :data:`FORMATS`.

    Raises:
        UserError: there is no such format or file, or the file is not what the format says.
    """
    if name not in FORMATS:
        raise UserError(f"expected a format of {', '.join(FORMATS)}, got {name!r}")
    if not path.is_file():
        raise UserError(f"no file {path} to read boxes from")
    return FORMATS[name](path)
