"""What holds for the project as a whole: who may import whom, and what may lie in the tree."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]

# The rule of imports: a room, and the rooms below it that it may import. `fullshot/__init__` may be imported by all.
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "crawler": {"core"},
    "curation": {"core"},
    "train": {"core"},
    "annotate": {"core", "train"},
    "index": {"core", "curation", "train"},
    "demo": {"core", "crawler", "curation", "train", "annotate", "index"},
    "cli": {"core", "crawler", "curation", "train", "annotate", "index", "demo"},
    "__main__": {"cli"},
}

# Where another room may enter: by the names that these packages' `__init__` lists. `core` is open to all.
FACES = {
    "fullshot.crawler",
    "fullshot.curation",
    "fullshot.train",
    "fullshot.train.detector",
    "fullshot.train.embedder",
    "fullshot.annotate",
    "fullshot.index",
    "fullshot.demo",
    "fullshot.cli",
}

# A heavy library, and the adapters that alone may import it: a module, or all of a package.
ADAPTERS: dict[str, set[str]] = {
    "faster_coco_eval": {"fullshot.train.detector.metrics"},
    "faiss": {"fullshot.curation.duplicates.binary_index", "fullshot.index.stores.faiss"},
    "mlflow": {"fullshot.train.tracking"},
    "onnx": {"fullshot.train.exported", "fullshot.train.quantized"},
    "onnxruntime": {"fullshot.train.quantized", "fullshot.train.runtimes.onnx_runtime"},
    "open_clip": {"fullshot.train.embedder.backbones.from_open_clip"},
    "openvino": {"fullshot.train.runtimes.openvino"},
    "playwright": {"fullshot.crawler.rendering.playwright"},
    "pymilvus": set(),
    "ray": set(),
    "redis": set(),
    "selenium": {"fullshot.crawler.rendering.selenium"},
    "sklearn": {"fullshot.index.map.layout"},
    "supervision": {"fullshot.train.detector.evaluation.confusion"},
    "timm": {
        "fullshot.train.detector.torchvision",
        "fullshot.train.embedder.backbones.from_timm",
        "fullshot.train.timm_hub",
    },
    "torchvision": {"fullshot.train.detector.torchvision"},
    "ultralytics": {"fullshot.train.detector.yolo"},
    "umap": {"fullshot.index.map.layout"},
}

MOST_LINES = 350
# What makes `fullshot --help` slow; each is imported by the stage that needs it, when its command runs.
HEAVY = {
    "cv2",
    "lightning",
    "matplotlib",
    "mediapipe",
    "duckdb",
    "pandas",
    "pyarrow",
    "scrapy",
    "scrapy_playwright",
    "torch",
    *ADAPTERS,
}


@dataclass(frozen=True)
class Import:
    """An import statement: who imports what, on which line, and whether it ever runs (not for type checkers alone)."""

    importer: str
    module: str
    name: str
    line: int
    runs: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.module}{f'.{self.name}' if self.name else ''}"


def _files() -> dict[str, Path]:
    """The product's modules by the name that they are imported by; the stages are reached through their links."""
    folders = [path for path in sorted((ROOT / "fullshot").iterdir()) if path.is_dir() and path.name != "__pycache__"]
    paths = [*(ROOT / "fullshot").glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]
    return {path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): path for path in sorted(paths)}


FILES = _files()
MODULES = {name.removesuffix(".__init__") for name in FILES}


def _imports(importer: str, node: ast.AST, *, runs: bool = True) -> Iterator[Import]:
    """Each import below a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(importer, alias.name, "", child.lineno, runs) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = child.module or "" if not child.level else "." * child.level
            yield from (Import(importer, module, alias.name, child.lineno, runs) for alias in child.names)
        else:
            for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            yield from _imports(importer, child, runs=runs and not for_types)


def _all_imports() -> list[Import]:
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
    return [one for name, tree in trees.items() for one in _imports(name, tree)]


IMPORTS = _all_imports()


def _room(module: str) -> str:
    """The room of a module of the product; empty for `fullshot` itself."""
    return module.partition(".")[2].partition(".")[0].removeprefix("__init__")


def _exported(face: str) -> set[str]:
    """What a package's `__init__` lists in ``__all__``."""
    tree = ast.parse(FILES[f"{face}.__init__"].read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def _wrong(one: Import) -> str | None:
    """What is wrong with an import; None where nothing is."""
    if one.module.startswith("."):
        return "relative: name the package"
    top = one.module.partition(".")[0]
    if top in ("tests", "benchmarks"):
        return "the product imports neither its tests nor its benchmarks"
    if top in MAY_IMPORT and (ROOT / top).is_dir():
        return f"the name is fullshot.{top}"
    if top != "fullshot":
        adapters = ADAPTERS.get(top)
        if adapters is None or any(f"{one.importer}.".startswith(f"{adapter}.") for adapter in adapters):
            return None
        return f"only {', '.join(sorted(adapters)) or 'an adapter'} may import {top}"
    whole = f"{one.module}.{one.name}"
    target = whole if whole in MODULES else one.module
    here, there = _room(one.importer), _room(target)
    if not there or there == here:
        return None
    if there not in MAY_IMPORT.get(here, ()):
        return f"{here} may not import {there}"
    if there == "core" or whole.rstrip(".") in FACES:
        return None
    if one.module in FACES and one.name in _exported(one.module):
        return None
    return f"not by a name that a face of {there} lists"


def test_imports_run_along_the_architecture() -> None:
    wrong = [f"{one}: {why}" for one in IMPORTS if (why := _wrong(one))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("importer", "module", "name", "allowed"),
    [
        ("fullshot.crawler.spider", "fullshot.core.tables", "frame", True),
        ("fullshot.index.recommend", "fullshot.train", "detector", True),
        ("fullshot.annotate.queue.run", "fullshot.train.detector", "load", True),
        ("fullshot.cli.crawl", "fullshot.crawler", "crawl", True),
        ("fullshot.index.stores.faiss", "faiss", "", True),
        ("fullshot.core.tables.frames", "fullshot.curation", "curate", False),  # core knows no stage
        ("fullshot.curation.pipeline", "fullshot.crawler", "crawl", False),
        ("fullshot.annotate.queue.run", "fullshot.curation", "curate", False),
        ("fullshot.train.runs", "fullshot.demo", "run", False),
        ("fullshot.crawler.run", "fullshot.cli.console", "command", False),
        ("fullshot.index.recommend", "fullshot.train.detector.fitting", "fit", False),  # not by the face
        ("fullshot.index.recommend", "fullshot.train.detector", "RECIPE", False),  # the face does not list it
        ("fullshot.index.catalog", "faiss", "", False),
        ("fullshot.train.runs", "train.detector", "fit", False),
        ("fullshot.train.runs", "..", "x", False),
    ],
)
def test_the_rule_for_imports_tells_right_from_wrong(importer: str, module: str, name: str, allowed: bool) -> None:
    assert (_wrong(Import(importer, module, name, 1, True)) is None) == allowed


def _circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that reach each other (strongly connected components, Tarjan 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in order:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in stack:
                lowest[node] = min(lowest[node], order[other])
        if lowest[node] == order[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1 or node in edges.get(node, ()):
                found.append(sorted(group))

    for node in sorted(edges):
        if node not in order:
            visit(node)
    return found


def test_no_module_imports_itself_by_a_detour() -> None:
    edges: dict[str, set[str]] = {}
    for one in IMPORTS:
        whole = f"{one.module}.{one.name}"
        target = whole if whole in MODULES else one.module
        if one.runs and target in MODULES:
            edges.setdefault(one.importer.removesuffix(".__init__"), set()).add(target)
    circles = _circles(edges)
    assert not circles, "\n".join(" ↔ ".join(group) for group in circles)


def test_circles_are_found() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}}) == [["a", "b", "c"]]
    assert _circles({"a": {"a"}, "b": {"a"}}) == [["a"]]


@pytest.mark.parametrize("name", FILES)
def test_modules_stay_short(name: str) -> None:
    count = len(FILES[name].read_text("utf-8").splitlines())
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
    assert not {"duckdb", "pandas", "scipy", "cv2", "mediapipe"} & set(done.stdout.split())


def test_a_python_that_is_started_loads_nothing_of_the_folder_that_the_user_works_in() -> None:
    # Without -P, Python looks there first for whatever is imported: a file numpy.py of the user's would be ours.
    unsafe = re.compile(r'sys\.executable, "-[cm]"')
    found = [name for name, path in FILES.items() if unsafe.search(path.read_text("utf-8"))]
    assert found == []


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
