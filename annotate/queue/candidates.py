"""Which pictures may be annotated next, and what is known of them without looking at them."""

from fullshot.core.annotations import WITHDRAWN, create_trusted_boxes
from fullshot.core.dataset import Dataset

LEARN, CHECK, MEASURE = 0, 1, 2
"""Ranks: pictures to train on; those whose boxes were imported, for a person to check; those of other splits."""

COLUMNS = {
    "images": ("image_id", "product_id", "path", "width", "height"),
    "products": ("product_id", "product_type", "wear"),
    "curated": ("image_id", "shot", "full_shot", "keep", "duplicate_of", "split"),
    "boxes": ("image_id", "label", "x_min", "y_min", "x_max", "y_max", "source", "revision"),
    "priorities": ("image_id", "priority", "reason"),
}
"""What is read of the tables."""


def create_candidates(data: Dataset) -> None:
    """Let queries of a data set find what is put in order, and what is labelled already.

    ``candidates``: the pictures that curation kept, full shots and unclear ones, copies left out, that no person
    annotated yet; sorted by ``image_id``. Columns ``image_id, path, number`` (of the row, from 0), ``product`` (a
    number), ``kind`` (the product type, else the wear, else null), ``split, unclear`` (bool), ``rank`` (see
    :data:`LEARN`), ``before`` and ``reason`` (priority and reason of an earlier order; 0 and null: there was none).

    ``annotated``: the pictures of which a person says what is to be seen, or that they passed over; nobody took it back
    since. Column ``image_id``.

    ``labelled``: those of the split ``train`` that are annotated or have boxes that count: what is labelled of other
    splits teaches no model anything. Columns ``image_id, path, product, kind``, and ``rank`` of those that are
    candidates all the same: their boxes were brought along.

    ``labels``: the labels on the labelled pictures, each once a picture: of another revision or source, it is the same
    garment again. Columns ``image_id, label, rank``.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    for name in ("products", "boxes", "annotations", "priorities"):
        data.make_if_missing(name)
    data.create("to_learn_from", "SELECT image_id FROM curated WHERE split = 'train'")
    data.create(
        "annotated",
        f"SELECT image_id FROM newest_annotations WHERE comment IS DISTINCT FROM '{WITHDRAWN}' "
        "UNION SELECT image_id FROM standing_boxes WHERE source = 'human'",
    )
    data.create("brought", "SELECT DISTINCT image_id FROM boxes WHERE source IN ('import', 'shop')")
    data.create(
        "shown",
        "SELECT image_id, path, dense_rank() OVER (ORDER BY product_id) AS product, "
        "coalesce(product_type, wear) AS kind FROM pictures LEFT JOIN products USING (product_id)",
    )
    data.create(
        "candidates",
        "SELECT image_id, path, row_number() OVER (ORDER BY image_id) - 1 AS number, product, kind, split, "
        "coalesce(shot = 'unclear', false) AS unclear, "
        f"CASE WHEN split IS DISTINCT FROM 'train' THEN {MEASURE} "
        f"WHEN brought.image_id IS NOT NULL THEN {CHECK} ELSE {LEARN} END AS rank, "
        "coalesce(priority, 0) AS before, CASE WHEN priority IS NOT NULL THEN coalesce(reason, '') END AS reason "
        "FROM curated JOIN shown USING (image_id) LEFT JOIN brought USING (image_id) "
        "LEFT JOIN priorities USING (image_id) "
        "WHERE (coalesce(full_shot, false) OR coalesce(shot = 'unclear', false)) "
        "AND coalesce(keep, true) AND duplicate_of IS NULL AND image_id NOT IN (FROM annotated) ORDER BY image_id",
    )
    create_trusted_boxes(data)
    # In steps: the memory that one query may take does not suffice for all of its joins at once.
    data.create("labelled_names", "SELECT image_id FROM annotated UNION SELECT image_id FROM trusted_boxes")
    data.create("labelled_to_learn_from", "FROM labelled_names WHERE image_id IN (FROM to_learn_from)")
    data.create("checked", f"SELECT image_id, rank FROM candidates WHERE rank = {CHECK}")
    data.create(
        "labelled_places",
        "SELECT image_id, path, product, kind FROM shown JOIN labelled_to_learn_from USING (image_id)",
    )
    data.create("labelled", "SELECT labelled_places.*, rank FROM labelled_places LEFT JOIN checked USING (image_id)")
    data.create("trusted_labels", "SELECT DISTINCT image_id, label FROM trusted_boxes")
    data.create(
        "labels",
        "SELECT image_id, label, rank FROM trusted_labels JOIN (SELECT image_id, rank FROM labelled) USING (image_id)",
    )


def annotated_by_rank(data: Dataset, most: int) -> dict[int, tuple[int, list[int]]]:
    """The pictures to learn from that people annotated or passed over, by the rank that they had.

    Args:
        data: after :func:`create_candidates`.
        most: of how many of a rank the products are told.

    Returns:
        How many they are, and the numbers of the products of the latest, the latest first; -1: of none that is known.
    """
    found = {}
    for rank, was_brought in ((LEARN, False), (CHECK, True)):
        rows = (
            "FROM annotated JOIN to_learn_from USING (image_id) LEFT JOIN labelled USING (image_id) "
            "LEFT JOIN (SELECT image_id, max(updated_at) AS last_change FROM newest_annotations GROUP BY image_id) "
            "USING (image_id) WHERE (image_id IN (FROM brought)) = $was_brought"
        )
        ((count,),) = data.rows(f"SELECT count(*) {rows}", was_brought=was_brought)
        latest = data.rows(
            f"SELECT coalesce(product, -1) {rows} ORDER BY coalesce(last_change, '') DESC, image_id DESC LIMIT $most",
            was_brought=was_brought,
            most=most,
        )
        found[rank] = count, [product for (product,) in latest]
    return found


def drop_all_but_candidates(data: Dataset) -> None:
    """Give back the memory of what only the functions above ask for."""
    for name in (
        *("pictures", "shown", "trusted_boxes", "standing_boxes", "newest_annotations", "annotations_in_force"),
        *("labelled_names", "labelled_to_learn_from", "labelled_places", "checked", "trusted_labels"),
    ):
        data.drop(name)
