"""A Label Studio of the workspace's own, started, and ended with its window.

Its database lies in the workspace. It shows the workspace's pictures and no other files; it has one user, made with
the workspace.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
from filelock import FileLock

from fullshot.annotate.label_studio.address import FOLDER, HOST, RUNNING
from fullshot.annotate.label_studio.address import record as record_of
from fullshot.annotate.label_studio.installation import installed
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import write_text
from fullshot.core.progress import say
from fullshot.core.workspace import Workspace

_LOCK = ".lock"
USER = "user.json"
"""The file with its user's name, password and token."""
_BANNED = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16"),
    *("198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96"),
    *("fc00::/7", "fe80::/10", "ff00::/8"),
)
"""Networks that the server must not fetch from: those of its own list that are in use, but for 127.0.0.0/8."""

_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH")

_PATIENCE = 240.0  # seconds; a first start makes the database, which takes half a minute
_END = 20.0  # seconds
_BETWEEN = 0.25  # seconds


@dataclass(frozen=True)
class Credentials:
    """The one user of a workspace's Label Studio."""

    user: str
    password: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True)
class Server:
    """A Label Studio that answers.

    Attributes:
        url: where it answers.
        credentials: of its user.
        user_file: the file with these.
        process: its own, where it was started here.
    """

    url: str
    credentials: Credentials
    user_file: Path
    process: "subprocess.Popen[bytes] | None" = None

    def wait(self) -> None:
        """Wait until a server that was started here ends.

        Raises:
            StageFailed: it does.
        """
        if self.process is not None:
            code = self.process.wait()
            raise StageFailed(f"Label Studio ended by itself, with exit code {code}")


def credentials(workspace: Workspace) -> Credentials:
    """The user of the workspace's Label Studio, made the first time; in a file that only its owner can read.

    Raises:
        UserError: the file is not what was written there.
    """
    file = workspace / FOLDER / USER
    if not file.is_file():
        made = Credentials("annotator@fullshot.local", secrets.token_urlsafe(12), secrets.token_hex(20))
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_suffix(".new")
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            json.dump(asdict(made), out)
        scratch.replace(file)
    try:
        return Credentials(**json.loads(file.read_text("utf-8")))
    except (ValueError, TypeError):
        raise UserError(f"{file} does not hold a user any more: delete it, and {FOLDER}/data with it") from None


def running(workspace: Workspace) -> Server | None:
    """The workspace's Label Studio, where it runs."""
    record = record_of(workspace)
    # A record may be left of a run that was killed, and another server answer there by now: it must not get our token.
    if not record or not _is_served(workspace) or not _answers(record["url"]):
        return None
    return Server(record["url"], credentials(workspace), workspace / FOLDER / USER)


def _is_served(workspace: Workspace) -> bool:
    """Whether a living process serves this workspace."""
    lock = FileLock(workspace / FOLDER / _LOCK)
    try:
        lock.acquire(timeout=0)
    except TimeoutError:
        return True
    lock.release()
    return False


def refuse_links(workspace: Workspace) -> None:
    """Refuse a workspace whose pictures' folder has links that lead out of it: Label Studio would follow them.

    Raises:
        UserError: there is one; says which.
    """
    top = (workspace / "images").resolve()
    for folder, folders, names in os.walk(top):
        for name in (*folders, *names):
            path = Path(folder, name)
            if path.is_symlink() and not path.resolve().is_relative_to(top):
                raise UserError(f"{path} is a link out of the workspace, which annotators could follow: delete it")


@contextmanager
def served_label_studio(workspace: Workspace, port: int) -> Iterator[Server]:
    """The workspace's Label Studio, for as long as the context lasts.

    Args:
        workspace: whose pictures it shows.
        port: where it listens, on this machine only; 0: any free one.

    Raises:
        UserError: the port is in use, this workspace's runs already, or a link leads out of its pictures.
        StageFailed: it could not be installed, or did not start.
    """
    workspace.must_be_there()
    folder = workspace / FOLDER
    folder.mkdir(exist_ok=True)
    with _alone(workspace):
        _end_orphan(workspace)
        refuse_links(workspace)
        port = port or _free_port()
        if not _is_free(port):
            raise UserError(f"port {port} is in use: say another by --port, or 0 for any")
        program, user = installed(), credentials(workspace)
        url = f"http://{HOST}:{port}"
        log = folder / "server.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [str(program), "start", "--no-browser", "--internal-host", HOST, "--port", str(port)],
                env=_environment(workspace, user),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            # Before it answers: the next start must find the server of a run that is killed in between.
            write_text(folder / RUNNING, json.dumps({"url": url, "process": process.pid}))
            _wait(process, url, log)
            yield Server(url, user, workspace / FOLDER / USER, process)
        finally:
            _end(process)
            (folder / RUNNING).unlink(missing_ok=True)


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Hold the lock on serving this workspace; the system releases it however this process ends."""
    lock = FileLock(workspace / FOLDER / _LOCK)
    try:
        lock.acquire(timeout=0)
    except TimeoutError:
        where = f", at {record['url']}" if (record := record_of(workspace)) else ""
        raise UserError(f"the Label Studio of {workspace.root} runs already{where}") from None
    try:
        yield
    finally:
        lock.release()


def _end_orphan(workspace: Workspace) -> None:
    """End the server that a killed run left behind."""
    record = record_of(workspace)
    if not record:
        return
    # The number may belong to another process by now.
    command = _command(record["process"])
    if "label-studio" in command or (not command and _answers(record["url"])):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(record["process"], signal.SIGKILL)
        until = time.monotonic() + _END
        while _answers(record["url"]) and time.monotonic() < until:
            time.sleep(_BETWEEN)  # its port is free once it has ended


def _command(process: int) -> str:
    """The command line of a process; empty where there is none, or the system does not show it."""
    with suppress(OSError):
        listing = ["ps", "-o", "command=", "-p", str(process)]
        return subprocess.run(listing, capture_output=True, text=True, check=False).stdout
    return ""


def _environment(workspace: Workspace, user: Credentials) -> dict[str, str]:
    """The server's environment, with the user's secrets: on a command line, others on the machine could read them."""
    # Label Studio reads any variable as a setting, also another program's, such as DATABASE_NAME.
    inherited = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("LC_")}
    return inherited | {
        "LABEL_STUDIO_BASE_DATA_DIR": str((workspace / FOLDER / "data").resolve()),
        "LABEL_STUDIO_USERNAME": user.user,
        "LABEL_STUDIO_PASSWORD": user.password,
        "LABEL_STUDIO_USER_TOKEN": user.token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(workspace.root.resolve()),
        # It may call the ML backend on this machine; its own list would forbid that. The rest of that list stays.
        "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS": "false",
        "LABEL_STUDIO_USER_ADDITIONAL_BANNED_SUBNETS": ",".join(_BANNED),
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "PYTHONUNBUFFERED": "1",
    }


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    say(f"starting Label Studio at {url}")
    while not _answers(url):
        if process.poll() is not None:
            raise StageFailed(f"Label Studio ended while it started: {log} says why")
        if time.monotonic() > until:
            raise StageFailed(f"Label Studio did not answer within {_PATIENCE:.0f} s: {log} says why")
        time.sleep(_BETWEEN)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5.0).is_success
    except httpx.HTTPError:
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the server and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
