"""Where everything of one data set lies, and the record of every stage run."""

import contextlib
import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

import fullshot
from fullshot.core import files, taxonomy
from fullshot.core import settings as settings_module
from fullshot.core.blobs import LocalBlobs
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.dataset import Dataset
    from fullshot.core.interfaces import BlobStore

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
    def blobs(self) -> "BlobStore":
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
            first = f"run `fullshot add {self.root} FOLDER` first, or `fullshot crawl`"
            raise MissingInput(f"no workspace at {self.root}: {first}")

    def must_have(self, *names: str) -> None:
        """Check that tables are there, without reading them: what can be said at once, before a library is loaded.

        Raises:
            MissingInput: the workspace or a table is not there; says what to run first.
        """
        from fullshot.core.tables.schemas import is_there, missing

        self.must_be_there()
        for name in names:
            if not is_there(self.table(name)):
                raise MissingInput(missing(name, self.table(name)))

    def open(self, wanted: Mapping[str, Sequence[str]] | None = None) -> "Dataset":
        """The tables as one command sees them: each is read once; to be used as a context manager.

        Args:
            wanted: the columns to read of a table; all of them of one that is not named.

        Raises:
            MissingInput: the workspace is not there; says what to run first.
        """
        from fullshot.core.dataset import Dataset
        from fullshot.core.tables.connection import remove_left_spills
        from fullshot.core.tables.migration import bring_up_to_date

        self.must_be_there()
        remove_left_spills(self.root)
        bring_up_to_date(self)
        return Dataset(self, wanted)

    def read(self, name: str) -> "pd.DataFrame":
        """Read one table.

        Raises:
            MissingInput: the workspace or the table is not there; says what to run first.
            BadTable: a cell is not what the schema says.
        """
        with self.open() as data:
            return data.frame(name)

    def read_if_there(self, name: str) -> "pd.DataFrame":
        """Read one table; without the file, its empty table."""
        from fullshot.core import tables
        from fullshot.core.tables.schemas import is_there

        return self.read(name) if is_there(self.table(name)) else tables.frame(name)

    def write(self, name: str, data: "pd.DataFrame") -> None:
        """Check a table and write it in one step."""
        from fullshot.core.dataset import Dataset

        with Dataset(self) as opened:
            opened.write(name, data)

    def digests(self, names: Sequence[str]) -> dict[str, str]:
        """The sha256 of tables' CSVs, by their path relative to the workspace; without those that are not there."""
        from fullshot.core.tables.connection import connect
        from fullshot.core.tables.schemas import is_there
        from fullshot.core.tables.stored import TableFiles

        digests = {}
        for name in names:
            path = self.table(name)
            if not is_there(path):
                continue
            table = TableFiles.of(self.root, name, path)
            if not path.is_file():
                with connect() as connection:
                    table.write_again(connection)
            digests[path.relative_to(self.root).as_posix()] = table.digest()
        return digests

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
    def stage(self, name: str, settings: Settings, inputs: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Hold the workspace for a stage, and record the run when it is done.

        Args:
            name: the stage, such as ``curate``.
            settings: what it runs with.
            inputs: tables it reads; the digests of their CSVs are recorded.

        Yields:
            The stats, to be filled by the stage; they are written to ``runs/<name>-<time>.json``.
        """
        with self.locked():
            started = datetime.datetime.now(datetime.UTC)
            digests = self.digests(inputs)
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
