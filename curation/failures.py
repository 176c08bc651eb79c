"""The pictures that curation could not read, in the table ``failures``."""

import json

import pandas as pd
import pyarrow

from fullshot.core import files, tables
from fullshot.core.clock import now
from fullshot.core.dataset import Dataset
from fullshot.curation.features.store import Unreadable
from fullshot.curation.features.versions import features_folder

_OWN_ROWS = "failures.json"
"""Which rows of ``failures`` are curation's own; in the folder of features."""

_PLACES = """
SELECT image_id, coalesce(pictures.url, path) AS url, products.url AS page
FROM (
    SELECT DISTINCT ON (image_id) * FROM images SEMI JOIN unreadable_pictures USING (image_id)
    ORDER BY image_id, product_id
) AS pictures LEFT JOIN products USING (product_id)
"""


def write_failures(data: Dataset, unreadable: list[Unreadable]) -> None:
    """Bring the pictures that could not be read into ``failures``, and take out those that can be by now.

    ``page`` is that of the picture's first product: the next crawl visits it again and fetches the picture anew.
    """
    record = features_folder(data.workspace.root) / _OWN_ROWS
    was_there = data.has("failures")
    if not unreadable and not was_there:
        files.write_text(record, "[]\n")
        return
    before = data.frame_if_there("failures")
    names = pyarrow.array([picture.image_id for picture in unreadable], pyarrow.string())
    data.create("unreadable_pictures", pyarrow.table({"image_id": names}))
    places = {identity: (url, page) for identity, url, page in data.rows(_PLACES)}
    urls = before[before["url"].isin([url for url, _ in places.values()])]
    times = {(row["url"], row["class"], row["message"]): row["failed_at"] for row in urls.to_dict("records")}
    rows = []
    for failed in unreadable:
        url, page = places[failed.image_id]
        failed_at = times.get((url, failed.kind, failed.message)) or now()
        row = {"url": url, "kind": "picture", "class": failed.kind, "message": failed.message, "failed_at": failed_at}
        rows.append({**row, "page": page})
    # The same picture may have a row of a crawl's or of `add`, which could not bring a newer one of it.
    known: list[str] = json.loads(record.read_text("utf-8")) if record.is_file() else []
    made = tables.frame("failures", rows)
    own, ours = _keys(before).isin(known), _keys(made).tolist()
    # Both until the table is written: of a run that is killed in between no row is left that nobody takes out.
    files.write_text(record, json.dumps(list(dict.fromkeys([*known, *ours]))) + "\n")
    parts = [part for part in (before[~own], made) if len(part)]
    if parts or was_there:
        failures = pd.concat(parts) if parts else tables.frame("failures")
        failures = failures.drop_duplicates(["url", "page"], keep="last").sort_values("url", kind="stable")
        data.write("failures", failures)
    files.write_text(record, json.dumps(ours) + "\n")


def _keys(failures: pd.DataFrame) -> "pd.Series[str]":
    return failures["url"] + " " + failures["class"] + " " + failures["message"].fillna("")
