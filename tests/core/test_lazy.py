"""What packages name is loaded when it is asked for."""

import subprocess
import sys
from importlib import import_module

import pytest

FACES = [
    "fullshot.core.interfaces",
    "fullshot.crawler",
    "fullshot.curation",
    "fullshot.index",
    "fullshot.train",
    "fullshot.train.detector",
    "fullshot.train.embedder",
]


@pytest.mark.parametrize("package", FACES)
def test_every_name_of_a_face_is_there(package: str) -> None:
    face = import_module(package)
    assert face.__all__
    for name in face.__all__:
        assert getattr(face, name) is not None
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'no_such_name'"):
        _ = face.no_such_name


def test_a_face_alone_loads_no_heavy_library() -> None:
    code = f"import sys, {', '.join(FACES)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "torch", "scrapy", "cv2", "mediapipe", "faiss", "ultralytics", "rich"} & set(
        done.stdout.split()
    )
