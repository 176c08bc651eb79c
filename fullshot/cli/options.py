"""What more than one group of verbs takes."""

from pathlib import Path
from typing import Annotated

import typer

WorkspaceArgument = Annotated[Path, typer.Argument(metavar="WS", help="the workspace: one folder, one data set")]
JsonFlag = Annotated[bool, typer.Option("--json", help="print the stats as one JSON object")]
