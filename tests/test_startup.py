"""What a command has loaded when it prints its help, when it refuses a call, and when it has answered.

Which modules these are decides how long a user waits, and it is the same on any machine. Seconds are for
``benchmarks.startup``, whose calls these are.
"""

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.startup import COMMANDS, WRONG, words_of
from fullshot.cli import app
from fullshot.core import tables
from fullshot.core.workspace import Workspace
from tests.modules import loaded

WITHOUT_A_MODEL = (
    "recommend {demo} {photo}",
    "index build {demo}",
    "evaluate detector {demo}",
    "evaluate embedder {demo}",
    "evaluate recommend {demo}",
)
"""Calls that are refused where nothing was trained yet."""

IMAGE_ID = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with tables and without models."""
    workspace = Workspace(tmp_path_factory.mktemp("startup") / "demo")
    workspace.root.mkdir()
    path, size = f"images/01/{IMAGE_ID}.jpg", {"width": 4, "height": 4, "bytes": 1}
    rows: dict[str, dict[str, object]] = {
        "products": {"product_id": "s:1", "gender": "men", "wear": "top"},
        "images": {"image_id": IMAGE_ID, "product_id": "s:1", "path": path, **size},
        "curated": {"image_id": IMAGE_ID, "full_shot": False, "split": "train"},
    }
    for name, row in rows.items():
        workspace.write(name, tables.frame(name, [row]))
    for name in ("boxes", "dataset2", "labels"):
        workspace.write(name, tables.frame(name))
    return workspace.root


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture."""
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    Image.new("RGB", (32, 32)).save(path)
    return path


def test_all_commands_are_named() -> None:
    names = {info.name or info.callback.__name__ for info in app.registered_commands if info.callback}
    for group in app.registered_groups:
        assert group.typer_instance is not None
        for info in group.typer_instance.registered_commands:
            assert info.callback is not None
            names.add(f"{group.name} {info.name or info.callback.__name__}")
    assert names == set(COMMANDS)
    refused = {command for command in COMMANDS for call in WRONG if call.startswith(f"{command} ")}
    assert refused == set(COMMANDS)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_nothing_heavy(command: str, tmp_path: Path) -> None:
    assert loaded([*command.split(), "--help"], tmp_path) == (0, set())


@pytest.mark.parametrize("call", [*WRONG, *WITHOUT_A_MODEL])
def test_a_refusal_loads_nothing_heavy(call: str, demo: Path, photo: Path, tmp_path: Path) -> None:
    assert loaded(words_of(call, demo, photo), tmp_path) == (2, set())
    assert list(tmp_path.iterdir()) == []


def test_trace_loads_no_more_than_it_reads_a_few_rows_with(demo: Path, tmp_path: Path) -> None:
    assert loaded(["trace", str(demo), IMAGE_ID[:8]], tmp_path) == (0, {"duckdb"})
