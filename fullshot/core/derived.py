"""What several commands ask of the tables together, joined in one place: further tables of a data set."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fullshot.core.tables.cells import DUCKDB_TYPES
from fullshot.core.tables.schemas import SCHEMAS

if TYPE_CHECKING:
    from fullshot.core.dataset import Dataset

CONSENSUS = "consensus"
"""Stands for the annotator where a box is what several agreed on."""


def type_of(table: str, column: str) -> str:
    """DuckDB's type of a table's column."""
    return DUCKDB_TYPES[SCHEMAS[table].columns[column].kind]


LOOKED_UP = "products"
"""The table whose rows were looked at to make ``wears``: the other tables here follow theirs by themselves."""


def _wears(data: "Dataset") -> None:
    """``wears``: a row a product, ``product_id`` and ``wear``: that of the table, else the taxonomy's for its type."""
    taxonomy = data.workspace.taxonomy()
    types = [kind for (kind,) in data.rows("SELECT DISTINCT product_type FROM products WHERE product_type IS NOT NULL")]
    known = [(kind, wear.value) for kind in types if (wear := taxonomy.wear(kind)) is not None]
    data.create_rows("wear_of_type", {"product_type": "VARCHAR", "wear": "VARCHAR"}, known)
    data.define(
        "wears",
        "SELECT product_id, coalesce(products.wear, wear_of_type.wear) AS wear "
        "FROM products LEFT JOIN wear_of_type USING (product_type)",
    )


def _kept(data: "Dataset") -> None:
    """``kept``: the rows of ``curated`` that were not rejected."""
    data.define("kept", "SELECT * FROM curated WHERE coalesce(keep, true)")


def _pictures(data: "Dataset") -> None:
    """``pictures``: a row a picture: that of ``images`` with the lowest product_id."""
    data.define(
        "pictures",
        "SELECT DISTINCT ON (image_id) * FROM images ORDER BY image_id, product_id",
    )


def _newest_annotations(data: "Dataset") -> None:
    """``newest_annotations``: the newest state of each annotation, of several people on one picture each.

    Those that were skipped or taken back are among them. What several agreed on has no number of its own.
    """
    data.make_if_missing("annotations")
    data.define(
        "newest_annotations",
        "SELECT * FROM annotations QUALIFY row_number() OVER ("
        "PARTITION BY image_id, coalesce(project, ''), coalesce(annotation, 0) ORDER BY revision DESC) = 1 "
        "ORDER BY image_id, revision",
    )


def _annotations_in_force(data: "Dataset") -> None:
    """``annotations_in_force``: one a picture at most, the newest that was not skipped or taken back since.

    What several agreed on comes before what one of them says.
    """
    data.define(
        "annotations_in_force",
        "SELECT * FROM newest_annotations WHERE verdict <> 'skipped' QUALIFY row_number() OVER ("
        f"PARTITION BY image_id ORDER BY coalesce(annotator = '{CONSENSUS}', false) DESC, revision DESC) = 1 "
        "ORDER BY image_id",
    )


def _standing_boxes(data: "Dataset") -> None:
    """``standing_boxes``: without those that people drew and changed later, took back, or said to be on no full shot.

    Boxes of sources other than ``human`` stay, and so do people's boxes on pictures that no annotation is known of.
    """
    data.make_if_missing("annotations")
    data.define(
        "standing_boxes",
        "SELECT boxes.* FROM boxes "
        "LEFT JOIN (SELECT DISTINCT image_id FROM annotations) AS annotated USING (image_id) "
        "LEFT JOIN annotations_in_force AS force USING (image_id) "
        "WHERE boxes.source <> 'human' OR annotated.image_id IS NULL "
        "OR (force.verdict = 'boxes' AND force.revision = coalesce(boxes.revision, 0))",
    )


TABLES: Mapping[str, Callable[["Dataset"], None]] = {
    "wears": _wears,
    "kept": _kept,
    "pictures": _pictures,
    "newest_annotations": _newest_annotations,
    "annotations_in_force": _annotations_in_force,
    "standing_boxes": _standing_boxes,
}
"""Each is made when a query first names it; see the functions for their columns."""
