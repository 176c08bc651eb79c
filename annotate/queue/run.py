"""What to annotate next: what the detector is unsure of, what is unlike all that is labelled, what is rare."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.annotate.queue import candidates as candidate
from fullshot.annotate.queue import explanation as reasons
from fullshot.annotate.queue.predictions import Descriptor, Observer, Seen, observe, observer
from fullshot.annotate.queue.selection import Labelled, Pool, Weights, choose
from fullshot.annotate.queue.uncertainty import certainty, class_weights, doubt
from fullshot.core import tables
from fullshot.core.annotations import trusted_boxes
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace

Floats = NDArray[np.float32]

_INPUTS = ("images", "products", "curated", "boxes", "annotations")
_DIGITS = 4


def prioritise(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    """Say what to annotate next, and why, and write it to ``priorities``.

    First come pictures to train on: the first :data:`selection.CHOSEN_ONE_BY_ONE` chosen one by one, each
    unlike those before it. Unclear ones stand among them at a fixed share. Then those whose boxes were imported, for a
    person to check. Last those of the splits ``val`` and ``test``, in an order that depends on nothing but their bytes:
    whoever chose them by what the detector finds hard would measure it on hard pictures only.

    Args:
        workspace: with ``images`` and ``curated``; ``products``, ``boxes``, ``annotations`` and a detector are used
            where they are there. Without a detector diversity and rarity alone decide.
        settings: section ``annotate``, and ``detector`` for the threshold and the device.

    Returns:
        ``candidates`` and of these ``to_learn_from``, ``to_check``, ``to_measure_on``, ``unclear``; ``labelled``
        pictures to learn from; ``unreadable``; ``detector`` (digest of its weights, None: there is none);
        ``looked_at``, pictures that were not known from an earlier run.

    Raises:
        MissingInput: nothing was crawled or curated yet; says what to run first.
        UserError: the detector cannot be loaded, or the workspace is in use.
    """
    for name in ("images", "curated"):
        if not workspace.table(name).is_file():
            workspace.read(name)  # says what to run
    with workspace.stage("annotate queue", settings, [workspace.table(name) for name in _INPUTS]) as stats:
        rows = candidate.candidates(workspace)
        pictures = candidate.pictures(workspace)
        boxes = trusted_boxes(workspace) if workspace.table("boxes").is_file() else tables.frame("boxes")
        told = candidate.annotated(workspace) | set(boxes["image_id"])
        labelled = pictures[pictures["image_id"].isin(told & candidate.to_learn_from(workspace))]
        # Once a picture: of another revision or source, it is the same garment again.
        boxes = boxes[boxes["image_id"].isin(labelled["image_id"])].drop_duplicates(["image_id", "label"])
        learn = rows[rows["rank"] != candidate.MEASURE]
        eye = observer(workspace, settings)
        asked = pd.concat([learn[["image_id", "path"]], labelled[["image_id", "path"]]]).drop_duplicates("image_id")
        # Without candidates there is nothing to compare with what is labelled.
        jobs = list(asked.itertuples(index=False, name=None)) if len(learn) else []
        seen = observe(workspace, jobs, eye)
        readable = rows["image_id"].isin(list(seen.rows)) | (rows["rank"] == candidate.MEASURE)
        found = _ordered(rows[readable], labelled, boxes, seen, eye, settings)
        workspace.write("priorities", found)
        stats |= {
            "candidates": len(rows),
            "to_learn_from": int((rows["rank"] == candidate.LEARN).sum()),
            "to_check": int((rows["rank"] == candidate.CHECK).sum()),
            "to_measure_on": int((rows["rank"] == candidate.MEASURE).sum()),
            "unclear": int(rows["unclear"].sum()),
            "labelled": len(labelled),
            "unreadable": int((~readable).sum()),
            "detector": None if isinstance(eye, Descriptor) else eye.make.partition("-")[0],
            "looked_at": seen.new,
        }
    return stats


def _ordered(
    rows: pd.DataFrame, labelled: pd.DataFrame, boxes: pd.DataFrame, seen: Seen, eye: Observer, settings: Settings
) -> pd.DataFrame:
    """The table ``priorities`` of candidates."""
    parts = []
    for rank in (candidate.LEARN, candidate.CHECK):
        part = rows[rows["rank"] == rank].reset_index(drop=True)
        if len(part):
            # What waits to be checked has boxes of its own, but it is not its own neighbour.
            known = labelled[~labelled["image_id"].isin(part["image_id"])]
            drawn = boxes.loc[boxes["image_id"].isin(known["image_id"]), "label"].value_counts()
            parts.append(_chosen(part, known, drawn, seen, eye, settings))
    last = rows[rows["rank"] == candidate.MEASURE]
    words = [reasons.to_measure_on(split) for split in last["split"]]
    parts.append(pd.DataFrame({"image_id": last["image_id"], "reason": words}))
    found = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    # How many come after it, and one: a number that says the order and nothing else.
    found["priority"] = np.arange(len(found), 0, -1)
    return found.reindex(columns=tables.columns("priorities"))


def _chosen(
    part: pd.DataFrame,
    known: pd.DataFrame,
    drawn: "pd.Series[int]",
    seen: Seen,
    eye: Observer,
    settings: Settings,
) -> pd.DataFrame:
    """Candidates of one rank in order, with the columns of ``priorities`` but the number.

    Args:
        part: the candidates.
        known: labelled pictures.
        drawn: on how many of these each label was drawn.
        seen: of both.
        eye: saw them.
        settings: the weights and the threshold.
    """
    section, threshold = settings.annotate, settings.detector.confidence
    at = seen.rows_of(part["image_id"])
    garments = np.array([drawn.get(str(label), 0) for label in GARMENTS], np.float32)
    kinds, products = pd.Index(sorted(part["kind"].dropna().unique())), pd.factorize(part["product_id"])[0]
    of_kinds = known["kind"].value_counts()
    scores = seen.scores[at]
    doubts = None if isinstance(eye, Descriptor) else doubt(scores, threshold, class_weights(garments))
    pool = Pool(
        uncertainty=np.zeros(len(part), np.float32) if doubts is None else doubts.total,
        features=seen.features[at],
        kinds=kinds.get_indexer(part["kind"]).astype(np.int64),
        garments=certainty(scores, threshold).max(axis=2),
        products=products.astype(np.int64),
    )
    there = np.array([of_kinds.get(kind, 0) for kind in kinds], np.float32)
    # The doubts of a detector that finds little mislead, to pictures that are like no other; Hacohen, Dekel and
    # Weinshall, "Active learning on a budget" (2022), measured it for classifiers, benchmarks/labelling.py here.
    uncertainty = section.uncertainty_weight * max(0.0, 2 * eye.quality - 1)
    weights = Weights(uncertainty, section.diversity_weight, section.rarity_weight)
    order = choose(pool, Labelled(seen.features[seen.rows_of(known["image_id"])], there, garments), weights)
    counts = {str(kind): int(count) for kind, count in of_kinds.items()}
    grounds = reasons.Grounds(pool, order, weights, doubts, scores, counts, len(known))
    found = pd.DataFrame(
        {
            "image_id": part["image_id"],
            "reason": reasons.reasons(part, grounds),
            "uncertainty": None if doubts is None else np.round(doubts.total.astype(float), _DIGITS),
            "diversity": np.round(order.diversity.astype(float), _DIGITS),
            "rarity": np.round(order.rarity.astype(float), _DIGITS),
        }
    )
    return found.iloc[_with_share(order.rows, part["unclear"].to_numpy(bool), section.unclear_share)]


def _with_share(rows: NDArray[np.int64], unclear: NDArray[np.bool_], share: float) -> NDArray[np.int64]:
    """Rows with the unclear ones spread evenly, at that share as long as there are any; each kind keeps its order."""
    is_unclear = unclear[rows]
    sure, unsure = rows[~is_unclear], rows[is_unclear]
    if not len(sure) or not len(unsure) or share >= 1:
        return np.concatenate([unsure, sure])
    if share <= 0:
        return np.concatenate([sure, unsure])
    # Each has the place that it would have in an endless queue with that share.
    places = np.concatenate([(np.arange(len(sure)) + 0.5) / (1 - share), (np.arange(len(unsure)) + 1) / share])
    return np.concatenate([sure, unsure])[np.argsort(places, kind="stable")]
