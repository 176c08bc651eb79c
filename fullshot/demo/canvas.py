"""A picture under construction: SVG markup, and beside it the silhouette of every garment for its bounding box."""

from __future__ import annotations

from collections.abc import Sequence

from fullshot.demo.geometry import number

# What hides a garment without being one: skin, hair.
BODY = "body"


class Canvas:
    """Collects definitions, drawing and silhouettes in paint order.

    Silhouettes are the truth about what is visible: the mask is painted in the same order as the drawing, so a
    shirt's hem hides a waistband there as it does in the picture.
    """

    def __init__(self) -> None:
        self._defs: list[str] = []
        self._art: list[str] = []
        self._silhouettes: list[tuple[str, str]] = []
        self._known: dict[str, str] = {}

    def define(self, markup: str) -> str:
        """Add a definition written with `{id}` as its id; equal definitions are stored once. Returns the id."""
        if markup not in self._known:
            self._known[markup] = f"d{len(self._known)}"
            self._defs.append(markup.replace("{id}", self._known[markup]))
        return self._known[markup]

    def add(self, *markup: str) -> None:
        """Draw."""
        self._art.extend(markup)

    def silhouette(self, tag: str, *shapes: str, transform: str = "") -> None:
        """Say what the last drawing covers: path data per shape, and whose it is (`top`, `foot`, … or `BODY`)."""
        wrap = f' transform="{transform}"' if transform else ""
        self._silhouettes.extend((tag, f'<path d="{shape}"{wrap}/>') for shape in shapes)

    def blur(self, deviation: float) -> str:
        """Id of a Gaussian blur in figure units, with room for it to spread."""
        return self.define(
            '<filter id="{id}" x="-40%" y="-40%" width="180%" height="180%">'
            f'<feGaussianBlur stdDeviation="{number(deviation)}"/></filter>'
        )

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

    def svg(self, width: int, height: int, view: str, backdrop: str = "", transform: str = "") -> str:
        """The picture; `view` is the transform from figure units to pixels, `backdrop` markup in pixels."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
            f"<defs>{''.join(self._defs)}</defs>{backdrop}"
            f'<g transform="{view}">{"".join(self._art)}</g></svg>'
        )

    def mask(self, width: int, height: int, view: str, codes: dict[str, str]) -> str:
        """The silhouettes as flat colours: `codes[tag]`, or black for what only hides."""
        shapes = "".join(f'<g fill="{codes.get(tag, "#000000")}">{shape}</g>' for tag, shape in self._silhouettes)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
            f'<g transform="{view}" shape-rendering="crispEdges">{shapes}</g></svg>'
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
