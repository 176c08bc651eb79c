"""What every verb has in common: how a mistake is told, how stats are printed."""

import functools
import json
import os
import sys
from collections.abc import Callable
from typing import Any, ParamSpec

import typer

from fullshot.errors import StageFailed, UserError
from fullshot.process import END_WITH_PARENT

Arguments = ParamSpec("Arguments")

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


def verb(function: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A user's mistake is one line and an exit code, never a traceback."""

    @functools.wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except (UserError, StageFailed) as error:
            print(f"fullshot: {error}", file=sys.stderr)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            if END_WITH_PARENT not in os.environ:
                print("fullshot: stopped; run the same command to go on", file=sys.stderr)
            raise typer.Exit(STOPPED) from None
        except BrokenPipeError:
            raise typer.Exit(1) from None

    return run


def print_stats(stats: dict[str, Any], as_json: bool) -> None:
    """Print a stage's stats on stdout: a line each, or one JSON object."""
    if as_json:
        print(json.dumps(stats, ensure_ascii=False))
        return
    width = max((len(name) for name in stats), default=0)
    for name, value in stats.items():
        print(f"{name.replace('_', ' '):<{width}}  {_words(value)}")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_words(inner) for inner in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
