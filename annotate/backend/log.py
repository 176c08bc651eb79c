"""The backend's log: one line per event, in the workspace's ``label-studio/backend.log`` and on stderr."""

from pathlib import Path

from fullshot.annotate.label_studio.address import FOLDER
from fullshot.core.clock import now
from fullshot.core.progress import say
from fullshot.core.workspace import Workspace

_LONGEST = 500  # characters


class Log:
    """The log of a workspace's backend.

    Args:
        workspace: that has the log.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.file: Path = workspace / FOLDER / "backend.log"
        self.file.parent.mkdir(parents=True, exist_ok=True)

    def __call__(self, text: str) -> None:
        """Log a text as one line, shortened if it is long."""
        line = " ".join(text.split())[:_LONGEST]
        with self.file.open("a", encoding="utf-8") as out:
            out.write(f"{now()} {line}\n")
        say(line)
