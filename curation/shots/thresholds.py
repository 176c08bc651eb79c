"""Pick the full-shot rule's thresholds from labelled pictures, and print what each value costs.

    python -m fullshot.curation.shots.thresholds --full FOLDER --others FOLDER [--full-too CSV] [--boxes instances.json]

Pictures below ``--full`` show somebody from head to feet, those below ``--others`` do not, but for the file names in
the first column of ``--full-too``. With ``--boxes`` (COCO, with a category ``foot``) each full shot is judged once
more, cut off above the feet. Every other picture, by a hash of its name, is chosen on; the figures are of the rest.
"""

import argparse
import csv
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from fullshot.core import engines, settings
from fullshot.core.pictures import read_or_none
from fullshot.core.progress import bar, say_unreadable
from fullshot.core.settings import CurateSettings
from fullshot.curation.features.extract import read_for_features, resident
from fullshot.curation.pose import PoseEstimator, open_pose_estimator
from fullshot.curation.pose.people import People
from fullshot.curation.shots.rule import FULL, classify_shots

GRID: Mapping[str, tuple[float, float]] = {
    "visibility": (0.05, 0.95),
    "ankle_visibility": (0.05, 0.95),
    "min_hip_share": (0.1, 0.5),
    "min_headroom": (-0.1, 0.25),
    "min_footroom": (-0.1, 0.1),
    "min_span": (0.1, 0.9),
}
"""The thresholds that are chosen, and the range each is looked for in."""

_STEPS = 37
_ROUNDS = 2
_SHARD = 64

FACE = ("nose", "left eye", "right eye")
_ANKLES = ("left ankle", "right ankle")
_NAMED = ("nose", "left shoulder", "right shoulder", "left hip", "right hip", "left knee", "right knee", *_ANKLES)


@dataclass(frozen=True)
class Job:
    """A picture to be looked at: its file, and how much of its height, from the top, is kept."""

    path: Path
    height: float = 1.0


@dataclass(frozen=True, eq=False)
class Labelled:
    """Pictures of one kind: their names, whether each is a full shot, and the people on them."""

    names: list[str]
    full: NDArray[np.bool_]
    people: People
    owners: NDArray[np.int64]

    def half(self, number: int) -> "Labelled":
        """The pictures to choose on (0), or the others (1)."""
        mine = np.array([hashlib.sha256(name.encode()).digest()[0] % 2 == number for name in self.names], np.bool_)
        rows = np.cumsum(mine) - 1
        kept = mine[self.owners]
        names = [name for name, there in zip(self.names, mine, strict=True) if there]
        return Labelled(names, self.full[mine], self.people[kept], rows[self.owners[kept]])

    def full_by_rule(self, thresholds: CurateSettings) -> NDArray[np.bool_]:
        """Which pictures the rule calls full shots; shape (len(names),)."""
        verdicts = classify_shots(self.people, self.owners, len(self.names), thresholds)
        return np.asarray(verdicts.shot == FULL)

    def full_by_test(self, test: Callable[[People], NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Which pictures show somebody who passes a test; shape (len(names),)."""
        called = np.zeros(len(self.names), np.bool_)
        called[self.owners[test(self.people)]] = True
        return called


def _visible(people: People, names: Sequence[str], threshold: float) -> NDArray[np.bool_]:
    return np.asarray(people.joints(names)[..., 2] >= threshold)


def _head_and_ankle(people: People, *, threshold: float) -> NDArray[np.bool_]:
    ankles = _visible(people, _ANKLES, threshold).any(axis=1)
    return np.asarray(_visible(people, FACE, threshold).any(axis=1) & ankles)


def _head_alone(people: People, *, threshold: float) -> NDArray[np.bool_]:
    return np.asarray(_visible(people, FACE, threshold).any(axis=1))


def _all_named(people: People, *, threshold: float) -> NDArray[np.bool_]:
    return np.asarray(_visible(people, _NAMED, threshold).all(axis=1))


PUBLIC_RULES: Mapping[str, Callable[[People], NDArray[np.bool_]]] = {
    **{
        f"nose or eye, and ankle, at least {least}": functools.partial(_head_and_ankle, threshold=least)
        for least in (0.2, 0.45, 0.7)
    },
    "nose or eye alone (a script that forgets the ankles), at least 0.2": functools.partial(_head_alone, threshold=0.2),
    **{
        f"nose, shoulders, hips, knees, ankles, all at least {least}": functools.partial(_all_named, threshold=least)
        for least in (0.5, 0.7)
    },
}
"""Rules out of public notebooks and scripts that sort shop photos, on the same key points. They were written for
OpenPose (thresholds 0.2 to 0.45 on its heatmaps) and for MediaPipe (0.5 to 0.7 on its visibility)."""


def find_people(jobs: Sequence[Job], full: Sequence[bool], estimator: PoseEstimator, what: str = "poses") -> Labelled:
    """The people on labelled pictures; those that cannot be read are left out, and named on stderr."""
    parts = engines.shards(list(enumerate(jobs)), _SHARD)
    found: list[tuple[int, NDArray[np.float32] | None]] = []
    with bar(what, "pictures") as advance:
        for _, rows in engines.map_shards(functools.partial(_predict, estimator=estimator), parts):
            found += rows
            advance(len(found), len(jobs))
    say_unreadable(what, sorted(str(jobs[number].path) for number, keypoints in found if keypoints is None))
    readable = sorted(((number, keypoints) for number, keypoints in found if keypoints is not None), key=itemgetter(0))
    owners = np.repeat(np.arange(len(readable)), [len(keypoints) for _, keypoints in readable])
    nothing = np.zeros((0, len(estimator.skeleton.joints), 4), np.float32)
    everybody = np.concatenate([nothing, *(keypoints for _, keypoints in readable)])
    names = [jobs[number].path.name for number, _ in readable]
    truth = np.array([full[number] for number, _ in readable], np.bool_)
    return Labelled(names, truth, People(everybody, estimator.skeleton), owners)


def _predict(
    jobs: Sequence[tuple[int, Job]], *, estimator: PoseEstimator
) -> list[tuple[int, NDArray[np.float32] | None]]:
    """Each picture's number and the key points on it; None where it cannot be read."""
    estimator = resident(estimator)
    rows: list[tuple[int, NDArray[np.float32] | None]] = []
    for number, job in jobs:
        picture = read_or_none(job.path, read_for_features)
        if picture is None:
            rows.append((number, None))
            continue
        pixels = picture.pixels[: max(1, int(len(picture.pixels) * job.height))]
        rows.append((number, estimator.predict(pixels).keypoints.astype(np.float32)))
    return rows


def cut_above_feet(instances: Path, folder: Path) -> list[Job]:
    """Every picture with a ``foot`` box, cut off at the upper end of the highest one.

    Args:
        instances: COCO JSON; ``bbox`` is ``x, y, width, height`` in pixels.
        folder: with the pictures.
    """
    data = json.loads(instances.read_text("utf-8"))
    feet = {one["id"] for one in data["categories"] if one["name"] == "foot"}
    tops: dict[int, float] = {}
    for box in data["annotations"]:
        if box["category_id"] in feet:
            tops[box["image_id"]] = min(box["bbox"][1], tops.get(box["image_id"], np.inf))
    images = {one["id"]: one for one in data["images"]}
    jobs = [(images[number], top) for number, top in sorted(tops.items())]
    return [Job(folder / Path(one["file_name"]).name, top / one["height"]) for one, top in jobs if top > 0]


def pictures_below(folder: Path) -> list[Path]:
    """The files of a folder and of those in it, by name."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def balance(groups: Iterable[Labelled], thresholds: CurateSettings, least_recall: float) -> float:
    """The mean over groups of how much of each is judged right: no group counts more for having more pictures.

    Args:
        groups: labelled pictures.
        thresholds: of the rule.
        least_recall: of full shots; below it, what is missing is taken away ten times.
    """
    shares, lost = [], 0.0
    for group in groups:
        called = group.full_by_rule(thresholds)
        kinds = (group.full, ~group.full)
        shares += [float((called[kind] == group.full[kind]).mean()) for kind in kinds if kind.sum() >= len(called) / 50]
        if group.full.mean() > 1 / 2:
            lost += max(0.0, least_recall - float(called[group.full].mean()))
    return float(np.mean(shares)) - 10 * lost


def trade_off(
    groups: Sequence[Labelled], name: str, thresholds: CurateSettings, least_recall: float
) -> list[tuple[float, float]]:
    """Values of one threshold, and the :func:`balance` that each gives while the others stay."""
    low, high = GRID[name]
    values = np.linspace(low, high, _STEPS).round(4)
    changed = (thresholds.model_copy(update={name: float(value)}) for value in values)
    return [(float(value), balance(groups, one, least_recall)) for value, one in zip(values, changed, strict=True)]


def choose_thresholds(groups: Sequence[Labelled], thresholds: CurateSettings, least_recall: float) -> CurateSettings:
    """The thresholds of the best balance, one after the other; of values as good, the middle of the longest run."""
    for _ in range(_ROUNDS):
        for name in GRID:
            curve = trade_off(groups, name, thresholds, least_recall)
            best = max(share for _, share in curve)
            runs: list[list[float]] = [[]]
            for value, share in curve:
                if share >= best - 1e-9:
                    runs[-1].append(value)
                elif runs[-1]:
                    runs.append([])
            longest = max(runs, key=len)
            thresholds = thresholds.model_copy(update={name: longest[len(longest) // 2]})
    return thresholds


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=Path, required=True, help="a folder of full shots")
    parser.add_argument("--others", type=Path, required=True, action="append", help="a folder of other pictures")
    parser.add_argument("--full-too", type=Path, help="CSV whose first column names the full shots among the others")
    parser.add_argument("--boxes", type=Path, help="COCO JSON with foot boxes of the full shots")
    parser.add_argument(
        "--least-recall", type=float, default=0.985, help="of full shots, below which nothing is worth it"
    )
    return parser.parse_args()


def gather(full: Path, others: Sequence[Path], full_too: Path | None, boxes: Path | None) -> dict[str, Labelled]:
    """The labelled pictures that the flags name, by what they are: ``full``, ``others``, ``cut``."""
    estimator = open_pose_estimator(settings.load())
    lines = full_too.read_text("utf-8").splitlines() if full_too else []
    exceptions = {row[0] for row in csv.reader(lines) if row}
    jobs = [Job(path) for path in pictures_below(full)]
    groups = {"full": find_people(jobs, [True] * len(jobs), estimator, "full shots")}
    jobs = [Job(path) for folder in others for path in pictures_below(folder)]
    truth = [job.path.name in exceptions for job in jobs]
    groups["others"] = find_people(jobs, truth, estimator, "others")
    if boxes is not None:
        jobs = cut_above_feet(boxes, full)
        groups["cut"] = find_people(jobs, [False] * len(jobs), estimator, "cut above the feet")
    return groups


def main() -> None:
    """Choose, and print the trade-off of each threshold and the figures on the pictures not chosen on."""
    given = _arguments()
    groups = gather(given.full, given.others, given.full_too, given.boxes)
    on, rest = ([group.half(number) for group in groups.values()] for number in (0, 1))
    now = settings.load().curate
    picked = choose_thresholds(on, now, given.least_recall)
    console = Console(width=110)
    for name in GRID:
        table = Table(
            "value", "balance", "", title=f"{name}: {getattr(now, name)} in use, {getattr(picked, name)} picked"
        )
        for value, share in trade_off(on, name, picked, given.least_recall)[::3]:
            table.add_row(f"{value:g}", f"{share:.4f}", "#" * round(200 * max(0.0, share - 0.8)))
        console.print(table)
    table = Table("group", "pictures", "right, in use", "right, picked", title="On the pictures not chosen on")
    for name, group in zip(groups, rest, strict=True):
        rights = [float((group.full_by_rule(limits) == group.full).mean()) for limits in (now, picked)]
        table.add_row(name, str(len(group.names)), *(f"{right:.4f}" for right in rights))
    console.print(table)


if __name__ == "__main__":
    main()
