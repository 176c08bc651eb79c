"""The second run of every command, when there is nothing left to do: seconds each, on a finished demo.

The demo is copied first, with its shop, and each command runs twice there: the first run brings up to date what
another version left, the second one counts. The crawl asks the demo's own shop; push and pull ask a Label Studio that
answers from memory, as the tests' one does: what a real one takes to answer is its own.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import _common
from benchmarks._common import ROOT, Row, Run
from fullshot.demo.run import _CRAWL_FLAGS
from fullshot.demo.shop import server as shop
from fullshot.demo.shop.studio import open_studio
from tests.contract.studio import label_studio

MOST_SECONDS = 2.0
STUDIO = {"FULLSHOT_ANNOTATE_TOKEN": "t", "FULLSHOT_ANNOTATE_PICTURES": "http://127.0.0.1:9/"}
"""What push and pull find in the environment: a token, and where pictures lie for a Label Studio."""


def measured(demo: Path, scratch: Path, code: Path) -> dict[str, Run]:
    """The second run of each command.

    Args:
        demo: a finished demo's workspace; its shop lies beside it.
        scratch: where the demo is copied to.
        code: the checkout whose code runs.
    """
    scratch.mkdir(exist_ok=True)
    workspace = scratch / "demo"
    shutil.copytree(demo, workspace, symlinks=True)
    shutil.copytree(f"{demo}-shop", scratch / "demo-shop")
    environment = {"PYTHONPATH": str(code), **STUDIO}
    own = scratch / "own"
    own.mkdir()
    shutil.copyfile(workspace / outfit(workspace)[1], own / "own.jpg")
    found: dict[str, Run] = {}
    with _shop(workspace, environment) as urls, label_studio() as studio:
        brought = {"crawl": ["crawl", str(workspace), *urls, *_CRAWL_FLAGS], "add": ["add", str(workspace), str(own)]}
        for name, words in (brought | commands(workspace, scratch, studio.url)).items():
            command = [sys.executable, "-P", "-m", "fullshot", *words, "--json"]
            for _ in range(2):
                found[name] = _common.must_succeed(_common.run(command, scratch, **environment), f"fullshot {name}")
            _common.say(f"{name}: {found[name].seconds:.2f} s, {found[name].processor_seconds:.2f} s of the processor")
    return found


def commands(workspace: Path, scratch: Path, studio: str) -> dict[str, list[str]]:
    """By its name, what is typed from curation on; in the order in which one needs what another makes.

    Args:
        workspace: of a finished demo.
        scratch: where answers and exports go.
        studio: the address of a Label Studio; its token, and where browsers find pictures, are the environment's.
    """
    image, path = outfit(workspace)
    photo = scratch / f"photo{Path(path).suffix}"  # photos come from outside
    shutil.copyfile(workspace / path, photo)
    place, boxes, remote = str(workspace), str(scratch / "boxes"), ["--url", studio]
    return {
        "curate": ["curate", place],
        "train detector": ["train", "detector", place],
        "train embedder": ["train", "embedder", place],
        "index build": ["index", "build", place],
        "curate --check": ["curate", place, "--check"],
        "evaluate detector": ["evaluate", "detector", place],
        "evaluate embedder": ["evaluate", "embedder", place],
        "evaluate recommend": ["evaluate", "recommend", place],
        "report": ["report", place],
        "detect": ["detect", str(photo), "--weights", place],
        "recommend": ["recommend", place, str(photo), "--output", str(scratch / "answer.png")],
        "trace": ["trace", place, image],
        "export detector": ["export", "detector", place],
        "boxes export": ["boxes", "export", place, boxes],
        "boxes import": ["boxes", "import", place, boxes],
        "annotate queue": ["annotate", "queue", place],
        "annotate push": ["annotate", "push", place, *remote],
        "annotate pull": ["annotate", "pull", place, *remote],
    }


def outfit(workspace: Path) -> tuple[str, str]:
    """The image_id and the path of an outfit image of the split ``test``."""
    images = {row["image_id"]: row["path"] for row in _rows(workspace / "images.csv")}
    rows = _rows(workspace / "curated.csv")
    image = next(row["image_id"] for row in rows if row["split"] == "test" and row["full_shot"] == "true")
    return image, images[image]


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@contextmanager
def _shop(workspace: Path, environment: dict[str, str]) -> Iterator[list[str]]:
    """The demo's shop, open; the addresses of its listings."""
    drawn = json.loads(Path(f"{workspace}-shop/shop.json").read_text("utf-8"))
    base = f"http://{shop.HOST}:{drawn['port']}"
    urls = shop.Shop(open_studio(drawn["seed"], drawn["collections"]), {}, Path(), base).urls
    command = [sys.executable, "-P", "-m", "fullshot", "demo", str(workspace), "--serve"]
    given = {**os.environ, **environment}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=given) as process:
        try:
            said = ""
            while f"the shop is open at {base}" not in said:
                line = process.stderr.readline() if process.stderr else ""
                said += line
                if not line:
                    raise SystemExit(f"the demo's shop does not open:\n{said}")
            yield urls
        finally:
            process.kill()


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--demo", type=Path, required=True, help="a finished demo's workspace; it is left as it is")
    parser.add_argument("--peer", type=Path, help="a checkout of earlier code to compare with")
    given = parser.parse_args(arguments)
    with _common.scratch(given.folder) as scratch:
        before = measured(given.demo.resolve(), scratch / "peer", given.peer.resolve()) if given.peer else {}
        ours = measured(given.demo.resolve(), scratch / "ours", ROOT)
    rows = []
    for name, run in ours.items():
        peer = before[name].seconds if before else None
        ratio = run.seconds / peer if peer else None
        rows.append(Row(f"{name}, s", run.seconds, peer, ratio, f"≤ {MOST_SECONDS:g}", run.seconds <= MOST_SECONDS))
    _common.show("The second run, with nothing to do", rows, as_json=given.as_json)


if __name__ == "__main__":
    main()
