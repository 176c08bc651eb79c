"""What every box format is read into and written from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Annotated:
    """A picture and its boxes, as a file of annotations tells of them.

    ``file_name`` is the picture's, as the annotations have it; ``width`` and ``height`` are in pixels; ``boxes`` holds
    a category's name and ``(x_min, y_min, x_max, y_max)`` in pixels for each box.
    """

    file_name: str
    width: int
    height: int
    boxes: tuple[tuple[str, tuple[float, float, float, float]], ...] = ()
