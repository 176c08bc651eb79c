"""Draws shoes in three-quarter view, as a pair on its own or on the feet of a frame."""

from __future__ import annotations

from fullshot.demo.drawing.canvas import BODY, Canvas, fill, stroke
from fullshot.demo.drawing.fabrics import coat, drape
from fullshot.demo.drawing.figure import SIDES, Frame
from fullshot.demo.drawing.geometry import number
from fullshot.demo.drawing.lasts import ANKLE, Shoe, foot_path, heel_foot_path, poly, sole_path, upper_paths
from fullshot.demo.drawing.palette import darker, lighter, lightness


def draw_shoe(canvas: Canvas, shoe: Shoe, tag: str, transform: str, skin: tuple[str, str] | None = None) -> None:
    """One shoe pointing to positive x before `transform`; `skin` (paint, shade) shows the foot in it."""
    sole = sole_path(shoe)
    upper = upper_paths(shoe)
    canvas.add(f'<g transform="{transform}">')
    if shoe.kind in ("heel", "flat"):
        inside = darker(shoe.accent, 0.3)
        back = poly(
            (2, -shoe.heel - 8),
            (6, -shoe.heel - 30),
            (24, -shoe.heel * 0.9 - 20),
            (46, -shoe.heel * 0.6 - 16),
            (74, -26),
            (70, -12),
            (40, -8 - shoe.heel * 0.4),
        )
        canvas.add(fill(back, inside))
        canvas.model([back], "", transform)
        canvas.silhouette(tag, back, transform=transform)
    if skin and shoe.kind not in ("boot", "chelsea", "heelboot"):
        d = heel_foot_path(shoe.heel) if shoe.kind == "heel" else foot_path()
        edge = stroke(d, "#000000", 9, 0.25)
        toes = (
            "".join(stroke(f"M{x} {y}q4 4 2 9", skin[1], 1.3, 0.6) for x, y in ((88, -24), (94, -21), (99, -17)))
            if shoe.kind in ("sandal", "slide")
            else ""
        )
        canvas.add(fill(d, skin[0]), stroke(d, darker(skin[1], 0.15), 0.9, 0.5), toes)
        canvas.model([d], edge, transform)
        canvas.silhouette(BODY, d, transform=transform)
    elif shoe.kind in ("sandal", "slide"):
        bed = "M0 -14C10 -24 30 -22 60 -20C84 -22 100 -22 106 -12Z"
        canvas.add(fill(bed, darker(shoe.accent, 0.25)))
        canvas.model([bed], "", transform)
        canvas.silhouette(tag, bed, transform=transform)
    sole_ink = darker(shoe.sole, 0.45)
    lines = {
        "sneaker": stroke("M-3 -7C40 -4 70 -4 107 -9", sole_ink, 1.4, 0.6)
        + stroke("M-3 -12C40 -9 70 -9 107 -14", shoe.accent, 2.2, 0.9),
        "hightop": stroke("M-3 -7C40 -4 70 -4 107 -9", sole_ink, 1.4, 0.6)
        + stroke("M-3 -12C40 -9 70 -9 107 -14", shoe.accent, 2.2, 0.9),
        "runner": fill("M-4 -8C20 -4 60 -4 106 -9L104 2H0Z", shoe.accent, 0.9)
        + "".join(stroke(f"M{x} -3v4", sole_ink, 1.2, 0.6) for x in range(4, 104, 9)),
        "boot": "".join(stroke(f"M{x} -5v5", darker(shoe.sole, 0.6), 2, 0.8) for x in range(0, 106, 8)),
    }.get(shoe.kind, "")
    drape(canvas, tag, shoe.sole, [sole], fill(sole, shoe.sole), [("M-2 2H110", 6)], inlay=lines, transform=transform)
    colour = shoe.fabric.colour
    art = "".join(coat(canvas, d, shoe.fabric, whole=True) for d in upper)
    edges = [(d, 7.0) for d in upper]
    lights = [("M52 -44C66 -34 84 -28 98 -24", 6.0), ("M8 -44C14 -36 30 -34 44 -36", 7.0)]
    drape(canvas, tag, colour, upper, art, edges, lights, _details(shoe), _mark(shoe), 0.8, transform)
    canvas.add("</g>")


def _mark(shoe: Shoe) -> str:
    """The block or sign in the accent colour on the upper."""
    return {
        "stripes": "".join(stroke(f"M{x} -14L{x + 16} -44", shoe.accent, 4.6) for x in (26, 36, 46)),
        "swoop": fill("M20 -22C34 -12 58 -22 84 -34C64 -14 36 -8 24 -14C19 -17 18 -20 20 -22Z", shoe.accent),
        "panel": fill("M30 -12C34 -30 46 -36 56 -44L70 -34C64 -26 58 -18 56 -10Z", shoe.accent),
        "heel tab": fill("M-6 -10L-6 -70L14 -60L15 -10Z", shoe.accent),
        "toe": fill("M74 -6C74 -20 78 -32 84 -36L112 -26V-6Z", shoe.accent),
        "two tone": fill("M-6 -4V-120H36L40 -6Z", shoe.accent),
        "zigzag": stroke("M22 -18L32 -34L40 -18L50 -34L58 -18", shoe.accent, 4.4),
    }.get(shoe.mark, "")


def _details(shoe: Shoe) -> str:
    """Laces, caps, stripes and seams."""
    colour = shoe.fabric.colour
    ink = darker(colour, 0.5) if lightness(colour) > 0.2 else lighter(colour, 0.25)
    art: list[str] = []
    k = shoe.kind
    if k in ("sneaker", "runner", "hightop"):
        # Tongue and laces over the throat.
        top = -84 if k == "hightop" else -52
        art.append(stroke(f"M42 {top}C46 -46 58 -38 70 -32", darker(colour, 0.25), 3, 0.6))
        rows = 6 if k == "hightop" else 4
        for i in range(rows):
            t = i / (rows - 1)
            x, y = (47 + 20 * t, -49 + 14 * t) if k != "hightop" else (42 + 26 * t, -80 + 44 * t)
            art.append(
                stroke(
                    f"M{number(x - 7)} {number(y + 8)}L{number(x + 6)} {number(y - 2)}",
                    darker(shoe.lace, 0.35),
                    5.0,
                    0.6,
                )
            )
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
            art += [
                f'<circle cx="{80 + 5 * (i % 4)}" cy="{-24 + 5 * (i // 4)}" r="1.2" fill="{ink}"/>' for i in range(12)
            ]
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
        if y - 130 > canvas.window[3]:
            continue
        # A foot turned outwards is foreshortened, and its toe comes nearer to the viewer: lower in the picture.
        across, down = 0.92, 0.17
        size = 1.0 if not frame.body.women else 0.94
        ankle = (ANKLE[0], ANKLE[1])
        transform = (
            f"translate({number(x)} {number(y)}) matrix({side * across * size:.3f} {down * size:.3f} 0 {size:.3f} 0 0) "
            f"translate({-ankle[0]} {-ankle[1]})"
        )
        draw_shoe(canvas, shoe, tag, transform, (frame.body.skin, frame.body.skin_deep))
