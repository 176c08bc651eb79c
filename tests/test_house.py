"""What holds for the project as a whole: who may import whom, and what may lie in the tree."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
STAGES = ("crawler", "curation", "annotate", "train", "index")

# The table of ARCHITECTURE: a folder, and the stages it may import besides the spine.
MAY_IMPORT = {
    "crawler": set[str](),
    "curation": set[str](),
    "train": set[str](),
    "annotate": {"train"},
    "index": {"curation", "train"},
}
# These call the stages, so they import them, but only when a verb runs.
CALLERS = re.compile(r"fullshot/(cli/\w+|demo/run|demo/scorecard)\.py")
MOST_LINES = 350
# What makes `fullshot --help` slow; each is imported by the stage that needs it, when its verb runs.
HEAVY = {
    "cv2",
    "faiss",
    "lightning",
    "matplotlib",
    "mediapipe",
    "pandas",
    "pandera",
    "playwright",
    "pyarrow",
    "scrapy",
    "scrapy_playwright",
    "selenium",
    "torch",
    "ultralytics",
}

PRODUCT = sorted(path for top in ("fullshot", *STAGES) for path in (ROOT / top).rglob("*.py"))
IDS = [path.relative_to(ROOT).as_posix() for path in PRODUCT]


def _imports(tree: ast.AST, *, lazy: bool = False) -> Iterator[tuple[str, int, bool]]:
    """Each import below a node: module, line, and whether it happens only when a function runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node.lineno, lazy) for alias in node.names)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(node, lazy=lazy or inside)


def _verdict(name: str, module: str, *, lazy: bool) -> str | None:
    """Why the file ``name`` may not import ``module``; None where it may."""
    top = name.partition("/")[0]
    stage = module.partition(".")[0]
    calls = CALLERS.fullmatch(name) is not None
    if module.startswith("None."):
        return "a relative import: name the package"
    if stage == "tests":
        return "the product does not import its tests"
    if (module + ".").startswith("fullshot.demo.") and not name.startswith("fullshot/demo/"):
        return None if calls and lazy else "only the verbs import the built-in shop, and inside a function"
    if stage not in STAGES or stage == top:
        return None
    if calls:
        return None if lazy else "a stage is imported inside a function here"
    return None if stage in MAY_IMPORT.get(top, ()) else f"{top} may not import {stage}"


@pytest.mark.parametrize("path", PRODUCT, ids=IDS)
def test_imports_run_along_the_architecture(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    wrong = [
        f"{name}:{line}: {module}: {why}"
        for module, line, lazy in _imports(ast.parse(path.read_text("utf-8")))
        if (why := _verdict(name, module, lazy=lazy))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "module", "lazy", "allowed"),
    [
        ("crawler/spider.py", "fullshot.core.tables", False, True),
        ("index/search.py", "fullshot.curation.pose.mediapipe", False, True),
        ("fullshot/cli/crawl.py", "fullshot.crawler.run", True, True),
        ("fullshot/cli/demo.py", "fullshot.demo.run", True, True),
        ("fullshot/demo/run.py", "fullshot.demo.shop.server", False, True),
        ("fullshot/cli/crawl.py", "fullshot.crawler.run", False, False),  # `fullshot --help` would pay for it
        ("fullshot/tables.py", "fullshot.curation.pose.mediapipe", True, False),  # the spine knows no stage
        ("curation/pose.py", "fullshot.crawler.items", True, False),
        ("annotate/tasks.py", "fullshot.curation.pose.mediapipe", False, False),
        ("train/fit.py", "fullshot.demo.shop.studio", True, False),
        ("train/fit.py", "None.x", False, False),
    ],
)
def test_the_rule_for_imports_tells_right_from_wrong(name: str, module: str, lazy: bool, allowed: bool) -> None:
    assert (_verdict(name, module, lazy=lazy) is None) == allowed


@pytest.mark.parametrize("path", PRODUCT, ids=IDS)
def test_modules_stay_short(path: Path) -> None:
    count = len(path.read_text("utf-8").splitlines())
    assert count <= MOST_LINES, f"{count} lines; a module has one reason to change"


def test_the_cli_loads_nothing_heavy() -> None:
    code = "import sys, fullshot.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "typer" in loaded
    assert not loaded & HEAVY


def test_what_starts_the_workers_of_a_curation_loads_no_tables() -> None:
    code = "import sys, fullshot.cli, fullshot.curation.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "pandera", "scipy", "cv2", "mediapipe"} & set(done.stdout.split())


def test_no_text_names_a_place_of_one_machine() -> None:
    place = re.compile(r"(?<![\w.:/*)-])/(?:home|Users|root|work)/[\w.]")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _files_of_the_repository()
        for number, line in enumerate(_text(path).splitlines(), start=1)
        if place.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def _files_of_the_repository() -> list[Path]:
    """Tracked files and those about to be, without the pages that shops' servers wrote."""
    ask = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git repository here")
    names = [name for name in done.stdout.split("\0") if name and not re.match(r"tests/crawler/pages/.+/.+/", name)]
    assert "pyproject.toml" in names
    return [path for name in names if (path := ROOT / name).is_file()]


def _text(path: Path) -> str:
    """A file's text; empty for a picture, a model and the like."""
    data = path.read_bytes()
    return "" if b"\0" in data else data.decode("utf-8", "replace")


def _locked() -> dict[str, list[str]]:
    """The entries of requirements.lock: the requirement, and its further lines."""
    entries: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines():
        words = line.strip().removesuffix("\\").strip()
        if line.startswith(" "):
            entries[next(reversed(entries))].append(words)
        else:
            entries[words] = []
    return entries


def test_the_lock_file_holds_requirements_and_hashes_only() -> None:
    entries = _locked()
    assert entries
    for entry, hashes in entries.items():
        need = Requirement(entry)
        assert need.url is None, entry
        assert re.fullmatch(r"==[^*,]+", str(need.specifier)), entry
        assert hashes, f"{entry}: no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes), entry


def test_the_lock_file_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [Requirement(text) for text in project["dependencies"]]
    asked += [Requirement(text) for texts in project["optional-dependencies"].values() for text in texts]
    versions: dict[str, list[str]] = {}
    for entry in map(Requirement, _locked()):
        versions.setdefault(entry.name, []).append(str(entry.specifier).removeprefix("=="))
    stale = [
        str(need)
        for need in asked
        if need.name != "fullshot"
        and not any(need.specifier.contains(version, prereleases=True) for version in versions.get(need.name, []))
    ]
    assert not stale, f"run `make lock`: {', '.join(stale)}"
