import numpy as np
import pandas as pd
import pytest

from fullshot.core.boxes import Picture
from fullshot.train.embedder import crop_to_foreground, has_plain_background, preferred_item_shots


def on_background(background: tuple[int, int, int], noise: float = 0.0) -> Picture:
    picture = np.full((100, 80, 3), background, float)
    picture[30:70, 20:50] = (180, 20, 40)
    picture += np.random.default_rng(0).normal(0, noise, picture.shape)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


@pytest.mark.parametrize("background", [(255, 255, 255), (228, 230, 226), (20, 20, 20)])
def test_a_plain_background_is_cut_away(background: tuple[int, int, int]) -> None:
    height, width = crop_to_foreground(on_background(background, noise=3)).shape[:2]
    assert 40 <= height <= 44
    assert 30 <= width <= 34


def test_what_has_no_plain_background_stays_whole() -> None:
    street = np.random.default_rng(0).integers(0, 255, (100, 80, 3), dtype=np.uint8)
    cloth = np.full((100, 80, 3), 120, np.uint8)
    assert crop_to_foreground(street).shape == street.shape
    assert crop_to_foreground(cloth).shape == cloth.shape


def test_a_picture_of_the_product_alone_is_preferred() -> None:
    alone = on_background((228, 230, 226), noise=3)
    cut_off = alone[:60]
    scene = alone.copy()
    scene[:, :40] = (90, 120, 90)
    assert [has_plain_background(picture) for picture in (alone, cut_off, scene)] == [True, False, False]
    products = pd.Series(["a", "a", "b", "b", "c"], dtype="string")
    use = preferred_item_shots(products, np.array([True, False, False, False, True]))
    assert use.tolist() == [True, False, True, True, True]
