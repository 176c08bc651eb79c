import json
import stat
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from fullshot.core import checks
from fullshot.core.checks import Check, apt_command, apt_install, gather, run
from fullshot.core.settings import Settings

Stage = Callable[[str, str], str]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Writes a stage with a doctor of its own, and gives its module's name."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(checks, "_LOADS", {})  # seconds a time, and tested by themselves

    def write(name: str, body: str) -> str:
        folder = tmp_path.joinpath(*name.split("."))
        folder.mkdir(parents=True)
        (folder / "doctor.py").write_text(f"from fullshot.core.checks import Check\n{body}\n")
        return f"{name}.doctor"

    return write


def _program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def _named(found: list[Check], name: str) -> Check:
    return next(check for check in found if check.name == name)


def test_this_machine_is_described_without_loading_torch() -> None:
    found = gather([], Settings())
    assert _named(found, "python").found == sys.version.split()[0]
    assert int(_named(found, "cores").found) >= 1
    assert _named(found, "memory").found.endswith("GiB")
    train = _named(found, "packages: train")
    assert train.ok
    assert "torch 2." in train.found
    assert "scrapy " in _named(found, "packages: crawler").found
    assert "pandas " in _named(found, "packages").found
    assert "torch" not in _named(found, "packages").found
    assert _named(found, "system libraries: opencv").ok
    assert _named(found, "system libraries: mediapipe").ok


@pytest.mark.parametrize(
    ("package", "extra", "state"), [("resvg-py", "demo", "optional"), ("lightning", "train", "missing")]
)
def test_packages_that_only_some_settings_ask_for_may_lack(
    monkeypatch: pytest.MonkeyPatch, package: str, extra: str, state: str
) -> None:
    version = metadata.version

    def of_others(name: str) -> str:
        if name == package:
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", of_others)
    monkeypatch.setattr(checks, "_FOR_SOME", {"demo"})
    check = _named(gather([], Settings()), f"packages: {extra}")
    assert (check.state, check.found, check.advice) == (state, f"no {package}", f"pip install 'fullshot[{extra}]'")


@pytest.mark.parametrize(
    ("ok", "needed", "state", "code"),
    [(True, True, "ok", 0), (False, True, "missing", 1), (False, False, "optional", 0)],
)
def test_what_is_needed_decides_the_exit_code(
    stage: Stage, capsys: pytest.CaptureFixture[str], ok: bool, needed: bool, state: str, code: int
) -> None:
    check = f"Check('probe [x]', {ok}, 'as seen', 'do this', needed={needed})"
    module = stage(f"stage_{state}", f"def checks(settings): return [{check}]")
    assert run([module], Settings(), as_json=True) == code
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] == (code == 0)
    assert said["checks"][-1] == {
        "name": "probe [x]",
        "state": state,
        "found": "as seen",
        "advice": "" if ok else "do this",
        "needed": needed,
        "fixable": False,
    }
    assert run([module], Settings()) == code
    line = next(line for line in capsys.readouterr().out.splitlines() if "probe [x]" in line)
    assert line.startswith(state)
    assert ("do this" in line) == (not ok)


def test_a_stage_that_cannot_be_imported_is_a_finding(stage: Stage) -> None:
    module = stage("house.lamed", "import no_such_package")
    found = _named(gather([module], Settings()), "lamed")
    assert not found.ok
    assert found.needed
    assert "no_such_package" in found.found
    assert found.advice == "pip install 'fullshot[lamed]'"


def test_a_stage_whose_checks_raise_is_a_finding(stage: Stage) -> None:
    module = stage("raising", "def checks(settings): raise OSError('disk on fire')")
    assert _named(gather([module], Settings()), "raising").found == "OSError: disk on fire"


def test_fixing_brings_about_what_can_be_and_checks_again(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The second is found lacking only once the first is there, as a model is once its library loads.
    body = f"""
from pathlib import Path
first, second = Path({str(tmp_path / "first")!r}), Path({str(tmp_path / "second")!r})
def checks(settings):
    found = [Check("first", first.exists(), "", fix=first.touch)]
    if first.exists():
        found.append(Check("second", second.exists(), "", needed=False, fix=second.touch))
    return found
"""
    module = stage("fixable", body)
    assert run([module], Settings(), as_json=True) == 1
    capsys.readouterr()
    assert run([module], Settings(), fix=True, as_json=True) == 0
    said = capsys.readouterr()
    assert {check["name"]: check["state"] for check in json.loads(said.out)["checks"][-2:]} == {
        "first": "ok",
        "second": "ok",
    }
    assert "doctor: first" in said.err


def test_a_remedy_that_fails_says_why_and_stops_no_other(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = f"""
from pathlib import Path
there = Path({str(tmp_path / "there")!r})
def fail(): raise RuntimeError("no way to the host\\nand more")
def checks(settings):
    return [Check("far", False, "absent", "look", fix=fail), Check("near", there.exists(), "", fix=there.touch)]
"""
    assert run([stage("failing", body)], Settings(), fix=True, as_json=True) == 1
    far, near = json.loads(capsys.readouterr().out)["checks"][-2:]
    assert far["advice"] == "no way to the host"
    assert near["state"] == "ok"


def test_a_library_that_is_missing_names_the_packages_that_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # A loader's real complaint, about a library that no machine has.
    code = "import ctypes; ctypes.CDLL('libNoSuch.so.1')"
    monkeypatch.setattr(checks, "_LOADS", {"probe": ("json", code)})
    monkeypatch.setattr(checks, "_DEBIAN_PACKAGES", {"libNoSuch.so.1": "libnosuch1", "libc.so.6": "libc6"})
    monkeypatch.setattr(sys, "platform", "linux")
    found = _named(gather([], Settings()), "system libraries: probe")
    assert not found.ok
    assert found.fix
    assert "libNoSuch.so.1" in found.found
    assert "apt-get install libnosuch1" in found.advice
    assert "libc6" not in found.advice


def test_apt_is_called_without_asking_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    _program(tmp_path, "apt-get", 'echo "$DEBIAN_FRONTEND: $*"; if [ "$4" = install ]; then exit "${FAIL:-0}"; fi')
    _program(tmp_path, "sudo", 'test "$1" = -n && shift && exec "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    apt_install(["libgl1", "libegl1", "libgl1"])
    said = capfd.readouterr()
    assert said.out == ""  # stdout belongs to the command's own answer
    assert said.err.splitlines() == [
        "noninteractive: -q -o DPkg::Lock::Timeout=300 update",
        "noninteractive: -q -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends libegl1 libgl1",
    ]
    monkeypatch.setenv("FAIL", "100")
    with pytest.raises(RuntimeError, match=r"failed with 100; as root: apt-get install libgl1"):
        apt_install(["libgl1"])


def test_without_apt_the_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert apt_command() is None
    with pytest.raises(RuntimeError, match=r"^as root: apt-get install libgl1$"):
        apt_install(["libgl1"])


def test_a_gpu_is_what_the_driver_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No GPU here: the driver's tool is a stand-in that answers in the tool's own format.
    monkeypatch.setattr(checks, "_LOADS", {})
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _named(gather([], Settings()), "gpu").state == "optional"
    _program(tmp_path, "nvidia-smi", 'echo "NVIDIA H200, 143771 MiB"')
    assert _named(gather([], Settings()), "gpu").found == "NVIDIA H200, 143771 MiB"
    _program(tmp_path, "nvidia-smi", "echo 'no driver' >&2; exit 9")
    assert _named(gather([], Settings()), "gpu").state == "optional"
