"""Vectors of a folder's pictures or of a workspace's, in a Parquet file: what ``fullshot embed`` does."""

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from fullshot.core.dataset import Dataset
from fullshot.core.engines import cores
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.interfaces import Embedder
from fullshot.core.parts import parts
from fullshot.core.pictures import NotAnImage, read_rgb
from fullshot.core.progress import bar, say, say_unchanged
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train.detector.photos import Photo, Photos
from fullshot.train.embedder.crops import CORNERS
from fullshot.train.embedder.embeddings import kept_embeddings
from fullshot.train.embedder.preprocessing import Preparation, crop_to_foreground, embed_prepared, preparation_of
from fullshot.train.embedder.sources import Source

STAGE = "embed"

FORMAT = "1"
"""Of the file, and of how pictures become vectors."""

WANTED: Mapping[str, Sequence[str]] = {
    "products": ("product_id", "product_type", "wear"),
    "images": ("image_id", "product_id", "path", "width", "height"),
    "curated": ("image_id", "full_shot", "keep"),
    "boxes": ("image_id", "label", "x_min", "y_min", "x_max", "y_max", "source", "revision"),
    "annotations": ("image_id", "project", "annotation", "annotator", "verdict", "revision"),
}
"""The columns of a workspace that say which pictures and boxes there are."""

_MADE_OF, _STATS, _BROKEN = b"fullshot.made_of", b"fullshot.stats", b"fullshot.unreadable"
"""What the file says of itself."""

_BATCH = 32
"""Pictures of a folder that go through the network together; as many again wait, decoded."""

_ROWS = 4096
"""Vectors that are written together."""

_AT_ONCE = 100_000
"""Rows of a workspace whose keys and vectors are in memory at once."""

_MOST_NAMED = 100
"""Unreadable pictures that are named, each on a line; the file keeps as many."""

_SHOTS = """
SELECT DISTINCT image_id, path, NULL::VARCHAR AS label, NULL::DOUBLE AS x_min, NULL::DOUBLE AS y_min,
       NULL::DOUBLE AS x_max, NULL::DOUBLE AS y_max
FROM images JOIN kept USING (image_id) WHERE NOT kept.full_shot
"""

_BOXES = """
SELECT DISTINCT image_id, pictures.path, box.label, x_min, y_min, x_max, y_max
FROM standing_boxes AS box JOIN pictures USING (image_id)
WHERE x_max > 0 AND y_max > 0 AND coalesce(x_min < pictures.width, true) AND coalesce(y_min < pictures.height, true)
"""


@dataclass(frozen=True)
class Wanted:
    """Which vectors are asked for, and where.

    Attributes:
        source: the embedder.
        output: the file.
        size: how many numbers of each vector, the first; 0: all.
        device: see :func:`fullshot.train.devices.device_of`.
    """

    source: Source
    output: Path
    size: int = 0
    device: str = ""

    def made_of(self, of: Mapping[str, object]) -> str:
        """A digest of all that the file depends on."""
        whole = {"format": FORMAT, "weights": self.source.digest, "size": self.size, **of}
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


@dataclass
class _Counts:
    embedded: int = 0
    unreadable: list[str] = field(default_factory=list)

    def broken(self, path: str, reason: str = "") -> None:
        self.unreadable.append(path)
        if len(self.unreadable) <= _MOST_NAMED:
            say(f"{STAGE}: {path} is not a picture that can be read{f': {reason}' if reason else ''}")


def embed_photos(places: Sequence[Path], wanted: Wanted) -> dict[str, Any]:
    """Embed photos, each as a whole; the plain background of an item shot is cut away, as a catalog does.

    Args:
        places: files and folders.
        wanted: says by what, and where to. Its columns are ``path`` and ``vector`` (list of float32).

    Returns:
        ``vectors``, ``unreadable``, ``dimension``, ``weights`` (name of the source), ``digest`` (of it), ``output`` and
        ``written`` (false: the file was there already).

    Raises:
        UserError: a place is not there, or the vectors are shorter than the size asked for.
        MissingInput: there is no photo.
    """
    listing = hashlib.sha256()
    count = 0
    for photo in Photos(places):
        stat = photo.path.stat() if photo.path.exists() else None
        listing.update(
            f"{photo.path}\0{stat and stat.st_size}\0{stat and stat.st_mtime_ns}\n".encode("utf-8", "replace")
        )
        count += 1
    if not count:
        raise MissingInput(f"no photo in {', '.join(map(str, places))}")
    made_of = wanted.made_of({"photos": listing.hexdigest()})
    if (kept := _kept(wanted, made_of)) is not None:
        return kept
    embedder = wanted.source.load(wanted.device)
    size = _size(wanted, embedder)
    counts = _Counts()
    photos = Photos(places)
    with (
        _written(wanted, made_of, size, [("path", pyarrow.string())], counts) as write,
        bar(STAGE, "photos") as advance,
    ):
        waiting: list[tuple[list[str], NDArray[np.float32]]] = []
        for paths, pixels in _prepared(photos, preparation_of(embedder), counts):
            if paths:
                waiting.append((paths, embed_prepared(embedder, pixels)))
            if sum(len(one) for one, _ in waiting) >= _ROWS:
                write(*_joined(waiting))
                waiting = []
            advance(counts.embedded + sum(len(one) for one, _ in waiting) + len(counts.unreadable), count)
        if waiting:
            write(*_joined(waiting))
    if photos.passed_over:
        say(f"{STAGE}: {photos.passed_over.total()} files that are no pictures were left out")
    return _stats(wanted, embedder.digest, counts, size, is_new=True)


def embed_workspace(workspace: Workspace, settings: Settings, wanted: Wanted, *, boxes: bool = False) -> dict[str, Any]:
    """Embed the item shots that a workspace keeps: those that a catalog is built of. What was embedded before is kept.

    Args:
        workspace: where; its embeddings are kept by ``image_id``, box and weights.
        settings: name the engine that cuts crops.
        wanted: says by what, and where to. Its columns are ``image_id`` and ``vector`` (list of float32).
        boxes: the crops of all boxes that stand as well, with the columns ``label, x_min, y_min, x_max, y_max`` in
            pixels of the picture as it is stored; these are empty for an item shot.

    Returns:
        See :func:`embed_photos`.

    Raises:
        MissingInput: a table is not there, or there is nothing to embed.
    """
    tables = tuple(name for name in WANTED if boxes or name not in ("boxes", "annotations"))
    taxonomy = workspace / "taxonomy.toml"
    inputs = {**workspace.digests(tables), "taxonomy": taxonomy.read_text("utf-8") if taxonomy.is_file() else ""}
    made_of = wanted.made_of({"tables": inputs, "boxes": boxes})
    if (kept := _kept(wanted, made_of, again=True)) is not None:
        return kept
    embedder = wanted.source.load(wanted.device)
    size = _size(wanted, embedder)
    counts = _Counts()
    columns = [("image_id", pyarrow.string())]
    if boxes:
        columns += [("label", pyarrow.string()), *((name, pyarrow.float64()) for name in CORNERS)]
    with workspace.locked(), workspace.open(WANTED) as data:
        _create_rows(data, boxes=boxes)
        with _written(wanted, made_of, size, columns, counts) as write:
            for part in parts(data, "vectors", "row", "image_id", _AT_ONCE):
                keys = part.select(["image_id", "path", *CORNERS])
                rows = kept_embeddings(workspace.root, keys, embedder, settings, STAGE)
                for path in sorted(set(rows.unreadable()["path"].to_pylist())):
                    counts.broken(path)
                use = np.flatnonzero(rows.is_readable)
                chosen = part.select([name for name, _ in columns]).take(pyarrow.array(use))
                write(chosen, np.asarray(rows.take(use).array("vector"), np.float32))
    return _stats(wanted, embedder.digest, counts, size, is_new=True)


def _create_rows(data: Dataset, *, boxes: bool) -> None:
    """Make the table ``vectors``: ``row`` (from 0), ``image_id``, ``path``, ``label`` and the corners."""
    asked = f"{_SHOTS} UNION ALL {_BOXES}" if boxes else _SHOTS
    order = "image_id, x_min NULLS FIRST, y_min, x_max, y_max, label"
    data.create("vectors", f"SELECT row_number() OVER () - 1 AS row, * FROM ({asked} ORDER BY {order})")
    if not data.rows("SELECT row FROM vectors LIMIT 1"):
        root = data.workspace.root
        raise MissingInput(
            f"expected item shots of products in {root}, got none: crawl products, then run `fullshot curate {root}`"
        )


def _prepared(
    photos: Iterable[Photo], preparation: Preparation, counts: _Counts
) -> Iterator[tuple[list[str], list[NDArray[np.uint8]]]]:
    """Photos as a network sees them, batch by batch: the next are decoded meanwhile."""

    def prepared(photo: Photo) -> NDArray[np.uint8] | str:
        try:
            return preparation(crop_to_foreground(read_rgb(photo.path, upright=True)))
        except (NotAnImage, OSError) as error:
            return " ".join(str(error).split())

    coming = iter(photos)
    with ThreadPoolExecutor(cores()) as pool:  # the decoder lets go of the interpreter
        ahead: deque[tuple[Photo, Future[NDArray[np.uint8] | str]]] = deque()
        while True:
            for photo in islice(coming, 2 * _BATCH - len(ahead)):
                ahead.append((photo, pool.submit(prepared, photo)))
            if not ahead:
                return
            paths, pixels = [], []
            for _ in range(min(_BATCH, len(ahead))):
                photo, made = ahead.popleft()
                found = made.result()
                if isinstance(found, str):
                    counts.broken(str(photo.path), found)
                else:
                    paths.append(str(photo.path))
                    pixels.append(found)
            yield paths, pixels


def _joined(waiting: Sequence[tuple[list[str], NDArray[np.float32]]]) -> tuple[pyarrow.Table, NDArray[np.float32]]:
    paths = [path for some, _ in waiting for path in some]
    return pyarrow.table({"path": pyarrow.array(paths)}), np.concatenate([vectors for _, vectors in waiting])


def _size(wanted: Wanted, embedder: Embedder) -> int:
    if wanted.size > embedder.dimension:
        raise UserError(f"expected a size of at most {embedder.dimension}, the vectors' own, got {wanted.size}")
    return wanted.size or embedder.dimension


@contextmanager
def _written(
    wanted: Wanted, made_of: str, size: int, columns: Sequence[tuple[str, Any]], counts: _Counts
) -> Iterator[Any]:
    """Write the file in one step: it is there when all of it is."""
    output = wanted.output
    output.parent.mkdir(parents=True, exist_ok=True)
    for left in output.parent.glob(f".{output.name}.*.part"):  # of one that was killed
        if not _is_running(left):
            left.unlink(missing_ok=True)
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.part")
    schema = pyarrow.schema([*columns, ("vector", pyarrow.list_(pyarrow.float32()))])
    try:
        with pyarrow.parquet.ParquetWriter(unfinished, schema) as writer:

            def write(rows: pyarrow.Table, vectors: NDArray[np.float32]) -> None:
                cut = np.ascontiguousarray(vectors[:, :size])
                offsets = pyarrow.array(np.arange(len(cut) + 1, dtype=np.int32) * size)
                lists = pyarrow.ListArray.from_arrays(offsets, pyarrow.array(cut.reshape(-1)))
                table = pyarrow.table([*rows.columns, lists], schema=schema)
                writer.write_table(table, row_group_size=_ROWS)
                counts.embedded += len(cut)

            yield write
            stats = _stats(wanted, wanted.source.digest, counts, size, is_new=False)
            about = {_MADE_OF: made_of, _STATS: json.dumps(stats), _BROKEN: json.dumps(counts.unreadable[:_MOST_NAMED])}
            writer.add_key_value_metadata(about)
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)


def _is_running(left: Path) -> bool:
    """Whether the process that writes an unfinished file is at work still."""
    try:
        os.kill(int(left.suffixes[-2][1:]), 0)
    except (ValueError, IndexError, ProcessLookupError):
        return False
    except OSError:  # it belongs to somebody else
        return True
    return True


def _kept(wanted: Wanted, made_of: str, *, again: bool = False) -> dict[str, Any] | None:
    """The stats of a file that holds all this already, said in a line; None: there is none.

    Args:
        wanted: names the file.
        made_of: what it is to be made of.
        again: where pictures could not be read, ask them again: the tables do not say whether they were brought back.
    """
    try:
        about = pyarrow.parquet.read_metadata(wanted.output).metadata or {}
    except (OSError, pyarrow.ArrowException):
        return None
    if about.get(_MADE_OF, b"").decode() != made_of:
        return None
    stats: dict[str, Any] = json.loads(about[_STATS])
    if stats["unreadable"] and again:
        return None
    for path in json.loads(about[_BROKEN]):
        say(f"{STAGE}: {path} is not a picture that can be read")
    say_unchanged(STAGE, f"{wanted.output} was written", "it stays as it is")
    return stats


def _stats(wanted: Wanted, digest: str, counts: _Counts, size: int, *, is_new: bool) -> dict[str, Any]:
    return {
        "vectors": counts.embedded,
        "unreadable": len(counts.unreadable),
        "dimension": size,
        "weights": wanted.source.name,
        "digest": digest,
        "output": str(wanted.output),
        "written": is_new,
    }
