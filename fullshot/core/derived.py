"""What several commands ask of the tables together, joined in one place: further tables of a data set."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fullshot.core.tables.cells import DUCKDB_TYPES
from fullshot.core.tables.schemas import SCHEMAS

if TYPE_CHECKING:
    from fullshot.core.dataset import Dataset


def type_of(table: str, column: str) -> str:
    """DuckDB's type of a table's column."""
    return DUCKDB_TYPES[SCHEMAS[table].columns[column].kind]


def _wears(data: "Dataset") -> None:
    """``wears``: a row a product, ``product_id`` and ``wear``: that of the table, else the taxonomy's for its type."""
    taxonomy = data.workspace.taxonomy()
    types = [kind for (kind,) in data.rows("SELECT DISTINCT product_type FROM products WHERE product_type IS NOT NULL")]
    known = [(kind, wear.value) for kind in types if (wear := taxonomy.wear(kind)) is not None]
    data.create_rows("wear_of_type", {"product_type": "VARCHAR", "wear": "VARCHAR"}, known)
    data.create(
        "wears",
        "SELECT product_id, coalesce(products.wear, wear_of_type.wear) AS wear "
        "FROM products LEFT JOIN wear_of_type USING (product_type)",
    )


def _kept(data: "Dataset") -> None:
    """``kept``: the rows of ``curated`` that were not rejected."""
    data.create("kept", "SELECT * FROM curated WHERE coalesce(keep, true)")


def _pictures(data: "Dataset") -> None:
    """``pictures``: a row a picture: that of ``images`` with the lowest product_id."""
    data.create(
        "pictures",
        "SELECT * FROM images QUALIFY row_number() OVER (PARTITION BY image_id ORDER BY product_id) = 1",
    )


TABLES: Mapping[str, Callable[["Dataset"], None]] = {"wears": _wears, "kept": _kept, "pictures": _pictures}
