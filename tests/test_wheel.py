"""What is installed: one top-level name with all that belongs to it, which no file of the user's gets in the way of."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from fullshot.core.workspace import Workspace

ROOT = Path(__file__).parents[1]
STAGES = ("annotate", "crawler", "curation", "index", "train")


def build(source: Path, target: str, folder: Path) -> Path:
    """Build a ``wheel`` or an ``sdist`` without the network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
        cwd=source,
        check=True,
        capture_output=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def sources() -> set[str]:
    """The project's files by the name that they are imported or read by."""
    return {
        (Path(folder) / name).relative_to(ROOT).as_posix()
        for folder, _, files in os.walk(ROOT / "fullshot", followlinks=True)
        for name in files
        if not folder.endswith("__pycache__")
    }


def test_the_wheel_holds_one_top_level_name_and_all_that_belongs_to_it(wheel: Path) -> None:
    packed = {name for name in names(wheel) if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in packed} == {"fullshot"}
    assert packed == sources()
    assert packed >= {
        "fullshot/py.typed",
        "fullshot/core/taxonomy.toml",
        "fullshot/annotate/formats/labels.toml",
        "fullshot/annotate/label_studio/requirements.txt",
        "fullshot/curation/report/page.html.j2",
        "fullshot/core/page.css",
        "fullshot/train/detector/yolo/models/garment-nano.yaml",
        *(f"fullshot/{stage}/__init__.py" for stage in STAGES),
    }


def test_a_wheel_that_is_built_from_the_source_archive_is_the_same(wheel: Path, tmp_path: Path) -> None:
    archive = build(ROOT, "sdist", tmp_path / "sdist")
    with tarfile.open(archive) as packed:
        assert not [member.name for member in packed if member.issym() or member.islnk()]
        packed.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    assert names(build(source, "wheel", tmp_path / "wheel")) == names(wheel)


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the wheel, which sees the packages of this one but not this source."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    there = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(there), "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
    # What a path file adds has its own path files ignored, so that an editable installation has no effect.
    site_packages = sysconfig.get_path("purelib", vars={"base": str(folder)})
    (Path(site_packages) / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return there


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a user works in, with files of their own that have the names of the stages."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    mine = tmp_path / "mine"
    for name in ("crawler.py", "curation.py", "index.py", "train.py", "annotate/__init__.py"):
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_text(f"raise SystemExit('{name} of the user was imported')\n")
    return mine


def test_the_first_stages_of_the_demo_work_beside_files_of_the_users_own(python: Path, folder: Path) -> None:
    # A flag that there is not ends the first stage that takes long.
    code = """
import fullshot, pathlib, sys
from fullshot.core.errors import StageFailed
from fullshot.demo import run_demo
assert pathlib.Path(fullshot.__file__).is_relative_to(sys.prefix), fullshot.__file__
assert sys.path[0] == ""
try:
    run_demo(pathlib.Path("demo"), collections=1, flags={"train detector": ["--no-such-flag"]})
except StageFailed as error:
    print(error)
"""
    done = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.stdout.startswith("`fullshot train detector` ended with code 2"), done.stderr
    workspace = Workspace(folder / "demo")
    assert workspace.read("curated")["full_shot"].any()
    # The demo keeps the folder off the search path of its commands; a user does not.
    command = [str(python), "-m", "fullshot", "curate", "demo", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
