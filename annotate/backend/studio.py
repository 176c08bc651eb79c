"""The backend's requests to Label Studio: connect, list annotations, and show the boxes of the detector in use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fullshot.annotate.backend.app import USER, basic
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.project import find
from fullshot.core.errors import StageFailed, UserError

NAME = "fullshot"
"""Title of the connection while there is no detector; afterwards the title is the detector's version."""

_DESCRIPTION = "the detector of a fullshot workspace"
_ACTIONS = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED")


@dataclass(frozen=True)
class OutdatedTask:
    """A task without annotations, whose boxes are all of other versions than the detector's."""

    number: int
    data: dict[str, Any]


class Studio:
    """A project in Label Studio.

    Args:
        client: of the Label Studio.
        title: of the project.

    Raises:
        UserError: there is no such project.
    """

    def __init__(self, client: Client, title: str) -> None:
        self._client = client
        self.project = int(find(client, title)["id"])
        self._connection: tuple[str, str] | None = None

    def connect(self, url: str, password: str, version: str) -> None:
        """Connect a backend with the project, or change the address of an earlier connection.

        Args:
            url: the backend's address as Label Studio sees it.
            password: that the backend asks for; empty: none.
            version: of its detector; empty: it has none.

        Raises:
            UserError: Label Studio does not reach it, or is not allowed to.
        """
        backends = self._client.get("/api/ml", project=self.project)
        earlier = next((one for one in backends if one.get("description") == _DESCRIPTION), None)
        # The webhook comes first, for annotations alone: otherwise Label Studio makes one for all events on connecting.
        self._hook(url, password, "" if earlier is None else str(earlier["url"]))
        body = {
            "project": self.project,
            "url": url,
            "title": version or NAME,
            "description": _DESCRIPTION,
            "is_interactive": True,
            "auth_method": "BASIC_AUTH" if password else "NONE",
            **({"basic_auth_user": USER, "basic_auth_pass": password} if password else {}),
        }
        try:
            if earlier is None:
                self._client.post("/api/ml", body)
            else:
                self._client.patch(f"/api/ml/{earlier['id']}", body)
        except (StageFailed, UserError):
            raise UserError(_UNREACHED.format(studio=self._client.url, url=url)) from None
        self._connection = url, password

    def _hook(self, url: str, password: str, before: str) -> None:
        hook = f"{url}/webhook"
        addresses = {hook, f"{before}/webhook"}
        body = {
            "project": self.project,
            "url": hook,
            "send_payload": True,
            "send_for_all_actions": False,
            "actions": list(_ACTIONS),
            "headers": {"Authorization": basic(password)} if password else {},
            "is_active": True,
        }
        try:
            hooks = self._client.get("/api/webhooks/", project=self.project)
            ours = [one for one in hooks if one["url"] in addresses]
            for old in ours[1:]:
                self._client.ask("DELETE", f"/api/webhooks/{old['id']}/")
            if ours:
                self._client.patch(f"/api/webhooks/{ours[0]['id']}/", body)
            else:
                self._client.post("/api/webhooks/", body)
        except (StageFailed, UserError):
            raise UserError(_UNREACHED.format(studio=self._client.url, url=url)) from None

    def annotations(self) -> Iterator[dict[str, Any]]:
        """All annotations of the project."""
        for task in self._client.tasks(self.project, fields="all"):
            yield from task["annotations"]

    def outdated_tasks(self, version: str) -> list[OutdatedTask]:
        """The workspace's tasks without annotations whose boxes are all of other versions.

        Tasks without any boxes are not among them: Label Studio asks for these when somebody opens the task.
        """
        return [
            OutdatedTask(int(task["id"]), task["data"])
            for task in self._client.tasks(self.project, fields="all")
            if not task["annotations"]
            and isinstance(task["data"].get("image_id"), str)
            and task["predictions"]
            and all(each["model_version"] != version for each in task["predictions"])
        ]

    def add_predictions(self, rows: list[dict[str, Any]]) -> None:
        """Add predictions to tasks; each row is a prediction with the number of its ``task``."""
        self._client.post(f"/api/projects/{self.project}/import/predictions", rows)

    def shown_version(self) -> str:
        """The version whose boxes annotators see; empty where none is chosen."""
        return str(self._client.get(f"/api/projects/{self.project}").get("model_version") or "")

    def show_version(self, version: str) -> None:
        """Let annotators see the boxes of a version.

        Raises:
            StageFailed: Label Studio has no boxes of this version.
        """
        if self._connection is not None:
            # Label Studio shows the boxes of a version only where a connection has the version as its title.
            self.connect(*self._connection, version)
        self._client.patch(f"/api/projects/{self.project}", {"model_version": version})


_UNREACHED = (
    "Label Studio at {studio} does not connect to the backend at {url}: one on this machine needs "
    "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false in its environment, one elsewhere an address that it reaches "
    "(settings annotate.backend_host and backend_url)"
)
