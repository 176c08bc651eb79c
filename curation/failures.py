"""The pictures that curation could not read, in the table ``failures``."""

import json

import pandas as pd

from fullshot.core import files, tables
from fullshot.core.clock import now
from fullshot.core.workspace import Workspace
from fullshot.curation.features.store import Unreadable
from fullshot.curation.features.versions import features_folder

_OWN_ROWS = "failures.json"
"""Which rows of ``failures`` are curation's own; in the folder of features."""


def write_failures(
    workspace: Workspace, images: pd.DataFrame, products: pd.DataFrame, unreadable: list[Unreadable]
) -> None:
    """Bring the pictures that could not be read into ``failures``, and take out those that can be by now.

    ``page`` is the product's: the next crawl visits it again and fetches the picture anew.
    """
    before = workspace.read_if_there("failures")
    places = images.drop_duplicates("image_id").set_index("image_id")
    pages = dict(zip(products["product_id"], products["url"], strict=True))
    times = {(row["url"], row["class"], row["message"]): row["failed_at"] for row in before.to_dict("records")}
    rows = []
    for failed in unreadable:
        place = places.loc[failed.image_id]
        url = place["url"] if isinstance(place["url"], str) else place["path"]
        failed_at = times.get((url, failed.kind, failed.message)) or now()
        row = {"url": url, "kind": "picture", "class": failed.kind, "message": failed.message, "failed_at": failed_at}
        rows.append({**row, "page": pages.get(place["product_id"])})
    # The same picture may have a row of a crawl's or of `add`, which could not bring a newer one of it.
    record = features_folder(workspace.root) / _OWN_ROWS
    own = _keys(before).isin(json.loads(record.read_text("utf-8")) if record.is_file() else [])
    files.write_text(record, json.dumps(_keys(tables.frame("failures", rows)).tolist()) + "\n")
    parts = [part for part in (before[~own], tables.frame("failures", rows)) if len(part)]
    if parts or workspace.table("failures").is_file():
        data = pd.concat(parts) if parts else tables.frame("failures")
        data = data.drop_duplicates(["url", "page"], keep="last").sort_values("url", kind="stable")
        workspace.write("failures", data)


def _keys(failures: pd.DataFrame) -> "pd.Series[str]":
    return failures["url"] + " " + failures["class"] + " " + failures["message"].fillna("")
