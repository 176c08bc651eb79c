import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fullshot import curation
from fullshot.core.dataset import Dataset
from fullshot.core.errors import MissingInput
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace

Make = Callable[[list[tuple[str, str]]], Workspace]
ROWS = [
    ("s:1", "front"),
    ("s:1", "outfit"),
    ("s:2w", "item0"),
    ("s:2w", "outfit"),  # worn together
    ("s:3", "zidane"),
    ("s:4w", "person"),
    ("s:4w", "item1"),
]


def written(workspace: Workspace) -> dict[str, bytes]:
    """All tables that curation writes."""
    files = [workspace.table(name) for name in ("curated", "failures")]
    return {path.name: path.read_bytes() for path in [*files, *workspace.exports.glob("*.csv")] if path.is_file()}


def shards(workspace: Workspace) -> list[Path]:
    return sorted((workspace / "features").glob("pictures/*/*.parquet"))


def by_name(workspace: Workspace, column: str) -> dict[str, object]:
    """A column of ``curated``, by the picture's name."""
    images = workspace.read("images")
    names = {
        str(identity): Path(str(url)).stem for identity, url in zip(images["image_id"], images["url"], strict=True)
    }
    curated = workspace.read("curated")
    cells = zip(curated["image_id"], curated[column], strict=True)
    return {names[identity]: None if pd.isna(cell) else cell for identity, cell in cells}


def test_full_shots_and_item_shots(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    stats = curation.curate(workspace, settings)
    expected = {"outfit": True, "person": True, "front": False, "zidane": False, "item0": False, "item1": False}
    assert by_name(workspace, "full_shot") == expected
    assert by_name(workspace, "shot_reason")["outfit"] == "full length"
    assert (stats["images"], stats["full_shots"], stats["item_shots"], stats["unreadable"]) == (6, 2, 4, 0)
    assert stats["products"] == 4
    assert sum(stats["splits"].values()) == 6
    assert sum(stats["reasons"].values()) == 6
    assert stats["seconds_per_image"] > 0
    assert stats["pose_model_source"] in ("maker", "wheel")
    [record] = (workspace / "runs").glob("curate-*.json")
    kept = json.loads(record.read_text("utf-8"))
    assert kept["stats"] == stats
    assert set(kept["inputs"]) == {"images.csv", "products.csv"}


def test_the_exports(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    first, second = workspace.read("dataset1"), workspace.read("dataset2")
    assert len(first) == len(ROWS)  # a picture of two products has two rows
    assert len(second) == 4
    assert sorted(second["link"]) == [f"https://shop.example/s:{name}" for name in ("1", "2w", "3", "4w")]
    assert list(first["image_path"]) == sorted(first["image_path"])
    assert all((workspace / path).is_file() for path in first["image_path"])
    labels = workspace.read("labels").set_index("product_id")["label"]
    assert labels.to_dict() == {"s:1": 0, "s:2w": 1, "s:3": 2, "s:4w": 3}
    assert set(workspace.read("women_bottom")["label"]) == {1, 3}
    assert set(workspace.read("men_top")["label"]) == {0, 2}
    for empty in ("men_bottom", "men_foot", "women_top", "women_foot"):
        assert workspace.read(empty).empty


def test_again_it_extracts_nothing_and_writes_the_same_bytes(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    before = written(workspace)
    assert len(before) == 12
    stats = curation.curate(workspace, settings)
    assert (stats["extracted"], stats["seconds_per_image"]) == (0, None)
    assert written(workspace) == before


def test_processes_write_what_one_process_writes(
    make_workspace: Make, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fullshot.curation.features.store._LEAST_SHARD", 2)
    workspace = make_workspace(ROWS)
    curation.curate(workspace, load(curate={"processes": 2}))
    assert len(shards(workspace)) == 3
    before = written(workspace)
    for shard in shards(workspace):
        shard.unlink()
    curation.curate(workspace, settings)
    assert written(workspace) == before


def test_workers_start_at_once_where_there_are_no_features(
    make_workspace: Make, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr("fullshot.core.engines.processes.ProcessEngine.start", lambda _, what: started.append(what))
    workspace = make_workspace(ROWS)
    assert curation.curate(workspace, settings)["extracted"] == 6
    assert not started  # it is not much
    shards(workspace)[0].unlink()
    monkeypatch.setattr("fullshot.curation.features.versions._MUCH", 2)
    assert curation.curate(workspace, settings)["extracted"] == 6
    assert len(started) == 2  # once before the estimator is known, once with it
    assert curation.curate(workspace, settings)["extracted"] == 0
    assert len(started) == 2


@pytest.mark.parametrize("loss", ["deleted", "cut off", "no parquet"])
def test_only_what_a_lost_shard_held_is_extracted_again(
    make_workspace: Make, settings: Settings, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    monkeypatch.setattr("fullshot.curation.features.store._LEAST_SHARD", 2)
    monkeypatch.setattr("fullshot.curation.features.store._MOST_SHARD", 2)
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    before = written(workspace)
    lost, *kept = shards(workspace)
    times = {shard: shard.stat().st_mtime_ns for shard in kept}
    if loss == "deleted":
        lost.unlink()
    else:
        lost.write_bytes(lost.read_bytes()[:-20] if loss == "cut off" else b"no parquet")
    assert curation.curate(workspace, settings)["extracted"] == 2
    assert len(shards(workspace)) == 3
    assert {shard: shard.stat().st_mtime_ns for shard in kept} == times
    assert written(workspace) == before


def test_another_pose_model_extracts_all_again(
    make_workspace: Make, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    monkeypatch.setattr("fullshot.curation.features.versions.MEASURES_VERSION", "another")
    assert curation.curate(workspace, settings)["extracted"] == 6
    assert len({shard.parent for shard in shards(workspace)}) == 2
    monkeypatch.undo()
    assert curation.curate(workspace, settings)["extracted"] == 0


def test_pictures_that_cannot_be_read(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    images = workspace.read("images").drop_duplicates("image_id")
    paths = {Path(row["url"]).stem: workspace / str(row["path"]) for row in images.to_dict("records")}
    good = paths["front"].read_bytes()
    paths["front"].write_text("not a picture", "utf-8")
    paths["item0"].unlink()
    stats = curation.curate(workspace, settings)
    assert stats["unreadable"] == 2
    failures = workspace.read("failures").set_index("url")
    assert failures["class"].to_dict() == {
        "https://shop.example/front.jpg": "not-an-image",
        "https://shop.example/item0.jpg": "missing",
    }
    assert set(failures["kind"]) == {"picture"}
    assert failures["page"]["https://shop.example/front.jpg"] == "https://shop.example/s:1"
    assert by_name(workspace, "issues")["front"] == "not-an-image"
    assert by_name(workspace, "full_shot")["front"] is None
    assert len(workspace.read("dataset1")) == len(ROWS) - 2

    before = written(workspace)
    time.sleep(1.1)  # a failure keeps the time at which it was found first
    curation.curate(workspace, settings)
    assert written(workspace) == before

    # What cannot be read is looked at again when its file has changed.
    paths["front"].write_bytes(good)
    assert curation.curate(workspace, settings)["extracted"] == 1
    assert {"front": False}.items() <= by_name(workspace, "full_shot").items()
    assert list(workspace.read("failures")["class"]) == ["missing"]


def test_a_kill_leaves_no_failure_that_is_over(
    make_workspace: Make, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace(ROWS)
    first, second, *_ = (workspace / str(path) for path in workspace.read("images")["path"].drop_duplicates())
    content = first.read_bytes()
    first.unlink()
    curation.curate(workspace, settings)
    assert len(workspace.read("failures")) == 1
    first.write_bytes(content)
    second.unlink()
    write = Dataset.write

    def killed(data: Dataset, name: str, rows: Any) -> int:
        if name == "failures":
            raise SystemExit
        return write(data, name, rows)

    monkeypatch.setattr(Dataset, "write", killed)
    with pytest.raises(SystemExit):
        curation.curate(workspace, settings)
    monkeypatch.undo()
    curation.curate(workspace, settings)
    images = workspace.read("images")
    lost = images[images["path"] == second.relative_to(workspace.root).as_posix()]
    assert set(workspace.read("failures")["url"]) == {lost["url"].iloc[0]}


def test_failures_of_a_crawl_stay(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    row = "https://shop.example/gone.jpg,picture,not-an-image,text,2026-01-01T00:00:00Z,https://shop.example/s:9\n"
    text = "url,kind,class,message,failed_at,page\n" + row
    workspace.table("failures").write_text(text, "utf-8")
    curation.curate(workspace, settings)
    assert workspace.table("failures").read_text("utf-8") == text


def test_what_other_steps_found_for_a_picture_stays(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    curated = workspace.read("curated")
    workspace.write("curated", curated.assign(blur=0.5))
    before = written(workspace)
    curation.curate(workspace, settings)
    assert written(workspace) == before


def test_labels_and_splits_stay_when_products_come_and_go(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    labels = workspace.read("labels").set_index("product_id")["label"].to_dict()
    splits = by_name(workspace, "split")
    workspace = make_workspace([*ROWS[2:], ("s:0", "item2"), ("s:5", "item3")])  # s:1 is gone, its outfit image is not
    curation.curate(workspace, settings)
    assert workspace.read("labels").set_index("product_id")["label"].to_dict() == {**labels, "s:0": 4, "s:5": 5}
    now = by_name(workspace, "split")
    assert {name: now[name] for name in splits if name in now} == {name: splits[name] for name in splits if name in now}


def test_a_persons_columns_of_labels_and_splits_stay(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace([("s:1", "front"), ("s:2w", "item0")])
    curation.curate(workspace, settings)
    notes = {}
    for name in ("labels", "splits"):
        path = workspace.table(name)
        # Called as columns of other tables are, too.
        header, *rows = path.read_text().splitlines()
        notes[name] = [f"{row},note {number},{number}" for number, row in enumerate(rows)]
        path.write_text("\n".join([f"{header},url,cluster", *notes[name]]) + "\n")
    workspace = make_workspace([("s:1", "front"), ("s:2w", "item0"), ("s:3", "item1")])
    for _ in range(2):
        curation.curate(workspace, settings)
        for name in ("labels", "splits"):
            now = workspace.table(name).read_text().splitlines()[1:]
            assert len(now) == 3
            assert set(notes[name]) < set(now)


@pytest.mark.parametrize("changed", ["curated", "splits"])
@pytest.mark.parametrize("read_before", [False, True])
def test_a_split_that_was_changed_by_hand_moves_nothing(
    make_workspace: Make, settings: Settings, capfd: pytest.CaptureFixture[str], changed: str, *, read_before: bool
) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    before = written(workspace)
    path = workspace.table(changed)
    header, *rows = path.read_text().splitlines()
    column = header.split(",").index("split")
    moved = [",".join({column: "val"}.get(place, cell) for place, cell in enumerate(row.split(","))) for row in rows]
    path.write_text("\n".join([header, *moved]) + "\n")
    if read_before:  # another command takes it in
        workspace.read(changed)
    for _ in range(2):
        curation.curate(workspace, settings)
        assert written(workspace).items() >= before.items()
    (aside,) = path.parent.glob(f"{changed}.changed-*.csv")
    assert aside.read_text().splitlines()[1:] == moved
    assert f"`fullshot curate` makes it anew: the changed one is kept as {aside.name}" in capfd.readouterr().err


@pytest.mark.parametrize("there", [False, True])
def test_without_a_crawl_it_says_what_to_run(tmp_path: Path, settings: Settings, there: bool) -> None:
    root = tmp_path / "ws"
    if there:
        root.mkdir()
    with pytest.raises(MissingInput, match="fullshot crawl") as error:
        curation.curate(Workspace(root), settings)
    assert "\n" not in str(error.value)
    assert root.exists() == there


def test_a_product_no_picture_belongs_to_and_one_that_is_unknown(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    products = workspace.read("products")
    workspace.write("products", products[products["product_id"] != "s:3"])
    curation.curate(workspace, settings)
    [unknown] = workspace.read("dataset1").loc[lambda rows: rows["product_type"].isna()].to_dict("records")
    assert pd.isna(unknown["wear"])


def test_a_wear_that_the_taxonomy_learnt_since_the_crawl(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    products = workspace.read("products")
    workspace.write("products", products.assign(product_type="Lungis", wear=None))
    (workspace / "taxonomy.toml").write_text('[wear]\nbottom = ["Lungis"]\n', "utf-8")
    curation.curate(workspace, settings)
    assert set(workspace.read("dataset1")["wear"]) == {"bottom"}
