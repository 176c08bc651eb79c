"""The README's commands, run as they stand there, against a small built-in shop."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")

# The shop is smaller and the models train shorter than the README's, so the figures differ; the words do not.
SMALL = {
    "FULLSHOT_DEMO_COLLECTIONS": "4",
    "FULLSHOT_CURATE_VALIDATION_SHARE": "0.4",
    "FULLSHOT_DETECTOR_EPOCHS": "2",
    "FULLSHOT_DETECTOR_IMAGE_SIZE": "96",
    "FULLSHOT_EMBEDDER_EPOCHS": "2",
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
    """The names of the stats among a verb's lines: what stands before two spaces."""
    return {match[1] for line in lines if (match := re.match(r"([a-z][a-z0-9@.\- ]*?) {2,}\S", line))}


def test_the_readme_shows_every_verb() -> None:
    shown = {shlex.split(command)[1] for command, _ in commands()}
    assert shown >= {
        "demo",
        "crawl",
        "parse",
        "curate",
        "train",
        "evaluate",
        "index",
        "recommend",
        "trace",
        "doctor",
        "boxes",
    }


def test_the_readmes_commands_do_what_it_says(tmp_path: Path) -> None:
    environment = {**os.environ, **SMALL, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command, lines in commands():
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)  # noqa: S602
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert names(lines) <= names(done.stdout.splitlines()), command
