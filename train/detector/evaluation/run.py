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
from fullshot.train.detector.evaluation import card
from fullshot.train.detector.evaluation.findings import LEAST_SCORE, gather
from fullshot.train.detector.families import KIND
from fullshot.train.detector.sources import Source, find_source
from fullshot.train.figures import inputs_of, keep_figures, kept_figures, of_inputs
from fullshot.train.marks import is_marked, mark
from fullshot.train.runs import Run
from fullshot.train.runtimes import precision_of

if TYPE_CHECKING:
    from fullshot.train.detector.evaluation.tables import SplitRows

STAGE = "evaluate detector"

ALL = "all"
"""In the place of a split: each of them that has boxes."""

PAGE = "evaluation.html"
"""In the folder of a run, or of :data:`OTHERS`."""

CARD = "model-card.md"
"""Beside it."""

COMPARISON = "comparison.html"
"""Beside the runs' folders."""

OTHERS = "evaluations"
"""Beside the runs' folders: what belongs to weights that no run of the workspace has, a folder each."""

_FORMAT = "3"
"""Of the figures: those of another one are measured again."""

Figures = dict[str, Any]


def evaluate(
    workspace: Workspace,
    settings: Settings,
    weights: str | None = None,
    split: str = "test",
    *,
    label_studio: str = "",
) -> Figures:
    """Measure a detector on the boxes of a split, and write its page and its model card.

    Args:
        workspace: with ``boxes.csv``, ``images.csv`` and ``curated.csv``.
        settings: say the device.
        weights: see :func:`fullshot.train.detector.sources.find_source`; None: the latest run's.
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

        The same, with what the page shows, is written to ``evaluation-<split>.json``, and read from there while nothing
        has changed: in the run's folder; of weights that no run of the workspace has, in :data:`OTHERS`.

    Raises:
        MissingInput: a table or the detector is not there; says what to run first.
        UserError: no picture of the split has boxes.
        StageFailed: none of its pictures can be read, or the weights are gone or damaged.
    """
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        evaluation = _Evaluation(workspace, settings, split, label_studio)
        chosen = find_source(weights or runs.latest_run(workspace, KIND).name, workspace)
        [measured] = evaluation.of_sources([chosen])
        page = {"page": str(evaluation.folder_of(chosen) / PAGE)}
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
    """Measure several detectors as :func:`evaluate` does, and write a page that shows them side by side.

    Args:
        workspace: see there.
        settings: see there.
        names: of the weights, two or more; see :func:`fullshot.train.detector.sources.find_source`.
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
    from fullshot.train.detector.evaluation.comparison import caveats, side_by_side

    different = list(dict.fromkeys(names))
    if len(different) < 2:
        raise UserError(f"expected two runs or more to compare, got {', '.join(different) or 'none'}")
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        chosen = [find_source(name, workspace) for name in different]
        evaluation = _Evaluation(workspace, settings, split, label_studio)
        names = _told_apart(chosen, different)
        measured = evaluation.of_sources(chosen)
        rows = side_by_side(names, measured)
        target = workspace.models(KIND) / COMPARISON
        there = {row["split"] for row in rows}
        pages = {
            name: (evaluation.folder_of(source) / PAGE).relative_to(target.parent).as_posix()
            for name, source in zip(names, chosen, strict=True)
        }
        shown = [name for name in reversed(SPLITS) if name in there]
        write_text(target, page.render_comparison(rows, shown, pages, caveats(names, measured)))
        stats |= {"split": split, "runs": rows, "page": str(target)}
    return stats


def measure(
    workspace: Workspace, trainer: "DetectorTrainer[DetectionData]", run: Run, data: DetectionData, split: str
) -> Figures:
    """How well a run's detector finds the boxes of a split.

    Args:
        workspace: holds the pictures.
        trainer: with the confidence :data:`LEAST_SCORE`.
        run: whose weights are whole.
        data: the pictures and boxes.
        split: of them.

    Returns:
        See :func:`fullshot.train.detector.metrics.average_precision`.
    """
    return gather(workspace, trainer.load(run.folder), data, split).precisions().figures()


def _told_apart(chosen: Sequence[Source], given: Sequence[str]) -> list[str]:
    """The names of detectors; where two share one, such as a run and its copy, what was asked for, which differs."""
    names = [source.name for source in chosen]
    return [asked if names.count(name) > 1 else name for name, asked in zip(names, given, strict=True)]


def _told(figures: Mapping[str, Any]) -> Figures:
    """Of what is kept, what a terminal has room for."""
    return {name: value for name, value in figures.items() if name not in ("about", "details")}


@dataclass
class _Evaluation:
    """Measures detectors on splits.

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

    def folder_of(self, source: Source) -> Path:
        """Where the figures, the page and the card of a detector go."""
        folder = self.workspace.models(KIND)
        if source.run is not None and self._is_own(source):
            return folder / source.run.name
        return folder / OTHERS / f"{Path(source.name).stem}-{source.digest[:8]}"

    def _is_own(self, source: Source) -> bool:
        """Whether a run of this workspace trained it."""
        models = self.workspace.models(KIND).resolve()
        return source.run is not None and source.run.folder.resolve().parent == models

    def of_sources(self, chosen: Sequence[Source]) -> list[list[Figures]]:
        """The figures of each detector, of each of the splits that has boxes; those that are not kept are measured."""
        splits = SPLITS if self.split == ALL else (self.split,)
        inputs = [self._inputs(source) for source in chosen]
        kept = [
            {split: figures for split in splits if (figures := self._kept(source, split, its)) is not None}
            for source, its in zip(chosen, inputs, strict=True)
        ]
        lacking = [[split for split in splits if split not in figures] for figures in kept]
        # Detectors that tell the same labels apart are measured on the same boxes, which are read once.
        for labels in dict.fromkeys(source.labels for source in chosen):
            its = [place for place, source in enumerate(chosen) if source.labels == labels]
            if wanted := [split for split in splits if any(split in lacking[place] for place in its)]:
                data, rows = self._asked(labels, wanted)
                for split in wanted:
                    read = self._read(split, rows[split], labels)
                    for place in its:
                        if split in lacking[place]:
                            source = chosen[place]
                            kept[place][split] = self._measured(source, inputs[place], split, rows[split], read, data)
        result = [[figures[split] for split in splits if figures[split]["pictures"]] for figures in kept]
        if not all(result):
            raise UserError(f"no picture of any split in {self.workspace.root} has boxes that someone drew")
        for source, its_inputs in zip(chosen, inputs, strict=True):
            self._write_page(source, its_inputs)
        return result

    def _inputs(self, source: Source) -> dict[str, str]:
        """What the figures of a detector depend on."""
        # No other setting counts: a detector is measured as it was trained.
        section = self.settings.detector
        precision = precision_of(section.runtime, section.precision)
        others = {"weights": source.digest, "precision": precision, "figures": _FORMAT}
        return inputs_of(self.workspace, tuple(WANTED), {}, **others)

    def _kept(self, source: Source, split: str, inputs: Mapping[str, str]) -> Figures | None:
        """The figures of an earlier evaluation of the same."""
        figures = kept_figures(self._file(source, split), inputs, STAGE)
        # A split that was asked for by its name and has no box is said to have none, each time.
        if figures is None or (self.split != ALL and not figures["pictures"]):
            return None
        return self._of_today(source, figures)

    def _of_today(self, source: Source, figures: Figures) -> Figures:
        """Figures that are kept, with what is known of the weights: they were measured under another name, maybe."""
        about = {**figures["about"], **card.of_weights(source, trained_here=self._is_own(source))}
        return {**figures, "run": source.name, "about": about}

    def _file(self, source: Source, split: str) -> Path:
        return self.folder_of(source) / f"evaluation-{split}.json"

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
        source: Source,
        inputs: Mapping[str, str],
        split: str,
        rows: "SplitRows",
        read: tuple[DetectionData, int, list[str]] | None,
        data: Figures,
    ) -> Figures:
        """Measure a detector on a split, and keep the figures."""
        from fullshot.train.detector.evaluation.measuring import figures

        tables = {name: digest for name, digest in inputs.items() if name.endswith(".csv")}
        result: Figures = {"run": source.name, "split": split, "pictures": 0, "boxes": 0, "unreadable": 0}
        if read is not None:
            pictures, boxes, unreadable = read
            detector = source.load(self.settings.detector.model_copy(update={"confidence": LEAST_SCORE}))
            findings = gather(self.workspace, detector, pictures, split)
            result |= {"pictures": len(findings.paths), "boxes": boxes, "unreadable": len(unreadable)}
            result |= figures(findings, rows.groups, rows.task_of)
        result["about"] = card.card(source, tables, data, trained_here=self._is_own(source))
        keep_figures(self._file(source, split), inputs, result)
        return result

    def _write_page(self, source: Source, inputs: Mapping[str, str]) -> None:
        """Write the model card and the page of all splits that were measured with these inputs, where they are new."""
        folder, files = self.folder_of(source), [self._file(source, split) for split in reversed(SPLITS)]
        known = card.of_weights(source, trained_here=self._is_own(source))
        its = mark(files, known, self.label_studio)
        if (folder / CARD).is_file() and is_marked(folder / PAGE, its):
            return
        from fullshot.train.detector.evaluation import page

        on_file = [of_inputs(file, inputs) for file in files]
        measured = [self._of_today(source, figures) for figures in on_file if figures and figures["pictures"]]
        about = measured[0]["about"]
        # The page comes last: its mark says that all is there.
        write_text(folder / CARD, card.markdown(about, measured))
        write_text(folder / PAGE, page.render(self.workspace.root, about, measured, self.label_studio, its))
