"""What the embedder learns from and is measured on: item shots, and the garments that people wear in outfit images."""

import math
from collections.abc import Sequence

import pandas as pd

from fullshot.core.errors import BadTable, MissingInput
from fullshot.core.workspace import Workspace

COLUMNS = ["image_id", "path", "product_id", "wear", "split", "x_min", "y_min", "x_max", "y_max"]
"""An example: a picture of a product, whole (an item shot, the corners are empty) or in a box of an outfit image."""

_CORNERS = COLUMNS[-4:]


def item_shots(workspace: Workspace) -> pd.DataFrame:
    """The item shots of the exports: rows of :data:`COLUMNS`, without corners.

    Raises:
        MissingInput: a table is not there; says what to run first.
        BadTable: an export names a picture or a label that the other tables do not know.
    """
    exported = workspace.read("dataset2")[["image_path", "label"]]
    labels = workspace.read("labels")[["label", "product_id"]]
    images = workspace.read("images")[["image_id", "product_id", "path"]]
    labelled = exported.merge(labels, on="label", how="left").rename(columns={"image_path": "path"})
    _all_known(workspace, labelled, "product_id", "label", "exports/labels.csv")
    shots = labelled.merge(images, on=["path", "product_id"], how="left")
    _all_known(workspace, shots, "image_id", "path", "images.csv")
    return _completed(workspace, shots.drop_duplicates(["image_id", "product_id"]))


def worn_garments(workspace: Workspace, splits: Sequence[str] = ("train", "val", "test")) -> pd.DataFrame:
    """The boxes on full shots whose product is known: rows of :data:`COLUMNS`, with corners in pixels.

    Boxes that lie outside their picture are left out, and those that people drew and changed or took back since.

    Raises:
        MissingInput: a table is not there; says what to run first.
    """
    with workspace.open() as data:
        boxes = data.frame("standing_boxes")
    boxes = boxes.dropna(subset=["product_id"])
    # A picture of two products has two rows, but one file.
    images = workspace.read("images")[["image_id", "path", "width", "height"]].drop_duplicates("image_id")
    curated = workspace.read("curated")
    curated = curated.loc[curated["keep"].fillna(True).astype(bool), ["image_id", "full_shot"]]
    garments = boxes[["image_id", "product_id", *_CORNERS]].merge(images, on="image_id").merge(curated, on="image_id")
    garments = garments[garments["full_shot"].fillna(False).astype(bool)]
    for low, high, size in (("x_min", "x_max", "width"), ("y_min", "y_max", "height")):
        limit = garments[size].astype("float64").fillna(math.inf)
        garments = garments[(garments[high] > 0) & (garments[low] < limit)]
    garments = _completed(workspace, garments)
    return garments[garments["split"].isin(list(splits))].reset_index(drop=True)


def product_wears(workspace: Workspace) -> pd.DataFrame:
    """Columns ``product_id`` and ``wear``: that of the table, else the taxonomy's for the product type."""
    taxonomy = workspace.taxonomy()
    products = workspace.read("products")[["product_id", "product_type", "wear"]]
    of_type = [taxonomy.wear(kind) if isinstance(kind, str) else None for kind in products["product_type"]]
    products["wear"] = products["wear"].fillna(pd.Series(of_type, index=products.index, dtype="string"))
    return products[["product_id", "wear"]]


def _completed(workspace: Workspace, examples: pd.DataFrame) -> pd.DataFrame:
    """With the product's wear and the picture's split; without what has neither."""
    splits = workspace.read("curated")[["image_id", "split"]].dropna()
    complete = examples.merge(product_wears(workspace).dropna(), on="product_id").merge(splits, on="image_id")
    complete = complete.reindex(columns=COLUMNS).astype(dict.fromkeys(_CORNERS, "Float64"))
    return complete.sort_values(["product_id", "image_id", *_CORNERS]).reset_index(drop=True)


def _all_known(workspace: Workspace, rows: pd.DataFrame, wanted: str, given: str, table: str) -> None:
    unknown = rows.loc[rows[wanted].isna(), given]
    if len(unknown):
        raise BadTable(
            f"{workspace.table('dataset2')}: {given} {unknown.iloc[0]} is not in {table}: "
            f"run `fullshot curate {workspace.root}` again"
        )


def training_examples(workspace: Workspace) -> pd.DataFrame:
    """Everything that training may see: item shots and worn garments of the splits train and val.

    Raises:
        MissingInput: a table is not there, or no two products of one wear are in the split train.
    """
    shots = item_shots(workspace)
    parts = [shots[shots["split"].isin(["train", "val"])]]
    if workspace.table("boxes").is_file():
        parts.append(worn_garments(workspace, ("train", "val")))
    examples = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    refuse_too_few(workspace, examples[examples["split"] == "train"])
    return examples


def refuse_too_few(workspace: Workspace, learnt_from: pd.DataFrame) -> None:
    """Refuse to train on examples that hold no triplet: an anchor and a negative are of one wear.

    Raises:
        MissingInput: no two products of one wear are among them.
    """
    if not (learnt_from.groupby("wear")["product_id"].nunique() >= 2).any():
        raise MissingInput(
            f"expected at least 2 products of one wear in the split train of {workspace.root}, "
            f"got {learnt_from['product_id'].nunique()} in all: crawl more, then run `fullshot curate {workspace.root}`"
        )
