"""Full shots told from all others: the rule, and public rules on the same key points.

    python -m benchmarks.shots --full FOLDER --others FOLDER [--full-too CSV] [--boxes instances.json]

The flags are those of ``python -m fullshot.curation.shots.thresholds``. A picture that the rule leaves to a person
("unclear") counts as wrong in the accuracy, and as not called a full shot in the others. The peer is the public rule of
the best accuracy.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import _common
from benchmarks._common import Row
from fullshot.core.settings import load
from fullshot.curation.shots.rule import UNCLEAR, classify_shots
from fullshot.curation.shots.thresholds import PUBLIC_RULES, Labelled, gather

Call = Callable[[Labelled], NDArray[np.bool_]]

ACCURACY, RECALL, CUT = 0.98, 0.97, 0.95


def figures(call: Call, groups: dict[str, Labelled], unclear: dict[str, NDArray[np.bool_]]) -> dict[str, float]:
    """Accuracy and recall over full shots and others, and the share of cut photos that are not called full."""
    both = [groups["full"], groups["others"]]
    called = np.concatenate([call(group) for group in both])
    truth = np.concatenate([group.full for group in both])
    open_ = np.concatenate([unclear[name] for name in ("full", "others")])
    found = {"accuracy": float(((called == truth) & ~open_).mean()), "recall": float(called[truth].mean())}
    if "cut" in groups:
        found["cut"] = float((~call(groups["cut"])).mean())
    return found


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--full", type=Path, required=True, help="a folder of full shots")
    parser.add_argument("--others", type=Path, required=True, action="append", help="a folder of other pictures")
    parser.add_argument("--full-too", type=Path, help="CSV whose first column names the full shots among the others")
    parser.add_argument("--boxes", type=Path, help="COCO JSON with foot boxes of the full shots")
    given = parser.parse_args(arguments)
    limits = load().curate
    groups = gather(given.full, given.others, given.full_too, given.boxes)
    unclear = {
        name: classify_shots(group.people, group.owners, len(group.names), limits).shot == UNCLEAR
        for name, group in groups.items()
    }
    nothing = {name: np.zeros_like(open_) for name, open_ in unclear.items()}
    ours = figures(lambda group: group.full_by_rule(limits), groups, unclear)
    public = {
        name: figures(lambda group, test=test: group.full_by_test(test), groups, nothing)  # type: ignore[misc]
        for name, test in PUBLIC_RULES.items()
    }
    best = max(public.values(), key=lambda found: found["accuracy"])
    expected = {"accuracy": ACCURACY, "recall": RECALL, "cut": CUT}
    words = {"accuracy": "accuracy", "recall": "recall of full shots", "cut": "cut above the feet: not called full"}
    rows = [
        Row(words[name], value, best[name], None, f"≥ {expected[name]}", value >= expected[name])
        for name, value in ours.items()
    ]
    rows.append(Row("left to a person, of full shots", float(unclear["full"].mean())))
    rows.append(Row("left to a person, of others", float(unclear["others"].mean())))
    counts = ", ".join(f"{len(group.names)} {name}" for name, group in groups.items())
    _common.show(f"The full-shot rule on {counts}", rows, as_json=given.as_json, peer="best public")
    rows = [
        Row(f"{name}: {words[part]}", ours[part], value, None, "more", ours[part] > value)
        for name, found in public.items()
        for part, value in found.items()
    ]
    _common.show("Public rules, on the same key points", rows, as_json=given.as_json, peer="public")


if __name__ == "__main__":
    main()
