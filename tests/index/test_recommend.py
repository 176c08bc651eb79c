import contextlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from fullshot.core import pictures as storage
from fullshot.core import tables
from fullshot.core.boxes import crop
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation import garment_boxes, open_pose_estimator
from fullshot.index import catalog
from fullshot.index.evaluate import evaluate_recommend
from fullshot.index.recommend import recommend
from fullshot.train.detector.yolo.library import ultralytics

WEARS = ["top", "bottom", "foot"]


@pytest.fixture
def with_photo(built: Workspace, photo: Path, settings: Settings) -> Workspace:
    """A shop that sells what the person in the photo wears; the photo is one of its looks."""
    picture = storage.read_rgb(photo)
    height, width = picture.shape[:2]
    with contextlib.closing(open_pose_estimator(settings)) as estimator:
        boxes = garment_boxes(estimator.predict(picture)[0], width, height)
    look = storage.put(built.root, photo.read_bytes())
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in ("products", "images", "curated", "boxes")}

    def add(stored: storage.Stored, product: str) -> None:
        facts = {"path": stored.path, "width": stored.width, "height": stored.height, "bytes": stored.bytes}
        rows["images"].append({"image_id": stored.image_id, "product_id": product, **facts})

    for box in boxes:
        product = f"worn:{box.label}"
        garment = Image.fromarray(crop(picture, box.corners))
        shot = Image.new("RGB", (garment.width + 60, garment.height + 90), "white")
        shot.paste(garment, (30, 40))
        content = io.BytesIO()
        shot.save(content, "PNG")
        stored = storage.put(built.root, content.getvalue())
        add(stored, product)
        add(look, product)
        # What a name may hold: mark-up of the table and of the plot, and a script that few fonts have.
        name = f"[bold]{box.label} for $5 and $6, शर्ट"
        rows["products"].append(
            {
                "product_id": product,
                "name": name,
                "gender": "men",
                "wear": box.label,
                "url": f"https://shop.example/{product}",
            }
        )
        rows["curated"].append({"image_id": stored.image_id, "full_shot": False, "split": "test"})
        corners = dict(zip(("x_min", "y_min", "x_max", "y_max"), box.corners, strict=True))
        rows["boxes"].append(
            {"image_id": look.image_id, "label": box.label, **corners, "source": "shop", "product_id": product}
        )
    rows["curated"].append({"image_id": look.image_id, "full_shot": True, "split": "test"})
    curated = built.read("curated")
    curated.loc[curated["split"] == "test", "split"] = "val"
    built.write("curated", curated)
    for table, more in rows.items():
        built.write(table, pd.concat([built.read(table), tables.frame(table, more)], ignore_index=True))
    catalog.build(built, settings)
    return built


def test_the_very_products_worn_are_recommended(
    with_photo: Workspace, photo: Path, settings: Settings, tmp_path: Path
) -> None:
    output = tmp_path / "out" / "recommendation.png"
    answer = recommend(with_photo, photo, settings, output)
    assert [garment.box.label for garment in answer.garments] == WEARS
    for garment in answer.garments:
        assert garment.box.source == "pose"
        assert len({found.product_id for found in garment.look_alikes}) == 5
        first = garment.look_alikes[0]
        assert first.product_id == f"worn:{garment.box.label}"
        assert first.url == f"https://shop.example/{first.product_id}"
        assert (with_photo / first.path).is_file()
        assert [found.score for found in garment.look_alikes] == sorted(
            (found.score for found in garment.look_alikes), reverse=True
        )
    assert answer.notes == ["no detector was trained: the boxes are where the pose says that garments are"]

    plain = json.loads(json.dumps(answer.as_json()))
    assert plain["garments"][0]["look_alikes"][1]["price"] >= 499
    assert plain["garments"][0]["look_alikes"][0]["price"] is None
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(answer.table())
    text = console.export_text()
    assert "[bold]top for $5 and $6" in text
    assert "https://shop.example/worn:foot" in text
    assert "no detector was trained" in text

    with Image.open(output) as drawn:
        assert drawn.width > drawn.height > 400
        # A box's colour is on the photo, at the left.
        left = np.asarray(drawn.convert("RGB"))[:, : drawn.width // 3].reshape(-1, 3)
        assert (np.abs(left.astype(int) - (0xD1, 0x49, 0x5B)).max(axis=1) < 8).sum() > 50
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_evaluate_goes_the_whole_way(with_photo: Workspace, settings: Settings) -> None:
    scores = evaluate_recommend(with_photo, settings)
    assert scores["found_by_label"] == {"top": 1, "bottom": 1, "foot": 1}
    assert scores["looks"] == 1
    assert scores["garments"] == 3
    assert scores["boxes"] == {"pose": 3}
    # Nobody is on the drawn looks: all are misses, and none is forgotten.
    drawn = evaluate_recommend(with_photo, settings, split="train")
    assert drawn["found"] == 0
    assert drawn["without_person"] == drawn["looks"] == 6


def test_a_wear_that_the_shop_does_not_sell_is_said(with_photo: Workspace, photo: Path, settings: Settings) -> None:
    products = with_photo.read("products")
    with_photo.write("products", products[products["wear"] != "foot"])
    catalog.build(with_photo, settings)
    answer = recommend(with_photo, photo, settings)
    assert "no foot in this catalog" in answer.notes
    assert [len(garment.look_alikes) for garment in answer.garments] == [5, 5, 0]


def test_a_photo_without_anybody_or_no_photo_is_one_line(built: Workspace, settings: Settings, tmp_path: Path) -> None:
    wall = tmp_path / "wall.png"
    Image.new("RGB", (200, 300), (120, 120, 90)).save(wall)
    output = tmp_path / "answer.png"
    with pytest.raises(StageFailed, match=r"no person found in .*wall\.png"):
        recommend(built, wall, settings, output)
    assert not output.exists()
    words = tmp_path / "words.jpg"
    words.write_text("no picture")
    for path, expected in ((words, "not a picture"), (tmp_path / "none.jpg", "no file"), (tmp_path, "a folder")):
        with pytest.raises(UserError, match=expected) as error:
            recommend(built, path, settings, output)
        assert "\n" not in str(error.value)


def test_an_output_that_cannot_be_written_is_one_line(
    built: Workspace, photo: Path, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"end in \.png"):
        recommend(built, photo, settings, tmp_path / "answer.doc")
    with pytest.raises(UserError, match="got a folder"):
        recommend(built, photo, settings, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        recommend(built, photo, settings, tmp_path / "file" / "answer.png")


def test_what_is_missing_is_one_line(built: Workspace, photo: Path, settings: Settings) -> None:
    shutil.rmtree(built.catalog)
    with pytest.raises(MissingInput, match=r"no catalog in .*fullshot index build"):
        recommend(built, photo, settings)
    with pytest.raises(MissingInput, match="of the split nowhere"):
        evaluate_recommend(built, settings, split="nowhere")
    shutil.rmtree(built / "models")
    with pytest.raises(MissingInput, match="no embedder"):
        recommend(built, photo, settings)


def test_a_broken_picture_is_one_line_after_ultralytics_was_loaded(
    built: Workspace, settings: Settings, tmp_path: Path
) -> None:
    # It replaces Pillow's way to open files by one that would install packages.
    ultralytics()
    words = tmp_path / "words.jpg"
    words.write_text("no picture")
    with pytest.raises(UserError, match="not a picture"):
        recommend(built, words, settings)
