"""The shapes of shoes: soles, uppers and the feet in them.

A shoe has coordinates of its own: heel at x = 0, toe at x = 106, the ground at y = 0, up is negative.
"""

from __future__ import annotations

from dataclasses import dataclass

from fullshot.demo.drawing.geometry import Point, smooth
from fullshot.demo.drawing.patterns import Fabric


@dataclass(frozen=True)
class Shoe:
    """The design of a shoe."""

    kind: str
    fabric: Fabric
    sole: str
    accent: str
    lace: str = "#f4f2ee"
    mark: str = "none"
    heel: float = 0.0


# Where the ankle joint of a frame goes.
ANKLE: Point = (25.0, -60.0)


_Path = str


def poly(*points: Point) -> _Path:
    """Closed smooth path through `points`."""
    return smooth(points) + "Z"


def sole_path(shoe: Shoe) -> _Path:
    """Path of the sole."""
    k = shoe.kind
    if k == "runner":
        return "M-4 -6C-6 -18 -4 -24 3 -24C24 -17 46 -15 66 -15C84 -15 98 -18 107 -23C112 -16 109 -5 100 -2C70 1 20 1 2 0C-1 0 -3 -2 -4 -6Z"
    if k in ("sneaker", "hightop", "slipon"):
        return "M-2 -3L-3 -15C0 -17 2 -17 5 -16C40 -13 70 -13 104 -18C109 -14 110 -6 105 -1C102 1 4 1 1 0C-1 0 -2 -1 -2 -3Z"
    if k in ("oxford", "loafer", "brogue"):
        return "M-2 0L-2 -13L26 -12L28 -6C50 -4 80 -5 108 -9C110 -5 108 -1 102 0L32 0L30 -2L27 0Z"
    if k in ("boot", "chelsea"):
        return "M-3 0L-3 -17L26 -16L30 -9C52 -8 82 -8 107 -12C110 -7 109 -2 103 0L34 0L30 -3L27 0Z"
    if k in ("heel", "heelboot"):
        h = shoe.heel
        return f"M1 {-h - 6}L15 {-h - 2}C16 {-h * 0.6:.0f} 13 {-h * 0.3:.0f} 12 0H5C6 {-h * 0.4:.0f} 2 {-h * 0.7:.0f} 1 {-h - 6}ZM14 {-h - 6}C40 {-h * 0.75:.0f} 58 -9 74 -6L106 -6C110 -3 106 0 100 0L72 0C56 -3 38 {-h * 0.55:.0f} 13 {-h:.0f}Z"
    if k == "flat":
        return "M-1 0L-1 -7C30 -4 70 -4 106 -6C109 -3 107 0 102 0Z"
    return "M-3 0L-3 -14C20 -11 60 -9 106 -12C110 -8 110 -3 105 0Z"


def upper_paths(shoe: Shoe) -> list[_Path]:
    """Shapes of the upper, back to front."""
    k, h = shoe.kind, shoe.heel
    match k:
        case "sneaker":
            return [
                poly(
                    (2, -14),
                    (-1, -34),
                    (1, -55),
                    (8, -60),
                    (24, -55),
                    (38, -54),
                    (46, -52),
                    (62, -38),
                    (84, -30),
                    (100, -27),
                    (106, -16),
                    (70, -12),
                    (30, -12),
                    (2, -14),
                )
            ]
        case "slipon":
            return [
                poly(
                    (2, -14),
                    (-1, -34),
                    (2, -48),
                    (9, -52),
                    (26, -46),
                    (42, -45),
                    (58, -42),
                    (82, -33),
                    (100, -27),
                    (106, -16),
                    (70, -12),
                    (30, -12),
                    (2, -14),
                )
            ]
        case "hightop":
            return [
                poly(
                    (2, -14),
                    (0, -50),
                    (2, -82),
                    (10, -88),
                    (28, -85),
                    (43, -88),
                    (47, -72),
                    (52, -54),
                    (66, -38),
                    (86, -30),
                    (101, -26),
                    (106, -16),
                    (70, -12),
                    (30, -12),
                    (2, -14),
                )
            ]
        case "runner":
            return [
                poly(
                    (1, -20),
                    (-4, -40),
                    (-2, -62),
                    (4, -66),
                    (14, -58),
                    (30, -54),
                    (42, -58),
                    (50, -54),
                    (64, -40),
                    (86, -31),
                    (103, -27),
                    (107, -20),
                    (70, -13),
                    (30, -15),
                    (1, -20),
                )
            ]
        case "oxford" | "brogue":
            return [
                poly(
                    (0, -11),
                    (-2, -32),
                    (2, -50),
                    (9, -53),
                    (26, -48),
                    (42, -50),
                    (50, -46),
                    (64, -34),
                    (86, -27),
                    (103, -22),
                    (108, -9),
                    (70, -5),
                    (30, -7),
                    (0, -11),
                )
            ]
        case "loafer":
            return [
                poly(
                    (0, -11),
                    (-1, -30),
                    (3, -44),
                    (10, -46),
                    (28, -38),
                    (44, -36),
                    (56, -37),
                    (72, -34),
                    (92, -27),
                    (104, -21),
                    (108, -9),
                    (70, -5),
                    (30, -7),
                    (0, -11),
                )
            ]
        case "boot":
            return [
                poly(
                    (0, -14),
                    (-2, -50),
                    (1, -98),
                    (5, -112),
                    (26, -110),
                    (46, -112),
                    (48, -92),
                    (48, -64),
                    (56, -46),
                    (72, -36),
                    (92, -31),
                    (104, -24),
                    (107, -12),
                    (70, -8),
                    (30, -10),
                    (0, -14),
                )
            ]
        case "chelsea":
            return [
                poly(
                    (0, -14),
                    (-2, -50),
                    (2, -92),
                    (6, -104),
                    (26, -101),
                    (45, -104),
                    (46, -84),
                    (49, -60),
                    (58, -44),
                    (74, -34),
                    (94, -28),
                    (105, -22),
                    (107, -12),
                    (70, -8),
                    (30, -10),
                    (0, -14),
                )
            ]
        case "heel":
            return [
                poly(
                    (0, -h - 4),
                    (-2, -h - 18),
                    (3, -h - 28),
                    (10, -h - 26),
                    (22, -h - 10),
                    (40, -h * 0.7 - 8),
                    (58, -24),
                    (70, -22),
                    (82, -24),
                    (96, -17),
                    (107, -6),
                    (74, -4),
                    (54, -8),
                    (34, -h * 0.65),
                    (14, -h - 3),
                )
            ]
        case "heelboot":
            return [
                poly(
                    (0, -h - 4),
                    (-3, -h - 30),
                    (0, -104),
                    (5, -114),
                    (26, -112),
                    (45, -114),
                    (46, -92),
                    (48, -66),
                    (58, -44),
                    (76, -30),
                    (96, -20),
                    (107, -6),
                    (74, -4),
                    (54, -8),
                    (34, -h * 0.65),
                    (14, -h - 3),
                )
            ]
        case "flat":
            return [
                poly(
                    (0, -5),
                    (-2, -22),
                    (2, -33),
                    (10, -34),
                    (24, -19),
                    (42, -15),
                    (60, -17),
                    (74, -24),
                    (92, -20),
                    (107, -6),
                    (70, -3),
                    (30, -3),
                    (0, -5),
                )
            ]
        case _:
            straps = [
                "M64 -11C64 -30 74 -40 88 -38L100 -34C106 -28 107 -18 106 -11L92 -10C92 -20 88 -26 82 -24C76 -20 76 -14 77 -10Z"
            ]
            if k == "sandal":
                straps.append("M34 -12C36 -30 42 -46 50 -56L63 -50C56 -38 52 -26 52 -11Z")
                straps.append(
                    "M-1 -13C-3 -34 -1 -52 6 -62C20 -70 38 -68 48 -60L45 -50C34 -56 20 -58 13 -52C9 -44 11 -26 13 -12Z"
                )
            return straps


def foot_path() -> _Path:
    """A foot flat on the ground, up to the ankle."""
    return poly(
        (2, -10),
        (-2, -30),
        (4, -52),
        (9, -90),
        (25, -96),
        (41, -90),
        (43, -64),
        (56, -44),
        (78, -31),
        (96, -24),
        (105, -14),
        (98, -8),
        (60, -8),
        (30, -9),
        (2, -10),
    )


def heel_foot_path(h: float) -> _Path:
    """A foot on a heel of height `h`, up to the ankle."""
    return poly(
        (4, -h - 4),
        (0, -h - 20),
        (6, -h - 40),
        (9, -h - 60),
        (25, -h - 66),
        (41, -h - 60),
        (46, -h - 34),
        (60, -34),
        (78, -25),
        (98, -16),
        (104, -8),
        (74, -6),
        (52, -12),
        (30, -h * 0.7),
        (4, -h - 4),
    )
