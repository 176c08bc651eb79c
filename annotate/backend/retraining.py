"""Runs a training in a process of its own, which ends with this one."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from typing import Any

from fullshot.annotate.backend.log import Log
from fullshot.annotate.label_studio.address import FOLDER
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace

COMMAND = (sys.executable, "-P", "-m", "fullshot.annotate.backend.training")

_SECRETS = ("token", "backend_password")


class Training:
    """Trains in another process.

    Args:
        workspace: whose detector is trained.
        settings: for the training; its secrets go through a pipe, which no other process can read.
        log: of the training's messages.
        command: starts the process.
    """

    def __init__(self, workspace: Workspace, settings: Settings, log: Log, command: Sequence[str] = COMMAND) -> None:
        self._workspace, self._settings, self._log, self._command = workspace, settings, log, command

    async def run(self) -> bool:
        """Train once.

        Returns:
            Whether the training finished, be its detector better or not. When cancelled, it ends the process.
        """
        with (self._workspace / FOLDER / "training.log").open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                # Ctrl-C at a terminal must reach the backend alone, which then ends this process.
                start_new_session=True,
            )
        try:
            return await self._listen(process)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.wait()

    async def _listen(self, process: asyncio.subprocess.Process) -> bool:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process that was started with pipes has them")
        done = failed = False
        with contextlib.suppress(ConnectionError):
            process.stdin.write(json.dumps(self._input()).encode() + b"\n")
            await process.stdin.drain()
        async for line in process.stdout:
            with contextlib.suppress(ValueError):
                message: dict[str, Any] = json.loads(line)
                done |= "done" in message
                failed |= "failed" in message
                if "say" in message:
                    self._log(str(message["say"]))
                if "failed" in message:
                    self._log(f"the training failed: {message['failed']}")
        if not done and not failed:
            log = self._workspace / FOLDER / "training.log"
            self._log(f"the training broke off, with exit code {await process.wait()}: {log} says why")
        return done

    def _input(self) -> dict[str, Any]:
        """What the process reads from its standard input."""
        annotate = self._settings.annotate
        return {
            "workspace": str(self._workspace.root.resolve()),
            "settings": self._settings.model_dump(mode="json"),
            "secrets": {name: getattr(annotate, name).get_secret_value() for name in _SECRETS},
        }
