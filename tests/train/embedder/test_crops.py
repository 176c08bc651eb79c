from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

from fullshot.core.boxes import Picture
from fullshot.core.pictures import read_rgb
from fullshot.train.embedder import crops


def on_background(background: tuple[int, int, int], noise: float = 0.0) -> Picture:
    picture = np.full((100, 80, 3), background, float)
    picture[30:70, 20:50] = (180, 20, 40)
    picture += np.random.default_rng(0).normal(0, noise, picture.shape)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def examples(paths: list[str]) -> pd.DataFrame:
    rows = [{"product_id": "p", "path": path, "x_min": 20, "y_min": 30, "x_max": 50, "y_max": 70} for path in paths]
    rows.append({"product_id": "p", "path": paths[0], "x_min": None, "y_min": None, "x_max": None, "y_max": None})
    return pd.DataFrame(rows).astype(dict.fromkeys(["x_min", "y_min", "x_max", "y_max"], "Float64"))


@pytest.mark.parametrize("memory", [crops.MEMORY_BYTES, 0])
def test_crops_are_the_same_in_memory_and_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    monkeypatch.setattr(crops, "MEMORY_BYTES", memory)
    Image.fromarray(on_background((255, 255, 255))).save(tmp_path / "a.png")
    Image.fromarray(on_background((0, 0, 90))).save(tmp_path / "b.png")
    found = crops.cut_crops(tmp_path, examples(["a.png", "b.png"]), 16)
    assert found.use.all()
    assert not found.unreadable
    assert isinstance(found.pixels, np.memmap) == (memory == 0)
    assert found.pixels.shape == (3, 16, 16, 3)
    assert (found.pixels[:2] == (180, 20, 40)).all()
    assert found.pixels[2, 8, 8].tolist() == [180, 20, 40]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_that_exif_turns_gives_the_same_crops_as_one_that_is_stored_upright(
    tmp_path: Path, orientation: int
) -> None:
    upright = on_background((255, 255, 255))
    upright[30:50, 20:30] = (0, 120, 0)  # neither mirrored nor turned is it the same
    Image.fromarray(upright).save(tmp_path / "upright.png")
    undone = Image.Exif()
    undone[ExifTags.Base.Orientation] = {6: 8, 8: 6}.get(orientation, orientation)
    Image.fromarray(upright).save(tmp_path / "undone.png", exif=undone)
    stored = read_rgb(tmp_path / "undone.png", upright=True)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(stored).save(tmp_path / "turned.png", exif=exif)
    rows, columns = np.nonzero((stored != 255).any(axis=2))
    box = {"x_min": columns.min(), "y_min": rows.min(), "x_max": columns.max() + 1, "y_max": rows.max() + 1}
    turned = examples(["turned.png"]).assign(**{name: [number, pd.NA] for name, number in box.items()})
    of_turned = crops.cut_crops(tmp_path, turned.astype(dict.fromkeys(box, "Float64")), 16)
    of_upright = crops.cut_crops(tmp_path, examples(["upright.png"]), 16)
    np.testing.assert_array_equal(of_turned.pixels, of_upright.pixels)


def test_pictures_that_cannot_be_read_are_named_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    Image.fromarray(on_background((0, 0, 90))).save(tmp_path / "b.png")
    found = crops.cut_crops(tmp_path, examples(["a.png", "b.png", "none.png"]), 16)
    assert found.unreadable == ["a.png", "none.png"]
    assert found.use.tolist() == [False, True, False, False]


def test_an_item_shot_is_used_where_the_packshot_of_its_product_cannot_be_read(tmp_path: Path) -> None:
    scene = on_background((255, 255, 255))
    scene[:, :40] = (90, 120, 90)
    Image.fromarray(on_background((255, 255, 255))).save(tmp_path / "packshot.png")
    Image.fromarray(scene).save(tmp_path / "scene.png")
    shots = pd.concat([examples([name]).iloc[1:] for name in ("packshot.png", "scene.png")], ignore_index=True)
    assert crops.cut_crops(tmp_path, shots, 16).use.tolist() == [True, False]
    (tmp_path / "packshot.png").write_bytes(b"")
    assert crops.cut_crops(tmp_path, shots, 16).use.tolist() == [False, True]
