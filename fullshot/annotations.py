"""Which of the boxes that people drew count."""

import numpy as np
import pandas as pd


def in_force(annotations: pd.DataFrame) -> pd.DataFrame:
    """The annotation of each picture that counts: the newest, of those that were not skipped or taken back since.

    Args:
        annotations: the table.

    Returns:
        Its rows that count, one a picture at most.
    """
    # What several agreed on has no number of its own in Label Studio.
    own = annotations["annotation"].fillna(0)
    newest = annotations.assign(own=own).sort_values("revision").groupby(["image_id", "own"]).tail(1)
    standing = newest[newest["verdict"] != "skipped"].drop(columns="own")
    return standing.sort_values(["image_id", "revision"]).groupby("image_id").tail(1).reset_index(drop=True)


def without_outdated(boxes: pd.DataFrame, annotations: pd.DataFrame) -> pd.DataFrame:
    """Boxes without those that people drew and later changed, took back, or said not to be on a full shot.

    Boxes of sources other than ``human`` stay, and so do people's boxes on pictures that no annotation is known of.
    """
    counts = in_force(annotations)
    force = dict(zip(counts["image_id"], counts["revision"], strict=True))
    drawn = set(counts.loc[counts["verdict"] == "boxes", "image_id"])
    known = set(annotations["image_id"])
    kept = [
        source != "human" or identity not in known or (identity in drawn and force[identity] == revision)
        for source, identity, revision in zip(boxes["source"], boxes["image_id"], boxes["revision"], strict=True)
    ]
    return boxes[np.array(kept, dtype=bool)]  # as an array: an empty list would choose no columns
