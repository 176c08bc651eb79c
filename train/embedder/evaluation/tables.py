"""What a model card says of the data that an embedder was measured on."""

from typing import Any

from fullshot.core.dataset import Dataset
from fullshot.core.tables.schemas import SPLITS
from fullshot.train.embedder.dataset import MEASURED_SHOTS
from fullshot.train.embedder.evaluation.examples import Counts


def facts(data: Dataset, split: str, counts: Counts) -> dict[str, Any]:
    """Sizes of the splits and where the pictures come from.

    That the splits do not leak is known: what leaks is refused before.

    Args:
        data: on which :func:`fullshot.train.embedder.evaluation.examples.create` made its tables.
        split: that was measured.
        counts: what ``create`` gave.
    """
    splits = {name: {"item_shots": 0, "products": 0} for name in SPLITS}
    rows = data.rows(f"SELECT split, count(*), count(DISTINCT product_id) FROM {MEASURED_SHOTS} GROUP BY split")
    for name, shots, products in rows:
        splits[name] = {"item_shots": shots, "products": products}
    shops = data.rows(
        f"SELECT split_part(product_id, ':', 1) AS shop, count(*) FROM {MEASURED_SHOTS} GROUP BY shop ORDER BY shop"
    )
    return {
        "splits": splits,
        "item_shots_of_shops": dict(shops),
        "worn": {split: counts.worn},
        "street": {split: counts.street},
    }
