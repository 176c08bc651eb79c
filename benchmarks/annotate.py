"""Tasks pushed to a real Label Studio, against its bare import API in batches of the same size; and a pull's memory.

The workspace is tables alone, with three boxes of the shop's on each picture. The peer sends the same tasks, made
before, to a project of its own on the same server; ours lists the project, makes the tasks, sends them, and looks for
duplicates. Both begin with an empty project; they take turns, and the medians count. Then everything is annotated, by
the import API, and pulled by a process of its own.
"""

import hashlib
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import _common
from benchmarks._common import Row
from fullshot.annotate import Client, push
from fullshot.annotate.label_studio import server, tasks
from fullshot.annotate.label_studio.installation import installed
from fullshot.annotate.label_studio.project import config
from fullshot.annotate.label_studio.regions import from_boxes
from fullshot.core import tables
from fullshot.core.boxes import Box
from fullshot.core.geometry import ImageGeometry
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace

LEAST, MEBIBYTES = 0.9, 500
WIDTH, HEIGHT = 600, 900
BOXES = (("top", 100, 100, 400, 400), ("bottom", 120, 380, 390, 800), ("foot", 110, 790, 400, 890))


def filled(root: Path, count: int) -> Workspace:
    """A curated workspace without picture files."""
    root.mkdir()
    workspace = Workspace(root)
    names = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    size = {"width": WIDTH, "height": HEIGHT, "bytes": 100_000}
    images: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        images.append({"image_id": name, "product_id": f"s:{number}", "path": f"images/{name[:2]}/{name}.jpg", **size})
    products = [
        {"product_id": f"s:{number}", "gender": "women", "product_type": "Jeans", "wear": "bottom"}
        for number in range(count)
    ]
    curated = [{"image_id": name, "full_shot": True, "shot": "full", "keep": True, "split": "train"} for name in names]
    corners = ("x_min", "y_min", "x_max", "y_max")
    boxes = [
        {"image_id": name, "label": label, **dict(zip(corners, map(float, box), strict=True)), "source": "shop"}
        for name in names
        for label, *box in BOXES
    ]
    for table, rows in (("images", images), ("products", products), ("curated", curated), ("boxes", boxes)):
        workspace.write(table, tables.frame(table, rows))
    return workspace


def bare(client: Client, title: str, rows: list[dict[str, Any]], size: int) -> float:
    """Seconds that the import API takes for these tasks."""
    project = client.post("/api/projects", {"title": title, "label_config": config()})["id"]
    started = time.perf_counter()
    for first in range(0, len(rows), size):
        client.post(f"/api/projects/{project}/import", rows[first : first + size])
    return time.perf_counter() - started


def made(workspace: Workspace, settings: Settings) -> list[dict[str, Any]]:
    """The tasks that a push makes."""
    geometry = ImageGeometry(WIDTH, HEIGHT)
    with workspace.open(tasks.COLUMNS) as data:
        pictures = list(tasks.pictures(data, settings.annotate, range(tasks.create_wanted(data))))
    return [
        {
            "data": picture.data,
            "predictions": [tasks.prediction(version, boxes, geometry) for version, boxes in picture.given.items()],
        }
        for picture in pictures
    ]


def pulled(workspace: Workspace, settings: Settings, there: server.Server) -> tuple[float, float]:
    """Seconds, and MiB of memory at the most, of a pull in a process of its own."""
    command = [sys.executable, "-m", "fullshot", "annotate", "pull", str(workspace.root), "--json"]
    command += ["--url", there.url, "--project", settings.annotate.project]
    environment = os.environ | {"FULLSHOT_ANNOTATE_TOKEN": there.credentials.token}
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=_common.ROUNDS)
    given = parser.parse_args(arguments)
    installed()  # a process of its own, whose memory is not the pull's
    with _common.scratch(given.folder) as scratch:
        workspace = filled(scratch / "workspace", given.tasks)
        with server.served_label_studio(workspace, 0) as there, Client(there.url, there.credentials.token) as client:
            ours, peers = [], []
            for number in range(given.rounds):
                settings = load(annotate={"project": f"ours {number}", "pictures": "http://127.0.0.1:9/"})
                rows = made(workspace, settings)
                for name in ("ours", "peer") if number % 2 == 0 else ("peer", "ours"):
                    if name == "ours":
                        started = time.perf_counter()
                        push(workspace, settings, client)
                        ours.append(time.perf_counter() - started)
                    else:
                        peers.append(bare(client, f"bare {number}", rows, settings.annotate.batch))
                    _common.say(f"round {number + 1}, {name}: {(ours if name == 'ours' else peers)[-1]:.2f} s")
            result = from_boxes([Box(*box) for box in BOXES], ImageGeometry(WIDTH, HEIGHT))
            settings = load(annotate={"project": "annotated", "pictures": "http://127.0.0.1:9/"})
            annotated = [{**row, "annotations": [{"result": result}]} for row in made(workspace, settings)]
            bare(client, "annotated", annotated, settings.annotate.batch)
            seconds, memory = pulled(workspace, settings, there)
    rates = [given.tasks / statistics.median(each) for each in (ours, peers)]
    figures = [
        _common.at_least("tasks/s pushed", rates[0], rates[1], LEAST),
        Row("MiB of a pull, at the most", memory, None, None, f"≤ {MEBIBYTES}", memory <= MEBIBYTES),
        Row("annotated tasks/s pulled", given.tasks / seconds, None, None, "", reached=True),
    ]
    _common.show(f"{given.tasks} tasks", figures, as_json=given.as_json, peer="import API")


if __name__ == "__main__":
    main()
