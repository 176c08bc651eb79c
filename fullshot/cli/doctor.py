"""``fullshot doctor``."""

from typing import Annotated

import typer

from fullshot.cli.console import verb
from fullshot.cli.options import JsonFlag

STAGES_WITH_CHECKS = ("fullshot.crawler.doctor", "fullshot.curation.doctor")


@verb
def doctor(
    mend: Annotated[bool, typer.Option("--mend", help="bring about what is missing")] = False,
    as_json: JsonFlag = False,
) -> None:
    """What this machine has and lacks, and how to mend it."""
    from fullshot.core import checks, settings

    code = checks.run(STAGES_WITH_CHECKS, settings.load(), mend=mend, as_json=as_json)
    if code:
        raise typer.Exit(code)
