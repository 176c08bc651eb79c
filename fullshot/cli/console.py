"""What every command has in common: one line for a mistake, and how stats are printed."""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec

import typer

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.process import END_WITH_PARENT, INTERRUPTED

if TYPE_CHECKING:
    from rich.console import RenderableType

Arguments = ParamSpec("Arguments")

_WIDEST = 1000
_ROWS = 8


def command(function: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A user's mistake, or what the system refuses, is one line and an exit code, never a traceback."""

    @functools.wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except (UserError, StageFailed) as error:
            print(f"fullshot: {error}", file=sys.stderr)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            if END_WITH_PARENT not in os.environ:
                # At a terminal a progress bar stands on the line.
                print("\n" * sys.stderr.isatty() + "fullshot: stopped; run the same command to go on", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise typer.Exit(1) from None
        except OSError as error:
            print(f"fullshot: {_message(error)}", file=sys.stderr)
            raise typer.Exit(1) from None

    return run


def _message(error: OSError) -> str:
    """What the system refused, and on which path, in one line."""
    what = " ".join((error.strerror or str(error) or type(error).__name__).split())
    # Where a file is moved onto another, the second is the one that the user knows of.
    path = error.filename if error.filename2 is None else error.filename2
    return what if path is None else f"{what}: {path}"


def print_stats(stats: dict[str, Any], as_json: bool) -> None:
    """Print a stage's stats on stdout: a line each, or one JSON object."""
    if as_json:
        print(json.dumps(stats, ensure_ascii=False))
        return
    for line in _lines(stats):
        print(line)


def _lines(stats: dict[str, Any], indent: str = "") -> Iterator[str]:
    """A line a value, names aligned; an object that holds objects is indented below its name."""
    width = max((len(name) for name in stats), default=0)
    for name, value in stats.items():
        words = name.replace("_", " ")
        if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
            yield f"{indent}{words}"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
            yield f"{indent}{words:<{width}}  {len(value)}"
            for row in value[:_ROWS]:
                yield f"{indent}  {_words(row)}"
            if len(value) > _ROWS:
                yield f"{indent}  … (all with --json)"
        else:
            yield f"{indent}{words:<{width}}  {_words(value)}"


def print_whole(answer: "RenderableType") -> None:
    """Print on stdout as wide as it is: a cell that is cut or broken cannot be copied."""
    from rich.console import Console

    console = Console()
    needed = console.measure(answer, options=console.options.update(max_width=_WIDEST)).maximum
    Console(width=max(console.width, needed)).print(answer)


def _words(value: Any) -> str:
    if value is None or value in ({}, []):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_words(inner) for inner in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
