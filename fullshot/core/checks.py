"""What this machine has and lacks, and how to fix it: the work behind ``fullshot doctor``.

Each stage says what it needs in its own ``<stage>/doctor.py``, by a function ``checks(settings) -> list[Check]``; what
every stage needs is checked here. A check is cheap, changes nothing and loads no heavy module into this process.
"""

import importlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table

from fullshot.core.engines import cores
from fullshot.core.settings import Settings

_GIB = 2**30
# One process that judges poses or trains the built-in shop's models holds 1 to 2 GiB; the built-in demo's workspace,
# with the models' runs, stays under 1 GiB.
_LEAST_MEMORY = 4 * _GIB
_LEAST_DISK = 2 * _GIB
_LOG_WIDTH = 140  # characters of the table where no terminal says how wide it is
_PATIENCE = 120.0  # seconds for a library to load from a cold disk

_LOADS = {
    "opencv": ("cv2", "import cv2"),
    "mediapipe": (
        "mediapipe",
        "from mediapipe.tasks.python.core import mediapipe_c_bindings as c; c.load_raw_library()",
    ),
}
"""Name of a check → module, and the code that loads its compiled part (importing mediapipe alone does not)."""

_DEBIAN_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLESv2.so.2": "libgles2",
    "libICE.so.6": "libice6",
    "libSM.so.6": "libsm6",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxcb.so.1": "libxcb1",
}
"""What the wheels of OpenCV and MediaPipe need beyond the C and C++ libraries, and Debian's package for it.

Read off with ``readelf -d`` for opencv-python 5.0.0.93 and mediapipe 1.2.2."""


@dataclass(frozen=True)
class Check:
    """One thing that a stage needs from this machine.

    Args:
        name: what is looked for, such as ``chromium``.
        ok: whether it is there and good enough.
        found: what is there, or what is wrong with it, in a few words.
        advice: what to do where it is not ok.
        needed: False for what only some uses need; it then fails nothing.
        fix: brings it about; raises, with one line that says why, where it cannot.
    """

    name: str
    ok: bool
    found: str
    advice: str = ""
    needed: bool = True
    fix: Callable[[], None] | None = None

    @property
    def state(self) -> str:
        """``ok``, ``missing``, or ``optional`` for what is missing and fails nothing."""
        if self.ok:
            return "ok"
        return "missing" if self.needed else "optional"


def run(stage_modules: Sequence[str], settings: Settings, *, fix: bool = False, as_json: bool = False) -> int:
    """Check this machine, fix what can be fixed if asked to, and print what was found on stdout.

    Args:
        stage_modules: names of modules with a function ``checks``, such as ``fullshot.crawler.doctor``.
        settings: handed to each of them.
        fix: bring about what is missing, needed or not, then check again; words about it go to stderr.
        as_json: print one JSON object in place of a table.

    Returns:
        0 if all that is needed is there, 1 otherwise.
    """
    found = fixed(stage_modules, settings) if fix else gather(stage_modules, settings)
    good = all(check.ok or not check.needed for check in found)
    if as_json:
        print(json.dumps({"ok": good, "checks": [_as_dict(check) for check in found]}, ensure_ascii=False))
    else:
        Console(width=None if sys.stdout.isatty() else _LOG_WIDTH).print(_as_table(found))
    return 0 if good else 1


def gather(stage_modules: Sequence[str], settings: Settings) -> list[Check]:
    """All checks: the machine's, the packages', then each stage's own.

    A stage that cannot be imported, or whose checks raise, is itself a failed check.
    """
    found = [*_machine(), *_packages(), *_libraries()]
    for module in stage_modules:
        stage = module.split(".")[-2]
        try:
            found += importlib.import_module(module).checks(settings)
        except ImportError as error:
            found.append(Check(stage, False, _line(error), f"pip install 'fullshot[{stage}]'"))
        except Exception as error:  # a doctor that dies of a finding helps nobody
            found.append(Check(stage, False, f"{type(error).__name__}: {_line(error)}"))
    return found


def fixed(stage_modules: Sequence[str], settings: Settings) -> list[Check]:
    """All checks after each failed one that can be fixed was tried once.

    They are gathered again after every round: a stage may need what the round before it brought.
    """
    failures: dict[str, str] = {}
    tried: set[str] = set()
    while True:
        found = gather(stage_modules, settings)
        todo = [check for check in found if not check.ok and check.fix and check.name not in tried]
        if not todo:
            return [
                replace(check, advice=failures[check.name]) if not check.ok and check.name in failures else check
                for check in found
            ]
        for check in todo:
            tried.add(check.name)
            print(f"doctor: {check.name}: {check.found}; fixing", file=sys.stderr, flush=True)
            try:
                if check.fix:
                    check.fix()
            except Exception as error:  # whatever one remedy dies of, the others are still worth trying
                failures[check.name] = _line(error)


def apt_command() -> list[str] | None:
    """``apt-get`` as this user may call it without being asked anything; None where that is not allowed."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    return None


def apt_install(packages: Iterable[str]) -> None:
    """Install Debian packages; what apt says goes to stderr.

    Raises:
        RuntimeError: apt is not there or not allowed, or it failed.
    """
    names = sorted(set(packages))
    apt = apt_command()
    by_hand = f"as root: apt-get install {' '.join(names)}"
    if apt is None:
        raise RuntimeError(by_hand)
    patient = [*apt, "-q", "-o", "DPkg::Lock::Timeout=300"]
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *names]):
        done = subprocess.run([*patient, *words], stdin=subprocess.DEVNULL, stdout=sys.stderr)
        # An update that fails for one of several sources may still have what is asked for.
        if done.returncode and words[0] == "install":
            raise RuntimeError(f"apt-get install {' '.join(names)} failed with {done.returncode}; {by_hand}")


def _machine() -> list[Check]:
    version = sys.version_info
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    disk = shutil.disk_usage(Path.cwd()).free
    return [
        Check("python", (3, 11) <= version[:2] <= (3, 13), platform.python_version(), "use Python 3.11 to 3.13"),
        Check("cores", True, str(cores())),
        _amount("memory", memory, _LEAST_MEMORY, "set fewer processes: FULLSHOT_CURATE_PROCESSES=1"),
        _amount("free disk", disk, _LEAST_DISK, "make room, or work in a folder on another disk"),
        _gpu(),
    ]


def _amount(name: str, there: int, least: int, advice: str) -> Check:
    found = f"{there / _GIB:.1f} GiB"
    if there >= least:
        return Check(name, True, found)
    return Check(name, False, f"{found}, less than {least / _GIB:.0f} GiB", advice, needed=False)


def _gpu() -> Check:
    """Asks the driver's own tool: torch would take seconds to say the same."""
    advice = "training takes the CPU, which is slower"
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return Check("gpu", True, "Apple (mps)")
    tool = shutil.which("nvidia-smi")
    if not tool:
        return Check("gpu", False, "none", advice, needed=False)
    ask = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    failed, output = _output_of(ask)
    return Check("gpu", not failed, output.replace("\n", "; ") or "none", advice, needed=False)


_FOR_SOME = {"clip", "mlflow", "openvino"}
"""Extras that only some settings ask for."""


def _packages() -> list[Check]:
    """Whether the packages of each extra are there, in a version that the project's own metadata asks for."""
    try:
        wanted = [Requirement(text) for text in metadata.requires("fullshot") or []]
        extras = metadata.metadata("fullshot").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return [Check("packages", False, "fullshot itself is not installed", "pip install fullshot")]
    groups = {"": "packages"} | {extra: f"packages: {extra}" for extra in extras if extra not in ("all", "dev")}
    return [_group(extra, name, [need for need in wanted if _in_extra(need, extra)]) for extra, name in groups.items()]


def _in_extra(need: Requirement, extra: str) -> bool:
    if need.marker is None:
        return not extra
    return need.marker.evaluate({"extra": extra}) and not (extra and need.marker.evaluate({"extra": ""}))


def _group(extra: str, name: str, needs: Sequence[Requirement]) -> Check:
    there: list[str] = []
    lacking: list[str] = []
    for need in needs:
        try:
            version = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            lacking.append(f"no {need.name}")
            continue
        good = need.specifier.contains(version, prereleases=True)
        (there if good else lacking).append(f"{need.name} {version}" + ("" if good else f" (not {need.specifier})"))
    target = f"'fullshot[{extra}]'" if extra else "fullshot"
    found = ", ".join(lacking or there)
    return Check(name, not lacking, found, f"pip install {target}", needed=extra not in _FOR_SOME)


def _libraries() -> list[Check]:
    """Whether the compiled parts of OpenCV and MediaPipe load, tried in a process of their own."""
    return [_library(name, code) for name, (module, code) in _LOADS.items() if find_spec(module)]


def _library(name: str, code: str) -> Check:
    failed, output = _output_of([sys.executable, "-P", "-c", code])
    title = f"system libraries: {name}"
    if not failed:
        return Check(title, True, "loads")
    found = output.rpartition("\n")[2] or f"does not load (exit code {failed})"
    if not sys.platform.startswith("linux"):
        return Check(title, False, found)
    # The loader names one library at a time: ask for all that are known to be needed.
    packages = sorted({package for library, package in _DEBIAN_PACKAGES.items() if not _loads(library)})
    if not packages:
        return Check(title, False, found)
    advice = f"install the system's packages (Debian, Ubuntu: apt-get install {' '.join(packages)})"
    return Check(title, False, found, advice, fix=lambda: apt_install(packages))


def _loads(library: str) -> bool:
    return not _output_of([sys.executable, "-P", "-c", f"import ctypes; ctypes.CDLL({library!r})"])[0]


def _output_of(command: Sequence[str]) -> tuple[int, str]:
    """A command's exit code and the text it leaves: its output if it went well, else its errors."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, _line(error)
    return done.returncode, (done.stderr if done.returncode else done.stdout).strip()


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _as_dict(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "state": check.state,
        "found": check.found,
        "advice": "" if check.ok else check.advice,
        "needed": check.needed,
        "fixable": check.fix is not None,
    }


def _as_table(found: Sequence[Check]) -> Table:
    colours = {"ok": "green", "missing": "red", "optional": "yellow"}
    table = Table(box=None, pad_edge=False)
    for heading in ("", "", "found", "what to do"):
        table.add_column(heading, no_wrap=not heading)
    for check in found:
        colour = colours[check.state]
        # Text from elsewhere: square brackets in it are not rich's mark-up.
        cells = (check.name, check.found, "" if check.ok else check.advice)
        table.add_row(f"[{colour}]{check.state}[/]", *(cell.replace("[", r"\[") for cell in cells))
    return table
