"""Rules that no cell of the table shows: a threshold, a wear, and people who differ."""

import io
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from fullshot.core import image_store, tables
from fullshot.core.workspace import Workspace
from tests.contract.commands import Contract, Run, run
from tests.contract.pictures import FULL, ITEM

THRESHOLD = "FULLSHOT_DETECTOR_CONFIDENCE"


def copied(workspace: Workspace, root: Path) -> Workspace:
    """A copy of a workspace, to do with as one likes."""
    shutil.copytree(workspace.root, root)
    return Workspace(root)


def test_boxes_below_the_threshold_are_not_recommended_for(contract: Contract) -> None:
    contract["recommend"]

    def sources(threshold: float) -> set[str]:
        answer = contract.recommended(contract.workspace, contract.photo, **{THRESHOLD: str(threshold)})
        return {each["box"]["source"] for each in answer.stats["garments"]}

    assert "model" in sources(0.0)
    assert sources(1.0) == {"pose"}


def test_boxes_below_the_threshold_are_not_shown_to_annotators(contract: Contract) -> None:
    contract["train detector"]

    def scores(threshold: float) -> list[float]:
        tasks = contract.pushed(**{THRESHOLD: str(threshold)})
        drawn = [one for task in tasks for each in task["predictions"] for one in each["result"]]
        return sorted(one["score"] for one in drawn if "score" in one)

    every = scores(0.0)
    middle = every[len(every) // 2]
    fewer = scores(middle)
    assert every[0] < middle <= fewer[0]
    assert fewer[-1] == pytest.approx(every[-1])


def test_a_product_that_is_found_as_another_wear_is_not_found(contract: Contract, tmp_path: Path) -> None:
    assert recalls(contract["evaluate recommend"]) == {"top": 1.0, "bottom": 1.0, "foot": 1.0}
    workspace = copied(contract.workspace, tmp_path / "ws")
    # The catalog is as it was: a top is among the answers to a top. But it is a bottom that is worn.
    products = workspace.read("products")
    swapped = products["wear"].replace({"top": "bottom", "bottom": "top"})
    workspace.write("products", products.assign(wear=swapped))
    after = recalls(run("evaluate", "recommend", workspace.root))
    assert after == {"top": 0.0, "bottom": 0.0, "foot": 1.0}


def recalls(evaluation: Run) -> dict[str, float]:
    """The recall of each wear."""
    [name] = [name for name in evaluation.stats if name.startswith("instance_recall@")]
    return {wear: row[name] for wear, row in evaluation.stats["wears"].items()}


def test_a_copy_of_what_people_differ_about_is_unclear(contract: Contract, tmp_path: Path) -> None:
    workspace = copied(contract.again, tmp_path / "ws")
    [shot] = contract.shop.of("ordinary", FULL, splits=["train"])
    [copy] = contract.shop.of("duplicate", FULL, splits=["train"])
    third = third_copy(workspace, shot.content, shot.image_id)

    def judged(one: str, other: str) -> tuple[str, object]:
        rows = [{"image_id": shot.image_id, "shot": one}, {"image_id": copy.image_id, "shot": other}]
        workspace.write("verdicts", tables.frame("verdicts", rows))
        assert run("curate", workspace.root).code == 0
        curated = workspace.read("curated").set_index("image_id")
        return curated["shot"][third], curated["full_shot"][third]

    assert judged("half", "half") == ("half", False)
    shot_of_third, is_full = judged("full", "half")
    assert shot_of_third == "unclear"
    assert is_full is pd.NA


def third_copy(workspace: Workspace, content: bytes, of: str) -> str:
    """Add a smaller copy of a picture; its image_id."""
    picture = Image.open(io.BytesIO(content))
    memory = io.BytesIO()
    picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)).save(memory, "PNG")
    there = image_store.put(workspace.blobs, memory.getvalue())
    images = workspace.read("images")
    [row] = images[images["image_id"] == of].to_dict("records")
    facts = {"image_id": there.image_id, "path": there.path, "width": there.width, "height": there.height}
    added = tables.frame("images", [{"product_id": row["product_id"], **facts, "bytes": there.bytes}])
    workspace.write("images", pd.concat([images, added], ignore_index=True))
    return there.image_id


def test_a_rejected_item_shot_is_no_answer_even_where_it_is_all_that_a_product_has(contract: Contract) -> None:
    [shot] = contract.shop.of("rejected", ITEM)
    answered = {one["product_id"] for each in contract["recommend"].stats["garments"] for one in each["look_alikes"]}
    assert shot.product not in answered
