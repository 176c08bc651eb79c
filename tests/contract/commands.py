"""Every command that reads pictures, run once over the contract's workspace, and what it read and said."""

import json
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from typer.testing import CliRunner

from fullshot.cli import app
from fullshot.core.dataset import Dataset
from fullshot.core.features import FeatureStore, Rows
from fullshot.core.tables.stored import TableFiles
from fullshot.core.workspace import Workspace
from tests.contract.pictures import FULL, Shop, drawn_on, spoil, stored, with_twins
from tests.contract.studio import LabelStudio, label_studio

SETTINGS = """
[curate]
processes = 1
[detector]
family = "yolo"
epochs = 1
image_size = 64
batch = 8
plots = false
device = "cpu"
[embedder]
epochs = 2
image_size = 32
dimension = 16
batch = 16
device = "cpu"
[recommend]
neighbours = 50
[annotate]
pictures = "http://127.0.0.1:9/"
"""
"""As small as it goes; an answer holds every product of its wear, so that no score depends on what was learnt."""

NEEDS = {
    "annotate queue": ("train detector",),
    "annotate push": ("train detector",),
    "evaluate detector": ("train detector",),
    "evaluate embedder": ("train embedder",),
    "index build": ("train embedder",),
    "curate --check": ("train embedder",),
    "recommend": ("train detector", "index build"),
    "evaluate recommend": ("train detector", "index build"),
    "trace": ("index build",),
}
"""What is run before a command."""

_NAME = re.compile(r"[0-9a-f]{64}")
_STAGES = r"/(crawler|curation|train|annotate|index|fullshot/demo|fullshot/core/(leakage|annotations|derived))[/.]"
_OF_PIXELS = ("crops", "embeddings")
"""What is kept of pictures in place of their pixels."""

_opened: set[str] | None = None


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened is not None:
        _opened.update(_NAME.findall(str(arguments[0])))


# Python tells of every file that it opens, whoever opens it; a hook cannot be taken away again.
sys.addaudithook(_listen)


@contextmanager
def pictures_opened() -> Iterator[set[str]]:
    """The image_id of every picture whose file this process opens."""
    global _opened
    _opened = set()
    try:
        yield _opened
    finally:
        _opened = None


@contextmanager
def _pictures_looked_at() -> Iterator[set[str]]:
    """The image_id of every picture whose file this process opens, or whose pixels the store of features has for it."""
    fill, look_up = FeatureStore.fill, FeatureStore.look_up

    def noting(ask: Callable[..., Rows]) -> Callable[..., Rows]:
        def noted(store: FeatureStore, keys: pyarrow.Table, *more: Any, **flags: Any) -> Rows:
            if store.folder.parent.name in _OF_PIXELS:
                seen.update(keys["image_id"].to_pylist())
            return ask(store, keys, *more, **flags)

        return noted

    with pictures_opened() as seen, pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureStore, "fill", noting(fill))
        patch.setattr(FeatureStore, "look_up", noting(look_up))
        yield seen


@contextmanager
def tables_read() -> Iterator[dict[str, list[str]]]:
    """By a table's name, who reads it from its file: a line of the code for each time, whoever asks in this process."""
    read: dict[str, list[str]] = {}
    relation = Dataset._relation

    def noted(data: Dataset, name: str, files: TableFiles) -> str:
        asking = [call for call in traceback.extract_stack() if re.search(_STAGES, call.filename)]
        read.setdefault(name, []).append(f"{asking[-1].filename}:{asking[-1].lineno}" if asking else "a test")
        return relation(data, name, files)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dataset, "_relation", noted)
        yield read


@dataclass(frozen=True)
class Run:
    """A command that was run.

    Attributes:
        code: its exit code.
        stats: what it printed with ``--json``; empty where it printed nothing.
        words: all that it printed.
        opened: the image_id of each picture whose file it opened, or whose pixels another command had kept for it.
        read: by a table's name, who read it; see :func:`tables_read`.
    """

    code: int
    stats: dict[str, Any]
    words: str
    opened: frozenset[str]
    read: Mapping[str, list[str]] = field(default_factory=dict)


def run(*words: str | Path, **environment: str) -> Run:
    """Run a command in this process, as a user types it.

    Args:
        *words: of the command, without ``fullshot`` and ``--json``.
        **environment: variables that are set while it runs.
    """
    with _pictures_looked_at() as opened, tables_read() as read:
        done = CliRunner().invoke(app, [*map(str, words), "--json"], env=environment)
    said = done.stdout + done.stderr
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        said += "".join(traceback.format_exception(done.exception))
    stats = json.loads(done.stdout) if done.stdout.strip() else {}
    return Run(done.exit_code, stats, said, frozenset(opened), read)


class Contract:
    """The workspace, and the commands run over it.

    Args:
        shop: its pictures.
        root: an empty folder.
    """

    def __init__(self, shop: Shop, root: Path) -> None:
        self.shop, self._root = shop, root
        self.workspace = stored(shop, root / "ws")
        (self.workspace / "fullshot.toml").write_text(SETTINGS, "utf-8")
        self.first_curation = run("curate", self.workspace.root)
        drawn_on(shop, self.workspace)
        spoil(shop, self.workspace)
        self._runs: dict[str, Run] = {}
        self.tasks: list[dict[str, Any]] = []

    def __getitem__(self, command: str) -> Run:
        """A command's run; the first time that it is asked for, it is run, after those that it needs."""
        if command not in self._runs:
            for needed in NEEDS.get(command, ()):
                self[needed]
            self._runs[command] = self._run(command)
        return self._runs[command]

    def _run(self, command: str) -> Run:
        place = self.workspace.root
        if command in ("curate", "curate --overlays"):
            return self._again
        if command == "annotate push":
            with label_studio() as studio:
                done = self._push(studio)
            self.tasks = list(studio.tasks.values())
            return done
        if command == "trace":
            # It reads all tables each time that it is asked; one picture of a kind and role is enough.
            shots = {(shot.kind, shot.role): shot for shot in reversed(self.shop.shots)}.values()
            traced = {shot.image_id: run("trace", place, shot.image_id) for shot in shots}
            code = max(each.code for each in traced.values())
            return Run(code, {name: each.stats for name, each in traced.items()}, "", frozenset())
        if command == "recommend":
            return self.recommended(self.workspace, self.photo)
        words, *options = command.split(" --")
        more: list[str | Path] = [word for option in options for word in f"--{option}".split()]
        if words == "boxes export":
            more.append(self.exported(command))
        return run(*words.split(), place, *more)

    def exported(self, command: str) -> Path:
        """The folder that an export of boxes is written to."""
        return self._root / command.rpartition(" ")[2]

    @cached_property
    def photo(self) -> Path:
        """A photo to recommend for: an ordinary full shot of the split test."""
        [shot] = self.shop.of("ordinary", FULL, splits=["test"])
        return self.workspace / shot.path

    def recommended(self, workspace: Workspace, photo: Path, **environment: str) -> Run:
        """The answer to a photo."""
        return run("recommend", workspace.root, photo, "--output", self._root / "answer.png", **environment)

    @cached_property
    def again(self) -> Workspace:
        """A copy of the workspace that is curated once more."""
        shutil.copytree(self.workspace.root, self._root / "again", ignore=shutil.ignore_patterns("models", "catalog"))
        return Workspace(self._root / "again")

    @cached_property
    def _again(self) -> Run:
        return run("curate", self.again.root, "--overlays")

    def pushed(self, **environment: str) -> list[dict[str, Any]]:
        """The tasks of a push to another Label Studio."""
        with label_studio() as studio:
            assert self._push(studio, **environment).code == 0
        return list(studio.tasks.values())

    def _push(self, studio: LabelStudio, **environment: str) -> Run:
        return run("annotate", "push", self.workspace.root, "--url", studio.url, "--token", "t", **environment)

    @cached_property
    def twins(self) -> Workspace:
        """The workspace with its models and its catalog, but with every turned picture stored upright."""
        for command in ("train detector", "index build"):
            self[command]
        return with_twins(self.shop, self.workspace, self._root / "twins")
