"""What the embedder learns from and is measured on: item shots, and the garments that people wear in outfit images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.core.dataset import Dataset
from fullshot.core.errors import BadTable, MissingInput
from fullshot.core.tables.cells import literal

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

COLUMNS = ["image_id", "path", "product_id", "wear", "split", "x_min", "y_min", "x_max", "y_max"]
"""An example: a picture of a product, whole (an item shot, the corners are empty) or in a box of an outfit image."""

EXAMPLES = "examples"
"""The table of a data set that :func:`training_examples` makes."""

MEASURED_GARMENTS, MEASURED_SHOTS = "measured_garments", "measured_shots"
"""The tables of a data set that :func:`create_measured` makes."""

TRAINED_ON = ("train", "val")
"""The splits that training may see."""

WANTED: Mapping[str, Sequence[str]] = {
    "products": ("product_id", "product_type", "wear", "style"),
    "images": ("image_id", "product_id", "path", "width", "height"),
    "curated": ("image_id", "full_shot", "keep", "cluster", "split"),
    "boxes": ("image_id", "product_id", "x_min", "y_min", "x_max", "y_max", "source", "revision"),
    "annotations": ("image_id", "project", "annotation", "annotator", "verdict", "revision"),
    "dataset2": ("image_path", "label"),
    "labels": ("label", "product_id"),
}
"""The columns that examples are made of, and those that tell whether splits leak: what to open a data set with."""

_IN_ORDER = "product_id, image_id, x_min, y_min, x_max, y_max"

_EXPORTED = """
SELECT image_path AS path, dataset2.label, labels.product_id, images.image_id
FROM dataset2 LEFT JOIN labels ON labels.label = dataset2.label
LEFT JOIN images ON images.path = image_path AND images.product_id = labels.product_id
"""

_ITEM_SHOTS = """
SELECT DISTINCT image_id, path, product_id, wears.wear, curated.split, NULL::DOUBLE AS x_min, NULL::DOUBLE AS y_min,
       NULL::DOUBLE AS x_max, NULL::DOUBLE AS y_max
FROM exported_shots JOIN wears USING (product_id) JOIN curated USING (image_id)
WHERE wears.wear IS NOT NULL AND curated.split IS NOT NULL ORDER BY product_id, image_id
"""

# A picture of two products has two rows, but one file.
_WORN_GARMENTS = """
SELECT image_id, pictures.path, box.product_id, wears.wear, kept.split, x_min, y_min, x_max, y_max
FROM (SELECT * FROM standing_boxes WHERE product_id IS NOT NULL) AS box
JOIN pictures USING (image_id) JOIN kept USING (image_id) JOIN wears ON wears.product_id = box.product_id
WHERE kept.full_shot AND wears.wear IS NOT NULL AND list_contains($splits, kept.split)
AND x_max > 0 AND y_max > 0 AND coalesce(x_min < pictures.width, true) AND coalesce(y_min < pictures.height, true)
ORDER BY box.product_id, image_id, x_min, y_min, x_max, y_max
"""


def create_measured(data: Dataset, split: str) -> None:
    """Make the tables that an embedder is measured on: garments worn in a split, and the item shots of all splits.

    Both have ``example``, from 0, and :data:`COLUMNS`; a product's rows follow each other. They are
    :data:`MEASURED_GARMENTS`, with corners, and :data:`MEASURED_SHOTS`, those of the exports.

    Raises:
        MissingInput: a table is not there; says what to run first.
        BadTable: an export names a picture or a label that the other tables do not know.
    """
    # Sorted, then counted as they come: `OVER (ORDER BY …)` holds more of the rows in memory.
    numbered = "SELECT row_number() OVER () - 1 AS example, * FROM"
    data.create(MEASURED_GARMENTS, f"{numbered} ({_WORN_GARMENTS.replace('$splits', f'[{literal(split)}]')})")
    _create_exported_shots(data)
    data.create(MEASURED_SHOTS, f"{numbered} ({_ITEM_SHOTS})")
    data.drop("exported_shots")


def _create_exported_shots(data: Dataset) -> None:
    data.create("exported_shots", _EXPORTED)
    _refuse_unknown(data, "product_id", "label", "exports/labels.csv")
    _refuse_unknown(data, "image_id", "path", "images.csv")


def as_frame(table: "pyarrow.Table") -> "pd.DataFrame":
    """Examples as a DataFrame over the memory that they have as Arrow: of four million, texts are half a gigabyte."""
    import pandas as pd
    import pyarrow

    text = pd.ArrowDtype(pyarrow.string())
    frame: pd.DataFrame = table.to_pandas(types_mapper={pyarrow.string(): text}.get)
    return frame


def _refuse_unknown(data: Dataset, wanted: str, given: str, table: str) -> None:
    unknown = data.rows(f"SELECT {given} FROM exported_shots WHERE {wanted} IS NULL ORDER BY path LIMIT 1")
    if unknown:
        raise BadTable(
            f"{data.workspace.table('dataset2')}: {given} {unknown[0][0]} is not in {table}: "
            f"run `fullshot curate {data.workspace.root}` again"
        )


def worn_garments(data: Dataset, splits: Sequence[str] = ("train", "val", "test")) -> "pd.DataFrame":
    """The boxes on full shots whose product is known: rows of :data:`COLUMNS`, with corners in pixels.

    Boxes that lie outside their picture are left out, and those that people drew and changed or took back since.

    Raises:
        MissingInput: a table is not there; says what to run first.
    """
    return as_frame(data.arrow(_WORN_GARMENTS, splits=list(splits)))


def create_training_examples(data: Dataset) -> None:
    """Make the table :data:`EXAMPLES`: all that training may see, item shots and worn garments of train and val.

    Raises:
        MissingInput: a table is not there, or no two products of one wear are in the split train.
        BadTable: an export names a picture or a label that the other tables do not know.
    """
    _create_exported_shots(data)
    splits = ", ".join(map(literal, TRAINED_ON))
    parts = [f"SELECT * FROM ({_ITEM_SHOTS}) WHERE split IN ({splits})"]
    if data.has("boxes"):
        parts.append(f"SELECT * FROM ({_WORN_GARMENTS.replace('$splits', f'[{splits}]')})")
    data.create(EXAMPLES, f"{' UNION ALL '.join(parts)} ORDER BY x_min IS NOT NULL, {_IN_ORDER}")
    data.drop("exported_shots")
    of_wear = f"SELECT wear, count(DISTINCT product_id) FROM {EXAMPLES} WHERE split = 'train' GROUP BY wear"
    _refuse_too_few(data.workspace.root, dict(data.rows(of_wear)))


def training_examples(data: Dataset) -> "pd.DataFrame":
    """The rows of the table :data:`EXAMPLES`, see :func:`create_training_examples`."""
    return as_frame(data.arrow(f"SELECT * FROM {EXAMPLES}"))


def refuse_too_few(root: Path, learnt_from: "pd.DataFrame") -> None:
    """Refuse to train on examples that hold no triplet: an anchor and a negative are of one wear.

    Raises:
        MissingInput: no two products of one wear are among them.
    """
    products = learnt_from.groupby("wear")["product_id"].nunique()
    _refuse_too_few(root, {str(wear): int(count) for wear, count in products.items()})


def _refuse_too_few(root: Path, products: Mapping[str, int]) -> None:
    """See :func:`refuse_too_few`; ``products`` are how many there are of each wear."""
    if max(products.values(), default=0) < 2:
        raise MissingInput(
            f"expected at least 2 products of one wear in the split train of {root}, "
            f"got {sum(products.values())} in all: crawl more, then run `fullshot curate {root}`"
        )
