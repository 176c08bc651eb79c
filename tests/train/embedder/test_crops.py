from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

from fullshot.core.boxes import Corners, Picture
from fullshot.core.features import rows as feature_rows
from fullshot.core.pictures import read_crops, read_rgb
from fullshot.core.settings import load
from fullshot.train.embedder import Preparation, crops


def on_background(background: tuple[int, int, int], noise: float = 0.0) -> Picture:
    picture = np.full((100, 80, 3), background, float)
    picture[30:70, 20:50] = (180, 20, 40)
    picture += np.random.default_rng(0).normal(0, noise, picture.shape)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def examples(paths: list[str]) -> pd.DataFrame:
    rows = [{"product_id": "p", "path": path, "x_min": 20, "y_min": 30, "x_max": 50, "y_max": 70} for path in paths]
    rows.append({"product_id": "p", "path": paths[0], "x_min": None, "y_min": None, "x_max": None, "y_max": None})
    frame = pd.DataFrame(rows)
    return frame.assign(image_id=frame["path"]).astype(dict.fromkeys(["x_min", "y_min", "x_max", "y_max"], "Float64"))


def cut_crops(root: Path, rows: pd.DataFrame) -> crops.Crops:
    return crops.cut_crops(root, rows, Preparation(16), load(), "test")


@pytest.mark.parametrize("memory", [feature_rows.MEMORY_BYTES, 0])
def test_crops_are_the_same_in_memory_and_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    monkeypatch.setattr(feature_rows, "MEMORY_BYTES", memory)
    Image.fromarray(on_background((255, 255, 255))).save(tmp_path / "a.png")
    Image.fromarray(on_background((0, 0, 90))).save(tmp_path / "b.png")
    found = cut_crops(tmp_path, examples(["a.png", "b.png"]))
    assert found.use.all()
    assert not found.unreadable
    assert isinstance(found.pixels.base, np.memmap) == (memory == 0)
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
    of_turned = cut_crops(tmp_path, turned.astype(dict.fromkeys(box, "Float64")))
    of_upright = cut_crops(tmp_path, examples(["upright.png"]))
    np.testing.assert_array_equal(of_turned.pixels, of_upright.pixels)


def test_pictures_that_cannot_be_read_are_named_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    Image.fromarray(on_background((0, 0, 90))).save(tmp_path / "b.png")
    found = cut_crops(tmp_path, examples(["a.png", "b.png", "none.png"]))
    assert found.unreadable == ["a.png", "none.png"]
    assert found.use.tolist() == [False, True, False, False]


def test_an_item_shot_is_used_where_the_packshot_of_its_product_cannot_be_read(tmp_path: Path) -> None:
    scene = on_background((255, 255, 255))
    scene[:, :40] = (90, 120, 90)
    Image.fromarray(on_background((255, 255, 255))).save(tmp_path / "packshot.png")
    Image.fromarray(scene).save(tmp_path / "scene.png")
    shots = pd.concat([examples([name]).iloc[1:] for name in ("packshot.png", "scene.png")], ignore_index=True)
    assert cut_crops(tmp_path, shots).use.tolist() == [True, False]
    (tmp_path / "packshot.png").write_bytes(b"")
    assert cut_crops(tmp_path, shots).use.tolist() == [False, True]


def test_a_crop_is_cut_once_for_a_box_and_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, int]] = []

    def noted(path: Path, boxes: Sequence[Corners | None]) -> list[Picture]:
        opened.append((path.name, len(boxes)))
        return read_crops(path, boxes)

    monkeypatch.setattr(crops, "read_crops", noted)
    for name, level in (("a.png", 250), ("b.png", 90)):
        Image.fromarray(on_background((level, level, level))).save(tmp_path / name)
    first = cut_crops(tmp_path, examples(["a.png"]))
    assert opened == [("a.png", 2)]  # the box and the whole picture, of one decoded file
    more = cut_crops(tmp_path, examples(["a.png", "b.png"]))
    assert opened == [("a.png", 2), ("b.png", 2)]  # the whole is kept with a box
    np.testing.assert_array_equal(more.pixels[[0, 2]], first.pixels)
    whole = examples(["b.png"]).iloc[1:]
    assert cut_crops(tmp_path, whole).pixels[0, 8, 8].tolist() == [180, 20, 40]
    assert opened[2:] == []
    crops.cut_crops(tmp_path, examples(["a.png"]), Preparation(8), load(), "test")
    Image.fromarray(on_background((0, 0, 0))).save(tmp_path / "b.png")  # as large, but another picture
    assert (cut_crops(tmp_path, examples(["b.png"])).pixels[1, 0, 0] < 200).all()
    assert opened[2:] == [("a.png", 2), ("b.png", 2)]
