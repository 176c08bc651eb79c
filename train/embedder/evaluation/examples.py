"""What an embedder is measured on: queries and galleries, as tables ask for them, and their embeddings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullshot.core.dataset import Dataset
from fullshot.core.features import arrays
from fullshot.core.features.rows import MEMORY_BYTES
from fullshot.core.interfaces import Embedder
from fullshot.core.parts import parts
from fullshot.core.settings import Settings
from fullshot.core.tables.cells import literal
from fullshot.train.embedder.crops import keys_of, unreadable_paths, usable
from fullshot.train.embedder.dataset import MEASURED_GARMENTS, MEASURED_SHOTS, WANTED, as_frame, create_measured
from fullshot.train.embedder.embeddings import kept_embeddings

if TYPE_CHECKING:
    import pandas as pd

WANTED_HERE: Mapping[str, Sequence[str]] = {
    **{name: columns for name, columns in WANTED.items() if name != "boxes"},
    "products": ("product_id", "product_type", "wear", "style", "gender", "colour"),
}
"""The columns to open a data set with; of ``boxes`` all, for not every table has the types of garments."""

WORN, SHOTS, STREET = "asked_worn", "asked_shots", "asked_street"
"""The tables that :func:`create` makes."""

AT_ONCE = 500_000
"""Examples whose keys are in memory at once; each time, the keys of all embeddings are gone through."""

ABOUT = ("product_id", "wear", "gender", "product_type", "colour", "cluster", "split")
"""What is known of an example besides its number; each may be null but for the wear and the split."""

_NUMBERED = "SELECT row_number() OVER () - 1 AS example, * FROM"

_CORNERS = "x_min, y_min, x_max, y_max"

_ATTRIBUTES = "SELECT product_id, coalesce(gender, 'unknown') AS gender, product_type, colour FROM products"
_CLUSTERS = "SELECT image_id, cluster FROM curated WHERE cluster IS NOT NULL"

_WITH_ATTRIBUTES = f"""
SELECT shots.image_id, path, product_id, wear, split, {_CORNERS}, gender, product_type, colour, cluster
FROM {{table}} AS shots LEFT JOIN ({_ATTRIBUTES}) USING (product_id) LEFT JOIN ({_CLUSTERS}) USING (image_id)
"""

_IN_ORDER = f"wear, gender, product_id, image_id, {_CORNERS}"

# Of a picture that shows several people's garments, nobody knows whose a box is.
_GENDERS = """
SELECT image_id, min(gender) AS gender
FROM images SEMI JOIN (SELECT image_id FROM boxes WHERE product_id IS NULL) USING (image_id)
JOIN products USING (product_id)
GROUP BY image_id HAVING min(gender) = max(gender)
"""

_STREET = f"""
SELECT box.image_id, pictures.path, box.product_id, coalesce(wears.wear, box.label) AS wear, kept.split, {_CORNERS},
       coalesce(own.gender, shown.gender, 'unknown') AS gender, {{type}} AS product_type, own.colour, clusters.cluster
FROM standing_boxes AS box JOIN pictures USING (image_id)
JOIN (SELECT image_id, split FROM kept WHERE full_shot AND split = {{split}}) AS kept USING (image_id)
LEFT JOIN products AS own ON own.product_id = box.product_id
LEFT JOIN wears ON wears.product_id = box.product_id
LEFT JOIN ({_GENDERS}) AS shown ON shown.image_id = box.image_id
LEFT JOIN ({_CLUSTERS}) AS clusters ON clusters.image_id = box.image_id
WHERE {{type}} IS NOT NULL
AND x_max > 0 AND y_max > 0 AND coalesce(x_min < pictures.width, true) AND coalesce(y_min < pictures.height, true)
"""


@dataclass(frozen=True)
class Counts:
    """How many examples there are to ask for, before any picture is opened.

    Attributes:
        worn: garments of known products on the split's full shots.
        shots: item shots to search in: of all splits where there is something worn, else of the split.
        street: boxes of known product types on the split's full shots.
        typed_products: of the split, with item shots and a product type.
    """

    worn: int
    shots: int
    street: int
    typed_products: int


def create(data: Dataset, split: str) -> Counts:
    """Make the tables :data:`WORN`, :data:`SHOTS` and :data:`STREET`: ``example``, the picture and box, :data:`ABOUT`.

    Args:
        data: opened with :data:`WANTED_HERE`.
        split: of the queries.

    Raises:
        MissingInput: a table is not there; says what to run first.
        BadTable: an export names a picture or a label that the other tables do not know.
    """
    data.make_if_missing("boxes")
    create_measured(data, split)
    ((worn,),) = data.rows(f"SELECT count(*) FROM {MEASURED_GARMENTS}")
    data.create(WORN, f"{_NUMBERED} ({_WITH_ATTRIBUTES.format(table=MEASURED_GARMENTS)} ORDER BY {_IN_ORDER})")
    where = "" if worn else f"WHERE split = {literal(split)}"
    shots = _WITH_ATTRIBUTES.format(table=f"(SELECT * FROM {MEASURED_SHOTS} {where})")
    data.create(SHOTS, f"{_NUMBERED} ({shots} ORDER BY {_IN_ORDER})")
    columns = {str(row[0]) for row in data.rows("SELECT column_name FROM (DESCRIBE SELECT * FROM boxes)")}
    kind = "coalesce(own.product_type, box.product_type)" if "product_type" in columns else "own.product_type"
    street = _STREET.format(type=kind, split=literal(split))
    data.create(STREET, f"{_NUMBERED} ({street} ORDER BY {_IN_ORDER})")
    ((found,),) = data.rows(f"SELECT count(*) FROM {SHOTS}")
    ((boxes,),) = data.rows(f"SELECT count(*) FROM {STREET}")
    ((typed,),) = data.rows(
        f"SELECT count(DISTINCT product_id) FROM {SHOTS} WHERE split = $split AND product_type IS NOT NULL", split=split
    )
    return Counts(worn, found, boxes, typed)


@dataclass(frozen=True)
class Examples:
    """Examples that are to be used, embedded.

    Attributes:
        about: N rows: ``example`` and :data:`ABOUT`.
        vectors: shape (N, d), float32; may be mapped from a file.
        unreadable: the paths of the pictures that cannot be read, and are left out.
    """

    about: pyarrow.Table
    vectors: NDArray[np.float32]
    unreadable: set[str]

    def __len__(self) -> int:
        return len(self.about)

    def frame(self, *columns: str) -> "pd.DataFrame":
        """Some columns of :attr:`about`, as words."""
        words = {name: self.about[name].cast(pyarrow.string()) for name in columns}
        return as_frame(pyarrow.table(words))

    def of_split(self, split: str) -> "Examples":
        """Those of a split."""
        rows = np.flatnonzero(pc.equal(self.about["split"], split).to_numpy())
        if len(rows) == len(self):
            return self
        return Examples(self.about.take(pyarrow.array(rows)), arrays.take(self.vectors, rows), self.unreadable)


def embedded(data: Dataset, table: str, embedder: Embedder, settings: Settings, stage: str) -> Examples:
    """The examples of a table that :func:`create` made, part by part.

    Of a product that has packshots, its other item shots are left out, as they are in a catalog.

    Args:
        data: holds the table.
        table: :data:`WORN`, :data:`SHOTS` or :data:`STREET`.
        embedder: whose vectors.
        settings: name the engine that cuts crops.
        stage: what it is done for; for the progress.
    """
    root = data.workspace.root
    ((count,),) = data.rows(f"SELECT count(*) FROM {table}")
    vectors = arrays.zeros((count, embedder.dimension), np.dtype(np.float32), MEMORY_BYTES)
    names = ["example", *ABOUT]
    used = [_coded(data.arrow(f"SELECT {', '.join(names)} FROM {table} LIMIT 0"))]
    unreadable: set[str] = set()
    start = 0
    together = "product_id" if table == SHOTS else "example"
    for part in parts(data, table, "example", together, AT_ONCE):
        examples = as_frame(part)
        rows = kept_embeddings(root, keys_of(examples), embedder, settings, stage)
        unreadable.update(unreadable_paths(rows))
        use = np.flatnonzero(usable(examples, rows.is_readable, np.asarray(rows.array("is_packshot"), np.bool_)))
        vectors[start : start + len(use)] = rows.take(use).array("vector")
        arrays.let_go(vectors)
        start += len(use)
        # Taken, not cut out: what is cut out holds all columns of its part.
        used.append(_coded(part.select(names).take(pyarrow.array(use))))
    return Examples(pyarrow.concat_tables(used).unify_dictionaries(), vectors[:start], unreadable)


def _coded(about: pyarrow.Table) -> pyarrow.Table:
    """Words as numbers, which take a fraction of the memory."""
    columns = [
        column if name == "example" else pc.dictionary_encode(column.cast(pyarrow.string()))
        for name, column in zip(about.column_names, about.columns, strict=True)
    ]
    return pyarrow.table(columns, about.column_names)
