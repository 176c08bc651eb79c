"""Where the Label Studio of a workspace is, whether it runs at the moment or not."""

from typing import Any

from fullshot.core.files import read_json
from fullshot.core.settings import AnnotateSettings
from fullshot.core.workspace import Workspace

FOLDER = "label-studio"
"""Of the workspace: its own server's database, its log, and its user."""

HOST = "127.0.0.1"
"""That its own server listens on."""

RUNNING = "running.json"
"""In :data:`FOLDER`: the record of its own server, while that runs."""


def record(workspace: Workspace) -> dict[str, Any]:
    """The address and the process of the workspace's own server; empty where it was ended, or never started."""
    read = read_json(workspace / FOLDER / RUNNING)
    return read if {"url", "process"} <= set(read) else {}


def address(workspace: Workspace, settings: AnnotateSettings) -> str:
    """Where people open tasks; empty: not known.

    Args:
        workspace: whose pictures are annotated.
        settings: name a server that runs elsewhere, or the port of the workspace's own.
    """
    if settings.url:
        return settings.url
    if running := record(workspace):
        return str(running["url"])
    is_known = settings.port and (workspace / FOLDER).is_dir()
    return f"http://{HOST}:{settings.port}" if is_known else ""
