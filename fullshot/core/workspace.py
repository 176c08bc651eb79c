"""Where everything of one data set lies, and the record of every stage run."""

import contextlib
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

import fullshot
from fullshot.core import files, taxonomy
from fullshot.core import settings as settings_module
from fullshot.core.blobs import LocalBlobs
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.interfaces import BlobStore
from fullshot.core.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

LOCK_WAIT = 5.0
"""Seconds to wait for another fullshot on the same workspace: one that was killed lets go at once."""


class Workspace:
    """One folder, one data set.

    Args:
        root: the folder.

    Raises:
        UserError: the path is a file.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise UserError(f"expected a workspace folder, got a file: {self.root}")

    def __truediv__(self, name: str) -> Path:
        return self.root / name

    @property
    def blobs(self) -> BlobStore:
        """Where the pictures lie, by the names that ``images.path`` gives."""
        return LocalBlobs(self.root)

    @property
    def exports(self) -> Path:
        """The exported CSVs of curation."""
        return self.root / "exports"

    @property
    def catalog(self) -> Path:
        """The searchable catalog."""
        return self.root / "catalog"

    def models(self, kind: str) -> Path:
        """The training runs of ``detector`` or ``embedder``, a folder each."""
        return self.root / "models" / kind

    def table(self, name: str) -> Path:
        """The file of a table."""
        exported = name not in {
            "products",
            "images",
            "failures",
            "ledger",
            "curated",
            "boxes",
            "verdicts",
            "annotations",
        }
        return (self.exports if exported else self.root) / f"{name}.csv"

    def must_be_there(self) -> None:
        """Check that the folder is there.

        Raises:
            MissingInput: it is not; says what to run first.
        """
        if not self.root.is_dir():
            raise MissingInput(f"no workspace at {self.root}: run `fullshot crawl {self.root} --shop … URL` first")

    def read(self, name: str) -> "pd.DataFrame":
        """Read a table.

        Raises:
            MissingInput: the workspace or the table is not there; says what to run first.
            BadTable: a cell is not what the schema says.
        """
        from fullshot.core import tables

        self.must_be_there()
        if name not in tables.MADE_BY or self.table(name).is_file():
            return tables.read(name, self.table(name))
        raise MissingInput(f"no {name}.csv in {self.root}: run `fullshot {tables.MADE_BY[name]} {self.root}` first")

    def read_if_there(self, name: str) -> "pd.DataFrame":
        """Read a table; without the file, its empty table."""
        from fullshot.core import tables

        return self.read(name) if self.table(name).is_file() else tables.frame(name)

    def write(self, name: str, data: "pd.DataFrame") -> None:
        """Check a table and write it in one step."""
        from fullshot.core import tables

        tables.write(name, data, self.table(name))

    def settings(self, **flags: dict[str, Any]) -> Settings:
        """This workspace's settings: file, then environment, then flags (see :func:`fullshot.core.settings.load`)."""
        return settings_module.load(self.root / "fullshot.toml", **flags)

    def taxonomy(self) -> taxonomy.Taxonomy:
        """The built-in taxonomy, extended by this workspace's ``taxonomy.toml``."""
        return taxonomy.load(self.root / "taxonomy.toml")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace: two runs that write to it would lose each other's rows.

        Raises:
            MissingInput: there is no such folder.
            UserError: another fullshot holds it.
        """
        self.must_be_there()
        lock = FileLock(self.root / ".lock")
        try:
            lock.acquire(timeout=LOCK_WAIT)
        except Timeout:
            raise UserError(f"another fullshot is at work on {self.root}: wait for it, or stop it") from None
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def stage(self, name: str, settings: Settings, inputs: list[Path] | None = None) -> Iterator[dict[str, Any]]:
        """Hold the workspace for a stage, and record the run when it is done.

        Args:
            name: the stage, such as ``curate``.
            settings: what it runs with.
            inputs: files it reads; their digests are recorded.

        Yields:
            The stats, to be filled by the stage; they are written to ``runs/<name>-<time>.json``.
        """
        with self.locked():
            started = datetime.datetime.now(datetime.UTC)
            digests = {str(path.relative_to(self.root)): files.digest(path) for path in inputs or [] if path.is_file()}
            stats: dict[str, Any] = {}
            yield stats
            seconds = (datetime.datetime.now(datetime.UTC) - started).total_seconds()
            record = {
                "stage": name,
                "version": fullshot.__version__,
                "started_at": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "seconds": round(seconds, 3),
                "inputs": digests,
                "settings": settings.model_dump(mode="json"),
                "stats": stats,
            }
            file = f"{name.replace(' ', '-')}-{started.strftime('%Y%m%dT%H%M%S%fZ')}.json"
            files.write_text(self.root / "runs" / file, json.dumps(record, indent=1) + "\n")
