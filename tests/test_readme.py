"""The README's commands, run as they stand there, against a small built-in shop."""

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import typer

from fullshot.cli import app
from fullshot.core.workspace import Workspace

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")

# The shop is smaller and the models train shorter than the README's, so the figures differ; the words do not.
SMALL = {
    "FULLSHOT_DEMO_COLLECTIONS": "4",
    "FULLSHOT_CURATE_VALIDATION_SHARE": "0.4",
    "FULLSHOT_DETECTOR_EPOCHS": "2",
    "FULLSHOT_DETECTOR_IMAGE_SIZE": "96",
    "FULLSHOT_EMBEDDER_EPOCHS": "2",
    "FULLSHOT_ANNOTATE_PORT": "0",
}


def commands() -> list[tuple[str, list[str]]]:
    """Every ``$ command`` of the README's console blocks, with the lines that it prints there."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            elif found:
                found[-1][1].append(line)
    return found


def names(lines: list[str]) -> set[str]:
    """The names of the stats among a command's lines: what stands before two spaces."""
    return {match[1] for line in lines if (match := re.match(r"([a-z][a-z0-9@. ]*?) {2,}\S", line))}


def test_the_readme_shows_every_command() -> None:
    shown = {shlex.split(command)[1] for command, _ in commands()}
    assert shown == {name.replace("_", "-") for name in typer.main.get_command(app).commands}  # type: ignore[attr-defined]


def test_the_readmes_commands_do_what_it_says(tmp_path: Path) -> None:
    environment = {**os.environ, **SMALL, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    reader = Reader(tmp_path)
    shop: subprocess.Popen[bytes] | None = None
    windows: list[subprocess.Popen[str]] = []
    try:
        for command, lines in commands():
            typed = reader.typed(command)
            if " serve " in command:
                window = subprocess.Popen(
                    shlex.split(typed), cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
                )
                windows.append(window)
                assert window.stdout is not None
                said = [window.stdout.readline() for _ in lines]
                assert [line.split("http")[0] for line in lines] == [
                    line.split("http")[0].rstrip("\n") for line in said
                ]
                continue
            done = subprocess.run(typed, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)  # noqa: S602
            assert done.returncode == 0, f"{typed}\n{done.stdout}\n{done.stderr}"
            assert names(lines) <= names(done.stdout.splitlines()), typed
            if shop is None:
                shop = subprocess.Popen(["fullshot", "demo", "--serve"], cwd=tmp_path, env=environment)
                reader.wait_for(shop)
    finally:
        for window in windows:
            window.terminate()
            window.wait()
        if shop:
            shop.terminate()
            shop.wait()


class Reader:
    """Somebody who follows the README: their own photo, saved page and labelled pictures, and their shop's port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{json.loads((self.folder / 'datasets/demo-shop/shop.json').read_text())['port']}"

    def wait_for(self, shop: "subprocess.Popen[bytes]") -> None:
        while True:
            assert shop.poll() is None, "the shop did not open"
            with contextlib.suppress(OSError):
                self.page = urllib.request.urlopen(f"{self.base}/women-topwear").read()
                return

    def typed(self, command: str) -> str:
        """The command as they type it, what it needs being there."""
        if command.split()[1] == "demo":
            return command
        looks = Workspace(self.folder / "datasets/demo").read("images").query("view == 'look'")
        first = looks.iloc[0]
        if "page.html" in command:
            (self.folder / "page.html").write_bytes(self.page)
        if "photo.jpg" in command:
            shutil.copy(self.folder / "datasets/demo" / first["path"], self.folder / "photo.jpg")
        if "labelled/" in command:
            self.label()
        if " pictures" in command:
            (self.folder / "pictures/Jeans").mkdir(parents=True)
            shutil.copy(self.folder / "datasets/demo" / first["path"], self.folder / "pictures/Jeans/mine.jpg")
        command = re.sub(r"(?<=trace datasets/demo )\w+", first["image_id"][:12], command)
        return command.replace("http://127.0.0.1:8765", self.base)

    def label(self) -> None:
        """One picture of the crawl, with a box, under a name of their own."""
        (self.folder / "labelled").mkdir()
        mine = Workspace(self.folder / "datasets/mine")
        shutil.copy(mine / mine.read("images")["path"].iloc[0], self.folder / "labelled" / "one.jpg")
        boxes = {
            "images": [{"id": 1, "file_name": "one.jpg", "width": 480, "height": 640}],
            "categories": [{"id": 1, "name": "top"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [40, 50, 200, 300]}],
        }
        (self.folder / "labelled" / "instances.json").write_text(json.dumps(boxes))
