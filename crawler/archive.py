"""The pages of a crawl, saved as they came: WARC files (ISO 28500), which other tools read too.

A page is a ``resource`` record: its address, when it came, its media type and its bytes. No header of the request or
the answer is saved, so no cookie is. A kill leaves whole records and at most one torn one, the last of its file.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.warcwriter import WARCWriter

FOLDER = "pages"

_ASKED = "WARC-Refers-To-Target-URI"


@dataclass(frozen=True)
class ArchivedPage:
    """A page as it came.

    Attributes:
        url: where it came from.
        asked: the address that was asked for, before any redirect.
        body: its bytes.
        fetched_at: UTC, ISO 8601.
    """

    url: str
    asked: str
    body: bytes
    fetched_at: str


class PageArchive:
    """A WARC file to write to.

    Args:
        folder: where it goes; made if it is not there.
        name: its name, another one for each process, without suffix.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.warc.gz"

    def append(self, page: ArchivedPage, media_type: str) -> None:
        """Append a page; it is with the system when this returns.

        Raises:
            OSError: it could not be written whole; the file is as it was.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        writer = WARCWriter(content, gzip=True)
        record = writer.create_warc_record(
            page.url,
            "resource",
            payload=io.BytesIO(page.body),
            length=len(page.body),
            warc_content_type=media_type,
            warc_headers_dict={"WARC-Date": page.fetched_at, _ASKED: page.asked},
        )
        writer.write_record(record)
        with self._path.open("ab") as file:
            before = file.tell()
            try:
                file.write(content.getvalue())
                file.flush()
            except OSError:
                file.truncate(before)
                raise


def pages(folder: Path) -> Iterator[ArchivedPage]:
    """Every page of a folder's archives, in the order they came; of a page that came twice, both."""
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            yield from _pages(file)


def _pages(file: io.BufferedReader) -> Iterator[ArchivedPage]:
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
            url = headers.get_header("WARC-Target-URI")
            yield ArchivedPage(url, headers.get_header(_ASKED) or url, body, headers.get_header("WARC-Date"))
