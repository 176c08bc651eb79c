import io
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from fullshot.core.boxes import Picture
from fullshot.core.settings import load
from fullshot.curation.quality.checks import find_issues, measure, measure_names, quality_checks

LIMITS = load().curate


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture.thumbnail((700, 700))
    return picture


def issues_of(picture: Image.Image | Picture, **limits: float) -> str:
    pixels = np.asarray(picture)
    row = {"width": pixels.shape[1], "height": pixels.shape[0], "products": 1, **measure(pixels)}
    return str(find_issues(pd.DataFrame([row]), load(curate=limits).curate).iloc[0])


def blurred(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 90))


def moved(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.mean([np.roll(np.asarray(picture), n, axis=1) for n in range(24)], 0).astype(np.uint8))


def marked(picture: Image.Image) -> Image.Image:
    longest = max(picture.size)
    layer = Image.new("RGBA", picture.size)
    font = ImageFont.load_default(longest // 20)
    for y in range(0, picture.height, longest // 8):
        for x in range(0, picture.width, longest // 4):
            ImageDraw.Draw(layer).text((x, y), "shop.example", fill=(60, 60, 60, 170), font=font)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def twice(picture: Image.Image) -> Image.Image:
    both = Image.new("RGB", (picture.width * 2, picture.height))
    both.paste(picture)
    both.paste(ImageChops.offset(picture, picture.width // 2, picture.height // 2), (picture.width, 0))
    return both


def above(picture: Image.Image) -> Image.Image:
    return twice(picture.transpose(Image.Transpose.ROTATE_90)).transpose(Image.Transpose.ROTATE_270)


def in_a_frame(picture: Image.Image) -> Image.Image:
    frame = Image.new("RGB", (picture.width + 300, picture.height), "black")
    frame.paste(picture, (150, 0))
    return frame


@pytest.mark.parametrize("name", ["bus", "zidane", "person", "outfit", "front", "worn", "item0", "item1", "item2"])
def test_good_pictures_are_good(photos: dict[str, bytes], name: str) -> None:
    assert issues_of(opened(photos[name])) == ""
    assert issues_of(in_a_frame(opened(photos[name]))) == ""


@pytest.mark.parametrize(
    ("spoil", "names", "issue"),
    [
        (blurred, ("bus", "zidane", "outfit", "front"), "blurred"),
        (moved, ("bus", "zidane"), "blurred"),
        (twice, ("bus", "zidane"), "collage"),
        (above, ("bus", "zidane"), "collage"),
        (marked, ("outfit", "item1", "item2"), "watermark"),
        (lambda picture: picture.resize((40, 60)), ("outfit",), "tiny"),
        (lambda picture: picture.crop((0, 0, picture.width, picture.width // 6)), ("outfit",), "strip"),
        (lambda picture: Image.eval(picture, lambda level: 230 + level // 12), ("bus", "front"), "blank"),
    ],
)
def test_what_is_spoilt_is_told(
    photos: dict[str, bytes], spoil: Callable[[Image.Image], Image.Image], names: tuple[str, ...], issue: str
) -> None:
    for name in names:
        assert issue in issues_of(spoil(opened(photos[name]))).split(), name


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 2), (33, 31), (64, 64)])
@pytest.mark.parametrize("value", [0, 255])
def test_any_size_and_any_colour_is_measured(size: tuple[int, int], value: int) -> None:
    found = measure(np.full((size[1], size[0], 3), value, np.uint8))
    assert tuple(found) == measure_names()
    assert all(0 <= number <= 1 for number in found.values())


def test_noise_is_neither_a_mark_nor_a_collage() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (400, 300, 3), np.uint8)
    assert issues_of(noise) == ""


def test_issues_stand_in_order_and_thresholds_are_settings() -> None:
    row = {"width": 20, "height": 400, "products": 1, "sharpness": 0.1, "detail": 0.5, "watermark": 0.9, "collage": 0.9}
    frame = pd.DataFrame([row, {**row, "width": 300, "detail": 0.01}])
    assert find_issues(frame, LIMITS).tolist() == ["tiny strip blurred watermark collage", "blank watermark collage"]
    off = {"min_side": 0, "max_aspect": 100, "min_sharpness": 0, "min_detail": 0, "max_watermark": 1, "max_collage": 1}
    assert find_issues(frame, load(curate=off).curate).tolist() == ["", ""]
    assert find_issues(frame.iloc[:0], LIMITS).tolist() == []
    assert [check.name for check in quality_checks()] == [
        "tiny",
        "strip",
        "blank",
        "blurred",
        "watermark",
        "collage",
        "shared",
    ]
