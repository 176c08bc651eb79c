"""``fullshot doctor``."""

from typing import Annotated

import typer

from fullshot.cli.console import command
from fullshot.cli.options import JsonFlag, command_class

STAGES_WITH_CHECKS = ("fullshot.crawler.doctor", "fullshot.curation.doctor", "fullshot.train.doctor")

DoctorCommand = command_class({"--mend": "--fix"})


@command
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="bring about what is missing")] = False,
    as_json: JsonFlag = False,
) -> None:
    """What this machine has and lacks, and how to fix it."""
    from fullshot.core import checks, settings

    code = checks.run(STAGES_WITH_CHECKS, settings.load(), fix=fix, as_json=as_json)
    if code:
        raise typer.Exit(code)
