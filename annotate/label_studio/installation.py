"""Label Studio's program, installed on first use into an environment of its own: it pins what fullshot needs newer."""

import shutil
import subprocess
import sys
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from fullshot.core.errors import StageFailed
from fullshot.core.progress import say

VERSION = "1.23.2"
"""Of Label Studio; its packages are those of ``requirements.txt``."""


def installed() -> Path:
    """The program, installed if need be.

    Raises:
        StageFailed: it could not be installed.
    """
    home = user_cache_path("fullshot") / f"label-studio-{VERSION}"
    home.mkdir(parents=True, exist_ok=True)
    program = home / "venv" / "bin" / "label-studio"
    with FileLock(home / ".lock"):
        done = home / ".installed"
        if done.is_file() and program.is_file():
            return program
        say(f"installing Label Studio {VERSION}: some minutes, once")
        done.unlink(missing_ok=True)
        shutil.rmtree(home / "venv", ignore_errors=True)
        with as_file(files("fullshot.annotate.label_studio").joinpath("requirements.txt")) as pinned:
            for command in _install(home / "venv", pinned):
                ran = subprocess.run(command, capture_output=True, text=True, check=False)
                if ran.returncode:
                    lines = (ran.stderr or ran.stdout).strip().splitlines()
                    raise StageFailed(
                        f"Label Studio could not be installed: {lines[-1] if lines else 'no reason given'}"
                    )
        done.touch()
    return program


def _install(folder: Path, pinned: Path) -> list[list[str]]:
    python = str(folder / "bin" / "python")
    if find_spec("uv") is not None:
        uv = [sys.executable, "-P", "-m", "uv", "--quiet"]
        make = [*uv, "venv", "--python", sys.executable, str(folder)]
        return [make, [*uv, "pip", "install", "--python", python, "--no-deps", "--requirements", str(pinned)]]
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    make = [sys.executable, "-P", "-m", "venv", str(folder)]
    return [make, [*pip, "install", "--no-deps", "--requirement", str(pinned)]]
