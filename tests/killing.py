"""A training of a detector that is killed at a moment of one's choice."""

import json
import subprocess
import sys
from typing import Any

from fullshot.core.workspace import Workspace

# A child that fits, and is killed when so many epochs are reported done: no time plays a part.
KILLED = """
import contextlib, json, os, signal, sys
from fullshot.core import progress, settings
from fullshot.core.workspace import Workspace
from fullshot.train import detector

@contextlib.contextmanager
def bar(what, unit=""):
    yield lambda done, total: done == int(sys.argv[2]) and os.kill(os.getpid(), signal.SIGKILL)

progress.bar = bar
flags, more = json.loads(sys.argv[3]), json.loads(sys.argv[4])
detector.fit(Workspace(sys.argv[1]), settings.load(detector=flags), **more)
"""


def killed(workspace: Workspace, after: int, given: dict[str, Any], **more: Any) -> None:
    """Train in a child, which is killed (SIGKILL) when so many epochs are done.

    Args:
        workspace: where.
        after: so many epochs.
        given: the settings of the detector.
        **more: of :func:`fullshot.train.detector.fit`.
    """
    command = [sys.executable, "-c", KILLED, str(workspace.root), str(after), json.dumps(given), json.dumps(more)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
