"""Evaluate a detector, of whatever family: measure it on the pictures of a split, and write what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import write_text
from fullshot.core.interfaces import DetectorTrainer
from fullshot.core.progress import say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.tables.schemas import SPLITS
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.detector.data import WANTED, DetectionData, read_data
from fullshot.train.detector.evaluation.findings import LEAST_SCORE, gather
from fullshot.train.detector.families import FIRST, KIND, labels_of, trainer_of
from fullshot.train.figures import inputs_of, keep_figures, kept_figures, of_inputs
from fullshot.train.runs import Run

if TYPE_CHECKING:
    from fullshot.train.detector.evaluation.tables import SplitRows

STAGE = "evaluate detector"

ALL = "all"
"""In the place of a split: each of them that has boxes."""

PAGE = "evaluation.html"
"""In a run's folder."""

CARD = "model-card.md"
"""Beside it."""

COMPARISON = "comparison.html"
"""Beside the runs' folders."""

_FORMAT = "2"
"""Of the figures: those of another one are measured again."""

Figures = dict[str, Any]


def evaluate(
    workspace: Workspace,
    settings: Settings,
    run: str | None = None,
    split: str = "test",
    *,
    label_studio: str = "",
) -> Figures:
    """Measure a trained detector on the boxes of a split, and write its page and its model card.

    Args:
        workspace: with ``boxes.csv``, ``images.csv``, ``curated.csv`` and a trained detector.
        settings: say the device.
        run: the run's name; None: the latest.
        split: ``train``, ``val`` or ``test``; or ``all``: each that has boxes, by itself.
        label_studio: the address of the Label Studio that doubted boxes are linked to; empty: not known.

    Returns:
        ``run``, ``split``, ``pictures``, ``boxes``, ``unreadable`` (pictures that were left out), ``map50`` and
        ``map50_95`` (means over the labels that the split has boxes of), and ``classes``: by label ``boxes``,
        ``map50``, ``map50_95``, ``precision``, ``recall`` (the last two at the score where F1 is best). ``by_size``
        (COCO's small, medium, large), ``by_shop``, ``by_product_type``, ``by_shot`` and, where ``curated`` has such a
        column, ``by_occlusion`` and ``by_layering``; ``columns_not_there`` names those that it lacks,
        ``groups_left_out`` counts groups beyond the 40 largest. ``best_score``: the score from which boxes are best
        believed (F1 over all labels); with it ``pictures_with_errors``, ``doubted_boxes`` (expected, and not found, or
        found as something else). ``calibration_error`` (see :mod:`fullshot.train.detector.evaluation.calibration`),
        and ``page``. With ``all``: ``run``, ``split``, ``splits`` (the above by split), ``splits_without_boxes``,
        ``page``.

        The same, with what the page shows, is written to the run's ``evaluation-<split>.json``, and read from there
        while nothing has changed.

    Raises:
        MissingInput: a table or the detector is not there; says what to run first.
        UserError: no picture of the split has boxes.
        StageFailed: none of its pictures can be read, or the weights are gone or damaged.
    """
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        evaluation = _Evaluation(workspace, settings, split, label_studio)
        chosen = runs.latest_run(workspace, KIND, run)
        [measured] = evaluation.of_runs([chosen])
        page = {"page": str(chosen.folder / PAGE)}
        told = {figures["split"]: _told(figures) for figures in measured}
        if split == ALL:
            without = [name for name in SPLITS if name not in told]
            stats |= {"run": chosen.name, "split": ALL, "splits": told, "splits_without_boxes": without, **page}
        else:
            stats |= {**told[split], **page}
    return stats


def compare(
    workspace: Workspace, settings: Settings, names: Sequence[str], split: str = "test", *, label_studio: str = ""
) -> Figures:
    """Measure several runs as :func:`evaluate` does, and write a page that shows them side by side.

    Args:
        workspace: see there.
        settings: see there.
        names: of the runs, two or more.
        split: see there.
        label_studio: see there.

    Returns:
        ``split``, ``runs`` (see :func:`fullshot.train.detector.evaluation.comparison.side_by_side`) and ``page``.

    Raises:
        UserError: they are fewer than two, or there is no such run.
        MissingInput: a table is not there; says what to run first.
        StageFailed: see :func:`evaluate`.
    """
    # Not above: figures that are kept need none of it.
    from fullshot.train.detector.evaluation import page
    from fullshot.train.detector.evaluation.comparison import side_by_side

    different = list(dict.fromkeys(names))
    if len(different) < 2:
        raise UserError(f"expected two runs or more to compare, got {', '.join(different) or 'none'}")
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        chosen = [runs.latest_run(workspace, KIND, name) for name in different]
        evaluation = _Evaluation(workspace, settings, split, label_studio)
        measured = dict(zip(different, evaluation.of_runs(chosen), strict=True))
        about = [figures[0]["about"] for figures in measured.values()]
        rows = side_by_side(about, measured)
        target = workspace.models(KIND) / COMPARISON
        there = {row["split"] for row in rows}
        write_text(target, page.render_comparison(rows, [name for name in reversed(SPLITS) if name in there]))
        stats |= {"split": split, "runs": rows, "page": str(target)}
    return stats


def measure(
    workspace: Workspace, trainer: "DetectorTrainer[DetectionData]", run: Run, data: DetectionData, split: str
) -> Figures:
    """How well a run's detector finds the boxes of a split.

    It takes what :func:`fullshot.train.detector.evaluation.findings.gather` takes, and gives what
    :func:`fullshot.train.detector.metrics.average_precision` gives.
    """
    return gather(workspace, trainer, run, data, split).precisions().figures()


def _told(figures: Mapping[str, Any]) -> Figures:
    """Of what is kept, what a terminal has room for."""
    return {name: value for name, value in figures.items() if name not in ("about", "details")}


@dataclass
class _Evaluation:
    """Measures runs on splits.

    Attributes:
        workspace: see :func:`evaluate`.
        settings: see there.
        split: see there.
        label_studio: see there.
    """

    workspace: Workspace
    settings: Settings
    split: str
    label_studio: str

    def of_runs(self, chosen: Sequence[Run]) -> list[list[Figures]]:
        """The figures of each run, of each of the splits that has boxes; those that are not kept are measured."""
        splits = SPLITS if self.split == ALL else (self.split,)
        opened = [self._opened(run) for run in chosen]
        kept = [
            {split: figures for split in splits if (figures := self._kept(run, split, inputs)) is not None}
            for run, _, inputs in opened
        ]
        lacking = [[split for split in splits if split not in figures] for figures in kept]
        # Runs that tell the same labels apart are measured on the same boxes, which are read once.
        for labels in dict.fromkeys(labels_of(run) for run in chosen):
            its = [place for place, run in enumerate(chosen) if labels_of(run) == labels]
            if wanted := [split for split in splits if any(split in lacking[place] for place in its)]:
                data, rows = self._asked(labels, wanted)
                for split in wanted:
                    read = self._read(split, rows[split], labels)
                    for place in its:
                        if split in lacking[place]:
                            kept[place][split] = self._measured(opened[place], split, rows[split], read, data)
        result = [[figures[split] for split in splits if figures[split]["pictures"]] for figures in kept]
        if not all(result):
            raise UserError(f"no picture of any split in {self.workspace.root} has boxes that someone drew")
        for (run, _, inputs), some in zip(opened, lacking, strict=True):
            self._write_page(run, inputs, is_new=bool(some))
        return result

    def _opened(self, run: Run) -> "tuple[Run, DetectorTrainer[DetectionData], dict[str, str]]":
        """A run, what opens it, and what its figures depend on."""
        trainer = trainer_of(run, self.settings.detector.model_copy(update={"confidence": LEAST_SCORE}))
        weights = runs.whole_weights(self.workspace, run, trainer.weights(run.folder))
        # No setting counts: a run is measured as it was trained.
        others = {"weights": weights, "figures": _FORMAT, "label_studio": self.label_studio}
        return run, trainer, inputs_of(self.workspace, tuple(WANTED), {}, **others)

    def _kept(self, run: Run, split: str, inputs: Mapping[str, str]) -> Figures | None:
        """The figures of an earlier evaluation of the same."""
        figures = kept_figures(_file(run, split), inputs, STAGE)
        # A split that was asked for by its name and has no box is said to have none, each time.
        return None if figures is None or (self.split != ALL and not figures["pictures"]) else figures

    def _asked(self, labels: Sequence[str], splits: Sequence[str]) -> "tuple[Figures, dict[str, SplitRows]]":
        """What a model card says of the data, and each split's rows."""
        from fullshot.train.detector.evaluation.tables import WANTED_HERE, facts, read_splits

        with self.workspace.open(WANTED_HERE) as data:
            rows = read_splits(data, labels, splits)
            return facts(data), rows

    def _read(
        self, split: str, rows: "SplitRows", labels: Sequence[str]
    ) -> tuple[DetectionData, int, list[str]] | None:
        """The pictures of a split, how many boxes are on them, and the paths of those that cannot be read."""
        where = f"of the split {split} in {self.workspace.root}"
        if rows.boxes.empty and self.split == ALL:
            return None
        if rows.boxes.empty:
            raise UserError(f"no picture {where} has boxes that someone drew")
        pictures, boxes, unreadable = read_data(self.workspace, rows.boxes, labels)
        say_unreadable(STAGE, unreadable)
        if boxes.empty:
            raise StageFailed(f"no picture {where} can be read")
        return pictures, len(boxes), unreadable

    def _measured(
        self,
        opened: "tuple[Run, DetectorTrainer[DetectionData], dict[str, str]]",
        split: str,
        rows: "SplitRows",
        read: tuple[DetectionData, int, list[str]] | None,
        data: Figures,
    ) -> Figures:
        """Measure a run on a split, and keep the figures."""
        from fullshot.train.detector.evaluation.card import card
        from fullshot.train.detector.evaluation.measuring import figures

        run, trainer, inputs = opened
        family = str(run.record.get("family", FIRST))
        tables = {name: digest for name, digest in inputs.items() if name.endswith(".csv")}
        about = card(run, family, trainer.weights(run.folder), inputs["weights"], tables, data)
        result: Figures = {"run": run.name, "split": split, "pictures": 0, "boxes": 0, "unreadable": 0}
        if read is not None:
            pictures, boxes, unreadable = read
            findings = gather(self.workspace, trainer, run, pictures, split)
            result |= {"pictures": len(findings.paths), "boxes": boxes, "unreadable": len(unreadable)}
            result |= figures(findings, rows.groups, lambda image_id: rows.task_of(image_id, self.label_studio))
        result["about"] = about
        keep_figures(_file(run, split), inputs, result)
        return result

    def _write_page(self, run: Run, inputs: Mapping[str, str], *, is_new: bool) -> None:
        """Write the page and the model card of all splits that were measured with these inputs, where they are new."""
        targets = run.folder / PAGE, run.folder / CARD
        if not is_new and all(target.is_file() for target in targets):
            return
        from fullshot.train.detector.evaluation import card, page

        on_file = [of_inputs(_file(run, split), inputs) for split in reversed(SPLITS)]
        measured = [figures for figures in on_file if figures and figures["pictures"]]
        about = measured[0]["about"]
        for target, text in zip(
            targets,
            (page.render(self.workspace.root, about, measured), card.markdown(about, measured)),
            strict=True,
        ):
            write_text(target, text)


def _file(run: Run, split: str) -> Path:
    return run.folder / f"evaluation-{split}.json"
