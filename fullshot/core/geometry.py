"""A picture as it is stored and as it is shown: its EXIF orientation, and where a box lies in either."""

from dataclasses import dataclass

from fullshot.core.boxes import Corners, upright_corners

ON_THEIR_SIDE = (5, 6, 7, 8)
"""EXIF orientations whose picture is shown as wide as it is stored high."""

_BACK = {6: 8, 8: 6}
"""The orientation that turns a picture back, where it is another one."""


@dataclass(frozen=True)
class ImageGeometry:
    """The size and the EXIF orientation of a stored picture.

    A browser, and every reader that turns pictures upright, shows it in another orientation than it is stored in.
    ``boxes`` has pixels of the picture as it is stored.

    Attributes:
        width: in pixels, as it is stored.
        height: in pixels, as it is stored.
        orientation: 1 to 8; 1 where it is shown as it is stored.
    """

    width: int
    height: int
    orientation: int = 1

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height in pixels as it is shown."""
        return (self.height, self.width) if self.orientation in ON_THEIR_SIDE else (self.width, self.height)

    def to_upright(self, corners: Corners) -> Corners:
        """Where a box lies in the picture as it is shown.

        Args:
            corners: ``(x_min, y_min, x_max, y_max)`` in pixels of the picture as it is stored.

        Returns:
            The same box, ``(x_min, y_min, x_max, y_max)`` in pixels of the picture as it is shown.
        """
        return self._turned(corners, (self.width, self.height), self.upright_size, self.orientation)

    def to_stored(self, corners: Corners) -> Corners:
        """Where a box lies in the picture as it is stored: the reverse of :meth:`to_upright`."""
        back = _BACK.get(self.orientation, self.orientation)
        return self._turned(corners, self.upright_size, (self.width, self.height), back)

    def _turned(self, corners: Corners, before: tuple[int, int], after: tuple[int, int], orientation: int) -> Corners:
        if orientation == 1:
            return corners
        (width, height), (x_min, y_min, x_max, y_max) = before, corners
        shares = upright_corners((x_min / width, y_min / height, x_max / width, y_max / height), orientation)
        return shares[0] * after[0], shares[1] * after[1], shares[2] * after[0], shares[3] * after[1]
