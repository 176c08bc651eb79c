"""From a crawl's state to the workspace's tables. Doing it twice changes nothing, so it may be done at any time."""

from fullshot.core.dataset import Dataset
from fullshot.core.progress import Advance
from fullshot.core.tables.cells import quoted
from fullshot.crawler import results
from fullshot.crawler.frontier import RequestState
from fullshot.crawler.state import CrawlState

TABLES = ("products", "images", "boxes", "failures", "ledger")

_LINKS_AT_ONCE = 500_000
"""Pictures' addresses that a join keeps in memory."""

_BOX = ("image_id", "label", "source", "product_id", "x_min", "y_min", "x_max", "y_max", "annotator", "revision")
"""What tells boxes apart: two people who keep the detector's box have the same corners."""


def merge(data: Dataset, state: CrawlState, advance: Advance | None = None) -> dict[str, int]:
    """Bring what a crawl found into ``products``, ``images``, ``boxes``, ``failures`` and ``ledger``.

    The products that the table holds afterwards stay in the data set, as ``merged_products``; those of this crawl are
    ``found_products``.

    Args:
        data: the tables.
        state: the crawl's.
        advance: told how many tables are written.

    Returns:
        How many rows each table holds afterwards.

    Raises:
        BadTable: a table was changed by hand to what its schema does not allow.
        StageFailed: there is no more memory or disk.
    """
    results.take_from(state, data)
    for name in _MADE_BY:
        data.make_if_missing(name)
    counts = {}
    for number, (name, make) in enumerate(_MADE_BY.items()):
        if advance is not None:
            advance(number, len(_MADE_BY), name)
        query, found = make(data, state)
        ((count,),) = data.rows(f"SELECT count(*) FROM {found}")
        there = data.workspace.table(name).is_file()
        counts[name] = data.write(name, query) if count or there else 0
    if advance is not None:
        advance(len(_MADE_BY), len(_MADE_BY))
    return counts


def _products(data: Dataset, state: CrawlState) -> tuple[str, str]:
    """First seen when the old rows were; a page that was saved earlier does not undo what came later."""
    further = _further(data, "products", "found_products")
    data.define(
        "all_products",
        "SELECT * FROM products WHERE product_id NOT IN (SELECT product_id FROM found_products) UNION ALL BY NAME "
        f"SELECT {further}found.* EXCLUDE (_fs_seq) REPLACE ("
        "least(found.first_seen, old.first_seen, old.fetched_at) AS first_seen, "
        "greatest(found.last_seen, old.last_seen) AS last_seen, "
        "CASE WHEN old.gone_at > found.fetched_at THEN old.gone_at END AS gone_at) "
        "FROM found_products AS found LEFT JOIN products AS old USING (product_id)",
    )
    # What is not sold any more is marked; a product that moved is not gone because its old address is.
    data.create(
        "merged_products",
        "SELECT product.* REPLACE (coalesce(seen.there, last_seen) AS last_seen, CASE WHEN seen.there IS NULL "
        "THEN coalesce(gone_at, CASE WHEN line.key IS NULL THEN seen.gone END) END AS gone_at) "
        "FROM all_products AS product LEFT JOIN found_seen AS seen USING (product_id) "
        "LEFT JOIN found_lines AS line ON line.key = product.product_id",
    )
    return "SELECT * FROM merged_products ORDER BY product_id", "merged_products"


def _images(data: Dataset, state: CrawlState) -> tuple[str, str]:
    """Pictures of the products that were found and that are no longer shown stay, without a position."""
    ((links,),) = data.rows("SELECT count(*) FROM found_links")
    parts = links // _LINKS_AT_ONCE + 1
    for part in range(parts):
        data.create(
            f"shown_{part}",
            "SELECT _fs_seq, n AS _fs_n, key AS product_id, link.position, link.view, picture.* "
            "FROM found_pictures AS picture JOIN found_links AS link USING (url) JOIN found_lines USING (_fs_seq) "
            f"WHERE hash(link.url) % {parts} = {part} AND _fs_seq NOT IN (SELECT _fs_seq FROM found_refused)",
        )
    data.define("shown", " UNION ALL ".join(f"SELECT * FROM shown_{part}" for part in range(parts)))
    # The same bytes under two addresses are one picture, where it is first shown.
    data.create("again", "SELECT _fs_seq FROM shown GROUP BY _fs_seq, hash(image_id) HAVING count(*) > 1")
    first = "QUALIFY row_number() OVER (PARTITION BY _fs_seq, image_id ORDER BY _fs_n) = 1"
    if data.rows("SELECT 1 FROM again LIMIT 1"):
        data.create(
            "found_images",
            "SELECT * FROM shown WHERE _fs_seq NOT IN (SELECT _fs_seq FROM again) UNION ALL "
            f"SELECT * FROM shown WHERE _fs_seq IN (SELECT _fs_seq FROM again) {first}",
        )
    else:
        data.define("found_images", "SELECT * FROM shown")
    old = (
        "SELECT old.* REPLACE (CASE WHEN line.key IS NULL OR EXISTS (SELECT 1 FROM found_links AS link "
        "WHERE link._fs_seq = line._fs_seq AND link.url = old.url) THEN old.position END AS position), "
        "0 AS _fs_part, row_number() OVER () AS _fs_seq, 0 AS _fs_n "
        "FROM images AS old LEFT JOIN found_lines AS line ON line.key = old.product_id "
        "WHERE NOT EXISTS (SELECT 1 FROM found_images AS found "
        "WHERE found.image_id = old.image_id AND found.product_id = old.product_id)"
    )
    found = "found_images AS found"
    if further := _further(data, "images", "found_images"):
        found += " LEFT JOIN images AS old USING (image_id, product_id)"
    both = f"{old} UNION ALL BY NAME SELECT {further}found.*, 1 AS _fs_part FROM {found}"
    order = "ORDER BY product_id, position NULLS LAST, _fs_part, _fs_seq, _fs_n"
    return f"SELECT * EXCLUDE (_fs_part, _fs_seq, _fs_n) FROM ({both}) {order}", "found_images"


def _boxes(data: Dataset, state: CrawlState) -> tuple[str, str]:
    """The shop's boxes, from percent to pixels of the stored picture and clipped to it; one outside of it is none."""
    sides = {
        "x_min": ("box.x", "width"),
        "y_min": ("box.y", "height"),
        "x_max": ("box.x + box.width", "width"),
        "y_max": ("box.y + box.height", "height"),
    }
    # printf rounds as Python does, to the nearest; DuckDB's round() goes by what is left of the digits after a product.
    pixels = ", ".join(
        f"printf('%.2f', least(picture.{side}::DOUBLE, greatest(0.0, ({value}) / 100 * picture.{side})))::DOUBLE "
        f"AS {name}"
        for name, (value, side) in sides.items()
    )
    found = (
        f"SELECT box._fs_seq, n AS _fs_n, image_id, label, {pixels}, 'shop' AS source, 1 AS revision, "
        "seen_at AS updated_at, key AS product_id FROM found_pictures AS picture JOIN found_boxes AS box USING (url) "
        "JOIN found_lines USING (_fs_seq) WHERE _fs_seq NOT IN (SELECT _fs_seq FROM found_refused) "
        "AND url IN (SELECT url FROM found_links)"
    )
    data.create("shop_boxes", f"SELECT * FROM ({found}) WHERE x_min < x_max AND y_min < y_max")
    old = (
        "SELECT *, 0 AS _fs_part, row_number() OVER () AS _fs_seq, 0 AS _fs_n "
        "FROM boxes WHERE NOT (source = 'shop' AND product_id IS NOT NULL "
        "AND product_id IN (SELECT key FROM found_lines))"
    )
    return _last_of_each(f"{old} UNION ALL BY NAME SELECT *, 1 AS _fs_part FROM shop_boxes", _BOX), "shop_boxes"


def _failures(data: Dataset, state: CrawlState) -> tuple[str, str]:
    """Of a picture that several products show, a row for each of their pages; an old one stays until it is over."""
    data.create("old_failures", "SELECT *, row_number() OVER () AS _fs_seq FROM failures")
    # Many addresses were fetched, few failed before: only those are kept.
    fetched = ((task.url,) for task in state.frontier.tasks(RequestState.DONE, RequestState.SKIPPED))
    data.give("fetched_now", results.reader(fetched, url=str))
    data.create("fetched", "SELECT url FROM fetched_now WHERE url IN (SELECT url FROM old_failures)")
    data.give("excluded_now", results.reader(state.rows("SELECT url FROM excluded"), url=str))
    data.create("excluded", "SELECT url FROM excluded_now")
    data.create("read_pages", "SELECT page AS url FROM found_lines UNION SELECT product ->> '$.url' FROM found_lines")
    data.create(
        "new_failures",
        "SELECT 1 AS _fs_part, failure._fs_seq, coalesce(page._fs_seq, 0) AS _fs_n, url, "
        "coalesce(page.page, nullif(failure.page, '')) AS page, kind, class, message, failed_at "
        "FROM found_failures AS failure LEFT JOIN "
        "(SELECT DISTINCT url, line.page, line._fs_seq "
        "FROM found_links AS link JOIN found_lines AS line USING (_fs_seq) "
        "WHERE url IN (SELECT url FROM found_failures WHERE kind = 'picture')) AS page "
        "USING (url) WHERE kind = 'picture' OR page._fs_seq IS NULL UNION ALL "
        "SELECT 2, _fs_seq, 0, page, NULL, 'page', 'bad-page', message, seen_at "
        "FROM found_refused JOIN found_lines USING (_fs_seq)",
    )
    old = (
        "SELECT *, 0 AS _fs_part, 0 AS _fs_n FROM old_failures WHERE url IN (SELECT url FROM excluded) OR NOT ("
        "url IN (SELECT url FROM fetched) OR url IN (SELECT url FROM read_pages WHERE url IS NOT NULL) "
        "OR (page IS NOT NULL AND page IN (SELECT url FROM read_pages WHERE url IS NOT NULL)))"
    )
    return _last_of_each(f"{old} UNION ALL BY NAME SELECT * FROM new_failures", ("url", "page")), "new_failures"


def _ledger(data: Dataset, state: CrawlState) -> tuple[str, str]:
    old = "SELECT *, 0 AS _fs_part, 0 AS _fs_seq, 0 AS _fs_n FROM ledger"
    new = "SELECT * EXCLUDE (_fs_odd), 1 AS _fs_part, 0 AS _fs_n FROM found_hosts"
    return _last_of_each(f"{old} UNION ALL BY NAME {new}", ("host",)), "found_hosts"


def _further(data: Dataset, old: str, new: str) -> str:
    """The columns that people added to a table, for its rows that are written anew, as SQL has them after SELECT."""
    before, now = (
        [name for (name,) in data.rows(f"SELECT column_name FROM (DESCRIBE SELECT * FROM {each})")]
        for each in (old, new)
    )
    there = {name.lower() for name in now}
    return "".join(f"old.{quoted(name)}, " for name in before if name.lower() not in there)


def _last_of_each(rows: str, keys: tuple[str, ...]) -> str:
    """The query for the last row of each key, in the order of the keys."""
    names = ", ".join(map(quoted, keys))
    last = f"QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY _fs_part DESC, _fs_seq DESC, _fs_n DESC) = 1"
    order = ", ".join(f"{quoted(key)} NULLS LAST" for key in keys)
    return f"SELECT * EXCLUDE (_fs_part, _fs_seq, _fs_n) FROM ({rows}) {last} ORDER BY {order}"


_MADE_BY = {"products": _products, "images": _images, "boxes": _boxes, "failures": _failures, "ledger": _ledger}
