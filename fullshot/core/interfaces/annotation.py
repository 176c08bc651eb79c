"""Files of boxes."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

Annotated = TypeVar("Annotated")
Category_contra = TypeVar("Category_contra", contravariant=True)


class BoxFormat(Protocol[Annotated, Category_contra]):
    """A file format of boxes. Registry: :data:`fullshot.annotate.formats.BOX_FORMATS`.

    Attributes:
        beside: where pictures lie when nobody says so, relative to the file or the folder of annotations.
        one_box: a picture has one box.
        whole_pixels: boxes lie on whole pixels.
    """

    beside: ClassVar[tuple[str, ...]]
    one_box: ClassVar[bool]
    whole_pixels: ClassVar[bool]

    def load(self, path: Path) -> Iterable[Annotated]:
        """The pictures and boxes of a file or a folder, to be gone through once.

        Raises:
            UserError: it is not what the format says; names file and line or part.
        """

    def save(
        self, folder: Path, splits: Mapping[str, Iterable[Annotated]], categories: Sequence[Category_contra]
    ) -> None:
        """Write a data set's annotations into a folder that holds its pictures already, by split.

        A split's pictures are read of the tables while one goes through them, which one may do several times.
        """

    def picture(self, split: str, image_id: str, number: int) -> str:
        """Where a picture lies in that folder, by its split, its image_id and its number from 1; without suffix."""
