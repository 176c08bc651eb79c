"""The questions that an embedder is asked, each of the workspace's own pictures."""

from collections.abc import Callable
from typing import Any

from fullshot.core.dataset import Dataset
from fullshot.core.errors import StageFailed
from fullshot.core.interfaces import Embedder
from fullshot.core.settings import Settings
from fullshot.train.embedder.evaluation.breakdown import breakdown
from fullshot.train.embedder.evaluation.examples import SHOTS, STREET, WORN, Counts, embedded
from fullshot.train.embedder.evaluation.instances import score
from fullshot.train.embedder.evaluation.samples import samples
from fullshot.train.embedder.evaluation.similar import Question, asked, summary

SHOP, SHOP_WITHIN = "shop", ("gender", "wear")
"""Item shots among each other."""

STREET_QUESTION, STREET_WITHIN = "street", ("wear",)
"""What people wear, among item shots."""

DETAILS = "details"
"""What a page needs and no terminal has room for, among the figures."""

_LACKS: dict[str, tuple[Callable[[Counts], bool], str]] = {
    "same product": (
        lambda counts: not counts.worn,
        "no box on a full shot of the split {split} has a product_id: `fullshot boxes import` or "
        "`fullshot annotate pull` brings boxes into boxes.csv",
    ),
    SHOP: (
        lambda counts: counts.typed_products < 2,
        "the split {split} has no two products with item shots and a product_type",
    ),
    STREET_QUESTION: (
        lambda counts: not counts.street or not counts.typed_products,
        "the split {split} has no box with a known product type on a full shot, or no item shot to compare it with",
    ),
}

NAMES = tuple(_LACKS)
"""Of the questions."""


def not_measured(counts: Counts, split: str) -> list[str]:
    """Which questions cannot be asked, and why."""
    return [f"{name}: {why.format(split=split)}" for name, (lacks, why) in _LACKS.items() if lacks(counts)]


def ask(
    data: Dataset, embedder: Embedder, settings: Settings, counts: Counts, split: str, stage: str
) -> tuple[dict[str, Any], list[str]]:
    """Ask an embedder all questions that can be asked.

    Args:
        data: on which :func:`fullshot.train.embedder.evaluation.examples.create` made its tables.
        embedder: to be measured.
        settings: name the engine that cuts crops.
        counts: what ``create`` gave.
        split: of the queries.
        stage: what it is done for; for the progress.

    Returns:
        Figures, see :func:`fullshot.train.embedder.evaluate`, with :data:`DETAILS`: by question that of
        :func:`fullshot.train.embedder.evaluation.breakdown.breakdown` and ``samples``; and the paths of pictures that
        were left out because they cannot be read.

    Raises:
        StageFailed: no picture to ask for, or none to search in, can be read.
    """
    shots = embedded(data, SHOTS, embedder, settings, stage)
    worn = embedded(data, WORN, embedder, settings, stage)
    street = embedded(data, STREET, embedder, settings, stage)
    if not len(shots) or (counts.worn and not len(worn)):
        raise StageFailed(f"no picture of the split {split} in {data.workspace.root} can be read, or no item shot")
    asking, held = (part.frame("product_id", "wear") for part in (worn, shots))
    figures = score(asking, worn.vectors, held, shots.vectors)
    gallery = shots.of_split(split)
    missing = [line.partition(":")[0] for line in not_measured(counts, split)]
    details = {}
    for question, table in (
        (Question(SHOP, gallery, gallery, SHOP_WITHIN), SHOTS),
        (Question(STREET_QUESTION, street, gallery, STREET_WITHIN), STREET),
    ):
        if question.name in missing or not len(question.queries) or not len(gallery):
            figures[question.name] = None
            continue
        answered = asked(question)
        figures[question.name] = summary(answered)
        details[question.name] = {**breakdown(answered), "samples": samples(data, answered, table, SHOTS)}
    unreadable = sorted(shots.unreadable | worn.unreadable | street.unreadable)
    return {**figures, DETAILS: details}, unreadable
