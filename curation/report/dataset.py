"""What a report is about: the tables of a workspace, joined once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fullshot.core import tables
from fullshot.core.files import read_json
from fullshot.core.taxonomy import Taxonomy
from fullshot.core.workspace import Workspace
from fullshot.curation.overrides import BY_A_PERSON

INPUTS = ("images", "products", "curated")
"""Tables that must be there."""
OPTIONAL = ("verdicts", "failures", "annotations", "boxes")
_CURATES = ("images.csv", "products.csv", "verdicts.csv")

NOT_FULL, UNREADABLE, NOT_JUDGED = "not full", "unreadable", "not judged"
KINDS = (*tables.SHOTS, NOT_FULL, UNREADABLE, NOT_JUDGED)
"""What a picture may be.

``not full`` is of a table written by version 0.1, which did not tell half shots from items; ``not judged`` is a picture
that came after curation.
"""
UNKNOWN = "not known"


@dataclass(frozen=True)
class Dataset:
    """The tables of a workspace.

    Args:
        root: the workspace's folder.
        pictures: one row a picture, by image_id: what ``curated`` says of it, ``kind`` (one of :data:`KINDS`),
            ``machine`` (the rule's own kind; :data:`UNKNOWN` where a person's took its place), ``rejected``,
            ``left_out`` (rejected, or a near duplicate of another), ``path``, ``width``, ``height``, ``name`` and
            ``link`` of the first product that shows it, ``products`` (how many show it), and of a person's override
            ``person_shot``, ``keep`` and ``note``.
        shown: one row a (picture, product): ``image_id``, ``product_id``, the product's ``product_type``, ``wear``,
            ``gender``, ``colour``, ``shop``, and the picture's ``kind`` and ``split``.
        products: the table, with ``shop``, and ``wear`` filled from the taxonomy.
        addresses: ``image_id`` and ``url`` of each place that a picture was found at.
        failures: the table.
        annotations: the table.
        newest_annotations: see :mod:`fullshot.core.derived`.
        annotations_in_force: likewise.
        drawn: the boxes that people drew, all revisions of them.
        unknown_types: product types that the taxonomy does not know, and how many products have them.
        run: the record of the newest run of ``curate``; empty where there is none.
        outdated: the inputs of that run that have changed since.
    """

    root: Path
    pictures: pd.DataFrame
    shown: pd.DataFrame
    products: pd.DataFrame
    addresses: pd.DataFrame
    failures: pd.DataFrame
    annotations: pd.DataFrame
    newest_annotations: pd.DataFrame
    annotations_in_force: pd.DataFrame
    drawn: pd.DataFrame
    unknown_types: "pd.Series[int]"
    run: dict[str, Any]
    outdated: tuple[str, ...]


def load(workspace: Workspace, digests: dict[str, str]) -> Dataset:
    """Read and join the tables of a workspace.

    Args:
        workspace: with :data:`INPUTS`.
        digests: the sha256 of tables as they are now, by the name of their file; empty where there is none.

    Raises:
        MissingInput: one of :data:`INPUTS` is not there.
        BadTable: a cell is not what the schema says.
    """
    with workspace.open() as data:
        images, products, curated = (data.frame(name) for name in INPUTS)
        verdicts, failures, annotations, boxes = (data.frame_if_there(name) for name in OPTIONAL)
        newest, force = data.frame("newest_annotations"), data.frame("annotations_in_force")
    products, unknown = _products(products, workspace.taxonomy())
    pictures = _pictures(images, products, curated, verdicts)
    words = products[["product_id", "product_type", "wear", "gender", "colour"]]
    shown = images[["image_id", "product_id"]].merge(words, how="left", on="product_id")
    shown["shop"] = _shop(shown["product_id"])
    shown = shown.merge(pictures[["image_id", "kind", "split"]], on="image_id")
    run = newest_run(workspace.root, "curate")
    before = run.get("inputs")
    known = before if isinstance(before, dict) else digests
    changed = [name for name in _CURATES if known.get(name, "") != digests.get(name, "")]
    return Dataset(
        root=workspace.root,
        pictures=pictures,
        shown=shown,
        products=products,
        addresses=images[["image_id", "url"]],
        failures=failures,
        annotations=annotations,
        newest_annotations=newest,
        annotations_in_force=force,
        drawn=boxes[boxes["source"].eq("human") & boxes["revision"].notna()],
        unknown_types=unknown,
        run=run,
        outdated=tuple(changed),
    )


def _products(products: pd.DataFrame, taxonomy: Taxonomy) -> "tuple[pd.DataFrame, pd.Series[int]]":
    """The products with their shop, their wear filled where the taxonomy knows it; and the types it does not know."""
    types = products["product_type"].dropna().unique()
    wear = {kind: found.value for kind in types if (found := taxonomy.wear(kind))}
    known = products["product_type"].map(wear).astype("string")
    filled = products.assign(wear=products["wear"].fillna(known), shop=_shop(products["product_id"]))
    unknown = products["product_type"][products["product_type"].notna() & known.isna()]
    return filled, unknown.value_counts()


def _shop(product_ids: "pd.Series[str]") -> "pd.Series[str]":
    """The part before the colon; where there is none, it is not known."""
    return product_ids.str.extract(r"^([^:]+):", expand=False).fillna(UNKNOWN)


def _pictures(
    images: pd.DataFrame, products: pd.DataFrame, curated: pd.DataFrame, verdicts: pd.DataFrame
) -> pd.DataFrame:
    first = images.sort_values(["image_id", "product_id"], kind="stable").drop_duplicates("image_id")
    first = first[["image_id", "product_id", "path", "width", "height"]].rename(columns={"product_id": "product"})
    shops = products[["product_id", "name", "url"]].rename(columns={"product_id": "product", "url": "link"})
    # Of a picture, `person_shot`, `keep` and `note` are a person's; curation's own `keep` holds both its and theirs.
    overrides = verdicts[["image_id", "shot", "keep", "note"]].rename(columns={"shot": "person_shot"})
    own = curated.rename(columns={"keep": "kept"})
    own = own.drop(columns=own.columns.intersection(["person_shot", "note", *first.columns[1:]])).assign(judged=True)
    joined = first.merge(shops, how="left", on="product").merge(own, how="left", on="image_id")
    joined = joined.merge(overrides, how="left", on="image_id").reset_index(drop=True)
    joined["products"] = joined["image_id"].map(images["image_id"].value_counts()).astype("int64")
    joined["kind"] = _kind(joined, "shot", "full_shot")
    by_a_person = joined["shot_reason"].fillna("") == BY_A_PERSON
    joined["machine"] = joined["kind"].mask(by_a_person, UNKNOWN)
    if "machine_shot" in joined:
        joined["machine"] = joined["machine_shot"].where(by_a_person, joined["machine"]).fillna(UNKNOWN)
    wanted = joined["kept"].fillna(joined["keep"]).fillna(joined["issues"].isna())
    joined["rejected"] = ~wanted.astype(bool)
    joined["left_out"] = joined["rejected"] | joined["duplicate_of"].notna()
    return joined


def _kind(pictures: pd.DataFrame, shot: str, full_shot: str) -> "pd.Series[str]":
    by_full_shot = pictures[full_shot].map({True: "full", False: NOT_FULL}).astype("string")
    judged = pictures["judged"].notna()
    return pictures[shot].fillna(by_full_shot).fillna(UNREADABLE).where(judged, NOT_JUDGED)


def newest_run(root: Path, stage: str) -> dict[str, Any]:
    """The record of a stage's newest run; empty where there is none that can be read."""
    for file in sorted((root / "runs").glob(f"{stage}-*.json"), reverse=True):
        if record := read_json(file):  # of one that somebody broke, the one before it will do
            return record
    return {}
