"""How many small changes of the code the tests notice: mutation testing with mutmut, of the modules in pyproject.toml.

mutmut imports the code once and turns a change on afterwards, so that it never tests a change of what runs on import (a
schema, a table of conditions). What survives there is therefore tried once more in a process of its own, with the tests
that bear the module's name. Results are kept in mutants/: a run that stopped goes on, and survivors are tried again.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from benchmarks import _common
from benchmarks._common import ROOT, Row

LEAST = 0.9
"""Of a module's mutants, the share that tests are expected to kill."""

_MUTANTS = "mutants"
_KILLED, _SURVIVED = 1, 0
_OUTCOMES = {0: "survived", 1: "killed", 3: "killed", 5: "no tests", 33: "no tests", None: "not tried"}
"""By mutmut's exit code of a mutant; every other one is of tests that ran out of time."""

_PATIENCE = 600
"""Seconds after which a module's tests count as having noticed."""


def measure(root: Path, processes: int) -> list[Row]:
    """Make the mutants of a project, test them, and count.

    Args:
        root: the project's, with ``[tool.mutmut]`` in its pyproject.toml.
        processes: mutants tested at once.

    Returns:
        A line for each module.

    Raises:
        SystemExit: the tests fail without any change.
    """
    for file, codes in _results(root):
        _write(file, {name: code if _outcome(code) == "killed" else None for name, code in codes.items()})
    # Which tests call which function is asked anew: mutmut asks new tests alone, and so misses a renamed function.
    (root / _MUTANTS / "mutmut-stats.json").unlink(missing_ok=True)
    # A process that is forked cannot use the threads that its parent's linear algebra started.
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(processes)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if subprocess.run(command, cwd=root, env=environment, stdout=sys.stderr).returncode:
        raise SystemExit("mutmut did not run to its end: the tests that it selects must pass without any change")
    _try_alone(root)
    return [_row(file.relative_to(root / _MUTANTS), codes) for file, codes in _results(root) if codes]


def survivors(root: Path) -> list[str]:
    """The mutants that no test killed."""
    return [name for _, codes in _results(root) for name, code in codes.items() if not _is_killed(code)]


def _results(root: Path) -> Iterator[tuple[Path, dict[str, int | None]]]:
    """Mutmut's file of each module, and the exit code of each of its mutants."""
    for file in sorted((root / _MUTANTS).rglob("*.py.meta")):
        yield file, json.loads(file.read_text("utf-8"))["exit_code_by_key"]


def _write(file: Path, codes: dict[str, int | None]) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), "exit_code_by_key": codes}), "utf-8")


def _outcome(code: int | None) -> str:
    return _OUTCOMES.get(code, "timeout")


def _is_killed(code: int | None) -> bool:
    return _outcome(code) in ("killed", "timeout")


def _try_alone(root: Path) -> None:
    """Try each survivor of a module that computes on import in a process of its own."""
    options = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    for file, codes in _results(root):
        name = f"test_{file.name.removesuffix('.py.meta')}.py"
        tests = [path for path in options["pytest_add_cli_args_test_selection"] if Path(path).name == name]
        left = [mutant for mutant, code in codes.items() if not _is_killed(code)]
        if not tests or not left or not _computes_on_import(root, left[0].rpartition(".")[0]):
            continue
        if not _passes(root, tests, ""):
            raise SystemExit(f"{tests[0]} fails without any change")
        _common.say(f"{tests[0]}: {len(left)} mutants that survived are tried alone")
        for mutant in left:
            codes[mutant] = _SURVIVED if _passes(root, tests, mutant) else _KILLED
            _write(file, codes)


def _computes_on_import(root: Path, module: str) -> bool:
    """Whether importing a module calls a function that mutmut changes: ``fail`` makes every one of them raise."""
    folder = root / _MUTANTS
    environment = {**os.environ, "MUTANT_UNDER_TEST": "fail", "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", f"import {module}"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True).returncode != 0


def _passes(root: Path, tests: list[str], mutant: str) -> bool:
    """Whether tests pass with a mutant turned on from the start; without one, if its name is empty."""
    folder = root / _MUTANTS
    environment = {**os.environ, "MUTANT_UNDER_TEST": mutant, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _row(module: Path, codes: dict[str, int | None]) -> Row:
    killed = sum(map(_is_killed, codes.values()))
    return _common.at_least(module.as_posix().removesuffix(".meta"), killed, len(codes), LEAST)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object, no table")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="mutants tested at once")
    parser.add_argument("--afresh", action="store_true", help="forget the results of earlier runs")
    given = parser.parse_args()
    if given.afresh:
        shutil.rmtree(ROOT / _MUTANTS, ignore_errors=True)
    rows = measure(ROOT, given.processes)
    _common.show("Mutants that the tests kill", rows, as_json=given.as_json, peer="mutants")
    for name in survivors(ROOT):
        _common.say(f"survived: mutmut show {name}")


if __name__ == "__main__":
    main()
