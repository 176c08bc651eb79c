"""What a process opens of the pictures is noted, and counted by picture and size."""

import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from benchmarks import _common, opens
from benchmarks.opens import Open

SCRIPT = """
import sys
from multiprocessing import get_context
from pathlib import Path
from fullshot.core.pictures import read_geometry, read_reduced, read_rgb

def also(path):
    read_rgb(path)

if __name__ == "__main__":
    path = Path(sys.argv[1])
    read_geometry(path), read_reduced(path, 16), read_reduced(path, 32)
    Path(path.with_name("b" * 64 + ".jpg")).write_bytes(path.read_bytes())
    for name in (path.with_suffix(".txt"), path.parents[1] / path.name):  # labels, and an export's copy
        name.write_bytes(path.read_bytes())
        name.read_bytes()
    link = path.parents[2] / path.name
    link.symlink_to(path)
    read_rgb(link)
    child = get_context("spawn").Process(target=also, args=(path,))
    child.start(), child.join()
"""


def test_each_process_notes_what_it_opens(tmp_path: Path) -> None:
    picture, log = tmp_path / "images" / "aa" / f"{'a' * 64}.jpg", tmp_path / "log"
    picture.parent.mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(picture)
    log.mkdir()
    (tmp_path / "script.py").write_text(SCRIPT, "utf-8")
    path = os.pathsep.join([str(opens.HOOK), str(_common.ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "FULLSHOT_BENCHMARK_OPENS": str(log)}
    environment["FULLSHOT_BENCHMARK_COMMAND"] = "curate"
    subprocess.run([sys.executable, tmp_path / "script.py", picture], env=environment, check=True)
    noted = opens.noted(log)
    # What is written is no picture that was looked at.
    assert {(each.command, each.image) for each in noted} == {("curate", "a" * 64)}
    assert sorted(each.size for each in noted) == [
        "16 px",
        "32 px",
        "bytes",
        "bytes",
        "bytes",
        "header",
        "whole",
        "whole",
    ]


def test_opens_are_counted_by_picture_and_size() -> None:
    noted = [
        *[Open("train detector", "a", "whole")] * 3,
        Open("train detector", "a", "header"),
        Open("report", "b", "whole"),
        Open("curate", "b", "512 px"),
        Open("crawl", "b", "bytes"),
    ]
    after = opens.after_curation(noted)
    figures = opens.figures(after)
    assert figures["opens of a picture in a size, at most"] == 3
    assert figures["pictures opened more than twice in a size"] == 1
    assert (figures["opens of a picture, at most"], figures["opens of a picture, on average"]) == (4, 2.5)
    assert opens.by_command(after) == {
        "train detector": "4 opens of 1, at most 3: 3 whole, 1 header",
        "report": "1 opens of 1, at most 1: 1 whole",
    }
