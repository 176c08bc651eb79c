"""Leaks between splits that the tables themselves show: what training must not run on.

A model that was trained on a picture is not measured by a copy of that picture, nor by another one of its product.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fullshot.core.dataset import Dataset
from fullshot.core.errors import UserError

MOST_NAMED = 3
"""Leaks that an error names; it counts the others."""


@dataclass(frozen=True)
class Leak:
    """Pictures that belong together and are in more than one split.

    Attributes:
        why: what they share: ``product``, ``style``, ``cluster``, ``hash`` or ``neighbour``.
        name: the product, the style or the cluster; of a pair of pictures, what is measured between them.
        images: their image_id and split.
    """

    why: str
    name: str
    images: tuple[tuple[str, str], ...]

    def by_split(self) -> dict[str, str]:
        """A split, and its pictures: their image_id, separated by spaces."""
        splits = sorted({split for _, split in self.images})
        return {name: " ".join(image for image, split in self.images if split == name) for name in splits}

    def __str__(self) -> str:
        images = ", ".join(f"{images[:12]} in {split}" for split, images in self.by_split().items())
        return f"{self.why} {self.name}: {images}"


def by_tables(data: Dataset) -> list[Leak]:
    """Products, styles and clusters of copies with pictures in more than one split.

    Pictures that were rejected, or have no split, do not count.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    data.make_if_missing("products")
    data.create("placed_pictures", _PLACED)
    leaks = [
        leak
        for column, why in (("product_id", "product"), ("style", "style"), ("cluster", "cluster"))
        for leak in _straddling(data, column, why)
    ]
    data.drop("placed_pictures")
    return leaks


# A style may be named like a product, which then belongs to it, whatever its own is.
_PLACED = """
WITH styles AS (
    SELECT product_id, coalesce(named.style, own.style) AS style
    FROM (SELECT product_id, style FROM products WHERE style IS NOT NULL) AS own
    LEFT JOIN (SELECT product_id AS name, style FROM products WHERE style IS NOT NULL) AS named
    ON named.name = own.style
)
SELECT image_id, product_id, coalesce(styles.style, product_id) AS style, cluster, split
FROM images JOIN (SELECT image_id, cluster, split FROM kept WHERE split IS NOT NULL) AS curated USING (image_id)
LEFT JOIN styles USING (product_id)
"""


def _straddling(data: Dataset, column: str, why: str) -> Iterator[Leak]:
    # A style of one product is named by the product.
    products = "AND count(DISTINCT product_id) > 1" if why == "style" else ""
    several = (
        f"SELECT {column} FROM placed_pictures WHERE {column} IS NOT NULL "
        f"GROUP BY {column} HAVING min(split) <> max(split) {products}"
    )
    rows = data.rows(
        f"SELECT DISTINCT {column}, split, image_id FROM placed_pictures JOIN ({several}) USING ({column}) "
        f"ORDER BY {column}, split, image_id"
    )
    for name, its in itertools.groupby(rows, key=lambda row: row[0]):
        yield Leak(why, str(name), tuple((image, split) for _, split, image in its))


def refuse(data: Dataset, leaks: Iterable[Leak] | None = None) -> None:
    """Refuse to go on with a workspace whose splits leak.

    Args:
        data: its tables.
        leaks: those found; None: :func:`by_tables` looks for them.

    Raises:
        UserError: there are some; says which pictures.
    """
    found = list(by_tables(data) if leaks is None else leaks)
    if not found:
        return
    root = data.workspace.root
    named = "; ".join(str(leak) for leak in found[:MOST_NAMED])
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    raise UserError(
        f"the splits of {root} leak: {named}{more}. Run `fullshot curate {root}`, "
        f"and `fullshot curate {root} --check` for all of them"
    )
