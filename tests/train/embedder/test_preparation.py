"""Crops brought to squares, with or without their background, and kept apart by how that was done."""

import numpy as np
import pytest

from fullshot.core.boxes import Picture
from fullshot.train.embedder.preprocessing import NEUTRAL, Preparation, letterbox, remove_background, resize

RED, BLUE, WHITE = (200, 20, 30), (20, 60, 200), (250, 250, 250)


def picture(height: int, width: int, ground: tuple[int, int, int] = WHITE) -> Picture:
    """A red garment on plain ground, with a print in the ground's own colour on it."""
    pixels = np.full((height, width, 3), ground, np.uint8)
    pixels[height // 5 : -height // 5, width // 5 : -width // 5] = RED
    pixels[height // 2 - 3 : height // 2 + 3, width // 2 - 3 : width // 2 + 3] = ground
    return pixels


@pytest.mark.parametrize(("height", "width"), [(100, 50), (50, 100), (64, 64), (300, 2), (1, 1)])
def test_a_letterbox_keeps_proportions_and_fills_up_with_the_crops_own_border(height: int, width: int) -> None:
    square = letterbox(
        picture(height, width, BLUE) if min(height, width) > 10 else np.full((height, width, 3), BLUE, np.uint8), 32
    )
    assert square.shape == (32, 32, 3)
    assert square.dtype == np.uint8
    assert square[0, 0].tolist() == square[-1, -1].tolist() == list(BLUE)
    if height == 100:
        red = np.abs(square.astype(int) - RED).max(axis=2) < 40
        rows, columns = red.any(axis=1).sum(), red.any(axis=0).sum()
        assert rows / columns == pytest.approx(2, rel=0.2)


def test_plain_background_becomes_grey_and_what_it_does_not_touch_stays() -> None:
    painted = remove_background(picture(100, 80))
    assert painted[0, 0].tolist() == [NEUTRAL] * 3
    assert painted[30, 30].tolist() == list(RED)
    assert painted[50, 40].tolist() == list(WHITE)  # the print
    noise = np.random.default_rng(0).integers(0, 256, (100, 80, 3), dtype=np.uint8)
    assert remove_background(noise) is noise


def test_grabcut_finds_a_background_that_is_not_plain() -> None:
    random = np.random.default_rng(1)
    street = np.clip(random.normal((60, 140, 70), 35, (120, 90, 3)), 0, 255).astype(np.uint8)
    street[20:100, 20:70] = np.clip(random.normal(RED, 6, (80, 50, 3)), 0, 255)
    assert remove_background(street) is street
    painted = remove_background(street, by_grabcut=True)
    grey = (painted == NEUTRAL).all(axis=2)
    assert grey[:15].mean() > 0.9
    assert grey[30:90, 30:60].mean() < 0.05
    np.testing.assert_array_equal(remove_background(street, by_grabcut=True), painted)  # no lot is drawn anew
    tiny = street[:1, :1]
    assert remove_background(tiny, by_grabcut=True).shape == (1, 1, 3)


def test_crops_are_kept_apart_by_how_they_are_made_and_the_usual_ones_are_not_cut_anew() -> None:
    ways = [
        Preparation(32, fit, ground) for fit in ("stretch", "letterbox") for ground in ("keep", "remove", "grabcut")
    ]
    assert ways[0].version == "1-32"
    assert len({way.version for way in ways}) == len(ways)
    crop = picture(100, 50)
    np.testing.assert_array_equal(ways[0](crop), resize(crop, 32))
    np.testing.assert_array_equal(Preparation(32, "letterbox")(crop), letterbox(crop, 32))
    assert Preparation(32, "letterbox", "remove")(crop)[0, 0].tolist() == [NEUTRAL] * 3
    assert ways[0].all_of([]).shape == (0, 32, 32, 3)
