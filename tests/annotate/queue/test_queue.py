"""What to annotate next: the order, the reasons, and that no picture is looked at twice."""

import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from fullshot.annotate.label_studio import tasks
from fullshot.annotate.queue import predictions, shortlist
from fullshot.annotate.queue import run as queue
from fullshot.annotate.queue.coverage import in_sample, population_of
from fullshot.annotate.queue.numbering import priorities
from fullshot.annotate.queue.predictions import BEST, KIND, DetectorExtractor, feature_extractor
from fullshot.annotate.queue.run import prioritise
from fullshot.annotate.queue.selection import Labelled, Order, Pool, Weights, choose
from fullshot.annotate.queue.turns import Turns
from fullshot.annotate.queue.uncertainty import certainty, class_weights, margin, uncertainty
from fullshot.core import image_store, tables
from fullshot.core.annotations import WITHDRAWN
from fullshot.core.boxes import Picture
from fullshot.core.engines import open_engine
from fullshot.core.errors import MissingInput
from fullshot.core.settings import AnnotateSettings, DetectorSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.detector.yolo import library as yolo

RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 180, 30), (30, 30, 200), (128, 128, 128)
# Every reason counts for something, whatever the defaults are.
SETTINGS = Settings(
    annotate=AnnotateSettings(unclear_share=0.5, uncertainty_weight=0.5, diversity_weight=0.3, rarity_weight=0.2),
    detector=DetectorSettings(starter=False),  # what it sees in pictures of one colour is not known by hand
)

Make = Callable[..., tuple[Workspace, list[str]]]


def photo(colour: tuple[int, int, int], number: int) -> bytes:
    """A PNG of 48×64 pixels in nearly one colour; no two numbers have the same bytes."""
    noise = np.random.default_rng(number).integers(0, 6, (64, 48, 3))
    file = io.BytesIO()
    Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A workspace of pictures; each says its ``colour`` and may say its product, kind, split, and curated's cells.

    ``labelled`` is the source of its boxes. Returns the image ids in the order of the pictures given.
    """

    def made(*pictures: dict[str, Any]) -> tuple[Workspace, list[str]]:
        workspace = Workspace(tmp_path / "ws")
        ids, images, curated, boxes, products = [], [], [], [], {}
        for number, picture in enumerate(pictures):
            stored = image_store.put(workspace.blobs, photo(picture.get("colour", GREY), number))
            ids.append(stored.image_id)
            product = picture.get("product", f"shop:{number}")
            products[product] = {"product_id": product, "gender": "women", "product_type": picture.get("kind")}
            size = {"width": stored.width, "height": stored.height, "bytes": stored.bytes}
            images.append({"image_id": stored.image_id, "product_id": product, "path": stored.path, **size})
            cells = {"shot": "full", "full_shot": True, "keep": True, "split": "train"}
            curated.append({"image_id": stored.image_id, **cells, **picture.get("curated", {})})
            if "labelled" in picture:
                corners = {"x_min": 1, "y_min": 1, "x_max": 40, "y_max": 30}
                boxes.append({"image_id": stored.image_id, "label": "top", **corners, "source": picture["labelled"]})
        workspace.write("images", tables.frame("images", images))
        workspace.write("curated", tables.frame("curated", curated))
        workspace.write("products", tables.frame("products", products.values()))
        workspace.write("boxes", tables.frame("boxes", boxes))
        return workspace, ids

    return made


def order(workspace: Workspace, settings: Settings = SETTINGS) -> pd.DataFrame:
    prioritise(workspace, settings)
    return workspace.read("priorities")


class ScriptedExtractor:
    """Stands in for a trained detector, whose training takes minutes: it answers by a picture's colour.

    ``scores`` says, by colour, the best score of top, bottom, foot and long.
    """

    version = "scripted"
    side = 64
    quality = 1.0
    for_workers = False

    def __init__(self, scores: dict[tuple[int, int, int], tuple[float, float, float, float]]) -> None:
        self._scores = scores

    def extract(self, pictures: Sequence[Picture]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        scores = np.zeros((len(pictures), 4, BEST), np.float32)
        for row, picture in enumerate(pictures):
            mean = picture.mean(axis=(0, 1))
            nearest = min(self._scores, key=lambda colour: float(np.abs(mean - colour).sum()))
            scores[row, :, 0] = self._scores[nearest]
        return scores, np.ones((len(pictures), 3), np.float32)


def script(monkeypatch: pytest.MonkeyPatch, **scores: tuple[float, float, float, float]) -> None:
    colours = {"red": RED, "green": GREEN, "blue": BLUE, "grey": GREY}
    extractor = ScriptedExtractor({colours[name]: given for name, given in scores.items()})
    monkeypatch.setattr(queue, "feature_extractor", lambda workspace, settings: extractor)


# Which pictures


def test_only_what_curation_kept_and_nobody_annotated_is_asked_for(make: Make) -> None:
    left_out: list[dict[str, Any]] = [
        {"curated": {"keep": False}},
        {"curated": {"duplicate_of": "0" * 64}},
        {"curated": {"shot": "item", "full_shot": False}},
        {"curated": {"shot": "half", "full_shot": False}},
        {"labelled": "human"},
    ]
    asked: list[dict[str, Any]] = [
        {},
        {"curated": {"shot": "unclear", "full_shot": None}},
        {"labelled": "model"},  # a guess is no annotation
        {"curated": {"shot": None}},  # as version 0.1 wrote it
    ]
    workspace, ids = make(*left_out, *asked)
    assert set(order(workspace)["image_id"]) == set(ids[len(left_out) :])


@pytest.mark.parametrize("verdict", ["boxes", "not_full_shot", "skipped"])
def test_what_a_person_has_judged_is_not_asked_again(make: Make, verdict: str) -> None:
    workspace, ids = make({}, {})
    row = {"image_id": ids[0], "revision": 1, "verdict": verdict, "boxes": 0}
    workspace.write("annotations", tables.frame("annotations", [row]))
    assert order(workspace)["image_id"].tolist() == [ids[1]]


def test_what_was_taken_back_is_asked_for_again(make: Make) -> None:
    workspace, ids = make({}, {})
    rows = [
        {"image_id": ids[0], "revision": 1, "verdict": "boxes", "boxes": 0, "annotation": 1},
        {"image_id": ids[0], "revision": 2, "verdict": "skipped", "boxes": 0, "annotation": 1, "comment": WITHDRAWN},
    ]
    workspace.write("annotations", tables.frame("annotations", rows))
    assert set(order(workspace)["image_id"]) == set(ids)


def test_splits_to_measure_on_come_last_whatever_the_detector_says(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    # The detector is sure of the red pictures, which are to learn from, and lost on the others.
    script(monkeypatch, red=(0.99, 0.99, 0.99, 0), blue=(0.25, 0.25, 0.25, 0.25))
    sides = ["test", "val", "train", "train", "test", "test"]
    pictures = [
        {"colour": RED if side == "train" else BLUE, "kind": None if side == "train" else "Jumpsuit"}
        | {"curated": {"split": side}}
        for side in sides
    ]
    workspace, ids = make(*pictures)
    found = order(workspace)
    assert set(found["image_id"][:2]) == {ids[2], ids[3]}
    # By nothing but their bytes: a test of hard pictures would measure another thing.
    last = found[2:]
    assert last["image_id"].tolist() == sorted(last["image_id"])
    assert last["uncertainty"].isna().all()
    assert last["reason"].str.contains("no model learns from it").all()


def test_imported_boxes_are_checked_after_what_has_none(make: Make) -> None:
    workspace, ids = make({"labelled": "import", "colour": BLUE}, *[{"colour": RED}] * 3)
    found = order(workspace)
    assert found["image_id"].tolist()[-1] == ids[0]
    assert "no person has checked" in found["reason"].tolist()[-1]


def test_unclear_ones_have_their_share(make: Make) -> None:
    unclear = {"curated": {"shot": "unclear", "full_shot": None}}
    workspace, ids = make(*[{}] * 6, *[unclear] * 3)
    found = order(workspace)
    places = [place for place, each in enumerate(found["image_id"]) if each in ids[6:]]
    assert places == [1, 3, 5]
    assert found["reason"][1].startswith("nobody knows yet whether it is a full shot")


# In which order


def test_numbers_say_the_order(make: Make) -> None:
    workspace, _ = make(*[{"colour": RED}] * 5)
    assert order(workspace)["priority"].tolist() == [5, 4, 3, 2, 1]


def seen_by_annotators(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """What `push` sends of each picture, and compares with what annotators have."""
    with workspace.open() as data:
        wanted = range(tasks.create_wanted(data))
        return {one.image_id: one.data for one in tasks.pictures(data, SETTINGS.annotate, wanted)}


# The farther out of turn, the more.
@pytest.mark.parametrize(("place", "most"), [(0, 2), (1, 2), (12, 9), (35, 18)])
def test_an_annotation_changes_few_tasks_of_other_pictures(make: Make, place: int, most: int) -> None:
    colours = np.random.default_rng(1).integers(0, 250, (90, 3)).tolist()
    kinds = ["Jeans", "Kurtas", "Tshirts", "Jeans", "Shirts"]
    pictures: list[dict[str, Any]] = [
        {"colour": colours[number], "kind": kinds[number % 5], "product": f"shop:{number // 3}"}
        | ({"curated": {"shot": "unclear", "full_shot": None}} if number % 7 == 0 else {})
        | ({"curated": {"split": "val"}} if number % 11 == 0 else {})
        for number in range(90)
    ]
    workspace, _ = make(*pictures)
    settings = Settings(detector=SETTINGS.detector)
    annotated = order(workspace, settings)["image_id"][place]
    before = seen_by_annotators(workspace)
    row = {"image_id": annotated, "revision": 1, "verdict": "boxes", "boxes": 1, "annotation": 1}
    workspace.write("annotations", tables.frame("annotations", [{**row, "updated_at": "2026-01-01T00:00:00Z"}]))
    box = {"image_id": annotated, "label": "top", "x_min": 1, "y_min": 1, "x_max": 40, "y_max": 30, "revision": 1}
    boxes = pd.concat([workspace.read("boxes"), tables.frame("boxes", [{**box, "source": "human"}])])
    workspace.write("boxes", boxes)
    found = order(workspace, settings)
    assert annotated not in set(found["image_id"])
    assert found["priority"].is_monotonic_decreasing
    assert found["priority"].is_unique
    after = seen_by_annotators(workspace)
    changed = [identity for identity in after if identity != annotated and after[identity] != before[identity]]
    assert len(changed) <= most


def test_a_picture_that_comes_to_lead_does(make: Make) -> None:
    workspace, ids = make(*[{"colour": RED, "labelled": "human"}] * 3, *[{"colour": RED}] * 3, *[{"colour": BLUE}] * 4)
    # Of an order in which what is blue came last.
    numbers = {identity: 7.0 - place for place, identity in enumerate(ids[3:])}
    rows = [{"image_id": identity, "priority": number, "reason": ""} for identity, number in numbers.items()]
    workspace.write("priorities", tables.frame("priorities", rows))
    found = order(workspace)
    # The first of the blue ones goes before all others, which keep their numbers as far as they can.
    assert found["image_id"][0] == ids[6]
    assert found["priority"].is_monotonic_decreasing
    assert found["priority"][0] > 7
    kept = [numbers[str(row["image_id"])] == row["priority"] for row in found.to_dict("records")]
    assert sum(kept) >= 3


def test_annotators_get_numbers_with_all_their_decimals(make: Make) -> None:
    workspace, ids = make({}, {})
    numbers = [1.000002, 1.000001]
    rows = [{"image_id": name, "priority": number} for name, number in zip(ids, numbers, strict=True)]
    workspace.write("priorities", tables.frame("priorities", rows))
    assert [seen_by_annotators(workspace)[name]["priority"] for name in ids] == numbers


@given(st.permutations(range(7)), st.dictionaries(st.integers(0, 9), st.floats(0.001, 50), max_size=8))
def test_numbers_say_an_order_and_as_few_as_can_be_change(order: list[int], before: dict[int, float]) -> None:
    values = [round(before.get(each, 0.0), 2) for each in order]
    numbers = priorities(np.array(values)).tolist()
    assert all(first > second for first, second in pairwise([*numbers, 0]))
    falling = max(
        len(chosen)
        for count in range(len(values) + 1)
        for chosen in combinations(values, count)
        if all(first > second for first, second in pairwise([*chosen, 0.0]))
    )
    assert sum(0 < value == number for value, number in zip(values, numbers, strict=True)) == falling


def test_where_no_number_lies_between_all_are_numbered_anew() -> None:
    assert priorities(np.array([1.000001, 0, 1])).tolist() == [3, 2, 1]
    assert priorities(np.array([1.000001, 1, 0])).tolist() == [1.000001, 1.0, 0.5]


def test_of_many_pictures_a_sample_stands_for_all_and_stays_the_same() -> None:
    lots = np.sort(np.random.default_rng(0).integers(0, 2**32, 700, np.uint32))
    sample = lots[in_sample(lots, 100)]
    assert 50 < len(sample) <= 115
    fewer = lots[np.arange(700) % 5 > 0]
    assert set(fewer[in_sample(fewer, 100)]) == set(sample) & set(fewer)
    assert in_sample(lots[:100], 100).all()


def test_the_first_are_of_different_kinds_of_pictures(make: Make) -> None:
    colours = [RED] * 5 + [GREEN] * 5 + [BLUE] * 5
    workspace, ids = make(*[{"colour": colour} for colour in colours])
    found = order(workspace)
    assert {colours[ids.index(each)] for each in found["image_id"][:3]} == {RED, GREEN, BLUE}
    assert "stands for few that nothing labelled or before it is like" in found["reason"].tolist()[-1]


def test_what_is_like_the_labelled_waits(make: Make) -> None:
    labelled = [{"colour": RED, "labelled": "human"}] * 3
    workspace, ids = make(*labelled, *[{"colour": RED}] * 4, {"colour": BLUE})
    found = order(workspace)
    assert found["image_id"][0] == ids[-1]
    assert "it stands for many that nothing labelled or before it is like" in found["reason"][0]


def test_what_is_labelled_of_the_test_teaches_nothing(make: Make) -> None:
    measured = {"colour": RED, "labelled": "human", "curated": {"split": "test"}}
    workspace, ids = make(measured, measured, {"colour": BLUE, "labelled": "human"}, {"colour": BLUE}, {"colour": RED})
    assert order(workspace)["image_id"][0] == ids[-1]


def test_rare_product_types_rise(make: Make) -> None:
    labelled = [{"kind": "Jeans", "labelled": "human"}] * 6 + [{"kind": "Kurtas", "labelled": "human"}]
    kinds = ["Jeans", "Jeans", "Kurtas", "Jeans", "Jumpsuit", "Jeans"]
    workspace, ids = make(*labelled, *[{"kind": kind} for kind in kinds])
    found = order(workspace)
    by_id = dict(zip(ids[len(labelled) :], kinds, strict=True))
    assert [by_id[each] for each in found["image_id"]][:2] == ["Jumpsuit", "Kurtas"]
    assert "few or no pictures of Jumpsuit are labelled" in found["reason"][0]
    assert found["rarity"].is_monotonic_decreasing


def test_the_rarest_type_that_is_left_is_as_rare_as_can_be(make: Make) -> None:
    labelled = [{"kind": "Jeans", "labelled": "human"}] * 3 + [{"kind": "Kurtas", "labelled": "human"}] * 7
    workspace, _ = make(*labelled, {"kind": "Jeans"}, {"kind": "Kurtas"})
    assert order(workspace)["rarity"].tolist() == [1, 1]


def test_one_rare_type_does_not_fill_the_head(make: Make) -> None:
    labelled = [{"kind": "Jeans", "labelled": "human"}] * 2
    kinds = ["Jumpsuit"] * 8 + ["Jeans"] * 8
    workspace, ids = make(*labelled, *[{"kind": kind} for kind in kinds])
    found = order(workspace, Settings(annotate=AnnotateSettings(diversity_weight=0)))
    head = [kinds[ids.index(each) - len(labelled)] for each in found["image_id"][:6]]
    # Two until there are as many as Jeans, then by turns.
    assert head[:2] == ["Jumpsuit"] * 2
    assert head.count("Jumpsuit") == 4


def test_a_product_is_not_asked_for_many_times_in_a_row(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, red=(0.25, 0.25, 0.25, 0.25), grey=(0.9, 0.9, 0.9, 0))
    one = [{"product": "shop:one", "colour": RED}] * 4
    workspace, ids = make(*one, *[{"colour": GREY}] * 15)
    places = [place for place, each in enumerate(order(workspace)["image_id"]) if each in ids[:4]]
    assert places == [0, 16, 17, 18]


def test_the_detector_s_doubt_leads_and_is_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    # Reported from 0.25 on: red is a close call, green is sure, of blue no shoes are found.
    script(monkeypatch, red=(0.9, 0.27, 0.9, 0), green=(0.95, 0.95, 0.95, 0), blue=(0.95, 0.95, 0, 0))
    workspace, ids = make({"colour": GREEN}, {"colour": RED}, {"colour": BLUE})
    found = order(workspace, Settings(annotate=AnnotateSettings(diversity_weight=0, rarity_weight=0)))
    reasons = dict(zip(found["image_id"], found["reason"], strict=True))
    assert found["image_id"].tolist()[-1] == ids[0]
    assert reasons[ids[1]] == "the detector is unsure of a bottom (0.27)"
    assert reasons[ids[2]] == "the detector finds no shoes"
    assert found["uncertainty"].is_monotonic_decreasing


def test_a_poor_detector_s_doubt_counts_for_little(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, red=(0.25, 0.25, 0.25, 0.25), grey=(0.9, 0.9, 0.9, 0))
    labelled = [{"kind": "Jeans", "labelled": "human", "colour": GREY}] * 3
    workspace, ids = make(*labelled, {"kind": "Jeans", "colour": RED}, {"kind": "Kurtas", "colour": GREY})
    assert order(workspace)["image_id"][0] == ids[3]
    monkeypatch.setattr(ScriptedExtractor, "quality", 0.1)
    assert order(workspace)["image_id"][0] == ids[4]


def test_without_a_detector_the_rest_decides(make: Make) -> None:
    workspace, _ = make({"colour": RED}, {"colour": BLUE})
    stats = prioritise(workspace, SETTINGS)
    found = workspace.read("priorities")
    assert stats["detector"] is None
    assert found["uncertainty"].isna().all()
    assert found["diversity"].tolist() == [1, pytest.approx(1, abs=0.05)]
    assert found["reason"].tolist() == ["it stands for many that nothing labelled or before it is like"] * 2


LOT = Settings(annotate=AnnotateSettings(order="random", unclear_share=0.5), detector=SETTINGS.detector)


def test_by_lot_no_reason_counts_whatever_order_was_there_before(make: Make) -> None:
    labelled = [{"kind": "Jeans", "labelled": "human", "colour": RED}] * 9
    likes = [{"kind": "Jeans", "colour": RED}] * 9
    workspace, ids = make(*labelled, *likes, *[{"kind": "Kurtas", "colour": BLUE}] * 9)
    assert order(workspace)["image_id"].tolist() != sorted(ids[9:])
    found = order(workspace, LOT)
    assert found["image_id"].tolist() == sorted(ids[9:])
    assert set(found["reason"]) == {"by lot"}


def test_by_lot_no_detector_is_asked(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "feature_extractor", lambda *_: pytest.fail("a detector is asked"))
    workspace, _ = make({}, {})
    assert prioritise(workspace, LOT)["detector"] is None


def test_by_lot_unclear_ones_have_their_share_and_imported_boxes_come_after(make: Make) -> None:
    unclear = {"curated": {"shot": "unclear", "full_shot": None}}
    workspace, ids = make(*[{}] * 4, *[unclear] * 4, {"labelled": "import"}, {"curated": {"split": "test"}})
    found = order(workspace, LOT)
    assert found["image_id"].tolist()[-2:] == ids[-2:]
    is_unclear = found["image_id"].isin(ids[4:8]).tolist()[:8]
    assert is_unclear == [False, True] * 4
    always = "nobody knows yet whether it is a full shot; by lot"
    assert found["reason"].tolist()[:8] == ["by lot", always] * 4
    assert found["reason"][8] == "its boxes were brought along, no person has checked them; by lot"


def test_the_same_tables_give_the_same_bytes(make: Make) -> None:
    colours = [RED, GREEN, BLUE, GREY] * 5
    workspace, _ = make(*[{"colour": colour, "kind": f"Kind {n % 3}"} for n, colour in enumerate(colours)])
    order(workspace)
    before = workspace.table("priorities").read_bytes()
    for name in ("images", "curated"):
        workspace.write(name, workspace.read(name)[::-1])
    order(workspace)
    assert workspace.table("priorities").read_bytes() == before


# Nothing there


def test_without_curation_one_is_told_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="run `fullshot add"):
        prioritise(Workspace(tmp_path / "none"), SETTINGS)
    (tmp_path / "ws").mkdir()
    workspace = Workspace(tmp_path / "ws")
    workspace.write("images", tables.frame("images"))
    with pytest.raises(MissingInput, match="run `fullshot curate"):
        prioritise(workspace, SETTINGS)


def test_nothing_to_annotate_is_an_empty_queue(make: Make) -> None:
    workspace, _ = make({"labelled": "human"})
    stats = prioritise(workspace, SETTINGS)
    assert (stats["candidates"], stats["predicted"], stats["labelled"]) == (0, 0, 1)
    assert workspace.read("priorities").empty


def test_a_picture_that_cannot_be_read_is_left_out_counted_and_named(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, ids = make({}, {})
    path = str(workspace.read("images").set_index("image_id").loc[ids[0], "path"])
    (workspace / path).write_bytes(b"no picture")
    stats = prioritise(workspace, SETTINGS)
    assert stats["unreadable"] == 1
    assert f"1 picture that cannot be read is left out: {path}" in capsys.readouterr().err
    assert workspace.read("priorities")["image_id"].tolist() == [ids[1]]


# The detector, untrained: what it says is noise, but it is loaded, run and kept as a trained one is.


def install_detector(workspace: Workspace, seed: int) -> None:
    import torch

    torch.manual_seed(seed)
    settings = Settings(detector=DetectorSettings(image_size=64, device="cpu"))
    run = runs.start(workspace, "detector", f"{seed}", settings)
    weights = run.folder / "weights" / "best.pt"
    weights.parent.mkdir()
    model = yolo.open_model(yolo.model_file("garment-nano"))
    for parameter in model.model.parameters():
        if parameter.ndim == 4 and parameter.requires_grad:
            # As it begins, next to nothing of a picture comes through to the backbone's end.
            torch.nn.init.kaiming_normal_(parameter)
    model.save(weights)
    runs.finish(run, {})


def test_no_detector_looks_at_a_picture_twice(make: Make) -> None:
    workspace, _ = make(*[{"colour": colour} for colour in (RED, GREEN, BLUE)], {"labelled": "human"})
    install_detector(workspace, 1)
    stats = prioritise(workspace, SETTINGS)
    before = workspace.table("priorities").read_bytes()
    assert stats["predicted"] == 4
    assert len(stats["detector"]) == 16
    assert prioritise(workspace, SETTINGS)["predicted"] == 0
    assert workspace.table("priorities").read_bytes() == before
    # Another detector sees other things.
    install_detector(workspace, 2)
    stats = prioritise(workspace, SETTINGS)
    assert stats["predicted"] == 4
    # Half a file is as good as none.
    [shard] = (workspace / "features" / KIND).glob(f"{stats['detector']}*/*.parquet")
    shard.write_bytes(shard.read_bytes()[:100])
    assert prioritise(workspace, SETTINGS)["predicted"] == 4


def test_what_is_seen_does_not_depend_on_the_neighbours(make: Make) -> None:
    workspace, _ = make({})
    install_detector(workspace, 1)
    extractor = feature_extractor(workspace, SETTINGS)
    assert isinstance(extractor, DetectorExtractor)
    dice = np.random.default_rng(0)
    shapes = [(64, 48), (48, 64), (90, 30)] * 7
    pictures = [dice.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]
    _, together = extractor.extract(pictures)
    alone = np.concatenate([extractor.extract([picture])[1] for picture in pictures])
    assert together.shape == (21, 96)
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-4)
    assert np.ptp(together, axis=0).max() > 1e-3


def test_workers_see_what_one_process_sees(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, _ = make({"colour": RED}, {"colour": BLUE}, {"colour": GREEN}, {"colour": GREY})
    install_detector(workspace, 1)
    settings = SETTINGS.model_copy(update={"detector": DetectorSettings(device="cpu")})
    monkeypatch.setattr(predictions, "open_engine", lambda name, processes: open_engine(name, processes or 2))
    found = []
    for least in (256, 1):
        monkeypatch.setattr(predictions, "_LEAST", least)
        shutil.rmtree(workspace / "features" / KIND, ignore_errors=True)
        assert prioritise(workspace, settings)["predicted"] == 4
        shards = list((workspace / "features" / KIND).rglob("*.parquet"))
        assert len(shards) == (4 if least == 1 else 1)
        tables_ = [pyarrow.parquet.read_table(shard, columns=["image_id", "scores", "features"]) for shard in shards]
        found.append(pyarrow.concat_tables(tables_).sort_by("image_id").to_pydict())
    for name in ("scores", "features"):
        alone, by_workers = (np.array([np.frombuffer(value, np.float32) for value in one[name]]) for one in found)
        np.testing.assert_allclose(by_workers, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["observations", "predictions"])
def test_predictions_of_earlier_versions_are_moved_and_used(
    make: Make, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    workspace, _ = make({"colour": RED}, {"colour": BLUE})
    prioritise(workspace, SETTINGS)
    before = workspace.table("priorities").read_bytes()
    old = workspace / name
    (workspace / "features" / KIND).rename(old)
    [shard] = old.rglob("*.parquet")
    columns = ["image_id", "scores", "features"]
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(shard).select(columns), shard)
    capsys.readouterr()
    assert prioritise(workspace, SETTINGS)["predicted"] == 0
    assert not old.exists()
    assert capsys.readouterr().err.startswith(f"{old} is features/predictions now: moved\n")
    assert workspace.table("priorities").read_bytes() == before


# Formulas


@pytest.mark.parametrize(
    ("score", "certain", "doubtful"),
    [(0.0, 0.0, 0.0), (0.125, 0.25, 0.25), (0.25, 0.5, 1.0), (0.625, 0.75, 0.25), (1.0, 1.0, 0.0)],
)
def test_a_score_at_the_threshold_is_the_most_doubtful(score: float, certain: float, doubtful: float) -> None:
    found = certainty(np.array([score], np.float32), 0.25)
    assert found[0] == pytest.approx(certain)
    assert margin(found)[0] == pytest.approx(doubtful)


def test_garments_with_few_boxes_weigh_more() -> None:
    weights = class_weights(np.array([99, 49, 99, 9], np.float32))
    assert weights == pytest.approx([0.1, 0.2, 0.1, 1.0])
    assert class_weights(np.zeros(4, np.float32)) == pytest.approx([1] * 4)


def test_a_dress_needs_neither_top_nor_bottom() -> None:
    scores = np.zeros((3, 4, 1), np.float32)
    scores[0, :, 0] = (0, 0, 1, 1)  # shoes and a dress
    scores[1, :, 0] = (1, 0, 1, 0)  # shoes and a top
    found = uncertainty(scores, 0.25, np.ones(4, np.float32))
    assert found.missing.tolist() == [[0, 0, 0], [0, 1, 0], [1, 1, 1]]
    assert found.total == pytest.approx([0, 1 / 7, 3 / 7])


def pool_of(features: NDArray[np.float32], products: NDArray[np.int64] | None = None) -> Pool:
    count = len(features)
    nothing, zeros = np.zeros((count, 4), np.float32), np.zeros(count, np.float32)
    numbers = np.arange(count) if products is None else products
    return Pool(zeros, features, np.full(count, -1), nothing, numbers, np.zeros(count, np.bool_), zeros)


def by_diversity(pool: Pool, labelled: Labelled, everything: NDArray[np.float32], limit: int = 2000) -> Order:
    turns = Turns(pool.unclear, 0, 0, pool.before)
    population = population_of(pool.features[:], everything)
    return choose(pool, labelled, population, Weights(0, 1, 0), turns, np.ones(len(pool.unclear), np.bool_), limit)


def test_pictures_that_are_not_chosen_one_by_one_keep_their_order_too() -> None:
    dice = np.random.default_rng(0)
    features = np.asarray(dice.normal(size=(300, 8)), np.float32)
    pool = replace(
        pool_of(features),
        uncertainty=np.asarray(dice.random(300), np.float32),
        products=dice.integers(0, 60, 300),
        unclear=dice.random(300) < 0.3,
    )
    labelled = Labelled(features[:0], np.zeros(0, np.float32), np.zeros(4, np.float32))
    population = population_of(features, features)
    orders = []
    for _ in range(2):
        turns = Turns(pool.unclear, 0.2, 0, pool.before)
        everyone = np.ones(300, np.bool_)
        orders.append(choose(pool, labelled, population, Weights(0.5, 1, 0.5), turns, everyone, limit=20).rows)
        before = np.zeros(300, np.float32)
        before[orders[0]] = np.arange(300, 0, -1)
        pool = replace(pool, before=before)
    assert orders[0].tolist() == orders[1].tolist()


def test_from_very_many_those_of_a_list_are_chosen_and_little_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = np.random.default_rng(5)
    styles = np.asarray(dice.normal(size=(60, 8)), np.float32)
    features = styles[dice.integers(0, 60, 4000)] + np.asarray(dice.normal(size=(4000, 8)) / 4, np.float32)
    pool = replace(
        pool_of(features, dice.integers(0, 1000, 4000)),
        uncertainty=np.asarray(dice.beta(2, 5, 4000), np.float32),
        unclear=dice.random(4000) < 0.2,
    )
    labelled = Labelled(features[:0], np.zeros(0, np.float32), np.zeros(4, np.float32))
    is_sample = np.arange(4000) % 40 == 0
    population = population_of(features[is_sample], features)

    def order() -> Order:
        turns = Turns(pool.unclear, 0.1, 0, pool.before)
        return choose(pool, labelled, population, Weights(0.3, 0.6, 0.2), turns, is_sample, limit=100)

    of_all = order()
    monkeypatch.setattr(shortlist, "MOST", 800)
    listed = order()
    assert sorted(listed.rows) == list(range(4000))
    assert len(set(listed.rows[:100]) & set(of_all.rows[:100])) > 70
    # Ordered again with the numbers that they got, they stay where they are.
    before = np.zeros(4000, np.float32)
    before[listed.rows] = np.arange(4000, 0, -1)
    pool = replace(pool, before=before)
    assert order().rows[:100].tolist() == listed.rows[:100].tolist()


def test_diversity_alone_covers_all_pictures_as_far_as_it_can() -> None:
    dice = np.random.default_rng(3)
    features = np.asarray(dice.normal(size=(60, 5)), np.float32)
    there = np.asarray(dice.normal(size=(7, 5)), np.float32)
    labelled = Labelled(there, np.zeros(0, np.float32), np.zeros(4, np.float32))
    everything = np.concatenate([features, there])
    found = by_diversity(pool_of(features), labelled, everything, limit=10).rows
    pairs = np.random.default_rng(0).integers(0, 67, (2, 4096))
    together = np.concatenate([features, there])
    apart = np.linalg.norm(together[pairs[0]] - together[pairs[1]], axis=1)[pairs[0] != pairs[1]]

    def covered(chosen: NDArray[np.float32]) -> float:
        distances = np.linalg.norm(features[:, None] - chosen[None], axis=2)
        return float(np.exp(-np.square(distances / (0.5 * np.median(apart)))).max(axis=1).sum())

    chosen, expected = there, []
    for _ in range(10):
        expected.append(int(np.argmax([covered(np.concatenate([chosen, one[None]])) for one in features])))
        chosen = np.concatenate([chosen, features[expected[-1]][None]])
    assert found[:10].tolist() == expected


def test_an_outlier_waits() -> None:
    dice = np.random.default_rng(4)
    crowd = np.asarray(dice.normal(size=(50, 5)), np.float32)
    features = np.concatenate([np.full((1, 5), 40, np.float32), crowd])
    nothing = Labelled(np.zeros((0, 5), np.float32), np.zeros(0, np.float32), np.zeros(4, np.float32))
    order = by_diversity(pool_of(features), nothing, features)
    assert order.rows.tolist().index(0) > 2
    assert order.diversity.max() == 1
