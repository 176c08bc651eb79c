"""Duplicates side by side: clusters of pictures, and products that share pictures."""

from dataclasses import dataclass

import pandas as pd

from fullshot.curation.report.charts import Bars, bars
from fullshot.curation.report.dataset import Dataset
from fullshot.curation.report.samples import Sample, one_sample, page_link

MOST_CLUSTERS = 12
MOST_COPIES = 6
"""Pictures shown of one cluster."""
MOST_SHARED = 20
"""Rows of the table of products that share a picture; MOST_NAMES of their names."""
MOST_NAMES = 6

_SIZES = ("2", "3", "4", "5", "6 to 10", "11 and more")
_EDGES = (0, 2, 3, 4, 5, 10, float("inf"))


@dataclass(frozen=True)
class Cluster:
    """Pictures that are nearly the same, the one that stands for the others first.

    Args:
        name: the cluster's.
        count: how many pictures it has.
        products: how many products show them.
        splits: the splits that they are in: more than one is a leak.
        samples: the pictures shown.
    """

    name: str
    count: int
    products: int
    splits: tuple[str, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Owner:
    """A product that shows a picture: its name, and its page if it may be opened."""

    name: str
    link: str


@dataclass(frozen=True)
class Shared:
    """A cluster, or one picture, that several products show."""

    image_id: str
    pictures: int
    owners: tuple[Owner, ...]
    beyond: int


@dataclass(frozen=True)
class Duplicates:
    """All that is told of duplicates.

    Args:
        sizes: how many clusters have how many pictures.
        clusters: those shown.
        count: how many there are.
        shared: the pictures that most products share.
        sharing: how many products share a picture with another.
        shared_count: how many pictures, or clusters, are shared.
    """

    sizes: Bars
    clusters: tuple[Cluster, ...]
    count: int
    shared: tuple[Shared, ...]
    sharing: int
    shared_count: int


def duplicates(dataset: Dataset) -> Duplicates:
    """The clusters of a workspace, half of those shown the largest, half drawn by lot, and what products share."""
    near_duplicates = dataset.pictures[dataset.pictures["cluster"].notna()]
    counts = near_duplicates["cluster"].value_counts().sort_index()
    binned = pd.Series(pd.cut(counts, list(_EDGES), labels=list(_SIZES))).value_counts()
    sizes = bars(binned, "Clusters by their number of pictures", "Pictures", "clusters", order=_SIZES)
    # An exact copy is one picture of several products; near copies are a cluster.
    shown = dataset.shown[["image_id", "product_id"]].merge(dataset.pictures[["image_id", "cluster"]], on="image_id")
    shown["group"] = shown["cluster"].fillna(shown["image_id"])
    owners = shown.drop_duplicates(["group", "product_id"]).groupby("group")["product_id"].nunique()
    several = owners[owners > 1].sort_index().sort_values(ascending=False, kind="stable")
    sharing = shown.loc[shown["group"].isin(several.index), "product_id"].nunique()
    first = shown[shown["group"].isin(several.index[:MOST_SHARED])]
    products = dataset.products.set_index("product_id")
    table = tuple(_shared(first[first["group"] == group], products) for group in several.index[:MOST_SHARED])
    clusters = tuple(
        _cluster(near_duplicates[near_duplicates["cluster"] == name], owners)
        for name in _chosen(near_duplicates, counts)
    )
    return Duplicates(sizes, clusters, len(counts), table, int(sharing), len(several))


def _chosen(near_duplicates: pd.DataFrame, counts: "pd.Series[int]") -> list[str]:
    """Names of clusters: half the largest, then others in the order of their first digests."""
    largest = list(counts.sort_values(ascending=False, kind="stable").index[: MOST_CLUSTERS // 2])
    lots = near_duplicates.groupby("cluster")["image_id"].min().sort_values()
    return largest + [str(name) for name in lots.index if name not in largest][: MOST_CLUSTERS - len(largest)]


def _cluster(pictures: pd.DataFrame, owners: "pd.Series[int]") -> Cluster:
    # The one that stands for the others has an empty cell; by size where a table has none such.
    area = pictures["width"].astype("float64") * pictures["height"].astype("float64")
    ordered = pictures.assign(copy=pictures["duplicate_of"].notna(), area=-area)
    ordered = ordered.sort_values(["copy", "area", "image_id"], kind="stable")
    samples = []
    for row in ordered.head(MOST_COPIES).to_dict("records"):
        stands = "stands for the others" if not row["copy"] else ""
        several = f"shown by {row['products']} products" if row["products"] > 1 else ""
        samples.append(one_sample(row, stands, f"{row['width']} × {row['height']}", several))
    name = str(pictures["cluster"].iloc[0])
    splits = tuple(sorted(pictures["split"].dropna().unique()))
    return Cluster(name, len(pictures), int(owners.get(name, 0)), splits, tuple(samples))


def _shared(rows: pd.DataFrame, products: pd.DataFrame) -> Shared:
    identities = sorted(rows["product_id"].unique())
    known = products.reindex(identities[:MOST_NAMES])
    named = known["name"].where(known["name"].notna(), known.index.to_series())
    owners = tuple(Owner(str(name), page_link(link)) for name, link in zip(named, known["url"], strict=True))
    pictures = rows["image_id"].nunique()
    return Shared(str(rows["image_id"].min()), pictures, owners, max(0, len(identities) - MOST_NAMES))
