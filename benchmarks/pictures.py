"""Pictures a second, against img2dataset on the same server.

Ours is a whole crawl of a shop of few products with very many pictures each and small pages, so that the pictures are
what takes time. img2dataset is given the pictures' addresses in a text file and stores them as files, in two processes,
without resizing. Both start as a process, take turns, and the medians count. img2dataset is installed once, in an
environment of its own under --cache.
"""

import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import _common
from benchmarks._common import Row
from benchmarks._content import Plan

PLAN = Plan(products=20, page_bytes=20_000, pictures=100, picture_bytes=15_000)
PEER = "img2dataset==1.47.0"
PROCESSES = 2
CACHE = Path(__file__).with_name(".cache")


class Result(NamedTuple):
    """One run: how long it took, and how many pictures it stored."""

    seconds: float
    processor_seconds: float
    pictures: int


def install(cache: Path) -> Path:
    """The peer's program, installed if it is not there.

    Args:
        cache: a folder for its environment; it keeps itself out of git.
    """
    environment = cache / PEER.replace("==", "-")
    ready = environment / ".ready"
    if not ready.is_file():
        _common.say(f"installing {PEER} in {environment}")
        cache.mkdir(parents=True, exist_ok=True)
        (cache / ".gitignore").write_text("*\n", "utf-8")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True, stdout=sys.stderr)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
        subprocess.run([*pip, "install", "--quiet", PEER], check=True, stdout=sys.stderr)
        ready.touch()
    return environment / "bin" / "img2dataset"


def fetch(folder: Path, listing: str) -> Result:
    """Our crawl."""
    done = _common.must_succeed(
        _common.run(_common.crawl_command(folder / "workspace", [listing]), folder), "our crawl"
    )
    return _result(done, folder / "workspace" / "images")


def fetch_as_the_peer_does(program: Path, folder: Path, urls: Sequence[str], threads: int, *, reencode: bool) -> Result:
    """The peer's download.

    Args:
        program: img2dataset.
        folder: where it goes.
        urls: of the pictures.
        threads: threads a process.
        reencode: let it decode and encode each picture, as it does unless told; else it stores what came, as ours does.
    """
    (folder / "urls.txt").write_text("\n".join(urls) + "\n", "utf-8")
    flags = {
        "url_list": "urls.txt",
        "input_format": "txt",
        "output_folder": "pictures",
        "output_format": "files",
        "resize_mode": "no",
        "skip_reencode": not reencode,
        "processes_count": PROCESSES,
        "thread_count": threads,
        # A shard is what a process works on: as many as there are processes, so that each has one.
        "number_sample_per_shard": -(-len(urls) // PROCESSES),
        "enable_wandb": False,
        "retries": 3,
    }
    command = [str(program), *(f"--{name}={value}" for name, value in flags.items())]
    # It would ask the network for a newer version of one of its libraries.
    done = _common.must_succeed(_common.run(command, folder, NO_ALBUMENTATIONS_UPDATE="1"), "img2dataset")
    return _result(done, folder / "pictures")


def _result(done: _common.Run, pictures: Path) -> Result:
    return Result(done.seconds, done.processor_seconds, sum(path.is_file() for path in pictures.rglob("*.jpg")))


def _row(figure: str, ours: list[Result], peers: list[Result]) -> Row:
    name = figure.replace(" ", "_")
    medians = [statistics.median(getattr(one, name) for one in results) for results in (ours, peers)]
    return Row(figure, medians[0], medians[1])


def _share(results: list[Result], total: int) -> float:
    return statistics.median(one.pictures for one in results) / total


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__, PLAN)
    parser.add_argument("--rounds", type=int, default=_common.ROUNDS, help=f"default: {_common.ROUNDS}")
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help="where img2dataset is installed; default: %(default)s"
    )
    parser.add_argument(
        "--threads", type=int, default=256, help="img2dataset's threads a process; default: its own, 256"
    )
    parser.add_argument("--reencode", action="store_true", help="let img2dataset encode each picture again")
    given = parser.parse_args(arguments)
    program = install(given.cache.resolve())
    ours: list[Result] = []
    peers: list[Result] = []
    with _common.scratch(given.folder) as scratch, _common.serving(_common.plan_of(given)) as shop:
        urls = [url for product in shop.truth() for url in product["image_urls"]]
        for number in range(given.rounds):
            for name in ("ours", "peer") if number % 2 == 0 else ("peer", "ours"):
                folder = scratch / f"{name}-{number}"
                folder.mkdir()
                if name == "ours":
                    result = fetch(folder, shop.listing)
                else:
                    result = fetch_as_the_peer_does(program, folder, urls, given.threads, reencode=given.reencode)
                (ours if name == "ours" else peers).append(result)
                shutil.rmtree(folder)
                _common.say(f"round {number + 1}, {name}: {result}")
    rates = [statistics.median(one.pictures / one.seconds for one in results) for results in (ours, peers)]
    rows = [
        _common.at_least("pictures/s", rates[0], rates[1]),
        _common.at_least("pictures, share of all", _share(ours, len(urls)), _share(peers, len(urls))),
        *(_row(figure, ours, peers) for figure in ("seconds", "processor seconds")),
    ]
    _common.show(f"{len(urls)} pictures, medians", rows, as_json=given.as_json, peer="img2dataset")


if __name__ == "__main__":
    main()
