"""Tables of any number of rows without a picture, as a shop's crawl and its curation leave them; always the same.

Of N image rows, one in twenty-five is a further showing of a picture by another product; a product has four rows. The
first picture of each product is a full shot with two boxes or three, one picture in twenty has a near duplicate.
Thirty products in a row are linked by nothing with the next thirty, so that splits can be told of them.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MADE = "2026-11-02T09:30:00Z"
EXPORTED = ("dataset1", "dataset2", "queue", "labels", "splits")

_MEMORY = "1GB"
_LINKED = 30
_LINKS = 60_000
"""Names that one file may have on ext4, less some."""
CHANGED = 1_760_000_000_000_000_000
"""When the picture files were changed, in nanoseconds."""

_PICTURES = f"""
CREATE TABLE pictures AS
SELECT i, sha256('picture ' || i) AS image_id, i * $products // $pictures AS p, p // {_LINKED} AS block,
       CASE WHEN i % 4 = 0 THEN 'full' WHEN i % 160 = 3 THEN 'unclear' WHEN i % 8 = 3 THEN 'half' ELSE 'item' END
       AS shot,
       hash(i, 1) % 200 > 0 AS keep,
       i % 20 = 1 AND (i + 1) * $products // $pictures // {_LINKED} = block AND i + 1 < $pictures AS has_copy,
       i % 20 = 2 AND (i - 1) * $products // $pictures // {_LINKED} = block AS is_copy,
       CASE WHEN hash(block, 2) % 100 < 80 THEN 'train' WHEN hash(block, 2) % 100 < 90 THEN 'val' ELSE 'test' END
       AS split,
       CASE WHEN hash(i, 3) % 10 < 2 THEN 'human' WHEN hash(i, 3) % 10 < 3 THEN 'import' ELSE 'shop' END AS source
FROM range($pictures) t(i)
"""

_SHOWN = f"""
CREATE VIEW shown AS
SELECT i, image_id, p, (i * 4 % 7) AS position FROM pictures
UNION ALL
SELECT i, image_id, least($products - 1, block * {_LINKED} + (p + 7) % {_LINKED}), 9 FROM pictures
WHERE i % 24 = 0 AND i // 24 < $rows - $pictures
"""

_TYPES = "['Tshirts', 'Jeans', 'Casual Shoes', 'Dresses', 'Shirts', 'Trousers', 'Sandals', 'Jumpsuit']"
_WEARS = "['top', 'bottom', 'foot', 'long', 'top', 'bottom', 'foot', 'long']"
_BRANDS = "['Nordvale', 'Kestrel Lane', 'Tidewell', 'Brightmoor', 'Solenne', 'Veldt', 'Lumio', 'Fernhill']"
_COLOURS = "['Red', 'Navy Blue', 'Green', 'Black', 'White', 'Mustard', 'Coffee Brown', 'Grey Melange']"
_FILE = "'images/' || image_id[:2] || '/' || image_id || '.jpg'"
_PRODUCT = "'myntra:' || (10000000 + p)"
_LINK = (
    "'https://www.shop.example/' || lower(replace(product_type, ' ', '-')) || '/' || lower(replace(brand, ' ', '-'))"
    " || '/' || lower(replace(name, ' ', '-')) || '/' || (10000000 + p) || '/buy'"
)

_PRODUCTS = f"""
CREATE VIEW goods AS
SELECT p, {_PRODUCT} AS product_id, {_BRANDS}[1 + p // 3 % 8] AS brand, {_COLOURS}[1 + p // 5 % 8] AS colour,
       {_TYPES}[1 + p % 8] AS product_type, {_WEARS}[1 + p % 8] AS wear,
       CASE WHEN hash(p, 4) % 100 < 48 THEN 'men' WHEN hash(p, 4) % 100 < 96 THEN 'women' ELSE 'girls' END AS gender,
       brand || ' ' || colour || ' Solid Regular Fit Pure Cotton ' || product_type AS name, {_LINK} AS url,
       300.0 + p::BIGINT * 7919 % 40 * 50 AS price, 'myntra:' || (10000000 + p - p % 3) AS style
FROM range($products) t(p)
"""

_KEPT = f"""
CREATE VIEW kept AS
SELECT {_FILE} AS image_path, label, product_type, url AS link, wear, gender, shot = 'full' AS full_shot, image_id, shot
FROM shown JOIN goods USING (p) JOIN (SELECT i, shot, keep, is_copy FROM pictures) USING (i)
JOIN (SELECT p, row_number() OVER (ORDER BY p) - 1 AS label FROM goods) USING (p)
WHERE keep AND NOT is_copy
"""

_TABLES = {
    "products": f"""
SELECT product_id, url, name, brand, gender, product_type, wear, colour, price, price + 200 AS mrp, 'INR' AS currency,
       3.0 + hash(p, 5) % 20 / 10 AS rating, hash(p, 6) % 40000 AS rating_count, 'XS,S,M,L,XL,XXL' AS sizes,
       hash(p, 7) % 10 > 0 AS in_stock, '{MADE}' AS fetched_at, 'myntra@1' AS parser, '{MADE}' AS first_seen,
       '{MADE}' AS last_seen, NULL AS gone_at, style FROM goods ORDER BY p
""",
    "images": f"""
SELECT image_id, {_PRODUCT} AS product_id, position, CASE WHEN position = 9 THEN 'look' ELSE 'default' END AS view,
       'https://assets.shop.example/v1/images/style/properties/' || image_id[10:30] || '-' || position || '.jpg' AS url,
       {_FILE} AS path, 540 AS width, 720 AS height, 0 AS bytes, '{MADE}' AS fetched_at FROM shown ORDER BY p, i
""",
    "failures": f"""
SELECT 'https://assets.shop.example/v1/images/style/lost/' || p || '.jpg' AS url, 'picture' AS kind,
       'status' AS "class", 'HTTP 404: not found' AS message, '{MADE}' AS failed_at, url AS page
FROM goods WHERE p % 50 = 0 ORDER BY p
""",
    "ledger": """
SELECT 'www.shop.example' AS host, 'some' AS robots, 0.0 AS crawl_delay, 1.0 AS delay, $rows AS requests,
       $rows::BIGINT * 30000 AS bytes, 0 AS retries, 0 AS status_429, 0 AS status_503, 0 AS blocked, 0 AS failures,
       0.0 AS paused, 'http' AS renderer, NULL AS first_request_at, NULL AS last_request_at
""",
    "curated": """
SELECT image_id, shot, CASE WHEN shot = 'full' THEN 0.9 WHEN shot = 'half' THEN 0.4 ELSE 0.0 END AS shot_score,
       CASE shot WHEN 'full' THEN 'head to foot in the frame' WHEN 'half' THEN 'ankles outside the frame'
       ELSE 'no person found' END AS shot_reason, CASE WHEN NOT keep THEN 'blurred' END AS issues, keep,
       shot AS machine_shot, CASE WHEN shot <> 'unclear' THEN shot = 'full' END AS full_shot,
       CASE WHEN has_copy THEN image_id[:16] WHEN is_copy THEN sha256('picture ' || (i - 1))[:16] END AS cluster,
       CASE WHEN is_copy THEN sha256('picture ' || (i - 1)) END AS duplicate_of, split
FROM pictures ORDER BY image_id
""",
    "boxes": f"""
SELECT image_id, ['top', 'bottom', 'foot'][1 + nth] AS label, 150.0 + hash(i, nth) % 40 AS x_min,
       100.0 + 180 * nth AS y_min, 330.0 + hash(i, nth) % 30 AS x_max, 270.0 + 190 * nth AS y_max, source,
       CASE WHEN source = 'human' THEN 'annotator-' || i % 5 END AS annotator, NULL AS score, NULL AS model,
       CASE WHEN source <> 'import' THEN 1 END AS revision, '{MADE}' AS updated_at,
       'myntra:' || (10000000 + least($products - 1, block * {_LINKED} + (p + nth) % {_LINKED})) AS product_id
FROM (SELECT *, 0 AS nth FROM pictures WHERE i % 4 = 0 UNION ALL SELECT *, 1 FROM pictures WHERE i % 4 = 0
      UNION ALL SELECT *, 2 FROM pictures WHERE i % 4 = 0 AND i // 4 < $rows // 2 - 2 * ($pictures // 4))
ORDER BY image_id, nth
""",
    "annotations": f"""
SELECT image_id, 1 AS revision, 'annotator-' || i % 5 AS annotator, 'boxes' AS verdict, NULL AS shot, 2 AS boxes,
       NULL AS comment, 20.0 + i % 60 AS seconds, NULL AS model, '1' AS project, i AS task, i AS annotation,
       '{MADE}' AS updated_at, NULL AS mean_iou, NULL AS added, NULL AS deleted, NULL AS relabelled
FROM pictures WHERE i % 4 = 0 AND source = 'human' ORDER BY image_id
""",
    "verdicts": f"""
SELECT image_id, 'item' AS shot, NULL AS keep, 'a person looked' AS note, 'annotator-1' AS annotator,
       '{MADE}' AS judged_at
FROM pictures WHERE i % 1000 = 6 ORDER BY image_id
""",
    "splits": "SELECT image_id, split FROM pictures ORDER BY image_id",
    "labels": "SELECT row_number() OVER (ORDER BY p) - 1 AS label, product_id FROM goods ORDER BY p",
    "dataset1": """
SELECT image_path, product_type, wear, full_shot FROM kept WHERE shot <> 'unclear' ORDER BY image_path, label
""",
    "dataset2": """
SELECT image_path, label, product_type, link FROM kept WHERE NOT full_shot AND shot <> 'unclear'
ORDER BY image_path, label
""",
    "queue": """
SELECT DISTINCT image_id, image_path, 0.0 AS shot_score, 'no person found' AS shot_reason FROM kept
WHERE shot = 'unclear' ORDER BY image_path
""",
    **{
        f"{gender}_{wear}": f"""
SELECT image_path, label, product_type, link FROM kept
WHERE NOT full_shot AND shot <> 'unclear' AND gender = '{gender}' AND wear = '{wear}' ORDER BY image_path, label
"""
        for gender in ("men", "women")
        for wear in ("top", "bottom", "foot")
    },
}
"""By a table's name, what it holds; of an image row, ``i`` numbers the picture and ``p`` the product."""


@contextmanager
def _drawn(folder: Path, rows: int) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, int]]]:
    """A database with the pictures, the products and who shows what; and its numbers."""
    numbers = {"rows": rows, "pictures": rows - rows // 25, "products": max(1, rows // 4)}
    spill = folder / ".making"
    with duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": str(spill)}) as database:
        for statement in (_PICTURES, _SHOWN, _PRODUCTS, _KEPT):
            # A view holds no parameters.
            database.execute(_filled(statement, numbers))
        yield database, numbers
    shutil.rmtree(spill, ignore_errors=True)


def _filled(statement: str, numbers: dict[str, int]) -> str:
    for name, number in numbers.items():
        statement = statement.replace(f"${name}", str(number))
    return statement


def write_tables(root: Path, rows: int, *, without: frozenset[str] = frozenset()) -> None:
    """Write a workspace's tables as CSV files, as version 0.1 left them.

    Args:
        root: the workspace; made if it is not there.
        rows: of ``images``.
        without: tables that are left out.
    """
    (root / "exports").mkdir(parents=True, exist_ok=True)
    with _drawn(root, rows) as (database, numbers):
        for name, query in _TABLES.items():
            if name not in without:
                folder = root / "exports" if name in EXPORTED or "_" in name else root
                file = folder / f"{name}.csv"
                database.execute(f"COPY ({_filled(query, numbers)}) TO '{file}' (FORMAT csv, HEADER)")


def write_picture_files(root: Path, rows: int) -> None:
    """An empty file for each picture, so that a command sees them there, as large as ``images.bytes`` says.

    They are names of few files: four million files take four million inodes, names take none.
    """
    pool = root / ".empty"
    pool.mkdir(parents=True, exist_ok=True)
    for number in range(256):
        (root / f"images/{number:02x}").mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(picture_names(rows)):
        source = pool / f"{number // _LINKS}"
        if number % _LINKS == 0:
            source.touch()
            os.utime(source, ns=(CHANGED, CHANGED))
        os.link(source, root / f"images/{name[:2]}/{name}.jpg")


def write_contents(folder: Path, rows: int) -> None:
    """Files that hold the bytes that pictures are named by, one for each full shot; none is a picture, or empty."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(picture_names(rows)):
        if number % 4 == 0:
            (folder / f"{name}.jpg").write_bytes(_content(number))


def picture_names(rows: int) -> Iterator[str]:
    """The image_id of each picture of a workspace of so many image rows."""
    for number in range(rows - rows // 25):
        yield hashlib.sha256(_content(number)).hexdigest()


def _content(number: int) -> bytes:
    return f"picture {number}".encode()
