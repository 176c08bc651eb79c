"""A model card: what a detector is, what it was made of, what it may be used for, and how good it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from fullshot.core.files import digest
from fullshot.train.detector.sources import Source
from fullshot.train.weights import STARTER_FILE

_TORCHVISION = "torchvision: BSD-3-Clause; timm, and its weights of EfficientNet-Lite: Apache-2.0"
LICENCES = {
    "yolo": "Ultralytics: AGPL-3.0, which its makers hold to cover models trained with it as well",
    **dict.fromkeys(("fcos", "retinanet", "faster-rcnn", "ssdlite"), _TORCHVISION),
}
"""Of what trains and runs a family; of one that another package brings, nothing is known here."""

BEGAN = (
    "began with the starter weights, which learnt from Clothing Co-Parsing (Apache-2.0) and the clothing dataset "
    "(CC0); whoever passes these weights on names them, and on photos of those sets the figures are too good"
)
"""Of a run that did."""

ELSEWHERE = "was not trained in this workspace, so that it may have learnt from these pictures"

UNKNOWN_DATA = "not recorded in the workspace: it is for the makers of the pictures and of the boxes to say"


def card(source: Source, tables: Mapping[str, str], data: Mapping[str, Any], *, trained_here: bool) -> dict[str, Any]:
    """What is known of a detector, and of what it was measured on.

    Args:
        source: see :func:`of_weights`.
        tables: digests of the workspace's tables, by file.
        data: see :func:`fullshot.train.detector.evaluation.tables.facts`.
        trained_here: see :func:`of_weights`.
    """
    return {**of_weights(source, trained_here=trained_here), "tables": dict(tables), **data}


def of_weights(source: Source, *, trained_here: bool) -> dict[str, Any]:
    """What is known of a detector; where no run trained it, much is None.

    Args:
        source: of its weights.
        trained_here: whether a run of this workspace trained it.
    """
    record, metrics = (source.run.record, source.run.metrics) if source.run else ({}, {})
    return {
        "run": source.name,
        "family": source.family,
        "model": source.model,
        "labels": list(source.labels),
        "image_size": source.image_size,
        "trained_here": trained_here,
        "trained_at": record.get("started_at"),
        "version": record.get("version"),
        "epochs": metrics.get("epochs"),
        "best_epoch": metrics.get("best_epoch"),
        "seconds": metrics.get("seconds"),
        "learnt_from": {name: metrics.get(name) for name in ("pictures", "boxes")},
        "self_training": metrics.get("self_training"),
        "weights": source.file.name,
        "weights_sha256": source.digest,
        "megabytes": round(sum(file.stat().st_size for file in source.files) / 1e6, 2),
        "inputs": record.get("digest"),
        "begins_with_starter": record.get("made_with", {}).get("model", {}).get("sha256") == digest(STARTER_FILE),
        "licences": {"detector": LICENCES.get(source.family, "not known"), "pictures and boxes": UNKNOWN_DATA},
    }


def markdown(about: Mapping[str, Any], measured: Sequence[Mapping[str, Any]]) -> str:
    """The card as text.

    Args:
        about: see :func:`card`.
        measured: the figures of each split.
    """
    lines = [
        f"# Garment detector {about['run']}",
        "",
        f"Finds garments in photos: {', '.join(about['labels'])}. Family {about['family']}, model {about['model']}, "
        f"pictures of {about['image_size']} pixels; {_trained(about)}.",
        "",
        "## Measured",
        "",
        *_table(
            ["split", "pictures", "boxes", "mAP@0.5", "mAP@0.5:0.95", "calibration error"],
            [
                [row[name] for name in ("split", "pictures", "boxes", "map50", "map50_95", "calibration_error")]
                for row in measured
            ],
        ),
        "",
        "Figures of pictures that it learnt from (train), or that chose its best epoch (val), are too good.",
        "",
        "## Data",
        "",
        *_table(
            ["split", "pictures", "boxes", "by label"],
            [[split, row["pictures"], row["boxes"], _words(row["labels"])] for split, row in about["splits"].items()],
        ),
        "",
        f"- Pictures by shop: {_words(about['pictures_of_shops'])}",
        f"- Boxes by source: {_words(about['boxes_by_source'])}",
        f"- Leak check: {leaks_in_words(about['leaks'])}",
        *_taught_in_words(about["self_training"]),
        "",
        "These are the workspace's tables as they were when it was measured, with these digests (sha256):",
        "",
        *(f"- `{name}` `{digest}`" for name, digest in about["tables"].items()),
        "",
        "## Weights",
        "",
        f"- `{about['weights']}`, {about['megabytes']} MB, sha256 `{about['weights_sha256']}`",
        *([_MADE_OF.format(about["inputs"])] if about["inputs"] else []),
        *([f"- {BEGAN}"] if about["begins_with_starter"] else []),
        "",
        "## Licences",
        "",
        *(f"- {name}: {licence}" for name, licence in about["licences"].items()),
    ]
    return "\n".join(lines) + "\n"


_MADE_OF = "- made of `{}`: a digest of the boxes, the settings and the model that training began with"


def _trained(about: Mapping[str, Any]) -> str:
    trained = f"trained at {about['trained_at']} by fullshot {about['version']}" if about["trained_at"] else ""
    if about["trained_here"]:
        return trained
    return f"{trained}; it {ELSEWHERE}" if trained else f"it {ELSEWHERE}"


def _taught_in_words(facts: Mapping[str, Any] | None) -> list[str]:
    if not facts:
        return []
    return [
        f"- Self-training: beside these it learnt from {facts['boxes']} boxes of {facts['pictures']} unlabelled "
        f"pictures, which the detector {facts['teacher']} (`{facts['teacher_digest']}`) found with a score of "
        f"{facts['least_score']} or more"
    ]


def leaks_in_words(leaks: Mapping[str, Any]) -> str:
    """What the tables say of leaks between splits, in a sentence."""
    if not leaks["count"]:
        return "no product, style or cluster of near duplicates has pictures in two splits"
    return f"leaks between splits: {leaks['count']}, such as {'; '.join(leaks['examples'])}"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join('–' if cell is None else str(cell) for cell in line)} |" for line in lines]


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
