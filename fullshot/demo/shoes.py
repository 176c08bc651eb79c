"""Draws shoes in three-quarter view, as a pair on its own or on the feet of a frame."""

from __future__ import annotations

from dataclasses import dataclass

from fullshot.demo.canvas import BODY, Canvas, fill, stroke
from fullshot.demo.fabrics import Fabric, coat, drape, paints
from fullshot.demo.figure import SIDES, Frame
from fullshot.demo.geometry import Point, number, smooth
from fullshot.demo.palette import darker, lighter, lightness


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


# A shoe's own coordinates: heel at x = 0, toe at x = 106, the ground at y = 0, up is negative.
_ANKLE: Point = (25.0, -60.0)

_Path = str


def _poly(*points: Point) -> _Path:
    return smooth(points) + "Z"


def _sole(shoe: Shoe) -> _Path:
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


def _upper(shoe: Shoe) -> list[_Path]:
    """Shapes of the upper, back to front."""
    k, h = shoe.kind, shoe.heel
    match k:
        case "sneaker":
            return [_poly((2, -14), (-1, -34), (1, -55), (8, -60), (24, -55), (38, -54), (46, -52), (62, -38), (84, -30), (100, -27), (106, -16), (70, -12), (30, -12), (2, -14))]
        case "slipon":
            return [_poly((2, -14), (-1, -34), (2, -48), (9, -52), (26, -46), (42, -45), (58, -42), (82, -33), (100, -27), (106, -16), (70, -12), (30, -12), (2, -14))]
        case "hightop":
            return [_poly((2, -14), (0, -50), (2, -82), (10, -88), (28, -85), (43, -88), (47, -72), (52, -54), (66, -38), (86, -30), (101, -26), (106, -16), (70, -12), (30, -12), (2, -14))]
        case "runner":
            return [_poly((1, -20), (-4, -40), (-2, -62), (4, -66), (14, -58), (30, -54), (42, -58), (50, -54), (64, -40), (86, -31), (103, -27), (107, -20), (70, -13), (30, -15), (1, -20))]
        case "oxford" | "brogue":
            return [_poly((0, -11), (-2, -32), (2, -50), (9, -53), (26, -48), (42, -50), (50, -46), (64, -34), (86, -27), (103, -22), (108, -9), (70, -5), (30, -7), (0, -11))]
        case "loafer":
            return [_poly((0, -11), (-1, -30), (3, -44), (10, -46), (28, -38), (44, -36), (56, -37), (72, -34), (92, -27), (104, -21), (108, -9), (70, -5), (30, -7), (0, -11))]
        case "boot":
            return [_poly((0, -14), (-2, -50), (1, -98), (5, -112), (26, -110), (46, -112), (48, -92), (48, -64), (56, -46), (72, -36), (92, -31), (104, -24), (107, -12), (70, -8), (30, -10), (0, -14))]
        case "chelsea":
            return [_poly((0, -14), (-2, -50), (2, -92), (6, -104), (26, -101), (45, -104), (46, -84), (49, -60), (58, -44), (74, -34), (94, -28), (105, -22), (107, -12), (70, -8), (30, -10), (0, -14))]
        case "heel":
            return [_poly((0, -h - 4), (-2, -h - 18), (3, -h - 28), (10, -h - 26), (22, -h - 10), (40, -h * 0.7 - 8), (58, -24), (70, -22), (82, -24), (96, -17), (107, -6), (74, -4), (54, -8), (34, -h * 0.65), (14, -h - 3))]
        case "heelboot":
            return [_poly((0, -h - 4), (-3, -h - 30), (0, -104), (5, -114), (26, -112), (45, -114), (46, -92), (48, -66), (58, -44), (76, -30), (96, -20), (107, -6), (74, -4), (54, -8), (34, -h * 0.65), (14, -h - 3))]
        case "flat":
            return [_poly((0, -5), (-2, -22), (2, -33), (10, -34), (24, -19), (42, -15), (60, -17), (74, -24), (92, -20), (107, -6), (70, -3), (30, -3), (0, -5))]
        case _:
            straps = ["M64 -11C64 -30 74 -40 88 -38L100 -34C106 -28 107 -18 106 -11L92 -10C92 -20 88 -26 82 -24C76 -20 76 -14 77 -10Z"]
            if k == "sandal":
                straps.append("M34 -12C36 -30 42 -46 50 -56L63 -50C56 -38 52 -26 52 -11Z")
                straps.append("M-1 -13C-3 -34 -1 -52 6 -62C20 -70 38 -68 48 -60L45 -50C34 -56 20 -58 13 -52C9 -44 11 -26 13 -12Z")
            return straps


def _foot() -> _Path:
    return _poly((2, -10), (-2, -30), (4, -52), (9, -90), (25, -96), (41, -90), (43, -64), (56, -44), (78, -31), (96, -24), (105, -14), (98, -8), (60, -8), (30, -9), (2, -10))


def _heel_foot(h: float) -> _Path:
    return _poly((4, -h - 4), (0, -h - 20), (6, -h - 40), (9, -h - 60), (25, -h - 66), (41, -h - 60), (46, -h - 34), (60, -34), (78, -25), (98, -16), (104, -8), (74, -6), (52, -12), (30, -h * 0.7), (4, -h - 4))


def draw_shoe(canvas: Canvas, shoe: Shoe, tag: str, transform: str, skin: tuple[str, str] | None = None) -> None:
    """One shoe pointing to positive x before `transform`; `skin` (paint, shade) shows the foot in it."""
    sole = _sole(shoe)
    open_shoe = shoe.kind in ("sandal", "slide", "heel", "flat", "loafer", "slipon")
    upper = _upper(shoe)
    canvas.add(f'<g transform="{transform}">')
    if shoe.kind in ("heel", "flat"):
        inside = darker(shoe.accent, 0.3)
        back = _poly((2, -shoe.heel - 8), (6, -shoe.heel - 30), (24, -shoe.heel * 0.9 - 20), (46, -shoe.heel * 0.6 - 16), (74, -26), (70, -12), (40, -8 - shoe.heel * 0.4))
        canvas.add(fill(back, inside))
        canvas.silhouette(tag, back, transform=transform)
    if skin and open_shoe:
        d = _heel_foot(shoe.heel) if shoe.kind == "heel" else _foot()
        clip = canvas.clip([d])
        edge = stroke(d, skin[1], 9, 0.6)
        toes = "".join(stroke(f"M{x} {y}q4 4 2 9", skin[1], 1.3, 0.6) for x, y in ((88, -24), (94, -21), (99, -17))) if shoe.kind in ("sandal", "slide") else ""
        canvas.add(f'<g clip-path="url(#{clip})">{fill(d, skin[0])}<g filter="url(#{canvas.blur(3)})">{edge}</g>{toes}</g>')
        canvas.silhouette(BODY, d, transform=transform)
    elif shoe.kind in ("sandal", "slide"):
        bed = "M0 -14C10 -24 30 -22 60 -20C84 -22 100 -22 106 -12Z"
        canvas.add(fill(bed, darker(shoe.accent, 0.25)))
        canvas.silhouette(tag, bed, transform=transform)
    sole_ink = darker(shoe.sole, 0.45)
    lines = {
        "sneaker": stroke("M-3 -7C40 -4 70 -4 107 -9", sole_ink, 1.4, 0.6) + stroke("M-3 -12C40 -9 70 -9 107 -14", shoe.accent, 2.2, 0.9),
        "hightop": stroke("M-3 -7C40 -4 70 -4 107 -9", sole_ink, 1.4, 0.6) + stroke("M-3 -12C40 -9 70 -9 107 -14", shoe.accent, 2.2, 0.9),
        "runner": fill("M-4 -8C20 -4 60 -4 106 -9L104 2H0Z", shoe.accent, 0.9) + "".join(stroke(f"M{x} -3v4", sole_ink, 1.2, 0.6) for x in range(4, 104, 9)),
        "boot": "".join(stroke(f"M{x} -5v5", darker(shoe.sole, 0.6), 2, 0.8) for x in range(0, 106, 8)),
    }.get(shoe.kind, "")
    drape(canvas, tag, shoe.sole, [sole], fill(sole, shoe.sole), [("M-2 2H110", 6)], details=lines, transform=transform)
    colour = shoe.fabric.colour
    layers = paints(canvas, shoe.fabric, (0, 0), 0)
    art = "".join(coat(d, layers) for d in upper)
    edges = [(d, 7.0) for d in upper]
    lights = [("M52 -44C66 -34 84 -28 98 -24", 6.0), ("M8 -44C14 -36 30 -34 44 -36", 7.0)]
    drape(canvas, tag, colour, upper, art, edges, lights, _details(shoe), 0.8, transform)
    canvas.add("</g>")


def _details(shoe: Shoe) -> str:
    """Laces, caps, stripes and seams."""
    colour = shoe.fabric.colour
    ink = darker(colour, 0.5) if lightness(colour) > 0.2 else lighter(colour, 0.25)
    art: list[str] = []
    k = shoe.kind
    mark = {
        "stripes": "".join(stroke(f"M{x} -14L{x + 16} -44", shoe.accent, 4.6) for x in (26, 36, 46)),
        "swoop": fill("M20 -22C34 -12 58 -22 84 -34C64 -14 36 -8 24 -14C19 -17 18 -20 20 -22Z", shoe.accent),
        "panel": fill("M30 -12C34 -30 46 -36 56 -44L70 -34C64 -26 58 -18 56 -10Z", shoe.accent),
        "heel tab": fill("M-6 -10L-6 -70L14 -60L15 -10Z", shoe.accent),
        "toe": fill("M74 -6C74 -20 78 -32 84 -36L112 -26V-6Z", shoe.accent),
        "two tone": fill("M-6 -4V-120H36L40 -6Z", shoe.accent),
        "zigzag": stroke("M22 -18L32 -34L40 -18L50 -34L58 -18", shoe.accent, 4.4),
    }.get(shoe.mark, "")
    art.append(mark)
    if k in ("sneaker", "runner", "hightop"):
        # Tongue and laces over the throat.
        top = -84 if k == "hightop" else -52
        art.append(stroke(f"M42 {top}C46 -46 58 -38 70 -32", darker(colour, 0.25), 3, 0.6))
        rows = 6 if k == "hightop" else 4
        for i in range(rows):
            t = i / (rows - 1)
            x, y = (47 + 20 * t, -49 + 14 * t) if k != "hightop" else (42 + 26 * t, -80 + 44 * t)
            art.append(stroke(f"M{number(x - 7)} {number(y + 8)}L{number(x + 6)} {number(y - 2)}", darker(shoe.lace, 0.35), 5.0, 0.6))
            art.append(stroke(f"M{number(x - 7)} {number(y + 7)}L{number(x + 6)} {number(y - 3)}", shoe.lace, 3.4))
        art.append(stroke("M-1 -40C12 -34 16 -22 16 -12", ink, 1.4, 0.5))
        art.append(stroke("M74 -33C70 -26 70 -18 72 -12", ink, 1.4, 0.5))
        if k == "runner":
            art.append(stroke("M4 -62C14 -54 32 -52 44 -56", shoe.accent, 4.0, 0.9))
    elif k in ("oxford", "brogue"):
        art.append(stroke("M76 -31C72 -22 72 -12 75 -6", ink, 1.8, 0.7))
        art.append(stroke("M44 -49C38 -36 40 -22 56 -12", ink, 1.6, 0.7))
        for i in range(4):
            x, y = 45 + 5 * i, -45 + 4.2 * i
            art.append(stroke(f"M{x - 5} {y + 6}L{x + 4} {y - 2}", shoe.lace, 2.4))
        if k == "brogue":
            art += [f'<circle cx="{80 + 5 * (i % 4)}" cy="{-24 + 5 * (i // 4)}" r="1.2" fill="{ink}"/>' for i in range(12)]
        art.append(stroke("M84 -24C92 -21 98 -18 102 -14", lighter(colour, 0.7), 2.6, 0.5))
    elif k == "loafer":
        art.append(stroke("M50 -38C58 -30 84 -24 98 -24", ink, 1.8, 0.7))
        art.append(fill("M52 -37L70 -33L64 -8L48 -8Z", darker(colour, 0.18)))
        art.append(fill("M56 -28L65 -26L63 -20L54 -22Z", shoe.accent))
    elif k == "boot":
        art.append(stroke("M50 -58C46 -40 48 -24 54 -10", ink, 1.6, 0.6))
        for i in range(6):
            x, y = 40 + 3.2 * i * (0.4 if i < 4 else 1.6), -104 + 12 * i
            art.append(stroke(f"M{number(x - 8)} {y + 3}L{number(x + 7)} {y - 2}", shoe.lace, 3.0))
        art.append(stroke("M2 -104C18 -100 34 -101 46 -104", shoe.accent, 7, 0.9))
        art.append(stroke("M80 -33C76 -24 76 -16 78 -10", ink, 1.5, 0.6))
    elif k == "chelsea":
        art.append(fill("M14 -100L34 -101L30 -62H22Z", shoe.accent))
        art.append(stroke("M0 -46C20 -40 40 -42 52 -54", ink, 1.4, 0.5))
    elif k == "heelboot":
        art.append(stroke("M30 -112V-50", ink, 1.8, 0.6))
        art.append(stroke("M2 -106C18 -102 34 -103 46 -106", shoe.accent, 5, 0.9))
    elif k == "heel":
        if shoe.mark == "none":
            art.append(stroke("M58 -23C70 -20 82 -22 94 -17", lighter(colour, 0.6), 2.2, 0.5))
    elif k == "flat":
        art.append(stroke("M72 -22C80 -23 90 -20 98 -16", lighter(colour, 0.6), 2.0, 0.5))
        if shoe.mark in ("none", "stripes"):
            art.append(f'<path d="M74 -22L66 -30V-15ZM74 -22L83 -28V-16Z" fill="{shoe.accent}"/>')
    elif k in ("sandal", "slide"):
        art.append(stroke("M88 -38C90 -28 91 -18 92 -10", shoe.accent, 3.0, 0.9))
        if k == "sandal":
            art.append(fill("M44 -46L56 -40L54 -32L42 -38Z", shoe.accent))
    elif k == "slipon":
        art.append(fill("M40 -44L50 -43L47 -27L37 -30Z", darker(colour, 0.4)))
        art.append(stroke("M54 -43C58 -32 58 -22 56 -12", ink, 1.3, 0.5))
    return "".join(art)


def draw_shoes(canvas: Canvas, frame: Frame, shoe: Shoe, tag: str) -> None:
    """Both shoes on the feet of `frame`, toes outwards."""
    for i, side in enumerate(SIDES):
        x, y = frame.ankles[i]
        # A foot turned outwards is foreshortened, and its toe comes nearer to the viewer: lower in the picture.
        across, down = 0.92, 0.17
        size = 1.0 if not frame.body.women else 0.94
        ankle = (_ANKLE[0], _ANKLE[1])
        transform = (
            f"translate({number(x)} {number(y)}) matrix({side * across * size:.3f} {down * size:.3f} 0 {size:.3f} 0 0) "
            f"translate({-ankle[0]} {-ankle[1]})"
        )
        draw_shoe(canvas, shoe, tag, transform, (frame.body.skin, frame.body.skin_deep))
