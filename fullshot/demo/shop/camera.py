"""Takes a picture: puts garments on a model or a ghost mannequin before a backdrop, and frames it.

Every picture is 480 x 640 pixels. The same drawing gives the silhouettes that the bounding boxes are read from.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from fullshot.demo.drawing import backdrop, heads, people
from fullshot.demo.drawing.backdrop import Backdrop
from fullshot.demo.drawing.bottoms import Bottom, draw_bottom
from fullshot.demo.drawing.canvas import Bounds, Canvas, stroke
from fullshot.demo.drawing.cuts import Top
from fullshot.demo.drawing.designs import OnePiece
from fullshot.demo.drawing.figure import ANKLE, HIP, SIDES, SOLE, WAIST, Frame, cast_body, mannequin, stand, strike_pose
from fullshot.demo.drawing.geometry import lerp, number, smooth
from fullshot.demo.drawing.lasts import Shoe
from fullshot.demo.drawing.shoes import draw_shoe, draw_shoes
from fullshot.demo.drawing.tops import draw_back, draw_body, draw_sleeve
from fullshot.demo.shop.records import Box, Picture, Product, Studio

WIDTH, HEIGHT = 480, 640
QUALITY = 90

if TYPE_CHECKING:
    from PIL import Image

# A flat colour per wear in the mask; far apart in the red channel, which alone is read.
_CODES = {"top": ("#400000", 0x40), "bottom": ("#800000", 0x80), "foot": ("#c00000", 0xC0), "long": ("#ff0000", 0xFF)}

# In a worn picture, another garment of which less than this is seen (pixels each way) gets no box.
_LEAST_VISIBLE = 28

Boxes = tuple[Box, ...]


def take(studio: Studio, picture: Picture) -> tuple[bytes, Boxes]:
    """Draw `picture`: JPEG bytes, and a box for each garment worn in it (none on `front` and `detail`)."""
    canvas, view, ground = _compose(studio, picture)
    return _develop(canvas, view, ground), _boxes(studio, picture, canvas, view)


def measure(studio: Studio, picture: Picture) -> Boxes:
    """The boxes of `picture` without drawing it: a tenth of the time."""
    if picture.kind in ("front", "detail"):
        return ()
    canvas, view, _ = _compose(studio, picture)
    return _boxes(studio, picture, canvas, view)


def _compose(studio: Studio, picture: Picture) -> Shot:
    """Canvas, view and backdrop of `picture`."""
    rng = Random(f"{studio.seed}/picture/{picture.name}")
    products = [studio.product(i) for i in picture.outfit]
    if picture.kind in ("front", "detail"):
        return _still(rng, products[0], near=picture.kind == "detail")
    return _model(rng, products, studio.product(picture.product_ids[0]) if picture.kind == "worn" else None)


def _develop(canvas: Canvas, view: View, ground: Backdrop) -> bytes:
    """Lay drawing, shading and backdrop over each other."""
    from PIL import Image, ImageChops, ImageFilter

    size = (WIDTH, HEIGHT)
    figure = _render(canvas.drawing(WIDTH, HEIGHT, view.transform))
    shade = _render(canvas.shading(WIDTH, HEIGHT, view.transform)).getchannel("R")
    shade = shade.filter(ImageFilter.GaussianBlur(view.softness * view.scale / 2)).resize(
        size, Image.Resampling.BILINEAR
    )
    # Shade takes more red than blue: shadows are cool. Light takes all alike.
    dark = Image.merge(
        "RGB",
        [
            shade.point([min(255, round(255 - (128 - v) * k)) if v < 128 else 255 for v in range(256)])
            for k in (1.99, 1.93, 1.78)
        ],
    )
    light = shade.point([max(0, (v - 128) * 2) for v in range(256)])
    lit = ImageChops.screen(ImageChops.multiply(figure.convert("RGB"), dark), Image.merge("RGB", [light] * 3))
    picture = _render(canvas.backdrop(WIDTH, HEIGHT, view.transform, ground.markup, ground.shrink)).convert("RGB")
    picture = picture.filter(ImageFilter.GaussianBlur(1)).resize(size, Image.Resampling.BICUBIC)
    picture.paste(lit, mask=figure.getchannel("A"))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _render(svg: str) -> Image.Image:
    import resvg_py
    from PIL import Image

    return Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))).convert("RGBA")


def _boxes(studio: Studio, picture: Picture, canvas: Canvas, view: View) -> Boxes:
    """Tight boxes of what is visible of each garment, read from the mask; the picture's own product comes first."""
    if picture.kind in ("front", "detail"):
        return ()
    codes = {wear: paint for wear, (paint, _) in _CODES.items()}
    red = _render(canvas.mask(WIDTH, HEIGHT, view.transform, codes)).getchannel("R")
    products, main = [studio.product(i) for i in picture.outfit], studio.product(picture.product_ids[0])
    boxes = []
    for product in sorted(products, key=lambda p: (p is not main, p.product_id)):
        level = _CODES[product.wear][1]
        corners = red.point([255 if value == level else 0 for value in range(256)]).getbbox()
        if corners is None:
            continue
        x0, y0, x1, y1 = (float(v) for v in corners)
        if picture.full_shot or product is main or min(x1 - x0, y1 - y0) >= _LEAST_VISIBLE:
            boxes.append(Box(product.product_id, product.wear, x0, y0, x1, y1))
    return tuple(boxes)


@dataclass(frozen=True)
class View:
    """Where the camera looks: pixels a figure unit, the figure point in the middle, and degrees of roll."""

    scale: float
    x: float
    y: float
    roll: float = 0.0
    # How far light spreads over a form, in figure units: less on small things seen near.
    softness: float = 4.2

    @property
    def transform(self) -> str:
        """From figure units to pixels."""
        return (
            f"translate({WIDTH / 2:.1f} {HEIGHT / 2:.1f}) scale({self.scale:.4f}) rotate({self.roll:.2f}) "
            f"translate({-self.x:.2f} {-self.y:.2f})"
        )

    @property
    def window(self) -> Bounds:
        """What is seen, with a margin for roll and line widths."""
        half_width, half_height = WIDTH / 2 / self.scale + 18, HEIGHT / 2 / self.scale + 18
        return self.x - half_width, self.y - half_height, self.x + half_width, self.y + half_height


# What is on the canvas, from where it is seen, and before what.
Shot = tuple[Canvas, View, Backdrop]


def _model(rng: Random, products: list[Product], main: Product | None) -> Shot:
    """A model wearing `products`; the frame shows all of it, or the part round `main`."""
    women = products[0].gender == "Women"
    pose = strike_pose(rng, women)
    frame = stand(cast_body(rng, women), pose)
    if main is None:
        scale = rng.uniform(0.765, 0.905) * HEIGHT / 1000
        room = HEIGHT - 1040 * scale
        above = rng.uniform(0.35, 0.65) * room + 32 * scale
        y = (HEIGHT / 2 - above) / scale
        x = rng.uniform(-34, 34) / scale
    elif main.wear == "top":
        scale, x, y = rng.uniform(1.14, 1.26), rng.uniform(-10, 10), rng.uniform(296, 318)
    elif main.wear == "bottom":
        scale, x, y = rng.uniform(0.9, 0.95), rng.uniform(-16, 16), rng.uniform(682, 696)
    elif main.wear == "foot":
        scale, x, y = rng.uniform(1.46, 1.58), rng.uniform(-6, 6), rng.uniform(815, 830)
    else:
        scale, x, y = rng.uniform(0.88, 0.94), rng.uniform(-14, 14), rng.uniform(452, 468)
    view = View(scale, x, y)
    canvas = Canvas(view.window)
    _shadow(canvas, rng, frame)
    dress(canvas, frame, products)
    return canvas, view, backdrop.scene(rng, WIDTH, HEIGHT, (SOLE + 8 - y) * scale + HEIGHT / 2)


def _shadow(canvas: Canvas, rng: Random, frame: Frame) -> None:
    """Where the feet touch the ground, and a long soft shadow to one side."""
    away = rng.choice(SIDES)
    canvas.shadow(away * 60, SOLE + 4, 270, 30, 0.45)
    for (x, _), side in zip(frame.ankles, SIDES, strict=True):
        canvas.shadow(x + side * 26, SOLE + 6, 100, 20, 0.75)


def dress(canvas: Canvas, frame: Frame, products: list[Product]) -> None:
    """Draw the model of `frame` in `products`, back to front."""
    top: Top | None = None
    bottom: Bottom | None = None
    shoe: Shoe | None = None
    belt, top_tag, bottom_tag = "", "top", "bottom"
    for product in products:
        match product.design:
            case Top():
                top = product.design
            case Bottom():
                bottom = product.design
            case Shoe():
                shoe = product.design
            case OnePiece(bodice, lower, belt_colour):
                top, bottom, belt, top_tag, bottom_tag = bodice, lower, belt_colour, "long", "long"
    heads.hair_behind(canvas, frame)
    behind = [side for side in SIDES if frame.pose.arms[(side + 1) // 2] == "behind"]
    for side in behind:
        _arm(canvas, frame, top, side, top_tag)
    people.draw_legs(canvas, frame)
    if shoe:
        draw_shoes(canvas, frame, shoe, "foot")
    if top:
        draw_back(canvas, frame, top, top_tag)
    people.draw_torso(canvas, frame)
    if top and top.tucked:
        draw_body(canvas, frame, top, top_tag)
    if bottom:
        draw_bottom(canvas, frame, bottom, bottom_tag)
    if top and not top.tucked:
        draw_body(canvas, frame, top, top_tag)
    if belt:
        _belt(canvas, frame, belt)
    heads.draw_head(canvas, frame)
    for side in SIDES:
        if side not in behind:
            _arm(canvas, frame, top, side, top_tag)


def _arm(canvas: Canvas, frame: Frame, top: Top | None, side: int, tag: str) -> None:
    people.draw_arm(canvas, frame, side)
    if top:
        draw_sleeve(canvas, frame, top, side, tag)


def _belt(canvas: Canvas, frame: Frame, colour: str) -> None:
    w = frame.body.half(WAIST) + 4
    run = smooth([frame.torso(x * w, WAIST + 6 + 5 * (1 - abs(x))) for x in (-1, -0.5, 0, 0.5, 1)])
    x, y = frame.torso(frame.centre(WAIST), WAIST + 10)
    canvas.add(stroke(run, colour, 15).replace('stroke-linecap="round"', 'stroke-linecap="butt"'))
    canvas.add(
        f'<rect x="{number(x - 9)}" y="{number(y - 9)}" width="18" height="18" rx="3" fill="none" stroke="#d2b066" stroke-width="3.4"/>'
    )


def _still(rng: Random, product: Product, *, near: bool) -> Shot:
    """The product alone: on a ghost mannequin, shoes as a pair; `near` shows a part of it."""
    ground = backdrop.plain(rng, WIDTH, HEIGHT)
    design = product.design
    if isinstance(design, Shoe):
        return (*_shoe_still(rng, design, near), ground)
    women = product.gender == "Women"
    roll = rng.uniform(-2.2, 2.2)
    top = design.bodice if isinstance(design, OnePiece) else design if isinstance(design, Top) else None
    bottom = design.lower if isinstance(design, OnePiece) else design if isinstance(design, Bottom) else None
    frame = mannequin(
        women,
        17.0 if top and top.sleeve in ("three-quarter", "long") else 29.0,
        74.0 if bottom and bottom.length < 0.6 else 60.0,
    )
    start = bottom.rise - 10 if bottom and not top else 140.0
    end = lerp(HIP, ANKLE, bottom.length) + 20 if bottom else top.hem + 16 if top else 0.0
    if near:
        middle = {"top": 278.0, "bottom": 508.0, "long": 326.0}[product.wear]
        view = View(rng.uniform(1.85, 2.25), rng.uniform(-15, 15), middle + rng.uniform(-12, 12), roll)
    else:
        wide = 2 * (frame.body.hip + max(bottom.flare, 30) + 24) if bottom and not top else 430
        fit = min(1.6, 585 / (end - start), 440 / wide)
        view = View(fit * rng.uniform(0.95, 1.0), rng.uniform(-6, 6), (start + end) / 2, roll)
    canvas = Canvas(view.window)
    canvas.shadow(0, end + 14, 180, 17, 0.4)
    tag = product.wear
    if top:
        draw_back(canvas, frame, top, tag)
        draw_body(canvas, frame, top, tag)
    if bottom:
        draw_bottom(canvas, frame, bottom, tag)
    if isinstance(design, OnePiece) and design.belt:
        _belt(canvas, frame, design.belt)
    if top:
        for side in SIDES:
            draw_sleeve(canvas, frame, top, side, tag)
    return canvas, view, ground


def _shoe_still(rng: Random, shoe: Shoe, near: bool) -> tuple[Canvas, View]:
    """A pair, or one shoe seen near."""
    canvas = Canvas()
    facing = rng.choice(SIDES)
    tall = 112 if shoe.kind in ("boot", "chelsea", "heelboot") else 90 if shoe.kind == "hightop" else 66
    if near:
        canvas.shadow(0, 4, 80, 9, 0.5)
        draw_shoe(canvas, shoe, "foot", f"matrix({facing} {0.03 * facing:.2f} 0 1 {-53 * facing} 0)")
        return canvas, View(
            rng.uniform(4.7, 5.2), facing * rng.uniform(4, 12), -tall * 0.42, rng.uniform(-3, 3), softness=2.2
        )
    # The second of the pair stands behind and a little aside.
    for aside, up, slope in ((16, -25, 0.05), (-14, 2, 0.09)):
        canvas.shadow(facing * aside, up + 5, 78, 9, 0.5)
        draw_shoe(canvas, shoe, "foot", f"matrix({facing} {slope * facing:.2f} 0 1 {(aside - 53) * facing} {up})")
    return canvas, View(rng.uniform(2.95, 3.2), 0, -tall * 0.5 - 6, rng.uniform(-2, 2), softness=2.4)
