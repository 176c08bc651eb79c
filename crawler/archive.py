"""The pages of a crawl, kept as they came: WARC files (ISO 28500), which other tools read too.

A page is a ``resource`` record: its address, when it came, its media type and its bytes. No header of the request or
the answer is kept, so no cookie is. A kill leaves whole records and at most one torn one, the last of its file.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.warcwriter import WARCWriter

FOLDER = "pages"


@dataclass(frozen=True)
class KeptPage:
    """A page as it came; ``fetched_at`` is UTC, ISO 8601."""

    url: str
    body: bytes
    fetched_at: str


class Archive:
    """A WARC file to write to.

    Args:
        folder: where it goes; made if it is not there.
        name: its name, another one for each process, without suffix.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.warc.gz"

    def keep(self, url: str, body: bytes, media_type: str, fetched_at: str) -> None:
        """Append a page; it is with the system when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        writer = WARCWriter(content, gzip=True)
        record = writer.create_warc_record(
            url,
            "resource",
            payload=io.BytesIO(body),
            length=len(body),
            warc_content_type=media_type,
            warc_headers_dict={"WARC-Date": fetched_at},
        )
        writer.write_record(record)
        with self._path.open("ab", buffering=0) as file:
            file.write(content.getvalue())


def pages(folder: Path) -> Iterator[KeptPage]:
    """Every page of a folder's archives, in the order they came; of a page that came twice, both."""
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            yield from _pages(file)


def _pages(file: io.BufferedReader) -> Iterator[KeptPage]:
    records = iter(ArchiveIterator(file))
    while True:
        try:
            record = next(records, None)
            if record is None:
                return
            headers = record.rec_headers
            length = int(headers.get_header("Content-Length"))
            body = record.content_stream().read()
        except (ArchiveLoadFailed, EOFError, OSError, ValueError):
            return  # the last record of a process that was killed
        if len(body) == length and record.rec_type == "resource":
            yield KeptPage(headers.get_header("WARC-Target-URI"), body, headers.get_header("WARC-Date"))
