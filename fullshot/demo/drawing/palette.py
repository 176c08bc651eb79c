"""Colours of the drawings: what the shop calls them, and how they get lighter and darker."""

from __future__ import annotations

# Myntra's words for a base colour, and the paint for each.
CLOTH: dict[str, str] = {
    "Black": "#25262b",
    "White": "#f5f5f3",
    "Off White": "#ece4d2",
    "Navy Blue": "#1f2b4d",
    "Blue": "#2f62b5",
    "Turquoise Blue": "#3fb0c0",
    "Teal": "#176b6f",
    "Green": "#2f8a4e",
    "Olive": "#6b6b35",
    "Lime Green": "#a9cf45",
    "Sea Green": "#7fc4a4",
    "Red": "#c4262e",
    "Maroon": "#6d1a2b",
    "Pink": "#ef8fb0",
    "Magenta": "#c02b7d",
    "Peach": "#f6b795",
    "Orange": "#e8762c",
    "Rust": "#a9502a",
    "Mustard": "#d49c26",
    "Yellow": "#f2cf45",
    "Purple": "#6a3d94",
    "Lavender": "#b6a4dc",
    "Grey": "#8b8e94",
    "Charcoal": "#474a51",
    "Silver": "#c6c9cf",
    "Brown": "#6b4530",
    "Tan": "#b98552",
    "Beige": "#d9c3a0",
    "Cream": "#f4ead0",
    "Khaki": "#a69468",
}

# A model's skin: paint, and a warmer, darker shade for lips and shadows.
SKIN: tuple[tuple[str, str], ...] = (
    ("#f6d7c3", "#c98f78"),
    ("#f0c8a8", "#bd7f62"),
    ("#e5b48c", "#ab6d4c"),
    ("#d29c71", "#94593b"),
    ("#b77f55", "#7b462c"),
    ("#94603d", "#5f3421"),
    ("#70452c", "#452417"),
    ("#573522", "#331a10"),
)

HAIR: tuple[str, ...] = (
    "#17120f",
    "#2a1c14",
    "#3f291a",
    "#5b3a20",
    "#8a5a2f",
    "#b98a4c",
    "#d9b878",
    "#7a2f1c",
    "#8d8a88",
)


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue (0 to 255) of `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(a: str, b: str, t: float) -> str:
    """Colour at `t` on the way from `a` to `b`."""
    return "#" + "".join(f"{round(x + (y - x) * t):02x}" for x, y in zip(channels(a), channels(b), strict=True))


def darker(colour: str, t: float) -> str:
    """`colour` moved by `t` towards a cool black: neutral black makes shadows look dirty."""
    return mix(colour, "#0d0b1c", t)


def lighter(colour: str, t: float) -> str:
    """`colour` moved by `t` towards white."""
    return mix(colour, "#ffffff", t)


def lightness(colour: str) -> float:
    """Perceived lightness, 0 to 1 (Rec. 601 luma)."""
    r, g, b = channels(colour)
    return (0.299 * r + 0.587 * g + 0.114 * b) / 255


def contrast(a: str, b: str) -> float:
    """Distance of two colours, 0 to 1: how well one is told from the other."""
    return sum(abs(x - y) for x, y in zip(channels(a), channels(b), strict=True)) / 765
