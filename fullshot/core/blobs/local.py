"""Blobs as files below a folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fullshot.core.files import write_bytes


class LocalBlobs:
    """Each blob is a file below a folder; see :class:`fullshot.core.interfaces.BlobStore`.

    Args:
        root: the folder; made when something is written.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def path(self, name: str) -> Path:
        """The file of a name.

        Raises:
            ValueError: the name is none, or leads out of the folder.
        """
        parts = name.split("/")
        if not {"", ".", ".."}.isdisjoint(parts) or "\\" in name or "\0" in name:
            raise ValueError(f"expected a name such as images/ab/abcd.jpg, got {name!r}")
        return self.root.joinpath(*parts)

    def read(self, name: str) -> bytes:
        return self.path(name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        write_bytes(self.path(name), content)

    def size(self, name: str) -> int | None:
        path = self.path(name)
        return path.stat().st_size if path.is_file() else None

    def delete(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.path(name).unlink()

    def names(self, prefix: str = "") -> Iterator[str]:
        folder = self.root / prefix.rpartition("/")[0]
        names = (path.relative_to(self.root).as_posix() for path in folder.rglob("*") if path.is_file())
        for name in sorted(names):
            hidden = PurePosixPath(name).name
            if name.startswith(prefix) and not (hidden.startswith(".") and hidden.endswith(".part")):
                yield name
