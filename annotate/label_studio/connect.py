"""Which Label Studio a workspace's pictures go to."""

from fullshot.annotate.label_studio import server
from fullshot.annotate.label_studio.client import Client
from fullshot.core.errors import UserError
from fullshot.core.settings import AnnotateSettings
from fullshot.core.workspace import Workspace


def connected(workspace: Workspace, settings: AnnotateSettings) -> Client:
    """A client of the Label Studio that the settings name, or of the workspace's own.

    Raises:
        MissingInput: there is no such workspace.
        UserError: none is named and the workspace's own does not run; see :class:`client.Client` for others.
    """
    workspace.must_be_there()
    if settings.url:
        return Client(settings.url, settings.token.get_secret_value())
    there = server.running(workspace)
    if there is None:
        raise UserError(
            f"no Label Studio runs for {workspace.root}: start one by `fullshot annotate serve {workspace.root}` "
            "in another window, or name one by --url and --token"
        )
    return Client(there.url, there.credentials.token)
