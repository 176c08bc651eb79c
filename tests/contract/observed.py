"""What a command did with a picture, in the words of the table (:mod:`tests.contract.expected`)."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from fullshot.core.tables import SPLITS
from tests.contract.commands import Contract, Run, run
from tests.contract.expected import exit_code
from tests.contract.pictures import FULL, ITEM, Shot

USED, UPRIGHT, AS_STORED = "used", "upright", "as stored"
LEFT_OUT, COUNTED = "left out", "counted and named"

READS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "curate": ((FULL, SPLITS), (ITEM, SPLITS)),
    "curate --check": ((FULL, SPLITS), (ITEM, SPLITS)),
    "curate --overlays": ((FULL, SPLITS), (ITEM, SPLITS)),
    "report": ((FULL, SPLITS), (ITEM, SPLITS)),
    "boxes export --format yolo": ((FULL, SPLITS),),
    "boxes export --format coco": ((FULL, SPLITS),),
    "boxes export --format voc": ((FULL, SPLITS),),
    # Of the other splits it is told without a look at them.
    "annotate queue": ((FULL, ("train",)),),
    "annotate push": ((FULL, SPLITS),),
    "train detector": ((FULL, ("train", "val")),),
    "evaluate detector": ((FULL, ("test",)),),
    "train embedder": ((FULL, ("train", "val")), (ITEM, ("train", "val"))),
    "evaluate embedder": ((FULL, ("test",)), (ITEM, SPLITS)),
    "index build": ((ITEM, SPLITS),),
    "recommend": ((ITEM, SPLITS),),
    "evaluate recommend": ((FULL, ("test",)),),
    "trace": ((FULL, SPLITS), (ITEM, SPLITS)),
}
"""Which pictures each command reads: a role, and the splits."""

Observer = Callable[[Contract, Run, Shot], str]


def shots_of(contract: Contract, command: str, kind: str) -> list[Shot]:
    """The pictures of a kind that a command might read."""
    found = [shot for role, splits in READS[command] for shot in contract.shop.of(kind, role, splits=splits)]
    # A half shot is an item shot to those that ask for these.
    found = found or contract.shop.of(kind, FULL)
    return [shot for shot in found if command != "trace" or shot.image_id in contract[command].stats]


def outcome(contract: Contract, command: str, kind: str) -> str:
    """What a command did with the pictures of a kind."""
    done = contract[command]
    if done.code != exit_code(command):
        return f"the command ends with {done.code}: {done.words[-300:]}"
    observe = _OBSERVERS[command]
    by_role: dict[str, set[str]] = {}
    for shot in shots_of(contract, command, kind):
        by_role.setdefault(shot.role, set()).add(observe(contract, done, shot))
    words = {role: " or ".join(sorted(outcomes)) for role, outcomes in by_role.items()}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return ", ".join(f"{role} {said}" for role, said in words.items())


def corrupt(contract: Contract, command: str) -> int:
    """How many corrupt pictures a command meets."""
    return len(shots_of(contract, command, "corrupt"))


def _unreadable(contract: Contract, command: str, done: Run, shot: Shot, words: str = "") -> str:
    """Whether a picture that cannot be read is among those counted, and is named."""
    counted = done.stats.get("unreadable") == corrupt(contract, command)
    named = shot.image_id[:12] in done.words + words
    return {(True, True): COUNTED, (True, False): "counted", (False, True): "named"}.get((counted, named), LEFT_OUT)


def _curate(contract: Contract, done: Run, shot: Shot) -> str:
    exported = set(contract.again.read("dataset1")["image_path"])
    if shot.path not in exported:
        return _unreadable(contract, "curate", done, shot, _failures(contract)) if _is_corrupt(shot) else LEFT_OUT
    if shot.kind == "turned" and shot.role == FULL:
        judged = contract.again.read("curated").set_index("image_id")["shot"][shot.image_id]
        return UPRIGHT if judged == "full" else AS_STORED
    return UPRIGHT if shot.kind == "turned" else USED


def _is_corrupt(shot: Shot) -> bool:
    return shot.kind == "corrupt"


def _failures(contract: Contract) -> str:
    return contract.again.table("failures").read_text("utf-8")


def _overlays(contract: Contract, done: Run, shot: Shot) -> str:
    file = contract.again / f"overlays/{shot.image_id[:2]}/{shot.image_id}.jpg"
    if not file.is_file():
        return _unreadable(contract, "curate", done, shot, _failures(contract))
    return _stands(file) if shot.kind == "turned" else USED


def _stands(file: Path) -> str:
    """Of a turned picture, whether a file of it is as high as a person is."""
    with Image.open(file) as picture:
        return UPRIGHT if picture.height > picture.width else AS_STORED


def _check(contract: Contract, done: Run, shot: Shot) -> str:
    if _is_corrupt(shot):
        return _unreadable(contract, "curate --check", done, shot)
    return USED if shot.image_id in done.opened else LEFT_OUT


def _report(contract: Contract, done: Run, shot: Shot) -> str:
    page = (contract.workspace / "report.html").read_text("utf-8")
    sections = re.split(r'<section id="', page)
    shown = {part.partition('"')[0]: part for part in sections if shot.image_id in part}
    samples = [each for part in shown.values() for each in part.split("<figure") if shot.image_id in each]
    if not samples:
        return LEFT_OUT
    if not any(name.startswith("shot-") for name in shown):
        return "shown as rejected by a person" if "issue-person" in shown else "shown beside its copies"
    image = re.search(r"base64,([^\"]+)", samples[0])
    if image is None:
        return "shown without its pixels"
    with Image.open(io.BytesIO(base64.b64decode(image[1]))) as thumbnail:
        is_high = thumbnail.height > thumbnail.width
    return USED if shot.kind != "turned" else UPRIGHT if is_high else AS_STORED


def _exported(command: str) -> Observer:
    def observe(contract: Contract, done: Run, shot: Shot) -> str:
        folder = contract.exported(command)
        files = [file for file in folder.rglob(f"{shot.image_id}.*") if file.suffix in (".jpg", ".png")]
        if not files:
            return _unreadable(contract, command, done, shot) if _is_corrupt(shot) else LEFT_OUT
        return USED if shot.kind != "turned" else _stands(files[0])

    return observe


def _queue(contract: Contract, done: Run, shot: Shot) -> str:
    rows = contract.workspace.read("priorities").set_index("image_id")
    if shot.image_id not in rows.index:
        return _unreadable(contract, "annotate queue", done, shot) if _is_corrupt(shot) else LEFT_OUT
    if shot.kind != "turned":
        return USED
    run("annotate", "queue", contract.twins.root)
    twins = contract.twins.read("priorities").set_index("image_id")
    twin = contract.shop.twins[shot.image_id]
    columns = ("uncertainty", "diversity", "rarity")
    same = all(rows[column][shot.image_id] == twins[column][twin.image_id] for column in columns)
    return UPRIGHT if same else AS_STORED


def _push(contract: Contract, done: Run, shot: Shot) -> str:
    tasks = {task["data"]["image_id"]: task for task in contract.tasks}
    if shot.image_id not in tasks:
        return _unreadable(contract, "annotate push", done, shot) if _is_corrupt(shot) else LEFT_OUT
    if shot.kind != "turned":
        return USED
    drawn = {each["model_version"]: each["result"] for each in tasks[shot.image_id]["predictions"]}["shop"]
    twin = contract.shop.twins[shot.image_id]
    with Image.open(io.BytesIO(twin.content)) as upright:
        width, height = upright.size
    expected = {
        garment.wear: (100 * garment.corners[0] / width, 100 * garment.corners[1] / height) for garment in twin.garments
    }
    found = {each["value"]["rectanglelabels"][0]: (each["value"]["x"], each["value"]["y"]) for each in drawn}
    near = all(abs(a - b) < 0.01 for wear in expected for a, b in zip(found[wear], expected[wear], strict=True))
    return UPRIGHT if near else AS_STORED


def _train_detector(contract: Contract, done: Run, shot: Shot) -> str:
    labels = list(contract.workspace.models("detector").rglob(f"{shot.image_id}.txt"))
    if not labels or _is_corrupt(shot):
        return _unreadable(contract, "train detector", done, shot) if _is_corrupt(shot) else LEFT_OUT
    if shot.kind != "turned":
        return USED
    [picture] = list(contract.workspace.models("detector").rglob(f"{shot.image_id}.png"))
    return _stands(picture)


def _evaluate_detector(contract: Contract, done: Run, shot: Shot) -> str:
    if _is_corrupt(shot):
        return _unreadable(contract, "evaluate detector", done, shot)
    return USED if shot.image_id in done.opened else LEFT_OUT


def _opened(command: str) -> Observer:
    """Of a command that says how many pictures it used: its numbers are asked for by a test of their own."""

    def observe(contract: Contract, done: Run, shot: Shot) -> str:
        if _is_corrupt(shot):
            return _unreadable(contract, command, done, shot)
        if shot.image_id not in done.opened:
            return LEFT_OUT
        return "only as an item shot" if shot.kind == "half" else USED

    return observe


def _train_embedder(contract: Contract, done: Run, shot: Shot) -> str:
    word = _opened("train embedder")(contract, done, shot)
    if shot.kind != "turned" or word != USED:
        return word
    again = run("train", "embedder", contract.twins.root)
    assert again.stats["run"] != done.stats["run"]
    return UPRIGHT if again.stats["history"] == done.stats["history"] else AS_STORED


def _items(contract: Contract) -> pd.DataFrame:
    return pd.read_parquet(contract.workspace.catalog / "items.parquet")


def _index_build(contract: Contract, done: Run, shot: Shot) -> str:
    if shot.image_id not in set(_items(contract)["image_id"]):
        return _unreadable(contract, "index build", done, shot) if _is_corrupt(shot) else LEFT_OUT
    if shot.kind != "turned":
        return USED
    run("index", "build", contract.twins.root)
    ours = _distances(contract["recommend"])
    theirs = _distances(contract.recommended(contract.twins, contract.photo))
    same = abs(ours[shot.product] - theirs[shot.product]) < 1e-3
    return UPRIGHT if same else AS_STORED


def _distances(answer: Run) -> dict[str, float]:
    """How far each product is from the garment of its wear."""
    return {
        one["product_id"]: one["distance"] for garment in answer.stats["garments"] for one in garment["look_alikes"]
    }


def _recommend(contract: Contract, done: Run, shot: Shot) -> str:
    answered = {one["image_id"] for garment in done.stats["garments"] for one in garment["look_alikes"]}
    products = _distances(done)
    if shot.kind == "turned":
        [photo] = contract.shop.of("turned", FULL, splits=["test"])
        upright = contract.workspace / "upright.png"
        upright.write_bytes(contract.shop.twins[photo.image_id].content)
        pair = (contract.workspace / photo.path, upright)
        answers = [contract.recommended(contract.workspace, each).stats["garments"] for each in pair]
        return UPRIGHT if answers[0] == answers[1] else AS_STORED
    if shot.kind == "duplicate":
        return USED if shot.product in products else LEFT_OUT
    return USED if shot.image_id in answered else LEFT_OUT


def _evaluate_recommend(contract: Contract, done: Run, shot: Shot) -> str:
    word = _opened("evaluate recommend")(contract, done, shot)
    if shot.kind != "turned" or word != USED:
        return word
    run("index", "build", contract.twins.root)
    # Of one answer each, so that it matters which product is nearest.
    places = (contract.workspace.root, contract.twins.root)
    ours, theirs = (run("evaluate", "recommend", place, FULLSHOT_RECOMMEND_NEIGHBOURS="1") for place in places)
    return UPRIGHT if ours.stats == theirs.stats else AS_STORED


def _trace(contract: Contract, done: Run, shot: Shot) -> str:
    told: dict[str, Any] = done.stats[shot.image_id]
    if told["path"] != shot.path:
        return LEFT_OUT
    return USED if shot.kind != "turned" else AS_STORED if told["width"] > told["height"] else UPRIGHT


_OBSERVERS: dict[str, Observer] = {
    "curate": _curate,
    "curate --check": _check,
    "curate --overlays": _overlays,
    "report": _report,
    **{f"boxes export --format {name}": _exported(f"boxes export --format {name}") for name in ("yolo", "coco", "voc")},
    "annotate queue": _queue,
    "annotate push": _push,
    "train detector": _train_detector,
    "evaluate detector": _evaluate_detector,
    "train embedder": _train_embedder,
    "evaluate embedder": _opened("evaluate embedder"),
    "index build": _index_build,
    "recommend": _recommend,
    "evaluate recommend": _evaluate_recommend,
    "trace": _trace,
}
