"""A model card: what an embedder is, what it was made of, what it may be used for, and how good it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from fullshot.train.embedder.evaluation.contenders import BASELINE, RUN, WEIGHTS, Contender
from fullshot.train.embedder.in_use import STARTER
from fullshot.train.weights import IMAGENET

ELSEWHERE = "was not trained in this workspace, so that it may have learnt from these pictures"

_CAVEATS = {
    RUN: ELSEWHERE,
    WEIGHTS: ELSEWHERE,
    BASELINE: "is a baseline: nothing was learnt for it",
    IMAGENET: "learnt from ImageNet alone",
    STARTER: "learnt from Clothing Co-Parsing (Apache-2.0) and the clothing dataset (CC0): on photos of those sets the "
    "figures are too good",
}
"""Of an embedder that was not trained in the workspace, by its kind."""

UNKNOWN_DATA = "not recorded in the workspace: it is for the makers of the pictures to say"

LEAKS = "no product, style or cluster of near duplicates has pictures in two splits"
"""Where there are leaks, nothing is measured."""

_FIGURES = ("precision@1", "precision@5", "precision@10", "recall@5", "recall@10", "map@r")

_LICENCES = {
    RUN: "fullshot: Apache-2.0; a backbone's weights that it began with have their own",
    BASELINE: "fullshot: Apache-2.0",
    IMAGENET: "timm, and its weights of EfficientNet-Lite: Apache-2.0",
    STARTER: "fullshot: Apache-2.0",
    WEIGHTS: "it is for whoever published the weights to say",
}

TARGETS = {"product_type": "same product type", "type_and_colour": "same type and colour"}
"""What makes an answer right, in words."""

QUESTIONS = {"shop": "item shots among each other", "street": "worn garments among item shots"}


def of_contender(contender: Contender, *, trained_here: bool) -> dict[str, Any]:
    """What is known of an embedder; where no run trained it, much is None.

    Args:
        contender: the embedder.
        trained_here: whether a run of this workspace trained it.
    """
    record, metrics = (contender.run.record, contender.run.metrics) if contender.run else ({}, {})
    file = contender.file
    return {
        "run": contender.name,
        "kind": contender.kind,
        "backbone": contender.backbone,
        "trained_here": trained_here,
        "trained_at": record.get("started_at"),
        "version": record.get("version"),
        "epochs": metrics.get("epochs"),
        "best_epoch": metrics.get("best_epoch"),
        "seconds": metrics.get("seconds"),
        "learnt_from": {name: metrics.get(name) for name in ("products", "item_shots", "worn_garments")},
        "weights": file.name if file else None,
        "weights_sha256": contender.digest,
        "megabytes": round(file.stat().st_size / 1e6, 2) if file and file.is_file() else None,
        "inputs": record.get("digest"),
        "licences": {"embedder": _LICENCES[contender.kind], "pictures": UNKNOWN_DATA},
    }


def caveat(about: Mapping[str, Any]) -> str | None:
    """Why an embedder's figures are not those of one that was trained here; None where they are."""
    return None if about["trained_here"] else _CAVEATS[about["kind"]]


def markdown(about: Mapping[str, Any], measured: Sequence[Mapping[str, Any]]) -> str:
    """The card as text.

    Args:
        about: see :func:`of_contender`, with ``image_size``, ``dimension``, the ``tables``' digests and
            :func:`fullshot.train.embedder.evaluation.tables.facts`.
        measured: the figures of each split.
    """
    rows = [
        [figures["split"], QUESTIONS[name], words, its["queries"], *(its[key] for key in _FIGURES)]
        for figures in measured
        for name in QUESTIONS
        for target, words in TARGETS.items()
        if figures[name] and (its := figures[name].get(target))
    ]
    worn = [[figures[name] for name in ("split", "queries", "recall@1", "recall@5")] for figures in measured]
    lines = [
        f"# Garment embedder {about['run']}",
        "",
        f"Turns pictures of garments into vectors that lie close where the garments look alike. {_made(about)}.",
        "",
        "## Measured",
        "",
        *_table(["split", "question", "right is", "queries", *_FIGURES], rows),
        "",
        "Worn garments that find the very same product:",
        "",
        *_table(["split", "queries", "recall@1", "recall@5"], worn),
        "",
        "Figures of pictures that it learnt from (train), or that chose its best epoch (val), are too good.",
        "",
        "## Data",
        "",
        *_table(
            ["split", "item shots", "products"],
            [[split, row["item_shots"], row["products"]] for split, row in about["splits"].items()],
        ),
        "",
        f"- Item shots by shop: {_words(about['item_shots_of_shops'])}",
        f"- Leak check: {LEAKS}",
        "",
        "These are the workspace's tables as they were when it was measured, with these digests (sha256):",
        "",
        *(f"- `{name}` `{digest}`" for name, digest in about["tables"].items()),
        "",
        "## Weights",
        "",
        f"- {_weights(about)}digest `{about['weights_sha256']}`",
        *([f"- made of `{about['inputs']}`: a digest of the pictures, boxes and settings"] if about["inputs"] else []),
        "",
        "## Licences",
        "",
        *(f"- {name}: {licence}" for name, licence in about["licences"].items()),
    ]
    return "\n".join(lines) + "\n"


def _made(about: Mapping[str, Any]) -> str:
    parts = []
    if about["backbone"]:
        parts.append(
            f"Backbone {about['backbone']}, crops of {about['image_size']} pixels, {about['dimension']} numbers"
        )
    if about["trained_at"]:
        parts.append(f"trained at {about['trained_at']} by fullshot {about['version']}")
    if why := caveat(about):
        parts.append(f"it {why}" if parts else f"It {why}")
    return "; ".join(parts)


def _weights(about: Mapping[str, Any]) -> str:
    return f"`{about['weights']}`, {about['megabytes']} MB, " if about["weights"] else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join('–' if cell is None else str(cell) for cell in line)} |" for line in lines]


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
