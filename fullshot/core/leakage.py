"""Leaks between splits that the tables themselves show: what training must not run on.

A model that was trained on a picture is not measured by a copy of that picture, nor by another one of its product.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fullshot.core.errors import UserError
from fullshot.core.workspace import Workspace

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


def by_tables(workspace: Workspace) -> list[Leak]:
    """Products, styles and clusters of copies with pictures in more than one split.

    Pictures that were rejected, or have no split, do not count.

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
        straddling = known.groupby(column)["split"].transform("nunique") > 1
        for name, its in known[straddling].groupby(column, sort=True):
            if why == "style" and its["product_id"].nunique() < 2:
                continue  # named by the product
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
    named = "; ".join(str(leak) for leak in found[:MOST_NAMED])
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    raise UserError(
        f"the splits of {workspace.root} leak: {named}{more}. Run `fullshot curate {workspace.root}`, "
        f"and `fullshot curate {workspace.root} --check` for all of them"
    )
