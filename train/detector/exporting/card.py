"""The card of an export: what its files are, and how they were measured."""

from collections.abc import Mapping
from typing import Any

from fullshot.train import runtimes

_HEAD = ("file", "runtime", "numbers", "MB", "ms", "same boxes", "mAP@0.5", "mAP@0.5:0.95")


def markdown(stats: Mapping[str, Any]) -> str:
    """The card as text.

    Args:
        stats: see :func:`fullshot.train.detector.exporting.run.export`.
    """
    before = stats["before"]
    rows = [
        ["(the weights)", "torch", "float32", "–", before["ms"], "–", before["map50"], before["map50_95"]],
        *(
            [
                f"`{row['file']}`",
                runtimes.NAMES[row["runtime"]],
                row["numbers"],
                row["megabytes"],
                row["ms"],
                f"{row['same']} of {row['boxes']} ({row['share']:.1%})",
                row["map50"],
                row["map50_95"],
            ]
            for row in stats["files"]
        ),
    ]
    expected = (
        "the boxes that people drew"
        if stats["measured_on"] != "photos"
        else "the boxes that the network itself finds, for nobody drew any: its own figures are 1 by definition"
    )
    lines = [
        f"# Export of the detector {stats['weights']}",
        "",
        f"Family {stats['family']}, weights `{stats['digest']}`, pictures of {stats['image_size']} pixels; finds "
        f"{', '.join(stats['labels'])}.",
        "",
        f"Measured on {stats['pictures']} pictures ({stats['measured_on']}) against {expected}.",
        "",
        _line(_HEAD),
        _line(["---"] * len(_HEAD)),
        *map(_line, rows),
        "",
        "Same boxes: matched one to one with those of the weights in torch, of the same label, "
        f"IoU ≥ {stats['overlap']}, scores of at least {stats['confidence']}. "
        "Milliseconds are of one picture, from pixels to boxes, on the machine that exported it.",
    ]
    if stats["left_out"]:
        lines += ["", "## Left out", "", *(f"- {reason}" for reason in stats["left_out"])]
    return "\n".join(lines) + "\n"


def _line(cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |"
