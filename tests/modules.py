"""Which heavy modules a command has loaded."""

import subprocess
import sys
from pathlib import Path

HEAVY = {
    "aiohttp",
    "cv2",
    "duckdb",
    "faiss",
    "lightning",
    "matplotlib",
    "mediapipe",
    "onnx",
    "onnxruntime",
    "pandas",
    "parsel",
    "playwright",
    "polars",
    "pyarrow",
    "pytorch_metric_learning",
    "scipy",
    "scrapy",
    "selenium",
    "sklearn",
    "torch",
    "torchvision",
    "twisted",
    "ultralytics",
    "web_poet",
}
"""What takes a tenth of a second or more to load, by itself or with what it brings along."""

# A process ends by os._exit, with its modules as they are: see fullshot.core.process.ending_at_once.
_TELLING = """
import os, sys
end = os._exit
def tell(code):
    names = sorted({name.partition(".")[0] for name in sys.modules})
    print("\\nloaded:", *names, file=sys.stderr, flush=True)
    end(code)
os._exit = tell
from fullshot.__main__ import main
main()
"""


def loaded(words: list[str], folder: Path) -> tuple[int, set[str]]:
    """Exit code of a command, and the heavy modules that its process had loaded at its end."""
    command = [sys.executable, "-P", "-c", _TELLING, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    said, _, names = done.stderr.rpartition("\nloaded:")
    assert names, done.stderr
    assert "Traceback" not in said
    return done.returncode, HEAVY & set(names.split())
