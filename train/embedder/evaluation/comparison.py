"""Several embedders side by side, on the same questions."""

from collections.abc import Mapping, Sequence
from typing import Any

from fullshot.train.embedder.evaluation.card import QUESTIONS, TARGETS, caveat

_SHOWN = ("precision@1", "precision@5", "precision@10", "recall@5", "map@r")


def side_by_side(measured: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row an embedder: what a terminal has room for.

    Args:
        measured: the figures of each embedder, see :func:`fullshot.train.embedder.evaluate`.

    Returns:
        ``run``; ``recall@5`` of the same product; by question and by what makes an answer right, precision@5, such as
        ``shop_product_type`` and ``street_product_type``; None where it is not measured.
    """
    return [
        {
            "run": figures["run"],
            "recall@5": figures["recall@5"],
            **{
                f"{question}_{target}": (figures[question] or {}).get(target, {}).get("precision@5")
                for question, target in _asked(measured)
            },
        }
        for figures in measured
    ]


def _asked(measured: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Questions and what makes an answer right, those that any embedder has figures of."""
    return [
        (question, target)
        for question in QUESTIONS
        for target in TARGETS
        if any(target in (figures[question] or {}) for figures in measured)
    ]


def tables(measured: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the page shows side by side.

    Returns:
        A table each: ``caption``, ``queries``, and ``rows``: ``name``, and ``values``, one an embedder.
    """
    found = []
    if any(figures["queries"] for figures in measured):
        rows = [{"name": name, "values": [figures[name] for figures in measured]} for name in ("recall@1", "recall@5")]
        rows += [
            {
                "name": f"recall@5, {wear}",
                "values": [figures["wears"].get(wear, {}).get("recall@5") for figures in measured],
            }
            for wear in dict.fromkeys(wear for figures in measured for wear in figures["wears"])
        ]
        caption = "Worn garments that find the very same product"
        found.append({"caption": caption, "queries": [figures["queries"] for figures in measured], "rows": rows})
    for question, target in _asked(measured):
        its = [(figures[question] or {}).get(target, {}) for figures in measured]
        rows = [{"name": name, "values": [one.get(name) for one in its]} for name in _SHOWN]
        for kind, words in (("by_category", "category"), ("by_product_type", "type")):
            groups = [_groups(figures, question, target, kind) for figures in measured]
            rows += [
                {
                    "name": f"precision@5, {name}",
                    "group": words,
                    "values": [group.get(name, {}).get("precision@5") for group in groups],
                }
                for name in dict.fromkeys(name for group in groups for name in group)
            ]
        caption = f"{QUESTIONS[question].capitalize()}: {TARGETS[target]}"
        found.append({"caption": caption, "queries": [one.get("queries") for one in its], "rows": rows})
    return found


def _groups(figures: Mapping[str, Any], question: str, target: str, kind: str) -> Mapping[str, Any]:
    groups: Mapping[str, Any] = figures["details"].get(question, {}).get(target, {}).get(kind, {}).get("groups", {})
    return groups


def caveats(measured: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Why the figures of some embedders may be too good, or what they are, by name."""
    return {figures["run"]: why for figures in measured if (why := caveat(figures["about"]))}
