"""What to annotate next: what the detector is unsure of, what is unlike all that is labelled, what is rare."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.annotate.queue import candidates as candidate
from fullshot.annotate.queue import explanation
from fullshot.annotate.queue.numbering import priorities
from fullshot.annotate.queue.predictions import Descriptor, FeatureExtractor, ModelOutputs, extract, feature_extractor
from fullshot.annotate.queue.selection import REST, Labelled, Pool, Weights, choose, in_sample, population_of
from fullshot.annotate.queue.turns import Turns
from fullshot.annotate.queue.uncertainty import certainty, class_weights, uncertainty
from fullshot.core import tables
from fullshot.core.annotations import trusted_boxes
from fullshot.core.progress import say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace

_INPUTS = ("images", "products", "curated", "boxes", "annotations")
_DIGITS = 4


def prioritise(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    """Say what to annotate next, and why, and write it to ``priorities``.

    First come pictures to train on: the first :data:`selection.CHOSEN_ONE_BY_ONE` chosen one by one, each
    unlike those before it. Unclear ones stand among them at a fixed share. Then those whose boxes were imported, for a
    person to check. Last those of the splits ``val`` and ``test``, in an order that depends on nothing but their bytes:
    whoever chose them by what the detector finds hard would measure it on hard pictures only.

    The numbers say the order; a picture that keeps its place among the others keeps its number (see
    :mod:`fullshot.annotate.queue.numbering`), so that a new annotation changes few tasks of the annotators.

    Args:
        workspace: with ``images`` and ``curated``; ``products``, ``boxes``, ``annotations`` and a detector are used
            where they are there. Without a detector diversity and rarity alone decide.
        settings: section ``annotate``, and ``detector`` for the threshold and the device.

    Returns:
        ``candidates`` and of these ``to_learn_from``, ``to_check``, ``to_measure_on``, ``unclear``; ``labelled``
        pictures to learn from; ``unreadable`` candidates, which are left out; ``detector`` (digest of its weights,
        None: there is none); ``predicted``, pictures that were not known from an earlier run.

    Raises:
        MissingInput: nothing was crawled or curated yet; says what to run first.
        UserError: the detector cannot be loaded, or the workspace is in use.
    """
    for name in ("images", "curated"):
        if not workspace.table(name).is_file():
            workspace.read(name)  # says what to run
    with workspace.stage("annotate queue", settings, _INPUTS) as stats:
        rows = candidate.candidates(workspace)
        labelled, boxes = _labelled(workspace)
        learn = rows[rows["rank"] != candidate.MEASURE]
        extractor = feature_extractor(workspace, settings)
        asked = pd.concat([learn[["image_id", "path"]], labelled[["image_id", "path"]]]).drop_duplicates("image_id")
        # Without candidates there is nothing to compare with what is labelled.
        jobs = list(asked.itertuples(index=False, name=None)) if len(learn) else []
        outputs = extract(workspace, jobs, extractor)
        readable = rows["image_id"].isin(list(outputs.rows)) | (rows["rank"] == candidate.MEASURE)
        say_unreadable("annotate queue", rows.loc[~readable, "path"].tolist())
        earlier = workspace.read_if_there("priorities").dropna(subset=["priority"])
        before = dict(zip(earlier["image_id"], earlier["priority"].astype(float), strict=True))
        reasons = dict(zip(earlier["image_id"], earlier["reason"].fillna(""), strict=True))
        annotated = candidate.annotated_by_rank(workspace)
        queue = _Queue(labelled, boxes, annotated, before, reasons, outputs, extractor, settings)
        ordered = queue.ordered(rows[readable])
        ordered["priority"] = priorities(ordered["image_id"].tolist(), before)
        workspace.write("priorities", ordered.reindex(columns=tables.columns("priorities")))
        stats |= {
            "candidates": len(rows),
            "to_learn_from": int((rows["rank"] == candidate.LEARN).sum()),
            "to_check": int((rows["rank"] == candidate.CHECK).sum()),
            "to_measure_on": int((rows["rank"] == candidate.MEASURE).sum()),
            "unclear": int(rows["unclear"].sum()),
            "labelled": len(labelled),
            "unreadable": int((~readable).sum()),
            "detector": None if isinstance(extractor, Descriptor) else extractor.version.partition("-")[0],
            "predicted": outputs.new,
        }
    return stats


def _labelled(workspace: Workspace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The labelled pictures to learn from, and the labels on them, each once a picture."""
    with workspace.open() as data:
        boxes = trusted_boxes(data) if data.has("boxes") else tables.frame("boxes")
    pictures = candidate.pictures(workspace)
    known = candidate.annotated(workspace) | set(boxes["image_id"])
    labelled = pictures[pictures["image_id"].isin(known & candidate.to_learn_from(workspace))]
    # Once a picture: of another revision or source, it is the same garment again.
    return labelled, boxes[boxes["image_id"].isin(labelled["image_id"])].drop_duplicates(["image_id", "label"])


@dataclass(frozen=True)
class _Queue:
    """What the candidates are put in order by.

    Attributes:
        labelled: pictures, see :func:`fullshot.annotate.queue.candidates.pictures`.
        boxes: the labels on them.
        annotated: by rank, see :func:`fullshot.annotate.queue.candidates.annotated_by_rank`.
        before: the priorities of an earlier order, by ``image_id``.
        reasons: those that were given for it.
        outputs: of the extractor, for the candidates to learn from and the labelled.
        extractor: whose.
        settings: the weights, the share of unclear ones, and the threshold.
    """

    labelled: pd.DataFrame
    boxes: pd.DataFrame
    annotated: dict[int, list[str]]
    before: dict[str, float]
    reasons: dict[str, str]
    outputs: ModelOutputs
    extractor: FeatureExtractor
    settings: Settings

    def ordered(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The candidates with the columns of ``priorities`` but the number, first to annotate first."""
        parts = []
        for rank in (candidate.LEARN, candidate.CHECK):
            part = rows[rows["rank"] == rank].reset_index(drop=True)
            if len(part):
                parts.append(self._chosen(part, self.annotated[rank]))
        last = rows[rows["rank"] == candidate.MEASURE]
        sentences = [explanation.explain_measured(split) for split in last["split"]]
        parts.append(pd.DataFrame({"image_id": last["image_id"], "reason": sentences}))
        return pd.concat([part.astype(object) for part in parts], ignore_index=True)

    def _chosen(self, part: pd.DataFrame, annotated: list[str]) -> pd.DataFrame:
        """Candidates of one rank in order."""
        # What waits to be checked has boxes of its own, but it is not its own neighbour.
        known = self.labelled[~self.labelled["image_id"].isin(part["image_id"])]
        section, threshold = self.settings.annotate, self.settings.detector.confidence
        drawn = self.boxes.loc[self.boxes["image_id"].isin(known["image_id"]), "label"].value_counts()
        garments = np.array([drawn.get(str(label), 0) for label in GARMENTS], np.float32)
        kinds = pd.Index(sorted(part["kind"].dropna().unique()))
        products, names = pd.factorize(part["product_id"])
        of_kinds = known["kind"].value_counts()
        scores = self.outputs.scores[self.outputs.rows_of(part["image_id"])]
        has_boxes = not isinstance(self.extractor, Descriptor)
        unsure = uncertainty(scores, threshold, class_weights(garments)) if has_boxes else None
        pool = Pool(
            uncertainty=np.zeros(len(part), np.float32) if unsure is None else unsure.total,
            features=self._features(part["image_id"]),
            kinds=kinds.get_indexer(part["kind"]).astype(np.int64),
            garments=certainty(scores, threshold).max(axis=2),
            products=products.astype(np.int64),
            unclear=part["unclear"].to_numpy(bool),
            before=np.array([self.before.get(identity, 0) for identity in part["image_id"]], np.float32),
        )
        counts = np.array([of_kinds.get(kind, 0) for kind in kinds], np.float32)
        of_product = known.set_index("image_id")["product_id"].reindex(annotated[:REST])
        recent = names.get_indexer(pd.Index(of_product)).tolist()
        labelled = Labelled(self._features(known["image_id"]), counts, garments, recent)
        both = pd.concat([part["image_id"], known["image_id"]]).sort_values()
        population = population_of(pool.features[in_sample(part["image_id"].tolist())], self._features(both))
        # A detector that finds little is unsure of what is like no other picture, and misleads; Hacohen, Dekel and
        # Weinshall, "Active learning on a budget" (2022), measured it for classifiers, benchmarks/labelling.py here.
        weight = section.uncertainty_weight * max(0.0, 2 * self.extractor.quality - 1)
        weights = Weights(weight, section.diversity_weight, section.rarity_weight)
        turns = Turns(pool.unclear, section.unclear_share, len(annotated), pool.before)
        order = choose(pool, labelled, population, weights, turns)
        by_kind = {str(kind): int(count) for kind, count in of_kinds.items()}
        evidence = explanation.Evidence(pool, order, weights, unsure, scores, by_kind, len(known))
        found = pd.DataFrame(
            {
                "image_id": part["image_id"],
                "reason": explanation.explain(part, evidence, self.reasons),
                "uncertainty": None if unsure is None else np.round(unsure.total.astype(float), _DIGITS),
                "diversity": np.round(order.diversity.astype(float), _DIGITS),
                "rarity": np.round(order.rarity.astype(float), _DIGITS),
            }
        )
        return found.iloc[order.rows]

    def _features(self, identities: "pd.Series[str]") -> NDArray[np.float32]:
        return self.outputs.features[self.outputs.rows_of(identities)]
