"""The CSVs that curation exports: the two data sets, the six by gender and wear, and the labels."""

import pandas as pd

from fullshot import tables
from fullshot.taxonomy import Gender, Taxonomy, Wear
from fullshot.workspace import Workspace

_GENDERS = (Gender.MEN, Gender.WOMEN)
_WEARS = (Wear.TOP, Wear.BOTTOM, Wear.FOOT)


def export(workspace: Workspace, images: pd.DataFrame, products: pd.DataFrame, curated: pd.DataFrame) -> None:
    """Write ``exports/``: a row for each (picture, product), pictures that could not be read left out.

    ``dataset1`` has all pictures; ``dataset2`` and the six have the item shots. A label is a product's number.

    Args:
        workspace: where to; its earlier ``labels.csv`` is gone on from.
        images: the table ``images``.
        products: the table ``products``.
        curated: the table ``curated``.
    """
    labels = label(images["product_id"], workspace.read_if_there("labels"))
    rows = (
        images[["image_id", "product_id", "path"]]
        .merge(_worn(products, workspace.taxonomy()), how="left", on="product_id")
        .merge(curated[["image_id", "full_shot"]], on="image_id")
        .merge(labels, on="product_id")
        .rename(columns={"path": "image_path", "url": "link"})
        .dropna(subset="full_shot")
        .sort_values(["image_path", "label"])
    )
    items = rows[~rows["full_shot"].astype(bool)]
    workspace.write("labels", labels)
    workspace.write("dataset1", rows[tables.columns("dataset1")])
    workspace.write("dataset2", items[tables.columns("dataset2")])
    for gender in _GENDERS:
        for wear in _WEARS:
            name = f"{gender.value}_{wear.value}"
            mine = items[(items["gender"] == gender.value) & (items["wear"] == wear.value)]
            workspace.write(name, mine[tables.columns(name)])


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


def _worn(products: pd.DataFrame, taxonomy: Taxonomy) -> pd.DataFrame:
    """What exports say of a product; a wear that the crawl did not know may be in the taxonomy by now."""
    found = [taxonomy.wear(kind) if isinstance(kind, str) else None for kind in products["product_type"]]
    wear = products["wear"].fillna(pd.Series(found, index=products.index, dtype="string"))
    return products[["product_id", "url", "gender", "product_type"]].assign(wear=wear)
