"""Leaks between splits that the tables themselves show: what training must not run on.

A model that was trained on a picture is not measured by a copy of that picture, nor by another one of its product.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fullshot.core.errors import UserError
from fullshot.core.workspace import Workspace

MOST_TOLD = 3
"""Leaks that an error names; the others are counted."""


@dataclass(frozen=True)
class Leak:
    """Pictures that belong together and lie on two sides.

    Args:
        why: what they share: ``product``, ``style``, ``cluster``, ``hash`` or ``neighbour``.
        name: the product, the style or the cluster; of a pair of pictures, what is measured between them.
        images: their image_id and split, at least one of each side.
    """

    why: str
    name: str
    images: tuple[tuple[str, str], ...]

    def by_side(self) -> dict[str, str]:
        """A side, and its pictures: their image_id, separated by spaces."""
        sides = sorted({side for _, side in self.images})
        return {side: " ".join(image for image, where in self.images if where == side) for side in sides}

    def __str__(self) -> str:
        told = ", ".join(f"{images[:12]} in {side}" for side, images in self.by_side().items())
        return f"{self.why} {self.name}: {told}"


def by_tables(workspace: Workspace) -> list[Leak]:
    """Products, styles and clusters of copies with pictures in more than one split.

    Pictures that were thrown out, or have no split, are on no side.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    curated = workspace.read("curated")
    curated = curated[curated["split"].notna() & curated["keep"].fillna(True).astype(bool)]
    rows = workspace.read("images")[["image_id", "product_id"]].merge(
        curated[["image_id", "split", "cluster"]], on="image_id"
    )
    products = workspace.read_if_there("products")
    styles = dict(products[["product_id", "style"]].dropna().itertuples(index=False, name=None))
    # A style may be named like a product, which then belongs to it, whatever its own is.
    named = {product: styles.get(style, style) for product, style in styles.items()}
    rows["style"] = rows["product_id"].map(lambda product: named.get(product, product))
    found = []
    for column, why in (("product_id", "product"), ("style", "style"), ("cluster", "cluster")):
        known = rows.dropna(subset=column)
        torn = known.groupby(column)["split"].transform("nunique") > 1
        for name, its in known[torn].groupby(column, sort=True):
            if why == "style" and its["product_id"].nunique() < 2:
                continue  # told of the product
            pairs = its[["image_id", "split"]].drop_duplicates().sort_values(["split", "image_id"])
            found.append(Leak(why, str(name), tuple(pairs.itertuples(index=False, name=None))))
    return found


def refuse(workspace: Workspace, leaks: Iterable[Leak] | None = None) -> None:
    """Refuse to go on with a workspace whose splits leak.

    Args:
        workspace: the data set.
        leaks: those found; None: :func:`by_tables` looks for them.

    Raises:
        UserError: there are some; says which pictures.
    """
    found = list(by_tables(workspace) if leaks is None else leaks)
    if not found:
        return
    told = "; ".join(str(leak) for leak in found[:MOST_TOLD])
    more = f"; and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    raise UserError(
        f"the splits of {workspace.root} leak: {told}{more}. Run `fullshot curate {workspace.root}`, "
        f"and `fullshot curate {workspace.root} --check` for all of them"
    )
