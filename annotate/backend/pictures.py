"""The pictures of tasks. They are read from the workspace or from its Label Studio, and from nowhere else."""

import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.regions import PICTURE
from fullshot.core import pictures as storage
from fullshot.core.boxes import Picture
from fullshot.core.geometry import ImageGeometry
from fullshot.core.workspace import Workspace

_OF_STUDIO = "/data/"
"""Below this path, Label Studio serves pictures and nothing else."""

_LONGEST = 4096  # characters of an address
_PATIENCE = 20.0  # seconds
_DECODINGS = 3
"""An address that still changes after so many rounds of percent-decoding is refused."""


class Refused(ValueError):
    """A picture that is not read; the message is one line, without the address, which may contain a token."""


@dataclass(frozen=True, eq=False)
class DecodedPicture:
    """A picture that was read.

    Attributes:
        pixels: shape (height, width, 3), uint8, RGB; turned upright.
        geometry: of the picture as it is stored.
    """

    pixels: Picture
    geometry: ImageGeometry


def path_of(address: str, studio: str) -> str:
    """The path, and the query, of a picture of a Label Studio.

    Args:
        address: of the picture: a path, or a whole address.
        studio: base address of that Label Studio.

    Raises:
        Refused: the address is not one of its pictures.
    """
    elsewhere = Refused(f"expected a picture of the workspace or of {studio}, got an address elsewhere")
    if len(address) > _LONGEST or any(sign <= " " or sign in "\\\x7f" for sign in address):
        raise elsewhere
    try:
        parts, home = urlsplit(address), urlsplit(studio)
    except ValueError:
        raise elsewhere from None
    path = parts.path
    if parts.scheme or parts.netloc or address.startswith("//"):
        # Compared as a whole: a user name before the host, or another port, makes it another server.
        if (parts.scheme.lower(), parts.netloc.lower()) != (home.scheme.lower(), home.netloc.lower()):
            raise elsewhere
        prefix = home.path.rstrip("/")
        if not path.startswith(f"{prefix}/"):
            raise elsewhere
        path = path[len(prefix) :]
    if not path.startswith(_OF_STUDIO) or not _is_plain(path) or not _is_plain(re.sub("[=&]", "/", parts.query)):
        raise elsewhere
    return f"{path}?{parts.query}" if parts.query else path


def _is_plain(path: str) -> bool:
    """Whether a path has no step upwards, however often it is percent-decoded."""
    for _ in range(_DECODINGS):
        if "\\" in path or "\0" in path or {".", ".."} & set(path.split("/")):
            return False
        decoded = unquote(path)
        if decoded == path:
            return True
        path = decoded
    return False


class Pictures:
    """Reads the pictures of tasks.

    Args:
        workspace: its pictures are looked up by ``image_id``.
        client: of the Label Studio; other pictures are fetched from it.
        max_bytes: of a picture that is fetched.
    """

    def __init__(self, workspace: Workspace, client: Client, max_bytes: int) -> None:
        self._workspace, self._client, self._max_bytes = workspace, client, max_bytes
        self._paths: dict[str, str] = {}
        self._state: tuple[int, int] | None = None

    def read(self, data: Mapping[str, Any]) -> DecodedPicture:
        """The picture of a task.

        Args:
            data: of the task: ``image_id`` of the workspace, or ``image``, an address.

        Raises:
            Refused: it comes from neither, is too large, is missing, or is not a picture.
        """
        path = self._path_in_workspace(data.get("image_id"))
        if path is not None:
            root = self._workspace.root
            file = (root / path).resolve()
            if not file.is_relative_to(root.resolve()):
                raise Refused("images.csv names a file outside of the workspace")
            return _decoded(root / path)
        address = data.get(PICTURE)
        if not isinstance(address, str) or not address:
            raise Refused("expected an image_id that images.csv has, or the address of an image")
        content = self._fetched(path_of(address, self._client.url))
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "picture").write_bytes(content)
            return _decoded(Path(folder) / "picture")

    def _path_in_workspace(self, identity: object) -> str | None:
        """The path of a picture in ``images.csv``, as it is now; None where it has none."""
        if not isinstance(identity, str):
            return None
        file = self._workspace.table("images")
        state = (file.stat().st_mtime_ns, file.stat().st_size) if file.is_file() else None
        if state != self._state:
            self._paths, self._state = {}, state
        if identity not in self._paths:
            with self._workspace.open() as data:
                data.make_if_missing("images")
                rows = data.rows("SELECT path FROM images WHERE image_id = $identity LIMIT 1", identity=identity)
            if not rows:
                return None
            self._paths[identity] = rows[0][0]
        return self._paths[identity]

    def _fetched(self, path: str) -> bytes:
        """The bytes of one of Label Studio's pictures; redirects are not followed."""
        try:
            until = time.monotonic() + _PATIENCE
            with self._client.stream(path, _PATIENCE) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise Refused(f"Label Studio answers {answer.status_code} when it is asked for the picture")
                content = bytearray()
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > self._max_bytes:
                        raise Refused(f"expected a picture of at most {self._max_bytes:,} bytes, got a larger one")
                    if time.monotonic() > until:
                        raise Refused(f"Label Studio takes longer than {_PATIENCE:.0f} s to send the picture")
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise Refused(f"Label Studio does not answer with the picture ({type(error).__name__})") from None
        return bytes(content)


def _decoded(path: Path) -> DecodedPicture:
    try:
        return DecodedPicture(storage.read_rgb(path, upright=True), storage.read_geometry(path))
    except storage.NotAnImage as error:
        raise Refused(f"not a picture: {error}") from None
    except OSError:
        raise Refused("the picture's file is not there") from None
