import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image
from rich.console import Console

from fullshot.core import image_store, tables
from fullshot.core import pictures as storage
from fullshot.core.boxes import crop
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.settings import RecommendSettings, Settings, load
from fullshot.core.workspace import Workspace
from fullshot.curation import garment_boxes, open_pose_estimator
from fullshot.curation.pose.skeletons import COCO18, MPI15, Skeleton
from fullshot.index import build_catalog, evaluate_recommend, recommend
from fullshot.train.detector import STARTER, open_detector
from fullshot.train.detector.yolo.library import ultralytics
from tests.curation.pose.networks import paint, write_network
from tests.modules import loaded

WEARS = ["top", "bottom", "foot"]

STANDING = {
    "nose": (0.5, 0.1),
    "head": (0.5, 0.05),
    "neck": (0.5, 0.18),
    "right eye": (0.46, 0.06),
    "left eye": (0.54, 0.06),
    "right shoulder": (0.38, 0.2),
    "left shoulder": (0.62, 0.2),
    "right elbow": (0.3, 0.33),
    "left elbow": (0.7, 0.33),
    "right wrist": (0.28, 0.46),
    "left wrist": (0.72, 0.46),
    "right hip": (0.42, 0.5),
    "left hip": (0.58, 0.5),
    "right knee": (0.42, 0.7),
    "left knee": (0.58, 0.7),
    "right ankle": (0.42, 0.9),
    "left ankle": (0.58, 0.9),
}
"""Joints of somebody who stands: x and y as shares of a picture's width and height."""


@pytest.fixture
def with_photo(built: Workspace, photo: Path, settings: Settings) -> Workspace:
    """A shop that sells what the person in the photo wears; the photo is one of its outfit images."""
    return with_outfit_image(built, photo, photo.read_bytes(), settings)


def with_outfit_image(built: Workspace, photo: Path, stored_as: bytes, settings: Settings) -> Workspace:
    """Add what the person in a photo wears to a shop, and the photo itself, as these bytes."""
    picture = storage.read_rgb(photo)
    height, width = picture.shape[:2]
    with contextlib.closing(open_pose_estimator(settings)) as estimator:
        boxes = garment_boxes(estimator.predict(picture)[0], width, height)
    outfit_image = image_store.put(built.blobs, stored_as)
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in ("products", "images", "curated", "boxes")}

    def add(stored: image_store.Stored, product: str) -> None:
        facts = {"path": stored.path, "width": stored.width, "height": stored.height, "bytes": stored.bytes}
        rows["images"].append({"image_id": stored.image_id, "product_id": product, **facts})

    for box in boxes:
        product = f"worn:{box.label}"
        garment = Image.fromarray(crop(picture, box.corners))
        shot = Image.new("RGB", (garment.width + 60, garment.height + 90), "white")
        shot.paste(garment, (30, 40))
        content = io.BytesIO()
        shot.save(content, "PNG")
        stored = image_store.put(built.blobs, content.getvalue())
        add(stored, product)
        add(outfit_image, product)
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
            {"image_id": outfit_image.image_id, "label": box.label, **corners, "source": "shop", "product_id": product}
        )
    rows["curated"].append({"image_id": outfit_image.image_id, "full_shot": True, "split": "test"})
    curated = built.read("curated")
    curated.loc[curated["split"] == "test", "split"] = "val"
    built.write("curated", curated)
    for table, more in rows.items():
        built.write(table, pd.concat([built.read(table), tables.frame(table, more)], ignore_index=True))
    build_catalog(built, settings)
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
    assert answer.notes == ["no detector is used: the boxes are where the pose says that garments are"]

    plain = json.loads(json.dumps(answer.as_json()))
    assert plain["garments"][0]["look_alikes"][1]["price"] >= 499
    assert plain["garments"][0]["look_alikes"][0]["price"] is None
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(answer.table())
    text = console.export_text()
    assert "[bold]top for $5 and $6" in text
    assert "https://shop.example/worn:foot" in text
    assert "no detector is used" in text

    with Image.open(output) as drawn:
        assert drawn.width > drawn.height > 400
        # A box's colour is on the photo, at the left.
        left = np.asarray(drawn.convert("RGB"))[:, : drawn.width // 3].reshape(-1, 3)
        assert (np.abs(left.astype(int) - (0xD1, 0x49, 0x5B)).max(axis=1) < 8).sum() > 50
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_where_no_detector_was_trained_the_starter_weights_find_the_garments_and_the_answer_says_so(
    with_photo: Workspace, photo: Path
) -> None:
    answer = recommend(with_photo, photo, load(embedder={"device": "cpu"}))
    assert answer.detector == "starter"
    assert answer.notes[0] == "no detector was trained here: the boxes are of the starter weights"
    by_label = {garment.box.label: garment.box for garment in answer.garments}
    assert by_label["top"].source == by_label["bottom"].source == "model"
    assert by_label["top"].y_min < by_label["bottom"].y_min < by_label["foot"].y_min


def test_an_answer_loads_neither_what_trains_nor_what_reads_whole_tables(
    built: Workspace, photo: Path, tmp_path: Path
) -> None:
    open_detector(STARTER)  # exported once for all workspaces
    words = ["recommend", str(built.root), str(photo)]
    finds_people, finds_products, draws = {"mediapipe", "cv2"}, {"onnxruntime", "faiss", "duckdb"}, {"matplotlib"}
    assert loaded(words, tmp_path) == (0, finds_people | finds_products | draws)


def recalls(scores: dict[str, Any]) -> dict[str, float]:
    return {wear: of_wear["instance_recall@5"] for wear, of_wear in scores["wears"].items()}


def test_evaluate_goes_the_whole_way(with_photo: Workspace, settings: Settings) -> None:
    scores = evaluate_recommend(with_photo, settings)
    assert recalls(scores) == {"top": 1, "bottom": 1, "foot": 1}
    assert scores["instance_recall@5"] == 1
    assert (scores["outfit_images"], scores["garments"], scores["unreadable"]) == (1, 3, 0)
    assert scores["boxes"] == {"pose": 3}
    # Nobody is on the drawn outfit images: all are misses, and none is forgotten.
    drawn = evaluate_recommend(with_photo, settings, split="train")
    assert drawn["instance_recall@5"] == 0
    assert drawn["without_person"] == drawn["outfit_images"] == 6


def test_outfit_images_are_looked_at_once(
    with_photo: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = evaluate_recommend(with_photo, settings)
    monkeypatch.setattr(storage, "_opened", None)  # whoever opens a picture stumbles
    capsys.readouterr()
    assert evaluate_recommend(with_photo, settings) == first
    assert "nothing has changed" in capsys.readouterr().err
    fewer = settings.model_copy(update={"recommend": RecommendSettings(neighbours=1)})
    scores = evaluate_recommend(with_photo, fewer)  # asked anew, of what was found and embedded before
    assert scores["instance_recall@1"] == 1
    assert "nothing has changed" not in capsys.readouterr().err


def test_a_product_that_is_found_as_another_wear_is_a_miss(with_photo: Workspace, settings: Settings) -> None:
    # The catalog was built when the product was a bottom: the bottom of the photo still finds it.
    products = with_photo.read("products")
    products.loc[products["product_id"] == "worn:bottom", "wear"] = "top"
    with_photo.write("products", products)
    scores = evaluate_recommend(with_photo, settings)
    assert recalls(scores) == {"top": 0.5, "foot": 1}


def test_an_outfit_image_that_is_stored_turned_is_answered_upright(
    built: Workspace, photo: Path, settings: Settings
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3  # upside down: of a person who lies, the pose and small crops are good enough
    content = io.BytesIO()
    with Image.open(photo) as picture:
        picture.transpose(Image.Transpose.ROTATE_180).save(content, "PNG", exif=exif)
    scores = evaluate_recommend(with_outfit_image(built, photo, content.getvalue(), settings), settings)
    assert recalls(scores) == {"top": 1, "bottom": 1, "foot": 1}


def test_outfit_images_that_cannot_be_read_are_counted_and_named(
    built: Workspace, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    curated = built.read("curated")
    images = curated.loc[curated["full_shot"].astype(bool) & (curated["split"] == "train"), "image_id"].tolist()
    paths = dict(built.read("images")[["image_id", "path"]].itertuples(index=False, name=None))
    (built / paths[images[0]]).write_bytes(b"no picture")
    (built / paths[images[1]]).unlink()
    scores = evaluate_recommend(built, settings, split="train")
    assert (scores["outfit_images"], scores["unreadable"], scores["garments"]) == (4, 2, 12)
    messages = capsys.readouterr().err
    assert "2 pictures that cannot be read are left out" in messages
    assert paths[images[0]] in messages
    for image in images:
        (built / paths[image]).write_bytes(b"no picture")
    with pytest.raises(StageFailed, match="none of the 6 outfit images"):
        evaluate_recommend(built, settings, split="train")


@pytest.mark.parametrize("skeleton", [COCO18, MPI15], ids=lambda skeleton: skeleton.name)
def test_the_person_is_found_by_the_estimator_of_the_settings(
    built: Workspace, settings: Settings, tmp_path: Path, skeleton: Skeleton
) -> None:
    # Dots of the colours that the network takes for joints: nobody whom MediaPipe would find.
    places = {joint: place for joint, place in STANDING.items() if joint in skeleton.joints}
    photo = tmp_path / "dots.png"
    Image.fromarray(paint(skeleton, 600, 900, places)).save(photo)
    network = write_network(tmp_path / "network.onnx", skeleton)
    chosen = {"pose": "openpose", "pose_network": str(network), "pose_layout": skeleton.name}
    answer = recommend(built, photo, load(curate=chosen, embedder=settings.embedder.model_dump()))
    boxes = {garment.box.label: garment.box for garment in answer.garments}
    assert list(boxes) == WEARS
    assert all(box.source == "pose" for box in boxes.values())
    for label, joints in {
        "top": ("right shoulder", "left elbow"),
        "bottom": ("left knee",),
        "foot": ("left ankle",),
    }.items():
        box = boxes[label]
        for x, y in (places[joint] for joint in joints):
            assert box.x_min < 600 * x < box.x_max
            assert box.y_min < 900 * y < box.y_max
    assert boxes["top"].y_max < boxes["foot"].y_min
    with pytest.raises(StageFailed, match="no person found"):
        recommend(built, photo, settings)


def test_a_wear_that_the_shop_does_not_sell_is_said(with_photo: Workspace, photo: Path, settings: Settings) -> None:
    products = with_photo.read("products")
    with_photo.write("products", products[products["wear"] != "foot"])
    build_catalog(with_photo, settings)
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
