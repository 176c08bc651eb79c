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
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks import _common
from benchmarks._common import ROOT, Row

LEAST = 0.9
"""Of a module's mutants, the share that tests are expected to kill."""

_MUTANTS = ROOT / "mutants"
_KILLED, _SURVIVED = 1, 0
_OUTCOMES = {0: "survived", 1: "killed", 3: "killed", 5: "no tests", 33: "no tests", None: "not tried"}
"""By mutmut's exit code of a mutant; every other one is of tests that ran out of time."""

_PATIENCE = 600
"""Seconds after which a module's tests count as having noticed."""


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object, no table")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="mutants tested at once")
    parser.add_argument("--afresh", action="store_true", help="forget the results of earlier runs")
    given = parser.parse_args()
    if given.afresh:
        shutil.rmtree(_MUTANTS, ignore_errors=True)
    for file, codes in _results():
        _write(file, {name: None if _outcome(code) != "killed" else code for name, code in codes.items()})
    # A child that is forked may not use the threads of its parent's linear algebra.
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(given.processes)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr).returncode:
        raise SystemExit("mutmut did not run to its end: the tests that it selects must pass without any change")
    _try_alone()
    rows = [_row(file, codes) for file, codes in _results() if codes]
    _common.show("Mutants that the tests kill", rows, as_json=given.as_json, peer="mutants")
    for _, codes in _results():
        for name, code in codes.items():
            if _outcome(code) not in ("killed", "timeout"):
                _common.say(f"{_outcome(code)}: mutmut show {name}")


def _results() -> Iterator[tuple[Path, dict[str, int | None]]]:
    """Mutmut's file of each module, and the exit code of each of its mutants."""
    for file in sorted(_MUTANTS.rglob("*.py.meta")):
        yield file, json.loads(file.read_text("utf-8"))["exit_code_by_key"]


def _write(file: Path, codes: dict[str, int | None]) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), "exit_code_by_key": codes}), "utf-8")


def _outcome(code: int | None) -> str:
    return _OUTCOMES.get(code, "timeout")


def _try_alone() -> None:
    """Try each survivor in a process of its own."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    for file, codes in _results():
        name = f"test_{file.name.removesuffix('.py.meta')}.py"
        tests = [path for path in options["pytest_add_cli_args_test_selection"] if Path(path).name == name]
        survivors = [mutant for mutant, code in codes.items() if _outcome(code) not in ("killed", "timeout")]
        if not tests or not survivors:
            continue
        if not _passes(tests, ""):
            raise SystemExit(f"{tests[0]} fails without any change")
        _common.say(f"{tests[0]}: {len(survivors)} that survived are tried alone")
        for mutant in survivors:
            codes[mutant] = _SURVIVED if _passes(tests, mutant) else _KILLED
            _write(file, codes)


def _passes(tests: list[str], mutant: str) -> bool:
    """Whether tests pass with a mutant turned on from the start; without one, if its name is empty."""
    environment = {**os.environ, "MUTANT_UNDER_TEST": mutant, "PYTHONPATH": str(_MUTANTS)}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=_MUTANTS, env=environment, capture_output=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _row(file: Path, codes: dict[str, int | None]) -> Row:
    outcomes = Counter(map(_outcome, codes.values()))
    killed = outcomes["killed"] + outcomes["timeout"]
    module = file.relative_to(_MUTANTS).as_posix().removesuffix(".meta")
    return _common.at_least(module, killed, len(codes), LEAST)


if __name__ == "__main__":
    main()
