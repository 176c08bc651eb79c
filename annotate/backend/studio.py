"""What the backend asks of Label Studio: to be connected, what is new, and to show boxes of the detector in use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fullshot.annotate.backend.app import USER, basic
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.project import find
from fullshot.core.errors import StageFailed, UserError

NAME = "fullshot"
"""Title of the connection as long as there is no detector; then, it is the detector's version."""

_DESCRIPTION = "the detector of a fullshot workspace"
_ACTIONS = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED")


@dataclass(frozen=True)
class Undrawn:
    """A task that nobody said anything of, with boxes of other versions than the detector's."""

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
        self._place: tuple[str, str] | None = None

    def connect(self, url: str, password: str, version: str) -> None:
        """Connect a backend with the project, or change where an earlier connection leads.

        Args:
            url: where Label Studio reaches it.
            password: that it asks for; empty: none.
            version: of its detector; empty: it has none.

        Raises:
            UserError: Label Studio does not reach it, or may not.
        """
        found = self._client.get("/api/ml", project=self.project)
        there = next((one for one in found if one.get("description") == _DESCRIPTION), None)
        # Made first, for annotations alone: with a connection, Label Studio would make one for whatever happens.
        self._hook(url, password, "" if there is None else str(there["url"]))
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
            if there is None:
                self._client.post("/api/ml", body)
            else:
                self._client.patch(f"/api/ml/{there['id']}", body)
        except (StageFailed, UserError):
            raise UserError(_UNREACHED.format(studio=self._client.url, url=url)) from None
        self._place = url, password

    def _hook(self, url: str, password: str, before: str) -> None:
        hook = f"{url}/webhook"
        known = {hook, f"{before}/webhook"}
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
            found = [one for one in self._client.get("/api/webhooks/", project=self.project) if one["url"] in known]
            for old in found[1:]:
                self._client.ask("DELETE", f"/api/webhooks/{old['id']}/")
            if found:
                self._client.patch(f"/api/webhooks/{found[0]['id']}/", body)
            else:
                self._client.post("/api/webhooks/", body)
        except (StageFailed, UserError):
            raise UserError(_UNREACHED.format(studio=self._client.url, url=url)) from None

    def annotations(self) -> Iterator[dict[str, Any]]:
        """All annotations of the project."""
        for task in self._client.tasks(self.project, fields="all"):
            yield from task["annotations"]

    def undrawn(self, version: str) -> list[Undrawn]:
        """The workspace's tasks that annotators have still before them, with boxes of other versions alone.

        Where a task has none at all, Label Studio asks for them when it is opened, and only then.
        """
        return [
            Undrawn(int(task["id"]), task["data"])
            for task in self._client.tasks(self.project, fields="all")
            if not task["annotations"]
            and isinstance(task["data"].get("image_id"), str)
            and task["predictions"]
            and all(each["model_version"] != version for each in task["predictions"])
        ]

    def draw(self, rows: list[dict[str, Any]]) -> None:
        """Give tasks predictions; each row has the ``task`` and a prediction."""
        self._client.post(f"/api/projects/{self.project}/import/predictions", rows)

    def shown(self) -> str:
        """The version whose boxes annotators see."""
        return str(self._client.get(f"/api/projects/{self.project}").get("model_version") or "")

    def show(self, version: str) -> None:
        """Let annotators see the boxes of a version.

        Raises:
            StageFailed: Label Studio knows of no such version.
        """
        if self._place is not None:
            # The connection is called like the version: of what is called otherwise, Label Studio shows no boxes.
            self.connect(*self._place, version)
        self._client.patch(f"/api/projects/{self.project}", {"model_version": version})


_UNREACHED = (
    "Label Studio at {studio} does not connect to the backend at {url}: one on this machine needs "
    "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false in its environment, one elsewhere an address that it reaches "
    "(settings annotate.backend_host and backend_url)"
)
