"""Which pictures may be annotated next, and what is known of them without looking at them."""

import pandas as pd

from fullshot.core.annotations import WITHDRAWN
from fullshot.core.workspace import Workspace

LEARN, CHECK, MEASURE = 0, 1, 2
"""Ranks: pictures to train on; those whose boxes were imported, for a person to check; those of other splits."""


def candidates(workspace: Workspace) -> pd.DataFrame:
    """The pictures that curation kept, full shots and unclear ones, copies left out, that no person annotated yet.

    Returns:
        Columns ``image_id, path, product_id, kind`` (the product type, else the wear, else missing), ``split``,
        ``unclear`` (bool), ``shot_score``, ``rank`` (see :data:`LEARN`); sorted by ``image_id``.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    curated = workspace.read("curated")
    unclear = curated["shot"].eq("unclear").fillna(False).astype(bool)
    full = curated["full_shot"].fillna(False).astype(bool) & ~unclear
    kept = curated["keep"].fillna(True).astype(bool) & curated["duplicate_of"].isna()
    wanted = curated[(full | unclear) & kept & ~curated["image_id"].isin(annotated(workspace))]
    rows = wanted[["image_id", "split", "shot_score"]].assign(unclear=unclear[wanted.index])
    rows = rows.merge(pictures(workspace), on="image_id")
    rows["rank"] = LEARN
    rows.loc[rows["image_id"].isin(_brought(workspace)), "rank"] = CHECK
    rows.loc[~rows["image_id"].isin(to_learn_from(workspace)), "rank"] = MEASURE
    return rows.sort_values("image_id", ignore_index=True)


def to_learn_from(workspace: Workspace) -> set[str]:
    """The pictures of the split ``train``: what is labelled of other splits teaches no model anything.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    curated = workspace.read("curated")
    return set(curated.loc[curated["split"] == "train", "image_id"])


def annotated(workspace: Workspace) -> set[str]:
    """The pictures of which a person says what is to be seen, or that they passed over; nobody took it back since."""
    with workspace.open() as data:
        data.make_if_missing("boxes")
        boxes, latest = data.frame("standing_boxes"), data.frame("newest_annotations")
    latest = latest[latest["comment"].ne(WITHDRAWN).fillna(True)]
    return set(latest["image_id"]) | set(boxes.loc[boxes["source"] == "human", "image_id"])


def annotated_by_rank(workspace: Workspace) -> dict[int, list[str]]:
    """The pictures to learn from that people annotated or passed over, the latest first; by the rank that they had."""
    to_learn, brought = annotated(workspace) & to_learn_from(workspace), _brought(workspace)
    with workspace.open() as data:
        latest = data.frame("newest_annotations").dropna(subset=["updated_at"])
    when = latest.groupby("image_id")["updated_at"].max().to_dict()
    in_turn = sorted(to_learn, key=lambda identity: (when.get(identity, ""), identity), reverse=True)
    return {
        LEARN: [identity for identity in in_turn if identity not in brought],
        CHECK: [identity for identity in in_turn if identity in brought],
    }


def _brought(workspace: Workspace) -> set[str]:
    """The pictures that came with boxes, which nobody checked when they came."""
    boxes = workspace.read_if_there("boxes")
    return set(boxes.loc[boxes["source"].isin(["import", "shop"]), "image_id"])


def pictures(workspace: Workspace) -> pd.DataFrame:
    """Columns ``image_id, path, product_id, kind``: a row a picture; of one of several products, the first's.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    images = workspace.read("images").sort_values(["image_id", "product_id"]).drop_duplicates("image_id")
    products = workspace.read_if_there("products")
    products = products.assign(kind=products["product_type"].fillna(products["wear"]))
    rows = images[["image_id", "path", "product_id"]].merge(
        products[["product_id", "kind"]], on="product_id", how="left"
    )
    return rows.reset_index(drop=True)
