"""A picture under construction, in layers: drawing, soft light and shade, and every garment's silhouette.

A renderer's blur and pattern fills took four fifths of the time a picture needs. So patterns are plain paths, and
shading is a grey layer of its own, drawn small without any filter, blurred once and laid over the drawing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fullshot.demo.drawing.geometry import number

# What hides a garment without being one: skin, hair.
BODY = "body"

# The grey of the shading layer that changes nothing.
NEUTRAL = "#808080"


# x_min, y_min, x_max, y_max
Bounds = tuple[float, float, float, float]


def bounds(d: str) -> Bounds:
    """Box round the points of a path of M, L and C commands (a curve's control points included)."""
    values = [float(v) for v in re.findall(r"-?[\d.]+", d)]
    xs, ys = values[0::2], values[1::2]
    return min(xs), min(ys), max(xs), max(ys)


class Canvas:
    """Collects definitions, drawing, shading and silhouettes in paint order.

    Silhouettes are the truth about what is visible: the mask is painted in the same order as the drawing, so a
    shirt's hem hides a waistband there as it does in the picture.
    """

    def __init__(self, window: Bounds = (-1e6, -1e6, 1e6, 1e6)) -> None:
        """Open a canvas of which only `window` (figure units) will be seen: what lies outside is not drawn."""
        self.window = window
        self._defs: list[str] = []
        self._art: list[str] = []
        self._shade: list[str] = []
        self._ground: list[str] = []
        self._silhouettes: list[tuple[str, str]] = []
        self._known: dict[str, str] = {}

    def define(self, markup: str) -> str:
        """Add a definition written with `{id}` as its id; equal definitions are stored once. Returns the id."""
        if markup not in self._known:
            self._known[markup] = f"d{len(self._known)}"
            self._defs.append(markup.replace("{id}", self._known[markup]))
        return self._known[markup]

    def sees(self, d: str) -> bool:
        """Whether any of the path `d` can lie in the window."""
        x0, y0, x1, y1 = bounds(d)
        return x0 < self.window[2] and x1 > self.window[0] and y0 < self.window[3] and y1 > self.window[1]

    def add(self, *markup: str) -> None:
        """Draw."""
        self._art.extend(markup)

    def soft(self, *markup: str) -> None:
        """Shade: black darkens, white lightens, by their opacity; it is blurred afterwards."""
        self._shade.extend(markup)

    def model(self, shapes: Sequence[str], soft: str, transform: str = "") -> None:
        """Shade a new piece: what lies under `shapes` no longer counts, `soft` lies on them.

        `soft` may reach over the edges: on what lies below it is the shadow that the piece casts.
        """
        flat = "".join(f'<path d="{d}" fill="{NEUTRAL}"/>' for d in shapes)
        self.soft(f'<g transform="{transform}">{flat}{soft}</g>' if transform else flat + soft)

    def shadow(self, x: float, y: float, rx: float, ry: float, opacity: float) -> None:
        """A soft shadow on the ground."""
        fade = self.define(
            '<radialGradient id="{id}"><stop offset="0" stop-color="#0c0c18"/><stop offset="0.45" stop-color="#0c0c18" '
            'stop-opacity="0.6"/><stop offset="1" stop-color="#0c0c18" stop-opacity="0"/></radialGradient>'
        )
        self._ground.append(
            f'<ellipse cx="{number(x)}" cy="{number(y)}" rx="{number(rx)}" ry="{number(ry)}" fill="url(#{fade})" '
            f'fill-opacity="{opacity:.2f}"/>'
        )

    def silhouette(self, tag: str, *shapes: str, transform: str = "") -> None:
        """Say what the last drawing covers: path data per shape, and whose it is (`top`, `foot`, … or `BODY`)."""
        wrap = f' transform="{transform}"' if transform else ""
        self._silhouettes.extend((tag, f'<path d="{shape}"{wrap}/>') for shape in shapes)

    def clip(self, shapes: Sequence[str]) -> str:
        """Id of a clip path that is the union of `shapes`."""
        return self.define('<clipPath id="{id}">' + "".join(f'<path d="{d}"/>' for d in shapes) + "</clipPath>")

    def gradient(self, stops: Sequence[tuple[float, str]], x1: float, y1: float, x2: float, y2: float) -> str:
        """Id of a linear gradient between two points in figure units."""
        inner = "".join(f'<stop offset="{o:.2f}" stop-color="{c}"/>' for o, c in stops)
        return self.define(
            '<linearGradient id="{id}" gradientUnits="userSpaceOnUse" '
            f'x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}">{inner}</linearGradient>'
        )

    def drawing(self, width: int, height: int, view: str) -> str:
        """The figure on nothing; `view` is the transform from figure units to pixels."""
        return _svg(
            width, height, 1, f"<defs>{''.join(self._defs)}</defs>", f'<g transform="{view}">{"".join(self._art)}</g>'
        )

    def shading(self, width: int, height: int, view: str) -> str:
        """The shading layer at half size: blurred anyway."""
        return _svg(
            width,
            height,
            2,
            f'<rect width="{width}" height="{height}" fill="{NEUTRAL}"/>',
            f'<g transform="{view}" shape-rendering="crispEdges">{"".join(self._shade)}</g>',
        )

    def backdrop(self, width: int, height: int, view: str, ground: str, shrink: int) -> str:
        """The backdrop (markup in pixels) and the shadows on it, `shrink` times smaller: it is out of focus."""
        defs = "".join(d for d in self._defs if d.startswith("<radialGradient"))
        shadows = f'<g transform="{view}">{"".join(self._ground)}</g>'
        return _svg(width, height, shrink, f"<defs>{defs}</defs>{ground}", shadows)

    def mask(self, width: int, height: int, view: str, codes: dict[str, str]) -> str:
        """The silhouettes as flat colours: `codes[tag]`, or black for what only hides."""
        shapes = "".join(f'<g fill="{codes.get(tag, "#000000")}">{shape}</g>' for tag, shape in self._silhouettes)
        return _svg(width, height, 1, f'<g transform="{view}" shape-rendering="crispEdges">{shapes}</g>')


def _svg(width: int, height: int, shrink: int, *markup: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width // shrink}" height="{height // shrink}" '
        f'viewBox="0 0 {width} {height}">{"".join(markup)}</svg>'
    )


def stroke(d: str, colour: str, width: float, opacity: float = 1.0, extra: str = "") -> str:
    """Open path drawn with a round pen."""
    return (
        f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{number(width)}" stroke-opacity="{opacity:.2f}" '
        f'stroke-linecap="round" stroke-linejoin="round" {extra}/>'
    )


def fill(d: str, paint: str, opacity: float = 1.0, extra: str = "") -> str:
    """Filled path."""
    return f'<path d="{d}" fill="{paint}" fill-opacity="{opacity:.2f}" {extra}/>'
