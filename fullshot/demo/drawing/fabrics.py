"""Cloth: how a piece of fabric is cut, painted and shaded."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fullshot.demo.drawing.canvas import Bounds, Canvas, bounds, fill, stroke
from fullshot.demo.drawing.geometry import Point, number
from fullshot.demo.drawing.palette import darker, lightness, mix
from fullshot.demo.drawing.patterns import Fabric, Tile, repeat_of


def coat(
    canvas: Canvas, d: str, fabric: Fabric, origin: Point = (0.0, 0.0), angle: float = 0.0, *, whole: bool = False
) -> str:
    """Markup of `d` in `fabric`, its pattern laid from `origin` and turned by `angle` degrees.

    Only what the canvas sees gets its pattern, or the `whole` of it where `d` is not in figure units.
    """
    if fabric.pattern == "ombre":
        grade = canvas.gradient(
            [(0, fabric.colour), (0.25, fabric.colour), (1, fabric.second)],
            origin[0],
            origin[1],
            origin[0],
            origin[1] + 330 * fabric.scale,
        )
        return fill(d, f"url(#{grade})")
    ground = fill(d, fabric.colour)
    tile = repeat_of(fabric)
    if tile is None or not (whole or canvas.sees(d)):
        return ground
    return (
        f'{ground}<g clip-path="url(#{canvas.clip([d])})">'
        f'<g transform="translate({number(origin[0])} {number(origin[1])}) rotate({number(angle)}) scale({fabric.scale:.2f})">'
        f"{_repeat(tile, d, None if whole else canvas.window, fabric.scale, origin, angle)}</g></g>"
    )


def _repeat(tile: Tile, d: str, window: Bounds | None, scale: float, origin: Point, angle: float) -> str:
    """Every mark of `tile`, repeated over what is seen of `d`: one path a mark."""
    box = bounds(d)
    window = window or box
    x0, y0, x1, y1 = max(box[0], window[0]), max(box[1], window[1]), min(box[2], window[2]), min(box[3], window[3])
    a = math.radians(-angle)
    corners = [(x - origin[0], y - origin[1]) for x in (x0, x1) for y in (y0, y1)]
    turned = [
        ((x * math.cos(a) - y * math.sin(a)) / scale, (x * math.sin(a) + y * math.cos(a)) / scale) for x, y in corners
    ]
    left, right = min(x for x, _ in turned), max(x for x, _ in turned)
    up, down = min(y for _, y in turned), max(y for _, y in turned)
    # Marks may reach over their tile by a little.
    columns = (
        range(math.floor((left - 6) / tile.width), math.ceil((right + 6) / tile.width)) if tile.width else range(1)
    )
    rows = range(math.floor((up - 6) / tile.height), math.ceil((down + 6) / tile.height)) if tile.height else range(1)
    out = []
    for m in tile.marks:
        starts = [
            (m.x + i * tile.width if tile.width else left, m.y + j * tile.height if tile.height else up)
            for j in rows
            for i in columns
        ]
        path = m.path or (
            f"h{right - left:.0f}v{m.span}h{left - right:.0f}z"
            if not tile.width
            else f"h{m.span}v{down - up:.0f}h-{m.span}z"
        )
        d_marks = "".join(f"M{number(x)} {number(y)}{path}" for x, y in starts)
        out.append(f'<path d="{d_marks}" {m.paint}/>')
    return "".join(out)


def drape(
    canvas: Canvas,
    tag: str,
    colour: str,
    shapes: Sequence[str],
    art: str,
    shades: Sequence[tuple[str, float]] = (),
    lights: Sequence[tuple[str, float]] = (),
    details: str = "",
    inlay: str = "",
    depth: float = 1.0,
    transform: str = "",
) -> None:
    """Draw a piece of cloth cut to `shapes`.

    Args:
        canvas: Where.
        tag: Whose silhouette it is.
        colour: Main colour; decides how strong shade and light must be to be seen on it.
        shapes: Path data; the piece is their union.
        art: Markup that paints the piece: ground and pattern.
        shades: Open paths and widths of soft shadows: edges turned from the light, folds.
        lights: The same for soft light.
        details: Markup of seams and trims that keep within the piece.
        inlay: Markup of parts that must be cut to the piece; cutting costs more than drawing, so only these are.
        depth: Strength of the shading.
        transform: Transform of the group that the piece is drawn in.
    """
    if not transform and not any(canvas.sees(d) for d in shapes):
        return
    light = lightness(colour)
    shade = (0.30 + 0.16 * (1 - light)) * depth
    # On dark cloth light is all that shows its form.
    shine = (0.15 if light > 0.25 else 0.13) * depth
    soft = "".join(stroke(d, "#000000", w + 3, shade) for d, w in shades)
    soft += "".join(stroke(d, "#ffffff", w + 1, shine) for d, w in lights)
    canvas.model(shapes, soft, transform)
    outline = darker(colour, 0.5) if light > 0.2 else mix(colour, "#000000", 0.5)
    rim = stroke(shapes[0], outline, 1.2, 0.4) if len(shapes) == 1 else ""
    if inlay:
        inlay = f'<g clip-path="url(#{canvas.clip(shapes)})">{inlay}</g>'
    canvas.add(art, inlay, details, rim)
    canvas.silhouette(tag, *shapes, transform=transform)
