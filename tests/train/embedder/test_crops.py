from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from fullshot.core.boxes import Picture
from fullshot.core.errors import StageFailed
from fullshot.train.embedder import crops
from fullshot.train.embedder.augment import augmented


def on_background(background: tuple[int, int, int], noise: float = 0.0) -> Picture:
    picture = np.full((100, 80, 3), background, float)
    picture[30:70, 20:50] = (180, 20, 40)
    picture += np.random.default_rng(0).normal(0, noise, picture.shape)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


@pytest.mark.parametrize("background", [(255, 255, 255), (228, 230, 226), (20, 20, 20)])
def test_a_plain_background_is_trimmed(background: tuple[int, int, int]) -> None:
    height, width = crops.trimmed(on_background(background, noise=3)).shape[:2]
    assert 40 <= height <= 44
    assert 30 <= width <= 34


def test_what_has_no_plain_background_stays_whole() -> None:
    street = np.random.default_rng(0).integers(0, 255, (100, 80, 3), dtype=np.uint8)
    cloth = np.full((100, 80, 3), 120, np.uint8)
    assert crops.trimmed(street).shape == street.shape
    assert crops.trimmed(cloth).shape == cloth.shape


def test_a_picture_of_the_product_alone_is_preferred() -> None:
    alone = on_background((228, 230, 226), noise=3)
    cut_off = alone[:60]
    scene = alone.copy()
    scene[:, :40] = (90, 120, 90)
    assert [crops.stands_alone(picture) for picture in (alone, cut_off, scene)] == [True, False, False]
    products = pd.Series(["a", "a", "b", "b", "c"], dtype="string")
    use = crops.preferred(products, np.array([True, False, False, False, True]))
    assert use.tolist() == [True, False, True, True, True]


def examples(paths: list[str]) -> pd.DataFrame:
    rows = [{"product_id": "p", "path": path, "x_min": 20, "y_min": 30, "x_max": 50, "y_max": 70} for path in paths]
    rows.append({"product_id": "p", "path": paths[0], "x_min": None, "y_min": None, "x_max": None, "y_max": None})
    return pd.DataFrame(rows).astype(dict.fromkeys(["x_min", "y_min", "x_max", "y_max"], "Float64"))


@pytest.mark.parametrize("memory", [crops.MEMORY_BYTES, 0])
def test_crops_are_the_same_in_memory_and_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    monkeypatch.setattr(crops, "MEMORY_BYTES", memory)
    Image.fromarray(on_background((255, 255, 255))).save(tmp_path / "a.png")
    Image.fromarray(on_background((0, 0, 90))).save(tmp_path / "b.png")
    found, use = crops.gathered(tmp_path, examples(["a.png", "b.png"]), 16)
    assert use.all()
    assert isinstance(found, np.memmap) == (memory == 0)
    assert found.shape == (3, 16, 16, 3)
    assert (found[:2] == (180, 20, 40)).all()
    assert found[2, 8, 8].tolist() == [180, 20, 40]


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(StageFailed, match=r"a\.png"):
        crops.gathered(tmp_path, examples(["a.png"]), 16)


def test_augmentation_keeps_hue_and_shape() -> None:
    red = torch.zeros(64, 3, 24, 24)
    red[:, 0] = 0.7
    red[:, 1] = 0.1
    moved = augmented(red, torch.Generator().manual_seed(0))
    assert moved.shape == red.shape
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1
    # Lighter and darker, but red stays seven times green, and no blue comes in.
    assert torch.allclose(moved[:, 0], 7 * moved[:, 1], atol=1e-4)
    assert float(moved[:, 2].abs().max()) == 0
    assert float(moved[:, 0].std()) > 0.01
