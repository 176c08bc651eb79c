"""What other stages and the commands see of training."""

import importlib
import subprocess
import sys

import pytest

FACES = ("fullshot.train", "fullshot.train.detector", "fullshot.train.embedder")


def test_the_faces_load_nothing_heavy() -> None:
    code = f"import sys, {', '.join(FACES)}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "lightning", "pytorch_metric_learning", "ultralytics", "matplotlib", "pandas", "PIL"}
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize("face", FACES)
def test_a_face_has_every_name_that_it_lists(face: str) -> None:
    module = importlib.import_module(face)
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        module.nothing  # noqa: B018
