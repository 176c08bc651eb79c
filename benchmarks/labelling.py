"""How many labels the queue of `fullshot annotate queue` saves, against pictures labelled in random order.

A simulation: a data set whose boxes are all known plays the person. Some pictures are the test, a few choose the epoch,
the others are the pool. Each round labels some more, trains the detector by the project's own trainer from a backbone
with ImageNet's weights on (the starter weights may have seen the pictures), with about as many steps whatever there is
to learn from, and measures its mAP@0.5 on the test. The queue's next pictures are the head of `priorities`, made with
the detector of the round before.

Orders differ in the first round and in what the queue knows. "typical": the first pictures are the most typical of as
many clusters of a pretrained backbone's features (TypiClust), the others the queue's. The other orders begin with the
same pictures, drawn by lot; one queue knows of each picture what any shop says, the type of the product that it is a
picture of (one of the garments on it, drawn by lot), the other nothing but pixels.

The figure: the labels with which a queue comes to the mAP that random order has with all of its labels, as a share of
them. One training differs from the next by a few hundredths of mAP though the labels are the same, so both are read off
the rising curves (isotonic regression) through the means over the seeds, straight between rounds: the first lucky
training does not count as having come there. The same is measured for random order.

The last round of every order is the whole pool. A training takes some minutes of a processor, and there are dozens.
Finished rounds lie in `rounds.json` in the folder that `--output` names: started again with the same flags it goes on.
There, too, are `curve.csv` and `curve.png`.
"""

import argparse
import csv
import dataclasses
import hashlib
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from benchmarks import _common, _detecting, _typical
from benchmarks._common import Row
from fullshot.annotate import load_boxes, prioritise
from fullshot.core import image_store, tables
from fullshot.core.files import write_text
from fullshot.core.settings import AnnotateSettings, DetectorSettings, Settings, WeightsSettings
from fullshot.core.tables.schemas import parquet_of
from fullshot.core.workspace import Workspace
from fullshot.train.detector import fit, load
from fullshot.train.detector.evaluation import LEAST_SCORE
from fullshot.train.weights import IMAGENET

MOST_SHARE = 0.60
RANDOM, TYPICAL = "random", "typical, then queue"
QUEUE, TYPED_QUEUE = "queue, pixels alone", "queue, types known"
ORDERS = (RANDOM, TYPICAL, QUEUE, TYPED_QUEUE)
BATCH = 8

_SPLIT_SEED = 1
_MOST_EPOCHS = 80

Curve = list[tuple[int, float]]
"""Numbers of labelled pictures and the mAP@0.5 with each."""


@dataclasses.dataclass(frozen=True)
class Protocol:
    """The sizes of a simulation; each is a flag."""

    seeds: int = 3
    test: int = 200
    val: int = 34
    image_size: int = 192
    steps: int = 300
    rounds: tuple[int, ...] = (40, 80, 160, 320)
    """Labelled pictures of each round; after the last come all."""


class Simulation:
    """A workspace whose boxes are shown a few pictures at a time.

    Args:
        folder: of the workspace and of what is done.
        photos: the pictures.
        annotations: their boxes, a COCO file.
        protocol: the sizes.
        weights: of the queue's reasons.
        family: of the detectors.
    """

    def __init__(
        self, folder: Path, photos: Path, annotations: Path, protocol: Protocol, weights: AnnotateSettings, family: str
    ) -> None:
        self._protocol = protocol
        self._weights = weights
        self._family = family
        self._record = folder / "rounds.json"
        # More seeds or rounds go on from what is there.
        made_with = {**dataclasses.asdict(protocol), "seeds": 0, "rounds": 0, "family": family}
        self._done: dict[str, Any] = {"protocol": made_with, "map50": {}, "next": {}}
        if self._record.is_file():
            self._done = json.loads(self._record.read_text("utf-8"))
            if self._done["protocol"] != made_with:
                raise SystemExit(f"{self._record} is of a simulation with other flags: name another --output")
        self._workspace = Workspace(folder / "workspace")
        self._workspace.root.mkdir(parents=True, exist_ok=True)
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._sides: dict[str, str] = {}
        self._products: list[dict[str, Any]] = []
        self._features: NDArray[np.float32] | None = None
        self._fill_workspace(photos, annotations)

    @property
    def pool(self) -> list[str]:
        """The pictures that may be labelled."""
        return sorted(identity for identity, side in self._sides.items() if side == "train")

    def _fill_workspace(self, photos: Path, annotations: Path) -> None:
        """Bring the pictures into the workspace, each a product of its own, a full shot, on a side drawn by lot."""
        given = [picture for picture in load_boxes(annotations, "coco") if picture.boxes]
        random.Random(_SPLIT_SEED).shuffle(given)
        lot = random.Random(_SPLIT_SEED)
        images, curated = [], []
        for number, picture in enumerate(given):
            stored = image_store.put(self._workspace.blobs, (photos / picture.file_name).read_bytes())
            if stored.image_id in self._rows:
                continue
            held_out = self._protocol.test + self._protocol.val
            side = "test" if number < self._protocol.test else "val" if number < held_out else "train"
            self._sides[stored.image_id] = side
            size = {"width": stored.width, "height": stored.height, "bytes": stored.bytes}
            product = {"product_id": f"photo:{number}", "gender": "unknown"}
            kind = lot.choice(sorted({label for label, _ in picture.boxes}))
            self._products.append({**product, "product_type": kind})
            images.append({"image_id": stored.image_id, "product_id": f"photo:{number}", "path": stored.path, **size})
            curated.append(
                {"image_id": stored.image_id, "full_shot": True, "shot": "full", "keep": True, "split": side}
            )
            self._rows[stored.image_id] = [
                {
                    "image_id": stored.image_id,
                    "label": label,
                    **dict(zip(("x_min", "y_min", "x_max", "y_max"), corners, strict=True)),
                    "source": "human",
                }
                for label, corners in picture.boxes
            ]
        self._workspace.write("images", tables.frame("images", images))
        self._workspace.write("curated", tables.frame("curated", curated))

    def _settings(self, labelled: Sequence[str], seed: int) -> Settings:
        protocol = self._protocol
        epochs = round(protocol.steps * BATCH / len(labelled))
        section = DetectorSettings(
            family=self._family,
            weights=IMAGENET,
            starter=False,
            image_size=protocol.image_size,
            epochs=min(max(epochs, 1), _MOST_EPOCHS),
            batch=BATCH,
            seed=seed,
            plots=False,
        )
        # Nothing is fetched: it would depend on what a server gives today.
        return Settings(detector=section, annotate=self._weights, weights=WeightsSettings(download="never"))

    def _train(self, labelled: Sequence[str], seed: int) -> Settings:
        """Train on these labels, unless that was done; the detector is the one in use afterwards."""
        shown = [identity for identity, side in self._sides.items() if side != "train"] + list(labelled)
        rows = [row for identity in sorted(shown) for row in self._rows[identity]]
        self._workspace.write("boxes", tables.frame("boxes", rows))
        settings = self._settings(labelled, seed)
        fit(self._workspace, settings)
        return settings

    def map50(self, labelled: Sequence[str], seed: int) -> float:
        """The mAP@0.5 on the test after training on these labels."""
        key = _key(labelled, seed)
        if key not in self._done["map50"]:
            started = time.monotonic()
            settings = self._train(labelled, seed)
            measured = self._measured(settings)
            self._done["map50"][key] = measured["map50"]
            self._keep()
            by_class = " ".join(f"{label} {each['map50']:.3f}" for label, each in measured["classes"].items())
            seconds = time.monotonic() - started
            _common.say(f"seed {seed}, {len(labelled)} labels: {measured['map50']:.4f} ({by_class}), {seconds:.0f} s")
        return float(self._done["map50"][key])

    def _measured(self, settings: Settings) -> dict[str, Any]:
        """The average precision on the test, without the page that a command writes."""
        detector = load(self._workspace, settings=settings, confidence=LEAST_SCORE)
        return _detecting.found(detector, _detecting.data_of(self._workspace, "test"))

    def _first(self, order: str, seed: int, count: int) -> list[str]:
        """The pictures that an order begins with."""
        if order == TYPICAL:
            if self._features is None:
                images = self._workspace.read("images").set_index("image_id")["path"]
                self._features = _typical.features_of([self._workspace / images[identity] for identity in self.pool])
            return [self.pool[row] for row in _typical.typical(self._features, count, seed)]
        lot = self.pool
        random.Random(seed).shuffle(lot)
        return lot[:count]

    def next(self, labelled: Sequence[str], seed: int, count: int, *, typed: bool) -> list[str]:
        """What the queue says to label next, where it knows product types or does not."""
        section = self._weights
        weights = (section.uncertainty_weight, section.diversity_weight, section.rarity_weight)
        key = f"{_key(labelled, seed)} {count} {weights} {'typed' if typed else 'untyped'}"
        if key not in self._done["next"]:
            settings = self._train(labelled, seed)
            untyped = [{**product, "product_type": None} for product in self._products]
            self._workspace.write("products", tables.frame("products", self._products if typed else untyped))
            priorities = self._workspace.table("priorities")
            for file in (priorities, parquet_of(priorities)):  # an earlier order would be continued
                file.unlink(missing_ok=True)
            prioritise(self._workspace, settings)
            self._done["next"][key] = self._workspace.read("priorities")["image_id"].head(count).tolist()
            self._keep()
        return list(self._done["next"][key])

    def curve(self, order: str, seed: int) -> Curve:
        """One order's curve, from the first round to the whole pool."""
        lot = self.pool
        random.Random(seed).shuffle(lot)
        first, *others = [count for count in self._protocol.rounds if count < len(lot)]
        labelled = self._first(order, seed, first)
        points = [(len(labelled), self.map50(labelled, seed))]
        for count in [*others, len(lot)]:
            if order == RANDOM or count == len(lot):
                labelled = lot[:count]
            else:
                labelled = [*labelled, *self.next(labelled, seed, count - len(labelled), typed=order == TYPED_QUEUE)]
            points.append((count, self.map50(labelled, seed)))
            _common.say(f"{order}, seed {seed}: {count} of {len(lot)} labels, mAP@0.5 {points[-1][1]:.4f}")
        return points

    def _keep(self) -> None:
        write_text(self._record, json.dumps(self._done, indent=1) + "\n")


def _key(labelled: Sequence[str], seed: int) -> str:
    """What a training depends on: which pictures are labelled, not in which order."""
    return hashlib.sha256("\n".join([str(seed), *sorted(labelled)]).encode()).hexdigest()[:16]


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """The mean of curves with the same numbers of labels."""
    return [(points[0][0], sum(value for _, value in points) / len(points)) for points in zip(*curves, strict=True)]


def rising(curve: Curve) -> Curve:
    """The rising curve that is nearest to a curve by least squares: more labels teach no less, but for noise."""
    values = isotonic_regression([value for _, value in curve]).x
    return [(count, float(value)) for (count, _), value in zip(curve, values, strict=True)]


def labels_for(curve: Curve, target: float) -> float | None:
    """The number of labels with which a curve first reaches a target, interpolated linearly; None: never."""
    before: tuple[int, float] | None = None
    for count, value in curve:
        if value >= target:
            if before is None:
                return float(count)
            return before[0] + (count - before[0]) * (target - before[1]) / (value - before[1])
        before = count, value
    return None


def _save(folder: Path, curves: dict[str, list[Curve]]) -> None:
    """The curves as a table and as a picture."""
    with (folder / "curve.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["order", "seed", "labels", "map50"])
        for order, each in curves.items():
            for seed, curve in enumerate(each):
                writer.writerows([order, seed, count, value] for count, value in curve)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for colour, (order, each) in zip(("tab:blue", "tab:orange", "tab:green", "tab:red"), curves.items(), strict=False):
        for curve in each:
            axes.plot(*zip(*curve, strict=True), color=colour, alpha=0.25)
        axes.plot(*zip(*mean_curve(each), strict=True), color=colour, marker="o", label=order)
    axes.axhline(rising(mean_curve(curves[RANDOM]))[-1][1], color="grey", linestyle=":", label="random, all labels")
    axes.set_xlabel("labelled pictures")
    axes.set_ylabel("mAP@0.5 on the test")
    axes.legend()
    figure.savefig(folder / "curve.png", dpi=120)


def _rows(curves: dict[str, list[Curve]]) -> list[Row]:
    lot = mean_curve(curves[RANDOM])
    most, target = rising(lot)[-1]
    by_lot = (labels_for(rising(lot), target) or most) / most
    rows = []
    for order in (order for order in curves if order != RANDOM):
        curve = mean_curve(curves[order])
        for (count, value), (_, random_value) in zip(curve, lot, strict=True):
            rows.append(Row(f"{order}: mAP@0.5 with {count}", value, random_value, value / max(random_value, 1e-9)))
        needed = labels_for(rising(curve), target)
        share = "more" if needed is None else needed / most
        reached = needed is not None and needed / most <= MOST_SHARE
        rows.append(Row(f"{order}: labels to {target:.3f} of {most}", share, by_lot, None, f"≤ {MOST_SHARE}", reached))
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = _detecting.parser(__doc__, "rounds, curve and workspace")
    parser.add_argument("--family", default="fcos", help="of the detectors; default: fcos")
    words = "follow these alone, so that two processes may share the work (their rounds.json go into one)"
    parser.add_argument("--orders", nargs="+", choices=ORDERS, default=(RANDOM, TYPICAL), help=words)
    for field in dataclasses.fields(Protocol):
        nargs = "+" if isinstance(field.default, tuple) else None
        words = f"default: {field.default}"
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=int, nargs=nargs, default=field.default, help=words
        )
    for name in ("uncertainty_weight", "diversity_weight", "rarity_weight"):
        default = AnnotateSettings.model_fields[name].default
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=default, help=f"default: {default}")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    given = vars(_parser().parse_args(arguments))
    given["rounds"] = tuple(given["rounds"])
    protocol = Protocol(**{field.name: given[field.name] for field in dataclasses.fields(Protocol)})
    weights = AnnotateSettings(**{name: given[name] for name in given if name.endswith("_weight")})
    given["output"].mkdir(parents=True, exist_ok=True)
    simulation = Simulation(given["output"], given["photos"], given["annotations"], protocol, weights, given["family"])
    curves = {order: [simulation.curve(order, seed) for seed in range(protocol.seeds)] for order in given["orders"]}
    if RANDOM not in curves:
        return  # there is nothing to compare with
    _save(given["output"], curves)
    title = f"{len(simulation.pool)} pictures that may be labelled, {protocol.seeds} seeds"
    _common.show(title, _rows(curves), as_json=given["as_json"], peer="random")


if __name__ == "__main__":
    main()
