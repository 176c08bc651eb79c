"""Backdrops: studio sweeps, rooms and streets, in pixels, with the floor where the figure stands."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from fullshot.demo.drawing.palette import darker, lighter, mix

# Wall and floor of studio sweeps: greys first, then paper colours.
_SWEEPS = (
    "#e9e9ea",
    "#dcdde0",
    "#f1efec",
    "#cfd2d6",
    "#e8e2d8",
    "#d9e2e6",
    "#e9d9d2",
    "#d8e0d3",
    "#e6dcea",
    "#cbd7e2",
    "#efe3c8",
)


@dataclass(frozen=True)
class Backdrop:
    """Markup in pixels, and how much smaller it may be drawn: a smooth sweep shows no difference at a quarter."""

    markup: str
    shrink: int


def _gradient(name: str, stops: list[tuple[float, str]], radial: bool = False) -> str:
    inner = "".join(f'<stop offset="{o}" stop-color="{c}"/>' for o, c in stops)
    if radial:
        return f'<radialGradient id="{name}" cx="0.5" cy="0.35" r="0.8">{inner}</radialGradient>'
    return f'<linearGradient id="{name}" x1="0" y1="0" x2="0" y2="1">{inner}</linearGradient>'


def plain(rng: Random, width: int, height: int) -> Backdrop:
    """The light ground of a product's own picture."""
    tone = rng.choice(("#f7f7f7", "#f3f3f4", "#f6f4f0", "#f2f4f6", "#fafafa"))
    return Backdrop(
        f"<defs>{_gradient('bg', [(0, tone), (1, darker(tone, 0.07))], radial=True)}</defs>"
        f'<rect width="{width}" height="{height}" fill="url(#bg)"/>',
        4,
    )


def scene(rng: Random, width: int, height: int, floor: float) -> Backdrop:
    """A backdrop for a model whose feet stand at `floor` pixels from the top (may lie below the picture)."""
    kind = rng.choice(("sweep", "sweep", "sweep", "spot", "room", "street", "panel"))
    horizon = min(floor - rng.uniform(30, 70), height + 50.0)
    colour = rng.choice(_SWEEPS)
    if kind == "room":
        return Backdrop(_room(rng, width, height, horizon), 2)
    if kind == "street":
        return Backdrop(_street(rng, width, height, horizon), 2)
    if kind == "panel":
        return Backdrop(_panel(rng, width, height, horizon, colour), 2)
    tone = darker(colour, rng.uniform(0, 0.18)) if kind == "sweep" else darker(colour, rng.uniform(0.2, 0.42))
    floor_tone = lighter(tone, 0.25) if kind == "sweep" else darker(tone, 0.1)
    t = max(0.05, min(horizon / height, 0.98))
    stops = [
        (0.0, darker(tone, 0.06)),
        (round(t * 0.6, 2), tone),
        (round(t, 2), darker(tone, 0.07)),
        (round(min(t + 0.05, 0.99), 2), mix(tone, floor_tone, 0.6)),
        (1.0, floor_tone),
    ]
    glow = f'<rect width="{width}" height="{height}" fill="url(#glow)"/>'
    return Backdrop(
        f'<defs>{_gradient("bg", stops)}<radialGradient id="glow" cx="{rng.uniform(0.35, 0.65):.2f}" cy="0.35" r="0.75">'
        f'<stop offset="0" stop-color="#ffffff" stop-opacity="0.4"/><stop offset="0.6" stop-color="#ffffff" stop-opacity="0"/>'
        f'<stop offset="1" stop-color="#101020" stop-opacity="0.16"/></radialGradient></defs>'
        f'<rect width="{width}" height="{height}" fill="url(#bg)"/>{glow}',
        4,
    )


def _panel(rng: Random, width: int, height: int, horizon: float, colour: str) -> str:
    """A paper panel before a wall."""
    wall = darker(colour, 0.12)
    panel = mix(rng.choice(("#c98f73", "#8fa8a0", "#d0b27c", "#9aa7c0", "#b98fa0", "#a9a29a")), colour, 0.35)
    x, w = rng.uniform(0.08, 0.2) * width, rng.uniform(0.6, 0.75) * width
    return (
        f"<defs>{_gradient('bg', [(0, lighter(wall, 0.15)), (1, wall)])}{_gradient('pn', [(0, lighter(panel, 0.12)), (1, darker(panel, 0.1))])}"
        f"{_gradient('fl', [(0, darker(wall, 0.18)), (1, lighter(wall, 0.1))])}</defs>"
        f'<rect width="{width}" height="{height}" fill="url(#bg)"/>'
        f'<rect x="{x:.0f}" y="-5" width="{w:.0f}" height="{horizon + 5:.0f}" fill="url(#pn)"/>'
        f'<rect x="0" y="{horizon:.0f}" width="{width}" height="{max(height - horizon, 0) + 1:.0f}" fill="url(#fl)"/>'
    )


def _room(rng: Random, width: int, height: int, horizon: float) -> str:
    """A wall with skirting board and window light, and a wooden floor."""
    wall = rng.choice(("#e4ddd2", "#d5dbd8", "#dfd5cf", "#cfd6de", "#e9e6df"))
    wood = rng.choice(("#b58d63", "#9c7b58", "#c4a27a", "#8d7a68"))
    art = [f'<rect width="{width}" height="{height}" fill="url(#bg)"/>']
    x = rng.uniform(-60, 200)
    for i in range(2):
        for j in range(3):
            left, y = x + i * 78, 30 + j * 96
            art.append(f'<path d="M{left:.0f} {y}h66v84h-66z" transform="skewY(7)" fill="#fff" fill-opacity="0.22"/>')
    art.append(f'<rect y="{horizon:.0f}" width="{width}" height="{height}" fill="url(#fl)"/>')
    centre = width / 2
    for i in range(-9, 10):
        art.append(
            f'<path d="M{centre + i * 42:.0f} {horizon:.0f}L{centre + i * 90:.0f} {height + 60}" stroke="{darker(wood, 0.35)}" stroke-opacity="0.35" stroke-width="1.4"/>'
        )
    art.append(
        f'<rect y="{horizon - 15:.0f}" width="{width}" height="15" fill="{lighter(wall, 0.45)}"/><rect y="{horizon - 2:.0f}" width="{width}" height="3" fill="{darker(wood, 0.4)}" fill-opacity="0.5"/>'
    )
    if rng.random() < 0.5:
        px = rng.choice((0.08, 0.92)) * width
        leaf = rng.choice(("#4f7a55", "#5d8a5a", "#3f6b58"))
        for k in range(9):
            art.append(
                f'<path d="M0 0C14 -40 12 -84 0 -118C-12 -84 -14 -40 0 0Z" transform="translate({px:.0f} {horizon - 8:.0f}) rotate({-56 + k * 14})" fill="{darker(leaf, 0.06 * (k % 3))}"/>'
            )
        art.append(f'<path d="M{px - 24:.0f} {horizon - 24:.0f}h48l-7 52h-34z" fill="#d9cdbf"/>')
    return (
        f"<defs>{_gradient('bg', [(0, lighter(wall, 0.2)), (1, darker(wall, 0.08))])}{_gradient('fl', [(0, darker(wood, 0.12)), (1, lighter(wood, 0.15))])}</defs>"
        + "".join(art)
    )


def _street(rng: Random, width: int, height: int, horizon: float) -> str:
    """House fronts out of focus, and a pavement."""
    sky = rng.choice(("#d7e4ee", "#e9e2da", "#cddbe6"))
    art = [f'<rect width="{width}" height="{height}" fill="url(#bg)"/>', "<g>"]
    x = -20.0
    while x < width:
        w, tall = rng.uniform(80, 150), rng.uniform(0.55, 1.0)
        front = rng.choice(("#b7a79a", "#a8adb4", "#c8b9a2", "#9fa9a4", "#b59d90", "#c9c4bd"))
        top = horizon * (1 - tall)
        art.append(f'<rect x="{x:.0f}" y="{top:.0f}" width="{w:.0f}" height="{horizon - top:.0f}" fill="{front}"/>')
        for wy in range(int(top) + 22, int(horizon) - 60, 58):
            for wx in range(int(x) + 14, int(x + w) - 24, 36):
                art.append(
                    f'<rect x="{wx}" y="{wy}" width="20" height="34" fill="{rng.choice((darker(front, 0.35), lighter(front, 0.35), darker(front, 0.2)))}"/>'
                )
        x += w
    art.append("</g>")
    pave = rng.choice(("#a9a7a4", "#b8b3ab", "#9aa0a4"))
    art.append(f'<rect y="{horizon:.0f}" width="{width}" height="{height}" fill="url(#fl)"/>')
    for k in range(1, 5):
        y = horizon + 8 * k * k
        art.append(
            f'<path d="M0 {y:.0f}H{width}" stroke="{darker(pave, 0.3)}" stroke-opacity="0.3" stroke-width="1.2"/>'
        )
    return (
        f"<defs>{_gradient('bg', [(0, sky), (1, lighter(sky, 0.4))])}{_gradient('fl', [(0, darker(pave, 0.12)), (1, lighter(pave, 0.2))])}"
        "</defs>" + "".join(art)
    )
