"""Takes a picture: puts garments on a model or a ghost mannequin before a backdrop, and frames it.

Every picture is 480 x 640 pixels. The same drawing gives the silhouettes that the bounding boxes are read from.
"""

from __future__ import annotations

import io
from random import Random

from fullshot.demo import backdrop, people
from fullshot.demo.bottoms import Bottom, draw_bottom
from fullshot.demo.canvas import Canvas, stroke
from fullshot.demo.figure import ANKLE, HIP, SIDES, SOLE, WAIST, Frame, cast_body, mannequin, stand, strike_pose
from fullshot.demo.geometry import lerp, number, smooth
from fullshot.demo.records import Box, OnePiece, Picture, Product, Studio
from fullshot.demo.shoes import Shoe, draw_shoe, draw_shoes
from fullshot.demo.tops import Top, draw_back, draw_body, draw_sleeve

WIDTH, HEIGHT = 480, 640
QUALITY = 90

# A flat colour per wear in the mask; far apart in the red channel, which alone is read.
_CODES = {"top": ("#400000", 0x40), "bottom": ("#800000", 0x80), "foot": ("#c00000", 0xC0), "long": ("#ff0000", 0xFF)}

# A garment of which less than this is seen (pixels each way) gets no box in a picture of another product.
_LEAST_VISIBLE = 28

Boxes = tuple[Box, ...]


def take(studio: Studio, picture: Picture) -> tuple[bytes, Boxes]:
    """Draw `picture`: JPEG bytes, and a box for each garment worn in it (none on `front` and `detail`)."""
    canvas, view, ground = _compose(studio, picture)
    return _develop(canvas.svg(WIDTH, HEIGHT, view, ground)), _boxes(studio, picture, canvas, view)


def measure(studio: Studio, picture: Picture) -> Boxes:
    """The boxes of `picture` without drawing it: a tenth of the time."""
    if picture.kind in ("front", "detail"):
        return ()
    canvas, view, _ = _compose(studio, picture)
    return _boxes(studio, picture, canvas, view)


def _compose(studio: Studio, picture: Picture) -> tuple[Canvas, str, str]:
    """Canvas, view and backdrop of `picture`."""
    rng = Random(f"{studio.seed}/picture/{picture.name}")
    products = [studio.product(i) for i in picture.outfit]
    canvas = Canvas()
    if picture.kind in ("front", "detail"):
        return (canvas, *_still(canvas, rng, products[0], picture.kind))
    main = studio.product(picture.product_ids[0])
    return (canvas, *_model(canvas, rng, products, main if picture.kind == "worn" else None))


def _develop(svg: str) -> bytes:
    import resvg_py
    from PIL import Image

    png = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True)
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _boxes(studio: Studio, picture: Picture, canvas: Canvas, view: str) -> Boxes:
    """Tight boxes of what is visible of each garment, read from the mask; the picture's own product comes first."""
    if picture.kind in ("front", "detail"):
        return ()
    import resvg_py
    from PIL import Image

    codes = {wear: paint for wear, (paint, _) in _CODES.items()}
    png = resvg_py.svg_to_bytes(svg_string=canvas.mask(WIDTH, HEIGHT, view, codes), skip_system_fonts=True, background="#000000")
    red = Image.open(io.BytesIO(png)).convert("RGB").getchannel("R")
    products, main = [studio.product(i) for i in picture.outfit], studio.product(picture.product_ids[0])
    boxes = []
    for product in sorted(products, key=lambda p: (p is not main, p.product_id)):
        level = _CODES[product.wear][1]
        found = red.point([255 if value == level else 0 for value in range(256)]).getbbox()
        if found is None:
            continue
        x0, y0, x1, y1 = (float(v) for v in found)
        if product is main or min(x1 - x0, y1 - y0) >= _LEAST_VISIBLE:
            boxes.append(Box(product.product_id, product.wear, x0, y0, x1, y1))
    return tuple(boxes)


def _view(scale: float, x: float, y: float, turn: float = 0.0) -> str:
    """Transform that puts the figure point (x, y) into the middle of the picture."""
    return f"translate({WIDTH / 2:.1f} {HEIGHT / 2:.1f}) scale({scale:.4f}) rotate({turn:.2f}) translate({-x:.2f} {-y:.2f})"


def _model(canvas: Canvas, rng: Random, products: list[Product], main: Product | None) -> tuple[str, str]:
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
    floor = (SOLE + 8 - y) * scale + HEIGHT / 2
    _shadow(canvas, rng, frame)
    dress(canvas, frame, products)
    return _view(scale, x, y), backdrop.scene(rng, WIDTH, HEIGHT, floor)


def _shadow(canvas: Canvas, rng: Random, frame: Frame) -> None:
    """Where the feet touch the ground, and a long soft shadow to one side."""
    away = rng.choice(SIDES)
    spots = "".join(
        f'<ellipse cx="{number(x + side * 26)}" cy="{SOLE + 6}" rx="72" ry="13" fill="#0c0c18" fill-opacity="0.45"/>'
        for (x, _), side in zip(frame.ankles, SIDES, strict=True)
    )
    canvas.add(
        f'<g filter="url(#{canvas.blur(9)})"><ellipse cx="{away * 60}" cy="{SOLE + 4}" rx="215" ry="20" fill="#0c0c18" fill-opacity="0.28"/></g>',
        f'<g filter="url(#{canvas.blur(5)})">{spots}</g>',
    )


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
    people.hair_behind(canvas, frame)
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
    people.draw_head(canvas, frame)
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
    canvas.add(f'<rect x="{number(x - 9)}" y="{number(y - 9)}" width="18" height="18" rx="3" fill="none" stroke="#d2b066" stroke-width="3.4"/>')


def _still(canvas: Canvas, rng: Random, product: Product, kind: str) -> tuple[str, str]:
    """The product alone: on a ghost mannequin, shoes as a pair."""
    ground = backdrop.plain(rng, WIDTH, HEIGHT)
    women = product.gender == "Women"
    design = product.design
    turn = rng.uniform(-2.2, 2.2)
    near = kind == "detail"
    if isinstance(design, Shoe):
        return _shoe_still(canvas, rng, design, near), ground
    if isinstance(design, Top):
        frame = mannequin(women, 30.0 if design.sleeve in ("none", "cap", "short", "elbow") else 17.0)
        _drop_shadow(canvas, 0, design.hem + 26, 150)
        draw_back(canvas, frame, design, "top")
        draw_body(canvas, frame, design, "top")
        for side in SIDES:
            draw_sleeve(canvas, frame, design, side, "top")
        if near:
            return _view(rng.uniform(2.0, 2.35), rng.uniform(-14, 14), rng.uniform(266, 290), turn), ground
        return _view(rng.uniform(1.02, 1.1), rng.uniform(-6, 6), (140 + design.hem) / 2 + 8, turn), ground
    if isinstance(design, Bottom):
        frame = mannequin(women)
        end = lerp(HIP, ANKLE, design.length) + 20
        _drop_shadow(canvas, 0, end + 14, 120)
        draw_bottom(canvas, frame, design, "bottom")
        if near:
            return _view(rng.uniform(1.9, 2.2), rng.uniform(-20, 20), rng.uniform(500, 520), turn), ground
        fit = min(1.62, 560 / (end - design.rise), 420 / (2 * (frame.body.hip + max(design.flare, 20) + 20)))
        return _view(fit * rng.uniform(0.95, 1.0), rng.uniform(-6, 6), (design.rise + end) / 2, turn), ground
    frame = mannequin(women, 24.0)
    end = lerp(HIP, ANKLE, design.lower.length) + 20
    _drop_shadow(canvas, 0, end + 16, 130)
    draw_back(canvas, frame, design.bodice, "long")
    draw_body(canvas, frame, design.bodice, "long")
    draw_bottom(canvas, frame, design.lower, "long")
    if design.belt:
        _belt(canvas, frame, design.belt)
    for side in SIDES:
        draw_sleeve(canvas, frame, design.bodice, side, "long")
    if near:
        return _view(rng.uniform(1.7, 1.95), rng.uniform(-10, 10), rng.uniform(318, 336), turn), ground
    fit = min(1.2, 570 / (end - 150))
    return _view(fit * rng.uniform(0.95, 1.0), rng.uniform(-6, 6), (150 + end) / 2, turn), ground


def _drop_shadow(canvas: Canvas, x: float, y: float, half: float) -> None:
    canvas.add(f'<g filter="url(#{canvas.blur(9)})"><ellipse cx="{x}" cy="{number(y)}" rx="{half}" ry="9" fill="#20202c" fill-opacity="0.25"/></g>')


def _shoe_still(canvas: Canvas, rng: Random, shoe: Shoe, near: bool) -> str:
    facing = rng.choice((-1, 1))
    tall = 118 if shoe.kind in ("boot", "chelsea", "heelboot", "hightop") else 76
    if near:
        _drop_shadow(canvas, 0, 3, 62)
        draw_shoe(canvas, shoe, "foot", f"matrix({facing} {0.03 * facing:.2f} 0 1 {-53 * facing} 0)")
        return _view(rng.uniform(4.9, 5.4), facing * rng.uniform(4, 12), -tall * 0.36, rng.uniform(-3, 3))
    # The second of the pair stands behind and a little aside.
    _drop_shadow(canvas, facing * 14, -22, 58)
    draw_shoe(canvas, shoe, "foot", f"matrix({facing} {0.05 * facing:.2f} 0 1 {-36 * facing} -26)")
    _drop_shadow(canvas, -facing * 6, 6, 62)
    draw_shoe(canvas, shoe, "foot", f"matrix({facing} {0.09 * facing:.2f} 0 1 {-66 * facing} 0)")
    return _view(rng.uniform(3.0, 3.25), facing * 2, -tall * 0.5, rng.uniform(-2, 2))
