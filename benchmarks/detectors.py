"""The families of detectors on the same photos and the same budget: what each finds, and what it takes.

The photos and their boxes are yours (a folder, and a COCO file); a photo's digest says whether it is learnt from, an
epoch is chosen by it, or it is measured on. Each detector may use the same processor time: what an epoch takes is
measured on a few of the photos first, and as many epochs are trained as the budget has room for. One thread each, so
that it does not matter what else the machine does. What is measured is `fullshot train detector` and
`fullshot evaluate detector`, as commands. "ImageNet" is the backbone of the package; there is none for a YOLO.

Then FCOS from ImageNet's weights once more, one thing changed at a time: what helps, and what does not.

A row takes the budget and a few minutes. Rows and measurements of epochs lie in `rows.jsonl` in the folder that
`--output` names: started again it goes on with the row that was stopped, from its last epoch.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import _common, _detecting
from benchmarks._detecting import Values, kept
from fullshot.core.settings import DetectorSettings, Settings
from fullshot.train.detector import load

SIZE = 320
MINUTES = 10.0
_MODULE, _FINER = "fullshot", "benchmarks._finer"

_SAMPLE = 48
"""Photos that an epoch is measured on, and further ones that it is validated on."""

_SAMPLE_EPOCHS = 3
_WIDTH = 150


@dataclasses.dataclass(frozen=True)
class Entry:
    """A row of the table.

    Attributes:
        settings: of the detector.
        module: that trains it, in the place of ``fullshot``.
        teacher: the row whose detector looks at the photos without boxes, for this one to learn from; empty: none.
    """

    settings: Values
    module: str = _MODULE
    teacher: str = ""


_FCOS: Values = {"family": "fcos", "weights": "imagenet", "image_size": SIZE}
_ONES = {
    "yolo11n": {"family": "yolo", "model": "yolo11n.yaml", "weights": "none"},
    "yolo26n": {"family": "yolo", "model": "yolo26n.yaml", "weights": "none"},
}
_TWOS = {
    f"{family}{words}": {"family": family, "weights": weights}
    for family in ("ssdlite", "fcos", "faster-rcnn")
    for words, weights in (("", "none"), (", ImageNet", "imagenet"))
}
FAMILIES = {name: Entry({**settings, "image_size": SIZE}) for name, settings in (_ONES | _TWOS).items()}
CHANGES = {
    "smaller: 256 px": Entry({**_FCOS, "image_size": 256}),
    "larger: 384 px": Entry({**_FCOS, "image_size": 384}),
    "pictures as they are": Entry(_FCOS, "benchmarks._plain"),
    "top bottom foot": Entry({**_FCOS, "labels": "top bottom foot"}),
    "top bottom long": Entry({**_FCOS, "labels": "top bottom long"}),
    "rare labels more often": Entry({**_FCOS, "sampling": "balanced"}),
    "finer labels": Entry(_FCOS, _FINER),
    "self-training": Entry({**_FCOS, "self_training": True}, teacher="fcos, ImageNet"),
}
ENTRIES = {**FAMILIES, **{f"fcos, ImageNet, {name}": entry for name, entry in CHANGES.items()}}


class Bench:
    """Rows, each measured once.

    Args:
        folder: of workspaces and rows.
        photos: the pictures.
        annotations: their boxes, a COCO file.
        minutes: of processor time that a training may use.
        unlabelled: further photos without boxes.
        finer: boxes with finer labels on the same photos, a COCO file.
    """

    def __init__(
        self,
        folder: Path,
        photos: Path,
        annotations: Path,
        minutes: float,
        unlabelled: Path | None = None,
        finer: Path | None = None,
    ) -> None:
        self._folder, self._minutes, self._finer = folder, minutes, finer
        self._file = folder / "rows.jsonl"
        self._sample = _detecting.workspace_of(folder / "sample", photos, annotations, most=_SAMPLE)
        self._workspace = _detecting.workspace_of(folder / "whole", photos, annotations, unlabelled=unlabelled)
        self.pictures = {split: len(self._pictures(split)) for split in ("train", "val", "test")}
        self._unlabelled = len(self._workspace.read("curated")) - sum(self.pictures.values())

    def _pictures(self, split: str) -> list[Path]:
        return _detecting.pictures_of(self._workspace, split)

    def row(self, name: str, entry: Entry) -> Mapping[str, Any]:
        """The row of an entry: see :func:`_table`."""
        # Finer labels take no longer, and photos without boxes as long as those with.
        timed = ENTRIES[entry.teacher] if entry.teacher else Entry(entry.settings) if entry.module == _FINER else entry
        epoch = kept(self._file, {"epoch": timed.settings, "module": timed.module}, lambda: self._epoch(timed))
        start, each = epoch["start"], epoch["seconds"]
        if entry.teacher:
            each *= 1 + self._unlabelled / self.pictures["train"]
        epochs = max(1, round((self._minutes * 60 - start) / each))
        _common.say(f"{name}: an epoch takes {each:.1f} s: {epochs} epochs")
        made_with = {"entry": entry.settings, "module": entry.module, "epochs": epochs, "pictures": self.pictures}
        row = kept(self._file, made_with, lambda: self._measured(entry, epochs))
        _common.say(f"{name}: mAP@0.5 {row['map50']:.4f}, mAP {row['map50_95']:.4f}, {row['minutes']:.1f} min")
        return {"name": name, "epoch_seconds": each, **row}

    def _epoch(self, entry: Entry) -> dict[str, float]:
        """Processor seconds that an epoch of all photos takes, and what comes with a training besides."""
        folder, workspace = self._folder / "sample", self._sample
        pictures = len(_detecting.pictures_of(workspace, "train"))

        def taken(epochs: int) -> float:
            settings = {**entry.settings, "epochs": epochs, "plots": False, "device": "cpu"}
            return _detecting.train(folder, workspace, settings, entry.module).processor_seconds

        one, several = taken(1), taken(_SAMPLE_EPOCHS)
        each = (several - one) / (_SAMPLE_EPOCHS - 1)
        return {"seconds": each * self.pictures["train"] / pictures, "start": max(0.0, one - each)}

    def _measured(self, entry: Entry, epochs: int) -> dict[str, Any]:
        workspace = self._workspace
        settings = {**entry.settings, "epochs": epochs, "plots": False, "device": "cpu"}
        if entry.module == _FINER:
            return self._finer_labels(settings)
        if entry.teacher:
            settings["teacher"] = self.row(entry.teacher, ENTRIES[entry.teacher])["run"]
        trained = _detecting.train(self._folder / "whole", workspace, settings, entry.module)
        run = trained.stats["run"]
        measured = _detecting.measure(self._folder / "whole", workspace, run)
        detector = load(workspace, run, settings=Settings(detector=DetectorSettings(device="cpu")))
        return {
            "run": run,
            "trained_epochs": epochs,
            "best_epoch": trained.stats["best_epoch"],
            "minutes": trained.processor_seconds / 60,
            "map50": measured["map50"],
            "map50_95": measured["map50_95"],
            "classes": {label: row["map50"] for label, row in measured["classes"].items()},
            "megabytes": _detecting.weights_of(workspace, run).stat().st_size / 1e6,
            "milliseconds": _detecting.milliseconds(detector, self._pictures("test")),
        }

    def _finer_labels(self, settings: Values) -> dict[str, Any]:
        folder = self._folder / "finer"
        folder.mkdir(exist_ok=True)
        words = [str(self._workspace.root), str(self._finer), str(folder / f"{settings['epochs']}-epochs")]
        command = [sys.executable, "-P", "-m", _FINER, *words]
        done = _common.must_succeed(_common.run(command, folder, **_detecting.environment(settings)), _FINER)
        told = json.loads((folder / "stdout.txt").read_text("utf-8"))
        share = told["epochs"] / max(1, told["epochs"] - told["resumed_at"])
        classes = {label: row["map50"] for label, row in told["classes"].items()}
        minutes = done.processor_seconds * share / 60
        return {**told, "trained_epochs": told["epochs"], "minutes": minutes, "classes": classes}


def _table(title: str, rows: list[Mapping[str, Any]]) -> Table:
    labels = list(dict.fromkeys(label for row in rows for label in row["classes"]))
    columns = ("mAP@0.5", "mAP", *labels, "epochs", "s an epoch", "minutes", "MB", "ms a picture")
    table = Table("detector", *columns, title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        found = [f"{row['classes'][label]:.3f}" if label in row["classes"] else "" for label in labels]
        took = [f"{row[name]:.1f}" for name in ("epoch_seconds", "minutes", "megabytes", "milliseconds")]
        table.add_row(
            row["name"], f"{row['map50']:.3f}", f"{row['map50_95']:.3f}", *found, str(row["trained_epochs"]), *took
        )
    return table


def _parser() -> argparse.ArgumentParser:
    parser = _detecting.parser(__doc__, "rows, runs and workspaces")
    words = "folder of further full shots without boxes, for the row that learns from them"
    parser.add_argument("--unlabelled", type=Path, help=words)
    words = "boxes with finer labels on the same photos, a COCO file, for the row that learns these"
    parser.add_argument("--finer", type=Path, help=words)
    words = f"of processor time that a training may use; default: {MINUTES}"
    parser.add_argument("--minutes", type=float, default=MINUTES, help=words)
    words = "of these rows alone; default: all"
    parser.add_argument("--rows", nargs="+", choices=list(ENTRIES), default=list(ENTRIES), metavar="ROW", help=words)
    return parser


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    given = _parser().parse_args(arguments)
    bench = Bench(given.output, given.photos, given.annotations, given.minutes, given.unlabelled, given.finer)
    chosen = {name: ENTRIES[name] for name in given.rows}
    if given.finer is None:
        chosen = {name: entry for name, entry in chosen.items() if entry.module != _FINER}
    if given.unlabelled is None:
        chosen = {name: entry for name, entry in chosen.items() if not entry.teacher}
    rows = [bench.row(name, entry) for name, entry in chosen.items()]
    counts = ", ".join(f"{count} {split}" for split, count in bench.pictures.items())
    title = f"{counts} photos, {given.minutes:g} minutes of processor time each"
    if given.as_json:
        print(json.dumps({"title": title, "rows": rows}))
        return
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(_table(title, rows))


if __name__ == "__main__":
    main()
