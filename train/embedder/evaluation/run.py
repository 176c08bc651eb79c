"""Evaluate embedders: ask the questions of a split, and write what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fullshot.core import leakage
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.files import write_text
from fullshot.core.progress import say, say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.tables.schemas import SPLITS
from fullshot.core.workspace import Workspace
from fullshot.train.embedder.dataset import WANTED
from fullshot.train.embedder.evaluation import card
from fullshot.train.embedder.evaluation.contenders import Contender, find_contender
from fullshot.train.embedder.in_use import KIND, embedder_in_use
from fullshot.train.embedder.preprocessing import VERSION
from fullshot.train.figures import inputs_of, keep_figures, kept_figures, of_inputs
from fullshot.train.marks import is_marked, mark

STAGE = "evaluate embedder"

PAGE = "evaluation.html"
"""In the folder of a run, or of :data:`OTHERS`."""

CARD = "model-card.md"
"""Beside it."""

COMPARISON = "comparison.html"
"""Beside the runs' folders."""

OTHERS = "evaluations"
"""Beside the runs' folders: what belongs to embedders that no run of the workspace has, a folder each."""

_FORMAT = "2"
"""Of the figures: those of another one are measured again."""

_NOT_TOLD = ("about", "details")
"""Of what is kept: what a terminal has no room for."""

Figures = dict[str, Any]


def evaluate(workspace: Workspace, settings: Settings, weights: str | None = None, split: str = "test") -> Figures:
    """Measure an embedder by what it finds for the garments of a split, and write its page and its model card.

    Three questions are asked, as far as the workspace has what they need:

    - the same product: garments worn on the split's full shots, among the item shots of all products of their wear;
    - ``shop``: item shots of the split's products, among the other products' of that split, gender and wear;
    - ``street``: boxes on the split's full shots whose product type is known, among the split's item shots of that
      wear.

    The last two ask for products of the same type, and of the same type and colour.

    Args:
        workspace: after ``curate``.
        settings: say the device, and the engine that cuts crops.
        weights: see :func:`fullshot.train.embedder.evaluation.contenders.find_contender`; None: what is in use.
        split: ``train``, ``val`` or ``test``.

    Returns:
        ``run``, ``split``, ``embedder`` (the digest), ``unreadable`` (pictures left out); ``queries``, ``recall@1``,
        ``recall@5`` and ``wears`` of the same product (see
        :func:`fullshot.train.embedder.evaluation.instances.score`); ``shop`` and ``street`` (see
        :func:`fullshot.train.embedder.evaluation.similar.summary`; None where it is not measured); ``not_measured``:
        which questions could not be asked, and why; and ``page``.

        The same, with what the page shows, is written to ``evaluation-<split>.json``, and read from there while nothing
        has changed: in the run's folder; of an embedder that no run of the workspace has, in :data:`OTHERS`.

    Raises:
        MissingInput: there is no embedder, no table, or nothing to ask for; says what to run first.
        UserError: there is no such embedder, or the splits leak.
        StageFailed: none of the pictures can be read, or the weights are gone or damaged.
    """
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        evaluation = _Evaluation(workspace, settings, split)
        chosen = find_contender(weights or embedder_in_use(workspace, settings).name, workspace, settings)
        [figures] = evaluation.of_contenders([chosen])
        stats |= {**_told(figures), "page": str(evaluation.folder_of(chosen) / PAGE)}
    return stats


def compare(workspace: Workspace, settings: Settings, names: Sequence[str], split: str = "test") -> Figures:
    """Measure several embedders as :func:`evaluate` does, and write a page that shows them side by side.

    Args:
        workspace: see there.
        settings: see there.
        names: of the embedders, two or more.
        split: see there.

    Returns:
        ``split``, ``embedders`` (see :func:`fullshot.train.embedder.evaluation.comparison.side_by_side`) and ``page``.

    Raises:
        UserError: they are fewer than two, or there is no such embedder.
        MissingInput: see :func:`evaluate`.
        StageFailed: see there.
    """
    # Not above: figures that are kept need none of it.
    from fullshot.train.embedder.evaluation import page
    from fullshot.train.embedder.evaluation.comparison import side_by_side

    different = list(dict.fromkeys(names))
    if len(different) < 2:
        raise UserError(f"expected two embedders or more to compare, got {', '.join(different) or 'none'}")
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        chosen = [find_contender(name, workspace, settings) for name in different]
        evaluation = _Evaluation(workspace, settings, split)
        measured = evaluation.of_contenders(chosen)
        target = workspace.models(KIND) / COMPARISON
        rows = side_by_side(measured)
        pages = [(evaluation.folder_of(one) / PAGE).relative_to(target.parent).as_posix() for one in chosen]
        write_text(target, page.render_comparison(measured, pages))
        stats |= {"split": split, "embedders": rows, "page": str(target)}
    return stats


def _told(figures: Mapping[str, Any]) -> Figures:
    return {name: value for name, value in figures.items() if name not in _NOT_TOLD}


@dataclass
class _Evaluation:
    """Measures embedders on a split.

    Attributes:
        workspace: see :func:`evaluate`.
        settings: see there.
        split: see there.
    """

    workspace: Workspace
    settings: Settings
    split: str

    def folder_of(self, contender: Contender) -> Path:
        """Where the figures, the page and the card of an embedder go."""
        folder = self.workspace.models(KIND)
        if contender.run is not None and self._is_own(contender):
            return folder / contender.run.name
        name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in contender.name)
        return folder / OTHERS / f"{name.strip('-.')[-60:]}-{contender.digest[:8]}"

    def _is_own(self, contender: Contender) -> bool:
        """Whether a run of this workspace trained it."""
        models = self.workspace.models(KIND).resolve()
        return contender.run is not None and contender.run.folder.resolve().parent == models

    def of_contenders(self, chosen: Sequence[Contender]) -> list[Figures]:
        """The figures of each embedder; those that are not kept are measured."""
        inputs = [self._inputs(contender) for contender in chosen]
        found = [kept_figures(self._file(contender), its, STAGE) for contender, its in zip(chosen, inputs, strict=True)]
        lacking = [place for place, figures in enumerate(found) if figures is None]
        if lacking:
            for place, figures in zip(lacking, self._measured([chosen[place] for place in lacking]), strict=True):
                tables = {name: digest for name, digest in inputs[place].items() if name.endswith(".csv")}
                found[place] = its = {**figures, "about": {"tables": tables, **figures["about"]}}
                keep_figures(self._file(chosen[place]), inputs[place], its)
        result = [
            self._of_today(contender, figures) for contender, figures in zip(chosen, found, strict=True) if figures
        ]
        for contender, its in zip(chosen, inputs, strict=True):
            self._write_page(contender, its)
        return result

    def _inputs(self, contender: Contender) -> dict[str, str]:
        """What the figures of an embedder depend on."""
        others = {"embedder": contender.digest, "preprocessing": VERSION, "figures": _FORMAT}
        return inputs_of(self.workspace, tuple(WANTED), {}, **others)

    def _file(self, contender: Contender, split: str | None = None) -> Path:
        return self.folder_of(contender) / f"evaluation-{split or self.split}.json"

    def _of_today(self, contender: Contender, figures: Figures) -> Figures:
        """Figures that are kept, with what is known of the embedder: it may have had another name then."""
        about = {**figures["about"], **card.of_contender(contender, trained_here=self._is_own(contender))}
        return {**figures, "run": contender.name, "about": about}

    def _measured(self, chosen: Sequence[Contender]) -> list[Figures]:
        """Measure embedders; the tables are asked once for all of them."""
        # Not above: figures that are kept need none of it.
        from fullshot.train.embedder.evaluation import examples, questions
        from fullshot.train.embedder.evaluation.tables import facts

        with self.workspace.open(examples.WANTED_HERE) as data:
            counts = examples.create(data, self.split)
            leakage.refuse(data)
            not_measured = questions.not_measured(counts, self.split)
            if len(not_measured) == len(questions.NAMES):
                raise MissingInput(f"{self.workspace.root}: nothing can be measured: {'; '.join(not_measured)}")
            for line in not_measured:
                say(f"{STAGE}: not measured: {line}")
            known = facts(data, self.split, counts)
            result = []
            for contender in chosen:
                embedder = contender.load(self.settings.embedder)
                found, unreadable = questions.ask(data, embedder, self.settings, counts, self.split, STAGE)
                say_unreadable(STAGE, unreadable)
                head = {"run": contender.name, "split": self.split, "embedder": embedder.digest}
                counted = {"unreadable": len(unreadable), **found, "not_measured": not_measured}
                about = {"image_size": embedder.image_size, "dimension": embedder.dimension, **known}
                result.append({**head, **counted, "about": about})
            return result

    def _write_page(self, contender: Contender, inputs: Mapping[str, str]) -> None:
        """Write the model card and the page of all splits that were measured with these inputs, where they are new."""
        folder, files = self.folder_of(contender), [self._file(contender, split) for split in reversed(SPLITS)]
        known = card.of_contender(contender, trained_here=self._is_own(contender))
        its = mark(files, known)
        if (folder / CARD).is_file() and is_marked(folder / PAGE, its):
            return
        from fullshot.train.embedder.evaluation import page

        on_file = [of_inputs(file, inputs) for file in files]
        measured = [self._of_today(contender, figures) for figures in on_file if figures]
        about = measured[0]["about"]
        # The page comes last: its mark says that all is there.
        write_text(folder / CARD, card.markdown(about, measured))
        write_text(folder / PAGE, page.render(self.workspace.root, about, measured, its))
