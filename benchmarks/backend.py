"""A call to the ML backend over HTTP for one picture, against the detector's own time for it.

Both run in one process, on the same pictures and in turns: a call, then the detector alone on the decoded picture. The
backend is whole but for Label Studio, of which it needs nothing to answer: it reads the picture by its image_id, finds
its boxes, and writes them as Label Studio takes them. It may take 1.2 times as long, and 50 ms.
"""

import asyncio
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks import _common
from benchmarks._common import Row
from fullshot.annotate import started_backend
from fullshot.core import image_store, tables
from fullshot.core import pictures as storage
from fullshot.core.blobs import LocalBlobs
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train.detector import Detector
from fullshot.train.detector import load as load_detector

FACTOR, MORE = 1.2, 0.05  # seconds
WARM = 5
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class NoStudio:
    """Stands for a Label Studio: there is a project, and nothing to be said of it."""

    url = "http://127.0.0.1:9"

    def get(self, path: str, **_: Any) -> Any:
        """The project, or what is to be seen in it."""
        return {"results": [{"id": 1, "title": "benchmark"}]} if path == "/api/projects" else {"model_version": ""}

    def patch(self, path: str, body: Any) -> None:
        """Nothing comes of it."""

    def tasks(self, project: int, *, fields: str) -> Iterator[dict[str, Any]]:
        """None."""
        yield from ()


def filled(root: Path, folder: Path, count: int) -> Workspace:
    """A workspace with pictures of a folder.

    Raises:
        SystemExit: there are none.
    """
    root.mkdir()
    workspace = Workspace(root)
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES)
    rows: dict[str, dict[str, Any]] = {}
    for path in found:
        stored = image_store.put(LocalBlobs(root), path.read_bytes())
        size = {"width": stored.width, "height": stored.height, "bytes": stored.bytes}
        rows[stored.image_id] = {"image_id": stored.image_id, "product_id": "b:1", "path": stored.path, **size}
        if len(rows) == count:
            break
    if not rows:
        raise SystemExit(f"expected pictures in {folder}, found none")
    workspace.write("images", tables.frame("images", rows.values()))
    return workspace


@contextmanager
def answering(workspace: Workspace, settings: Settings, detector: Detector) -> Iterator[httpx.Client]:
    """A backend with this detector, in a thread; yields who asks it."""
    ready, over, url = threading.Event(), threading.Event(), ""
    studio: Any = NoStudio()

    async def run() -> None:
        nonlocal url
        async with started_backend(workspace, settings, studio, loaded=lambda *_: detector) as url:
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    try:
        if not ready.wait(60):
            raise SystemExit("the backend does not start")
        with httpx.Client(base_url=url, timeout=60) as client:
            yield client
    finally:
        over.set()
        thread.join(10)


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--detector", type=Path, required=True, help="a workspace with a trained detector")
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of pictures")
    parser.add_argument("--count", type=int, default=50, help="pictures; default: 50")
    parser.add_argument("--rounds", type=int, default=_common.ROUNDS)
    given = parser.parse_args(arguments)
    settings = load(annotate={"project": "benchmark", "backend_port": 0, "backend_register": False})
    detector = load_detector(Workspace(given.detector), settings=settings)
    whole: list[float] = []
    own: list[float] = []
    with _common.scratch(given.folder) as scratch:
        workspace = filled(scratch / "workspace", given.pictures, given.count)
        rows = list(workspace.read("images").itertuples())
        if given.rounds == 1 and len(rows) <= WARM:
            raise SystemExit(f"expected more than {WARM} pictures, which are not measured, or more --rounds than one")
        with answering(workspace, settings, detector) as backend:
            for number in range(given.rounds):
                for place, row in enumerate(rows):
                    pixels = storage.read_rgb(workspace / str(row.path))
                    began = time.perf_counter()
                    task = {"id": place, "data": {"image_id": row.image_id}}
                    backend.post("/predict", json={"tasks": [task]}).raise_for_status()
                    between = time.perf_counter()
                    detector.predict([pixels])
                    if number or place >= WARM:
                        whole.append(between - began)
                        own.append(time.perf_counter() - between)
    call, alone = (1000 * statistics.median(seconds) for seconds in (whole, own))
    allowed = FACTOR * alone + 1000 * MORE
    slow = sorted(seconds - FACTOR * other for seconds, other in zip(whole, own, strict=True))
    late = 1000 * slow[int(0.95 * len(slow))]
    figures = [
        Row("ms a call, median", call, alone, call / alone, f"≤ {allowed:.1f} ms", call <= allowed),
        Row("ms beyond 1.2 × own, 95 of 100", late, None, None, f"≤ {1000 * MORE:.0f} ms", late <= 1000 * MORE),
    ]
    _common.show(f"One picture, {len(whole)} calls", figures, as_json=given.as_json, peer="detector alone")


if __name__ == "__main__":
    main()
