"""A package of somebody else's, installed beside fullshot."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., tuple[int, str, str]]
Stats = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package ``acme-fashion`` installed into it."""
    folder = tmp_path_factory.mktemp("plugin")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"]
    package = Path(__file__).parent / "acme"
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--target", str(folder), str(package)], check=True)
    return folder


def run_suite(plugin: Path, suite: str, name: str) -> str:
    """Run a conformance suite over what the package brings by this name; returns what pytest prints.

    Raises:
        AssertionError: a test fails, or none runs.
    """
    path = os.pathsep.join(filter(None, [str(plugin), os.environ.get("PYTHONPATH")]))
    tests = Path(__file__).parents[1] / "conformance" / suite
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", name, str(tests)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def fullshot(plugin: Path) -> Command:
    """Runs a command in a process of its own that finds the package: exit code, stdout and stderr."""
    path = os.pathsep.join(filter(None, [str(plugin), os.environ.get("PYTHONPATH")]))

    def run(*words: str | Path) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "fullshot", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture(scope="session")
def stats(fullshot: Command) -> Stats:
    """Runs a command that must succeed, and gives its stats."""

    def run(*words: str | Path) -> dict[str, Any]:
        code, out, err = fullshot(*words, "--json")
        assert code == 0, err
        answer: dict[str, Any] = json.loads(out)
        return answer

    return run
