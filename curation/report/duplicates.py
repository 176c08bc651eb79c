"""Duplicates side by side: clusters of pictures, and products that share pictures."""

import bisect
from collections import Counter, defaultdict
from dataclasses import dataclass

from fullshot.core.dataset import Dataset as Tables
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
_MOST_OF_SIZES = (2, 3, 4, 5, 10)


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
    data = dataset.tables
    data.create(
        "clusters",
        "SELECT cluster, count(*) AS pictures, min(number) AS team FROM reported WHERE cluster IS NOT NULL "
        "GROUP BY cluster",
    )
    # An exact copy is one picture of several products; near copies are a cluster.
    data.create(
        "several",
        "SELECT team, count(DISTINCT product_id) AS owners FROM shown "
        "SEMI JOIN (SELECT team FROM shown GROUP BY team HAVING count(*) > 1) USING (team) "
        "GROUP BY team HAVING owners > 1",
    )
    sharing = dataset.number("SELECT count(DISTINCT product_id) FROM shown SEMI JOIN several USING (team)")
    return Duplicates(
        _sizes(data),
        _clusters(data),
        dataset.number("SELECT count(*) FROM clusters"),
        _shared(data),
        sharing,
        dataset.number("SELECT count(*) FROM several"),
    )


def _sizes(data: Tables) -> Bars:
    counts = Counter[str]()
    for pictures, count in data.rows("SELECT pictures, count(*) FROM clusters GROUP BY pictures"):
        counts[_SIZES[bisect.bisect_left(_MOST_OF_SIZES, pictures)]] += count
    return bars(counts, "Clusters by their number of pictures", "Pictures", "clusters", order=_SIZES)


def _clusters(data: Tables) -> tuple[Cluster, ...]:
    """Half the largest, then others in the order of their first digests."""
    largest = data.rows(f"SELECT cluster FROM clusters ORDER BY pictures DESC, cluster LIMIT {MOST_CLUSTERS // 2}")
    lots = data.rows(f"SELECT cluster FROM clusters ORDER BY team LIMIT {MOST_CLUSTERS}")
    chosen = list(dict.fromkeys(name for (name,) in [*largest, *lots]))[:MOST_CLUSTERS]
    data.create_rows("chosen", {"cluster": "VARCHAR"}, [(name,) for name in chosen])
    data.create("chosen_clusters", "SELECT * FROM clusters SEMI JOIN chosen USING (cluster)")
    data.create("members", "SELECT * FROM reported SEMI JOIN chosen USING (cluster)")
    members = "SELECT cluster, split FROM members WHERE split IS NOT NULL GROUP BY ALL ORDER BY ALL"
    splits: dict[str, list[str]] = defaultdict(list)
    for name, split in data.rows(members):
        splits[name].append(split)
    # The one that stands for the others first; by size where a table has none such.
    data.create(
        "copies",
        "SELECT * FROM members QUALIFY row_number() OVER (PARTITION BY cluster "
        f"ORDER BY is_copy, width::DOUBLE * height DESC, image_id) <= {MOST_COPIES}",
    )
    showing = dict(data.rows("SELECT number, count(*) FROM shown SEMI JOIN copies USING (number) GROUP BY number"))
    samples: dict[str, list[Sample]] = defaultdict(list)
    ordered = "SELECT * FROM copies ORDER BY is_copy, width::DOUBLE * height DESC, image_id"
    for row in data.arrow(ordered).to_pylist():
        stands = "stands for the others" if not row["is_copy"] else ""
        products = showing[row["number"]]
        several = f"shown by {products} products" if products > 1 else ""
        samples[row["cluster"]].append(one_sample(row, stands, f"{row['width']} × {row['height']}", several))
    counted = (
        "SELECT cluster, any_value(pictures), count(DISTINCT product_id) "
        "FROM shown JOIN chosen_clusters USING (team) GROUP BY cluster"
    )
    counts = {name: (pictures, products) for name, pictures, products in data.rows(counted)}
    return tuple(Cluster(name, *counts[name], tuple(splits[name]), tuple(samples[name])) for name in chosen)


def _shared(data: Tables) -> tuple[Shared, ...]:
    """The pictures and clusters that most products show."""
    data.create(
        "most_shared",
        "SELECT team, image_id, owners, coalesce(cluster, image_id) AS name "
        "FROM reported JOIN several ON reported.number = several.team "
        f"ORDER BY owners DESC, name LIMIT {MOST_SHARED}",
    )
    owning = (
        f"SELECT team, count(DISTINCT number), min(DISTINCT product_id, {MOST_NAMES}) "
        "FROM shown SEMI JOIN most_shared USING (team) GROUP BY team"
    )
    rows = {team: (pictures, products) for team, pictures, products in data.rows(owning)}
    named = {(name,) for _, products in rows.values() for name in products}
    data.create_rows("owners", {"product_id": "VARCHAR"}, sorted(named))
    products = "SELECT product_id, name, url FROM products SEMI JOIN owners USING (product_id)"
    known = {product: Owner(name or product, page_link(url)) for product, name, url in data.rows(products)}
    shared = []
    for team, image_id, owners in data.rows(
        "SELECT team, image_id, owners FROM most_shared ORDER BY owners DESC, name"
    ):
        pictures, first = rows[team]
        shown = tuple(known.get(name) or Owner(name, "") for name in first)
        shared.append(Shared(image_id, pictures, shown, max(0, owners - MOST_NAMES)))
    return tuple(shared)
