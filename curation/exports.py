"""The CSVs that curation exports: the two data sets, the six by gender and wear, and the labels."""

import io

import numpy as np
import pandas as pd

from fullshot.core import files, tables
from fullshot.core.taxonomy import Gender, Taxonomy, Wear
from fullshot.core.workspace import Workspace
from fullshot.curation.duplicates.clusters import representatives

_GENDERS = (Gender.MEN, Gender.WOMEN)
_WEARS = (Wear.TOP, Wear.BOTTOM, Wear.FOOT)


def export(
    workspace: Workspace, images: pd.DataFrame, products: pd.DataFrame, curated: pd.DataFrame, features: pd.DataFrame
) -> None:
    """Write ``exports/``: a row for each (picture, product), each table as CSV and as Parquet.

    ``dataset1`` has the full shots and all others, ``dataset2`` and the six have the others. Rejected and unclear
    pictures are in neither; of the near duplicates that one product shows, the best one is. A label is a product's
    number. ``queue`` has the unclear ones, of near duplicates the best, the likeliest full shots first.

    Args:
        workspace: where to; labels in its ``labels.csv`` stay.
        images: the table ``images``.
        products: the table ``products``.
        curated: the table ``curated``.
        features: columns ``image_id``, ``width``, ``height`` and ``sharpness`` of every readable picture.
    """
    labels = label(images["product_id"], workspace.read_if_there("labels"))
    decisions = curated[
        ["image_id", "full_shot", "shot_score", "shot_reason", "shot", "keep", "cluster", "duplicate_of"]
    ]
    rows = (
        images[["image_id", "product_id", "path"]]
        .merge(_product_columns(products, workspace.taxonomy()), how="left", on="product_id")
        .merge(decisions[decisions["keep"].fillna(False).astype(bool)], on="image_id")
        .merge(labels, on="product_id")
        .rename(columns={"path": "image_path", "url": "link"})
    )
    unclear = rows[(rows["shot"] == "unclear") & rows["duplicate_of"].isna()].drop_duplicates("image_id")
    rows = _best_of_copies(rows.dropna(subset="full_shot"), features).sort_values(["image_path", "label"])
    items = rows[~rows["full_shot"].astype(bool)]
    _write(workspace, "labels", labels)
    _write(workspace, "dataset1", rows)
    _write(workspace, "dataset2", items)
    for gender in _GENDERS:
        for wear in _WEARS:
            mine = items[(items["gender"] == gender.value) & (items["wear"] == wear.value)]
            _write(workspace, f"{gender.value}_{wear.value}", mine)
    _write(workspace, "queue", unclear.sort_values(["shot_score", "image_path"], ascending=[False, True]))


def _best_of_copies(rows: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Of the near duplicates that one product shows, the best."""
    rows = rows.merge(features[["image_id", "width", "height", "sharpness"]], on="image_id")
    same = rows["cluster"].fillna(rows["image_id"])
    labels = rows.assign(same=same).groupby(["same", "product_id"]).ngroup()
    pixels = np.asarray(rows["width"] * rows["height"], np.int64)
    sharpness = rows["sharpness"].to_numpy(float)
    best = representatives(np.asarray(labels, np.int64), pixels, sharpness, rows["image_id"].tolist())
    best_rows: pd.DataFrame = rows[best == np.arange(len(rows))]
    return best_rows


def _write(workspace: Workspace, name: str, rows: pd.DataFrame) -> None:
    data = rows[tables.columns(name)].reset_index(drop=True)
    workspace.write(name, data)
    memory = io.BytesIO()
    data.to_parquet(memory, index=False)
    files.write_bytes(workspace.table(name).with_suffix(".parquet"), memory.getvalue())


def label(products: "pd.Series[str]", before: pd.DataFrame) -> pd.DataFrame:
    """Number products from 0 on; a number once given stays, also that of a product that is gone.

    Args:
        products: their product_id.
        before: columns ``label`` and ``product_id``.
    """
    new = sorted(set(products) - set(before["product_id"]))
    first = 0 if before.empty else int(before["label"].max()) + 1
    added = tables.frame("labels", [{"label": first + number, "product_id": name} for number, name in enumerate(new)])
    return pd.concat([before[tables.columns("labels")], added]).sort_values("label", ignore_index=True)


def _product_columns(products: pd.DataFrame, taxonomy: Taxonomy) -> pd.DataFrame:
    """What exports hold of a product; a wear that the crawl did not know may be in the taxonomy by now."""
    wears = [taxonomy.wear(kind) if isinstance(kind, str) else None for kind in products["product_type"]]
    wear = products["wear"].fillna(pd.Series(wears, index=products.index, dtype="string"))
    return products[["product_id", "url", "gender", "product_type"]].assign(wear=wear)
