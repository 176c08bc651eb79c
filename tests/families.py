"""The families of detectors, as tests take them."""

import pytest

from fullshot.train.detector import DETECTORS

FAMILIES = [name for name in DETECTORS.names() if ":" not in name]
"""Those of this project, and none that a plugin brings."""

TRAINED = [name if name in ("yolo", "fcos") else pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES]
"""For a test that trains: torchvision's families share all but the network, so one of them stands for the others."""
