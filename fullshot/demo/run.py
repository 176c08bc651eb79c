"""The whole way, against the built-in shop: each stage is the command that a user would type, in a process of its own."""

import contextlib
import json
import os
import resource
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from fullshot.core import files, progress
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.process import END_WITH_PARENT
from fullshot.core.workspace import Workspace
from fullshot.demo import scorecard
from fullshot.demo.scorecard import ScoreCard
from fullshot.demo.shop import server as shop
from fullshot.demo.shop import studio

PORT = 8765
"""Where the shop serves if nothing else does."""

_SETTINGS = """# The built-in shop's people are drawn by one hand: a few passes from the starter weights are enough.
[detector]
epochs = 4
image_size = 256
"""

# The shop is this machine's own: nobody is hurt by many requests at once.
_CRAWL_FLAGS = ["--shop", "myntra", "--delay", "0", "--concurrency", "8", "--no-autothrottle"]


def run_demo(
    root: Path,
    *,
    seed: int = 7,
    collections: int = 38,
    port: int = 0,
    fresh: bool = False,
    flags: dict[str, list[str]] | None = None,
) -> ScoreCard:
    """Draw the shop, serve it, and run every stage against it; stopped anywhere and run again, it goes on.

    Args:
        root: the workspace; the shop's pictures lie beside it, in ``<root>-shop``.
        seed: another seed, another shop.
        collections: how large the shop is, six to eight products each.
        port: where the shop serves; 0: 8765, or a free one.
        fresh: throw away what an earlier demo left there.
        flags: further flags for a command, such as ``{"train detector": ["--epochs", "2"]}``.

    Raises:
        UserError: the folder holds something else, the port is in use, an earlier demo there had another shop, or
            there is no shop of that size.
        StageFailed: a stage failed; its own message says why.
    """
    demo = _Demo(Workspace(root), Path(f"{root}-shop"), flags or {})
    with demo.open(seed, collections, port, fresh=fresh) as listener:
        demo.write_settings()
        with demo.timed("draw"), progress.bar("draw", "pictures") as advance:
            boxes = studio.draw_all(demo.studio, demo.pictures, progress=advance)
        site = shop.Shop(demo.studio, boxes, demo.pictures, shop.base_of(listener))
        with shop.serve(site, listener):
            demo.command("crawl", *site.urls, *_CRAWL_FLAGS)
    for stage in ("curate", "train detector", "train embedder", "index build"):
        demo.command(stage)
    detector = demo.command("evaluate detector")
    recommend = demo.command("evaluate recommend")
    demo.command("report")
    demo.card.photo = _photo(demo.workspace)
    demo.card.recommendation = demo.workspace / "recommendation.png"
    demo.card.report = demo.workspace / "report.html"
    demo.command("recommend", str(demo.card.photo), "--output", str(demo.card.recommendation), as_json=False)
    scorecard.add_truth(demo.card, demo.studio, demo.pictures, demo.workspace)
    scorecard.add_evaluations(demo.card, detector, recommend)
    demo.card.peak_memory = _peak_memory()
    return demo.card


def keep_open(root: Path) -> None:
    """Serve the shop of an earlier demo, so that its links answer, until Ctrl-C.

    Raises:
        UserError: there is no demo, or its port is in use.
    """
    demo = _Demo(Workspace(root), Path(f"{root}-shop"), {})
    with demo.reopen() as listener, contextlib.suppress(KeyboardInterrupt):
        boxes = studio.draw_all(demo.studio, demo.pictures)
        site = shop.Shop(demo.studio, boxes, demo.pictures, shop.base_of(listener))
        with shop.serve(site, listener):
            demo.console.print(f"the shop is open at {site.base}/ until Ctrl-C")
            threading.Event().wait()


class _Demo:
    """Where a demo lies, and how its commands are run."""

    def __init__(self, workspace: Workspace, folder: Path, flags: dict[str, list[str]]) -> None:
        self.workspace = workspace
        self.folder = folder
        self.pictures = folder / "pictures"
        self.flags = flags
        self.card = ScoreCard(workspace=workspace.root)
        self.console = Console(stderr=True, highlight=False)
        self.studio = studio.open_studio(7, 3)

    @property
    def _record(self) -> Path:
        return self.folder / "shop.json"

    def remove(self) -> None:
        """Throw the demo away, but nothing that is not one."""
        if self.workspace.root.exists() and not self._record.is_file():
            raise UserError(f"{self.workspace.root} was not made by a demo: remove it by hand, or name another folder")
        for folder in (self.workspace.root, self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    def open(self, seed: int, collections: int, port: int, *, fresh: bool = False) -> socket.socket:
        """Open the shop, or the one that an earlier demo drew here: its links hold its port.

        Returns:
            The socket that listens at the port: nothing else can take it while the shop is drawn.
        """
        try:
            self.studio = studio.open_studio(seed, collections)
        except ValueError as error:
            raise UserError(str(error)) from None
        if fresh:
            self.remove()
        wanted = {"seed": seed, "collections": collections}
        if self._record.is_file():
            drawn = json.loads(self._record.read_text("utf-8"))
            linked = drawn.pop("port")
            if drawn != wanted or port not in (0, linked):
                raise UserError(
                    f"{self.workspace.root} holds a demo of another shop ({drawn}, port {linked}): --fresh replaces it"
                )
            return shop.listen(linked)
        if self.workspace.root.exists() and any(self.workspace.root.iterdir()):
            raise UserError(f"{self.workspace.root} is there already and was not made by a demo: name another folder")
        listener = shop.listen(port) if port else _listen_anywhere()
        files.write_text(self._record, json.dumps({**wanted, "port": listener.getsockname()[1]}) + "\n")
        return listener

    def write_settings(self) -> None:
        """Write the workspace's settings, unless someone has written others."""
        file = self.workspace / "fullshot.toml"
        if not file.is_file():
            files.write_text(file, _SETTINGS)

    def reopen(self) -> socket.socket:
        """Open the shop that an earlier demo drew here."""
        if not self._record.is_file():
            raise UserError(f"no demo at {self.workspace.root}: run `fullshot demo {self.workspace.root}` first")
        drawn = json.loads(self._record.read_text("utf-8"))
        return self.open(drawn["seed"], drawn["collections"], drawn["port"])

    @contextlib.contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Note how long a stage takes."""
        start = time.monotonic()
        yield
        self.card.seconds[stage] = time.monotonic() - start

    def command(self, stage: str, *arguments: str, as_json: bool = True) -> dict[str, Any]:
        """Run a command of fullshot on the workspace; its progress shows on stderr.

        Returns:
            What it printed, if that is JSON.
        """
        words = [*stage.split(), str(self.workspace.root), *arguments, *self.flags.get(stage, [])]
        self.console.print(f"\n[bold]$ fullshot {shlex.join(words)}[/bold]", soft_wrap=True)
        # -P: a file in the folder that the user works in may have the name of a module.
        process = [sys.executable, "-P", "-m", "fullshot", *words, *(["--json"] if as_json else [])]
        environment = {**os.environ, END_WITH_PARENT: "1"}
        # The command ends when its standard input does: with this process, however that ends.
        # What is not JSON is for a person: the demo's own answer is what goes to standard output.
        stdout = subprocess.PIPE if as_json else sys.stderr
        with (
            self.timed(stage),
            subprocess.Popen(process, text=True, env=environment, stdin=subprocess.PIPE, stdout=stdout) as child,
        ):
            output = child.stdout.read() if child.stdout else ""
            code = child.wait()
        if code:
            raise StageFailed(f"`fullshot {stage}` ended with code {code}: run the demo again to go on from there")
        stats: dict[str, Any] = json.loads(output) if as_json else {}
        return stats


def _listen_anywhere() -> socket.socket:
    try:
        return shop.listen(PORT)
    except UserError:
        return shop.listen(0)


def _photo(workspace: Workspace) -> Path:
    """An outfit image that no model was trained on: the first of the test split with the most garments."""
    curated = workspace.read("curated")
    outfit_images = curated[(curated["split"] == "test") & curated["full_shot"].fillna(False)]["image_id"]
    boxes = workspace.read("boxes")
    worn = boxes[boxes["image_id"].isin(outfit_images)].groupby("image_id").size()
    if worn.empty:
        raise StageFailed("no outfit image is in the test split: a larger shop has some (--collections)")
    chosen = worn.sort_values(ascending=False, kind="stable").index[0]
    images = workspace.read("images")
    return workspace / str(images[images["image_id"] == chosen]["path"].iloc[0])


def _peak_memory() -> int:
    """Bytes of the largest process among this one and those it waited for."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
