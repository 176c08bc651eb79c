"""What people say of pictures, copies, queues and odd files, through the whole of curation."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fullshot import curation
from fullshot.core import pictures as storage
from fullshot.core import tables
from fullshot.core.errors import BadTable
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from tests.removing import remove_table

Make = Callable[[list[tuple[str, str]]], Workspace]
ROWS = [("s:1", "outfit"), ("s:1", "item0"), ("s:2", "zidane"), ("s:3", "item1")]


def ids(workspace: Workspace) -> dict[str, str]:
    """image_id by the picture's name."""
    images = workspace.read("images")
    return {Path(str(url)).stem: str(name) for url, name in zip(images["url"], images["image_id"], strict=True)}


def say(workspace: Workspace, **verdicts: dict[str, object]) -> None:
    names = ids(workspace)
    rows = [{"image_id": names[name], **verdict} for name, verdict in verdicts.items()]
    workspace.write("verdicts", tables.frame("verdicts", rows))


def decisions(workspace: Workspace) -> pd.DataFrame:
    names = {identity: name for name, identity in ids(workspace).items()}
    curated = workspace.read("curated")
    return curated.assign(name=curated["image_id"].map(names)).set_index("name")


def exported(workspace: Workspace, name: str) -> set[str]:
    images = workspace.read("images").set_index("path")["url"]
    return {Path(str(images[path])).stem for path in workspace.read(name)["image_path"]}


def test_a_persons_verdict_outweighs_the_machines_and_stays(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    assert curation.curate(workspace, settings)["overridden"] == 0
    before = decisions(workspace)
    say(workspace, item0={"shot": "full"}, outfit={"shot": "unclear"}, zidane={"keep": False}, item1={"shot": "item"})
    said = workspace.table("verdicts").read_bytes()
    for _ in range(2):
        stats = curation.curate(workspace, settings)
        assert (stats["extracted"], stats["overridden"]) == (0, 3)
        now = decisions(workspace)
        assert now["shot"].to_dict() == {"outfit": "unclear", "item0": "full", "zidane": "half", "item1": "item"}
        assert now["machine_shot"].to_dict() == before["shot"].to_dict()
        assert now["full_shot"]["item0"]
        assert pd.isna(now["full_shot"]["outfit"])
        assert now["shot_reason"]["item0"] == "said by a person"
        assert now["shot_reason"]["zidane"] == before["shot_reason"]["zidane"]
        assert now["keep"].to_dict() == {"outfit": True, "item0": True, "zidane": False, "item1": True}
        assert exported(workspace, "dataset1") == {"item0", "item1"}
        assert exported(workspace, "dataset2") == {"item1"}
        assert exported(workspace, "queue") == {"outfit"}
    assert workspace.table("verdicts").read_bytes() == said
    remove_table(workspace, "verdicts")
    curation.curate(workspace, settings)
    pd.testing.assert_frame_equal(decisions(workspace), before)


def test_a_person_can_keep_what_was_rejected(make_workspace: Make, photos: dict[str, bytes]) -> None:
    photos["tiny"] = encoded(Image.open(io.BytesIO(photos["item2"])).resize((30, 40)))
    workspace = make_workspace([("s:1", "item0"), ("s:1", "tiny")])
    settings = load(curate={"processes": 1})
    stats = curation.curate(workspace, settings)
    assert (stats["issues"], stats["rejected"]) == ({"tiny": 1}, 1)
    assert exported(workspace, "dataset2") == {"item0"}
    say(workspace, tiny={"keep": True})
    stats = curation.curate(workspace, settings)
    assert (stats["issues"], stats["rejected"]) == ({"tiny": 1}, 0)
    assert exported(workspace, "dataset2") == {"item0", "tiny"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image_id,shot,keep,note,annotator,judged_at\n12,full,,,,\n", "row 2 column image_id: expected a sha256"),
        (
            "image_id,shot,keep,note,annotator,judged_at\n{id},whole,,,,\n",
            "row 2 column shot: expected one of full, half",
        ),
        ("image_id,shot,keep,note,annotator,judged_at\n{id},,maybe,,,\n", "row 2 column keep: expected true or false"),
        ("picture,shot\nx,full\n", "expected a column image_id"),
    ],
)
def test_a_mistake_in_the_verdicts_is_told_before_any_work(
    make_workspace: Make, settings: Settings, text: str, words: str
) -> None:
    workspace = make_workspace(ROWS)
    workspace.table("verdicts").write_text(text.replace("{id}", ids(workspace)["outfit"]), "utf-8")
    with pytest.raises(BadTable, match=words) as error:
        curation.curate(workspace, settings)
    assert "\n" not in str(error.value)
    assert not (workspace / "features").exists()


def encoded(picture: Image.Image, kind: str = "PNG", **how: object) -> bytes:
    memory = io.BytesIO()
    picture.save(memory, kind, **how)
    return memory.getvalue()


def test_the_best_copy_stands_for_its_cluster(
    make_workspace: Make, settings: Settings, photos: dict[str, bytes]
) -> None:
    whole = Image.open(io.BytesIO(photos["item0"])).convert("RGB")
    photos["small"] = encoded(whole.resize((whole.width * 3 // 4, whole.height * 3 // 4)))
    photos["again"] = encoded(whole, "JPEG", quality=60)
    workspace = make_workspace([("s:1", "small"), ("s:1", "item0"), ("s:2", "again"), ("s:3", "item1")])
    stats = curation.curate(workspace, settings)
    assert (stats["duplicates"], stats["clusters"]) == (2, 1)
    now, names = decisions(workspace), ids(workspace)
    assert now["cluster"][["small", "item0", "again"]].nunique() == 1
    assert pd.isna(now["cluster"]["item1"])
    best = now["duplicate_of"].dropna().unique().tolist()
    assert best in ([names["item0"]], [names["again"]])  # as large as each other: the sharper one
    assert set(now.index[now["duplicate_of"].notna()]) == {
        "small",
        *({"item0", "again"} - {n for n in names if names[n] in best}),
    }
    assert now["split"][["small", "item0", "again"]].nunique() == 1
    # Of one product the best copy; another product keeps its own.
    assert exported(workspace, "dataset2") == {"item0", "again", "item1"}
    # What a person throws out stands for nothing.
    say(workspace, item0={"keep": False}, again={"keep": False})
    curation.curate(workspace, settings)
    assert set(decisions(workspace)["duplicate_of"].dropna()) == {names["small"]}
    assert exported(workspace, "dataset2") == {"small", "item1"}


def test_every_export_is_there_as_parquet_too(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    csvs = sorted(path.stem for path in workspace.exports.glob("*.csv"))
    genders, wears = ("men", "women"), ("top", "bottom", "foot")
    six = [f"{gender}_{wear}" for gender in genders for wear in wears]
    assert csvs == sorted(["dataset1", "dataset2", "labels", "queue", "splits", *six])
    for name in set(csvs) - {"splits"}:
        parquet = pd.read_parquet(workspace.exports / f"{name}.parquet")
        pd.testing.assert_frame_equal(parquet, workspace.read(name), check_dtype=False)


def test_a_changed_rule_touches_no_picture(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    for path in (workspace / "images").rglob("*.*"):
        before = path.stat()
        path.write_bytes(b"x" * before.st_size)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    stats = curation.curate(workspace, load(curate={"processes": 1, "min_span": 0.99}))
    assert (stats["extracted"], stats["unreadable"], stats["full_shots"]) == (0, 0, 0)


def odd_files() -> dict[str, bytes]:
    grey = np.linspace(0, 65535, 400 * 300).reshape(300, 400).astype(np.uint16)
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 200, 3), np.uint8))
    turned = photo.getexif()
    turned[274] = 6
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("red", "blue")]
    huge = Image.new("1", (30_000, 30_000))
    return {
        "cmyk.jpg": encoded(photo.convert("CMYK"), "JPEG"),
        "deep.png": encoded(Image.fromarray(grey)),
        "moving.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "moving.webp": encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "turned.jpg": encoded(photo, "JPEG", exif=turned),
        "one.png": encoded(Image.new("RGB", (1, 1))),
        "clear.png": encoded(Image.new("RGBA", (90, 90), (0, 0, 0, 0))),
        "ein Bild, größer 写真.png": encoded(photo),
        "cut.jpg": encoded(photo, "JPEG")[:2000],
        "empty.jpg": b"",
        "text.jpg": b"not a picture",
        "huge.png": encoded(huge),
    }


def test_whatever_lies_in_a_folder_is_brought_in_and_curated_or_told(tmp_path: Path) -> None:
    from fullshot.curation.add import AddOptions, add_pictures

    folder = tmp_path / "pictures"
    (folder / "a folder.png").mkdir(parents=True)
    for name, content in odd_files().items():
        (folder / name).write_bytes(content)
    workspace, settings = Workspace(tmp_path / "ws"), load(curate={"processes": 1})
    stats = add_pictures(workspace, settings, folder, AddOptions())
    assert (stats["pictures"], stats["failed"]) == (8, 4)
    failed = workspace.read("failures")
    names = {Path(str(url)).name: kind for url, kind in zip(failed["url"], failed["class"], strict=True)}
    assert names.keys() == {"cut.jpg", "empty.jpg", "text.jpg", "huge.png"}
    assert names["huge.png"] == "too-large"
    assert curation.curate(workspace, settings)["unreadable"] == 0
    assert set(workspace.read("failures")["url"]) == set(failed["url"])


def test_what_is_no_picture_any_more_is_told_of_its_kind(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    images = workspace.read("images").set_index("url")["path"]
    paths = {Path(str(url)).stem: workspace / str(path) for url, path in images.items()}
    paths["outfit"].write_bytes(odd_files()["huge.png"])
    paths["item0"].unlink()
    paths["item0"].mkdir()
    paths["zidane"].write_bytes(odd_files()["cut.jpg"])
    curation.curate(workspace, settings)
    assert decisions(workspace)["issues"].dropna().to_dict() == {
        "outfit": "too-large",
        "item0": "missing",
        "zidane": "not-an-image",
    }
    assert storage.MAX_PIXELS < 30_000**2


def test_a_verdict_on_one_copy_holds_for_all_and_the_queue_asks_once(
    make_workspace: Make, settings: Settings, photos: dict[str, bytes]
) -> None:
    photos["again"] = encoded(Image.open(io.BytesIO(photos["item0"])).convert("RGB"), "JPEG", quality=60)
    workspace = make_workspace([("s:1", "item0"), ("s:2", "again"), ("s:3", "item1")])
    names = ids(workspace)
    # By hand: a picture and a shot are enough.
    workspace.table("verdicts").write_text(f"image_id,shot\n{names['again']},unclear\n{'0' * 64},full\n", "utf-8")
    stats = curation.curate(workspace, settings)
    assert (stats["overridden"], stats["overrides_without_picture"]) == (2, 1)
    assert decisions(workspace)["shot"].to_dict() == {"item0": "unclear", "again": "unclear", "item1": "item"}
    assert exported(workspace, "dataset2") == {"item1"}
    assert len(exported(workspace, "queue")) == 1
    say(workspace, again={"shot": "full"}, item0={"shot": "item"})
    curation.curate(workspace, settings)
    assert decisions(workspace)["shot"].to_dict() == {"item0": "item", "again": "full", "item1": "item"}


def test_where_people_differ_on_two_copies_the_third_is_unclear(
    make_workspace: Make, settings: Settings, photos: dict[str, bytes]
) -> None:
    for name, quality in (("again", 60), ("third", 75)):
        photos[name] = encoded(Image.open(io.BytesIO(photos["item0"])).convert("RGB"), "JPEG", quality=quality)
    workspace = make_workspace([("s:1", "item0"), ("s:2", "again"), ("s:3", "third"), ("s:4", "item1")])
    say(workspace, again={"shot": "full"}, item0={"shot": "full"})
    curation.curate(workspace, settings)
    assert decisions(workspace)["shot"]["third"] == "full"
    say(workspace, again={"shot": "full"}, item0={"shot": "item"})
    curation.curate(workspace, settings)
    assert decisions(workspace)["shot"].to_dict() == {
        "item0": "item",
        "again": "full",
        "third": "unclear",
        "item1": "item",
    }
    assert exported(workspace, "dataset2") == {"item0", "item1"}


def test_a_picture_of_very_many_products_is_of_none(make_workspace: Make, settings: Settings) -> None:
    rows = [(f"s:{number}", "item0") for number in range(21)]
    workspace = make_workspace([*rows, *((f"s:{number}", f"item{number}") for number in range(1, 4))])
    stats = curation.curate(workspace, settings)
    assert stats["issues"] == {"shared": 1}
    assert exported(workspace, "dataset2") == {"item1", "item2", "item3"}


def test_a_side_is_remembered_while_its_picture_is_gone(make_workspace: Make, settings: Settings) -> None:
    rows = [(f"s:{number}", f"item{number}") for number in range(4)]
    workspace = make_workspace(rows)
    curation.curate(workspace, settings)
    before = decisions(workspace)["split"].to_dict()
    assert len(set(before.values())) > 1
    for name in before:
        others = [row for row in rows if row[1] != name]
        curation.curate(make_workspace([*others, ("s:8", "outfit"), ("s:9", "zidane")]), settings)
        remove_table(workspace, "curated")
        curation.curate(make_workspace(rows), settings)
        assert decisions(workspace)["split"].to_dict() == before


def test_failures_of_a_source_that_is_still_broken_stay(tmp_path: Path, settings: Settings) -> None:
    from fullshot.curation.add import AddOptions, add_pictures

    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.png").write_bytes(odd_files()["deep.png"])
    workspace = Workspace(tmp_path / "ws")
    add_pictures(workspace, settings, folder, AddOptions())
    (folder / "a.png").write_bytes(b"broken")
    add_pictures(workspace, settings, folder, AddOptions())
    assert list(workspace.read("failures")["class"]) == ["not-an-image"]
    curation.curate(workspace, settings)
    assert list(workspace.read("failures")["class"]) == ["not-an-image"]


def test_pictures_that_went_after_their_features_were_extracted(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    images = workspace.read("images").set_index("url")["path"]
    paths = {Path(str(url)).stem: workspace / str(path) for url, path in images.items()}
    content = paths["item0"].read_bytes()
    paths["item0"].unlink()
    paths["item1"].write_bytes(b"junk")
    stats = curation.curate(workspace, settings)
    assert (stats["extracted"], stats["unreadable"]) == (2, 2)
    assert set(workspace.read("failures")["class"]) == {"missing", "not-an-image"}
    assert exported(workspace, "dataset2") == {"zidane"}
    paths["item0"].write_bytes(content)
    assert curation.curate(workspace, settings)["unreadable"] == 1
    assert exported(workspace, "dataset2") == {"zidane", "item0"}
