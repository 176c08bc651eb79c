"""`fullshot`, but trainings of torchvision's detectors see each picture as it is, in the sizes of the batches.

There is no setting for it: nobody should train so. `benchmarks.detectors` shows what the changes are worth.
"""

from typing import Any

from torchvision.transforms import v2

from fullshot.cli import main
from fullshot.train.detector.torchvision import augment, trainer

if __name__ == "__main__":
    unchanged: Any = v2.Identity()
    augment._PLACED = augment._COLOURED = unchanged
    trainer._RECIPE += ", pictures as they are"
    main()
