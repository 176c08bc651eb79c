"""What a crawl's state holds, as tables of a data set: streamed out of the state some rows at a time.

``found_lines`` has a row a product page, ``found_products`` those of them that the table of products takes, and
``found_links`` and ``found_boxes`` what the pages show; ``found_pictures`` has those pictures, and maybe others.
``_fs_seq`` is a row's place in the state; see :data:`fullshot.core.tables.cells.RESERVED` for such names.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pyarrow as pa

from fullshot.core.dataset import Dataset
from fullshot.core.errors import BadTable
from fullshot.core.progress import say
from fullshot.core.tables.cells import known_number, literal, quoted, reserved
from fullshot.core.tables.checking import conditions
from fullshot.core.tables.schemas import SCHEMAS, Kind, columns
from fullshot.crawler.state import CrawlState

_BATCH = 10_000
_LINE = {
    "product": "JSON",
    "images": [{"url": "VARCHAR", "position": "BIGINT", "view": "VARCHAR"}],
    "boxes": [
        {"url": "VARCHAR", "label": "VARCHAR", "x": "DOUBLE", "y": "DOUBLE", "width": "DOUBLE", "height": "DOUBLE"}
    ],
}
_TIMES = {"fetched_at": "seen_at", "first_seen": "seen_at", "last_seen": "seen_at", "gone_at": "NULL::VARCHAR"}
_OURS = ("seen_at",)
"""Columns beside a product's own, while it is typed, but for those whose names are reserved."""
_SHOWN = "SELECT json_extract(link.value, '$.url') FROM products, json_each(products.found, '$.images') AS link"


def take_from(state: CrawlState, data: Dataset) -> None:
    """Bring a state's rows into a data set."""
    lines = "SELECT rowid, product_id, page, found, seen_at FROM products ORDER BY rowid"
    _stream(state, data, "state_products", lines, _fs_seq=int, key=str, page=str, found=str, seen_at=str)
    data.create(
        "found_lines",
        f"SELECT _fs_seq, key, page, seen_at, unnest(from_json(found, {literal(json.dumps(_LINE))})), "
        "json_keys(found, '$.product') AS keys FROM state_products",
    )
    _take_links(state, data)
    _take_products(data)
    failures = "SELECT rowid, url, page, kind, class, message, failed_at FROM failures ORDER BY rowid"
    texts = dict.fromkeys(("url", "page", "kind", "class", "message", "failed_at"), str)
    _stream(state, data, "state_failures", failures, _fs_seq=int, **texts)
    data.create("found_failures", "SELECT * FROM state_failures")
    seen = "SELECT pages.product_id, seen.gone, seen.seen_at, seen.rowid FROM seen JOIN pages ON pages.url = seen.page"
    _stream(state, data, "state_seen", seen, product_id=str, gone=int, seen_at=str, _fs_seq=int)
    data.create(
        "found_seen",
        "SELECT product_id, arg_max(seen_at, _fs_seq) FILTER (gone = 0) AS there, "
        "arg_max(seen_at, _fs_seq) FILTER (gone <> 0) AS gone FROM state_seen GROUP BY product_id",
    )
    _stream(state, data, "state_hosts", "SELECT rowid, record FROM hosts ORDER BY rowid", _fs_seq=int, _fs_line=str)
    data.create("found_hosts", _typed("ledger", "SELECT _fs_seq, _fs_line FROM state_hosts"))


def reader(rows: Iterator[tuple[Any, ...]], **kinds: type) -> pa.RecordBatchReader:
    """Rows as Arrow's batches, made as they are asked for.

    Args:
        rows: a tuple each.
        kinds: the columns' names, and ``int`` or ``str``.
    """
    types = {int: pa.int64(), str: pa.string()}
    schema = pa.schema([(name, types[kind]) for name, kind in kinds.items()])

    def batches() -> Iterator[pa.RecordBatch]:
        while some := list(islice(rows, _BATCH)):
            values = zip(zip(*some, strict=True), schema.types, strict=True)
            yield pa.record_batch([pa.array(column, kind) for column, kind in values], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _stream(state: CrawlState, data: Dataset, name: str, query: str, **kinds: type) -> None:
    data.give(name, reader(state.rows(query), **kinds))


def _take_links(state: CrawlState, data: Dataset) -> None:
    for listed, name in (("images", "found_links"), ("boxes", "found_boxes")):
        items = f"SELECT _fs_seq, unnest({listed}) AS item, generate_subscripts({listed}, 1) AS n FROM found_lines"
        data.create(name, f"SELECT _fs_seq, n, unnest(item) FROM ({items})")
    ((shown,),) = data.rows("SELECT count(*) FROM found_links")
    # A crawl that adds a little to what many before it brought looks up that little.
    narrowed = f" WHERE url IN ({_SHOWN})" if shown < state.count("pictures") / 4 else ""
    query = f"SELECT url, image_id, path, width, height, bytes, fetched_at FROM pictures{narrowed}"
    texts, numbers = dict.fromkeys(("url", "image_id", "path"), str), dict.fromkeys(("width", "height", "bytes"), int)
    _stream(state, data, "state_pictures", query, **texts, **numbers, fetched_at=str)
    data.create("found_pictures", "SELECT * FROM state_pictures")


def _take_products(data: Dataset) -> None:
    """``found_products``, and ``found_refused``: the pages whose product its table does not take, and why."""
    known = ", ".join(map(literal, SCHEMAS["products"].columns))
    named = "SELECT _fs_seq, unnest(keys) AS key, generate_subscripts(keys, 1) AS n FROM found_lines"
    query = f"SELECT key FROM ({named}) WHERE key NOT IN ({known}) GROUP BY key ORDER BY min((_fs_seq, n))"
    further = _columns_of_their_own([name for (name,) in data.rows(query)])
    lines = "SELECT _fs_seq, product AS _fs_line, seen_at FROM found_lines"
    data.create("typed_products", _typed("products", lines, further, _TIMES))
    mended, refused = _mend(data)
    reasons = {"_fs_seq": [seq for seq, _ in refused], "message": [message for _, message in refused]}
    schema = pa.schema([("_fs_seq", pa.int64()), ("message", pa.string())])
    data.create("found_refused", pa.table(reasons, schema=schema))
    products = "SELECT * EXCLUDE (_fs_odd) FROM typed_products WHERE NOT _fs_odd"
    if mended:
        data.create("mended_products", pa.concat_tables(mended))
        extras = "".join(f", typed_products.{quoted(name)}" for name in further)
        products += f" UNION ALL BY NAME SELECT mended_products.*{extras} FROM mended_products"
        products += " JOIN typed_products USING (_fs_seq)"
    data.define("found_products", products)


def _columns_of_their_own(names: list[str]) -> list[str]:
    """Further names that can be columns: SQL takes two that differ in capital letters alone for one."""
    taken = {*SCHEMAS["products"].columns, *_OURS}
    further: list[str] = []
    for name in names:
        if name.lower() not in taken and not reserved([name]):
            further.append(name)
            taken.add(name.lower())
    left_out = [name for name in names if name not in further]
    if left_out:
        say(f"fullshot: what pages say of {', '.join(left_out)} is left out: no column of products can be called so")
    return further


def _mend(data: Dataset) -> tuple[list[pa.Table], list[tuple[int, str]]]:
    """The odd products as rows of their table, as far as it takes them; and which it does not, and why."""
    mended: list[pa.Table] = []
    refused: list[tuple[int, str]] = []
    last = -1
    while some := data.rows(
        "SELECT _fs_seq, product, seen_at FROM typed_products JOIN found_lines USING (_fs_seq) "
        f"WHERE _fs_odd AND _fs_seq > {last} ORDER BY _fs_seq LIMIT {_BATCH}"
    ):
        last = some[-1][0]
        products = [
            (seq, {**json.loads(line), "fetched_at": at, "first_seen": at, "last_seen": at, "gone_at": None})
            for seq, line, at in some
        ]
        _take_what_fits(products, mended, refused)
    return mended, refused


def _take_what_fits(
    products: list[tuple[int, dict[str, Any]]], mended: list[pa.Table], refused: list[tuple[int, str]]
) -> None:
    """Halve what a table refuses until it is known which products those are."""
    from fullshot.core import tables
    from fullshot.core.tables.frames import to_arrow

    try:
        frame = tables.frame("products", [product for _, product in products])[columns("products")]
    except BadTable as error:
        if len(products) == 1:
            refused.append((products[0][0], str(error)))
            return
        half = len(products) // 2
        _take_what_fits(products[:half], mended, refused)
        _take_what_fits(products[half:], mended, refused)
    else:
        rows = to_arrow("products", frame)
        mended.append(rows.append_column("_fs_seq", pa.array([seq for seq, _ in products], pa.int64())))


def _typed(name: str, lines: str, further: list[str] | None = None, given: dict[str, str] | None = None) -> str:
    """The query for lines of JSON as a table's rows, and whether one is ``_fs_odd``: to be looked at value by value.

    Args:
        name: of the table.
        lines: a query for ``_fs_seq``, ``_fs_line`` and what ``given`` needs.
        further: names beyond the schema's, which become text.
        given: columns that are not in the lines, and their values.
    """
    further, given, schema = further or [], given or {}, SCHEMAS[name]
    kinds = {column: rule.kind for column, rule in schema.columns.items() if column not in given}
    shape = literal(json.dumps(dict.fromkeys([*kinds, *further], "JSON")))
    values = [f"{_value(f'_fs_line.{quoted(column)}', kind)} AS {quoted(column)}" for column, kind in kinds.items()]
    values += [f"{value} AS {quoted(column)}" for column, value in given.items()]
    values += [f"_fs_line.{quoted(column)} ->> '$' AS {quoted(column)}" for column in further]
    # A value that was there and is none of its column's kind; an empty text is "not known".
    odd = [
        f"_fs_line.{quoted(column)} IS NOT NULL AND "
        + (f"json_type(_fs_line.{quoted(column)}) <> 'VARCHAR'" if kind == "text" else f"{quoted(column)} IS NULL")
        for column, kind in kinds.items()
    ]
    odd += [f"coalesce({condition}, false)" for condition in conditions(schema)]
    names = ", ".join(map(quoted, [*schema.columns, *further]))
    parsed = f"SELECT * REPLACE (from_json(_fs_line, {shape}) AS _fs_line) FROM ({lines})"
    typed = f"SELECT _fs_seq, _fs_line, {', '.join(values)} FROM ({parsed})"
    return f"SELECT _fs_seq, {names}, {' OR '.join(f'({condition})' for condition in odd)} AS _fs_odd FROM ({typed})"


def _value(cell: str, kind: Kind) -> str:
    """The expression for a JSON value as one of a kind; NULL where it is of another."""
    text, its_kind = f"({cell} ->> '$')", f"json_type({cell})"
    if kind == "text":
        return f"CASE {its_kind} WHEN 'VARCHAR' THEN nullif({text}, '') END"
    if kind == "boolean":
        return f"CASE {its_kind} WHEN 'BOOLEAN' THEN TRY_CAST({text} AS BOOLEAN) END"
    double = known_number(f"TRY_CAST({text} AS DOUBLE)")
    number = f"CASE WHEN {its_kind} IN ('UBIGINT', 'BIGINT', 'DOUBLE') THEN {double} END"
    if kind == "number":
        return number
    return f"CASE WHEN {its_kind} IN ('UBIGINT', 'BIGINT') THEN TRY_CAST({text} AS BIGINT) WHEN {number} = " + (
        f"trunc({number}) THEN TRY_CAST({number} AS BIGINT) END"
    )
