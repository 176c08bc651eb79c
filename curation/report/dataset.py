"""What a report is about: the tables of a workspace, joined once into narrow ones that its figures ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fullshot.core import tables
from fullshot.core.dataset import Dataset as Tables
from fullshot.core.files import read_json
from fullshot.core.tables.cells import literal, quoted
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

# In steps: each keeps one side of one join in memory, and four million rows leave no room for two of them. Pictures
# have numbers, in the order of their image_id, since joins of numbers take a tenth of the memory.
_LISTED = """
SELECT image_id, product_id, width, height, place
FROM (SELECT image_id, product_id, width, height, row_number() OVER () AS place FROM images)
ORDER BY image_id, product_id
"""
_NUMBERED = """
SELECT *, (sum(CASE WHEN is_first THEN 1 ELSE 0 END) OVER (ROWS UNBOUNDED PRECEDING))::INTEGER AS number
FROM (SELECT *, coalesce(lag(image_id) OVER () <> image_id, true) AS is_first FROM listed)
"""
_FIRST = "SELECT image_id, number, width, height FROM numbered WHERE is_first"
_JUDGED = f"""
SELECT number, image_id, width, height, split, shot_score, shot_reason, issues, duplicate_of IS NOT NULL AS is_copy,
    cluster, keep AS kept, machine_shot,
    coalesce(shot, CASE full_shot WHEN true THEN 'full' WHEN false THEN {literal(NOT_FULL)} END, {literal(UNREADABLE)})
        AS kind
FROM curated JOIN ({_FIRST}) USING (image_id)
"""
_REPORTED = f"""
SELECT judged.* EXCLUDE (kept, machine_shot), verdicts.shot AS person_shot, verdicts.keep, verdicts.note,
    CASE WHEN coalesce(shot_reason, '') <> {literal(BY_A_PERSON)} THEN kind
        ELSE coalesce(machine_shot, {literal(UNKNOWN)}) END AS machine,
    NOT coalesce(kept, verdicts.keep, issues IS NULL) AS rejected,
    rejected OR is_copy AS left_out
FROM (
    SELECT * FROM judged
    UNION ALL BY NAME
    SELECT *, {literal(NOT_JUDGED)} AS kind, false AS is_copy FROM ({_FIRST}) ANTI JOIN judged USING (number)
) AS judged LEFT JOIN verdicts USING (image_id)
"""
_SHOP = """
CASE WHEN strpos(product_id, ':') > 1 THEN split_part(product_id, ':', 1) ELSE {unknown} END
""".strip().format(unknown=literal(UNKNOWN))
_DESCRIBED = f"""
SELECT {", ".join("wears.wear" if name == "wear" else quoted(name) for name in tables.columns("products"))},
    {_SHOP} AS shop
FROM products JOIN wears USING (product_id)
"""
_SHOWN = f"""
SELECT number, product_id, place, kind, split, coalesce(leads.number_, number) AS team,
    product_type, wear, gender, {_SHOP} AS shop, described.product_id IS NOT NULL AS is_described
FROM numbered
JOIN (SELECT number, kind, split, cluster FROM reported) AS reported USING (number)
LEFT JOIN (SELECT cluster, min(number) AS number_ FROM reported WHERE cluster IS NOT NULL GROUP BY cluster) AS leads
    USING (cluster)
LEFT JOIN (SELECT product_id, product_type, wear, gender FROM described) AS described USING (product_id)
"""


@dataclass(frozen=True)
class Dataset:
    """The tables of a workspace, and those made of them, which :attr:`tables` asks by name.

    ``reported``: a row a picture: ``number`` (in the order of the image_id, from 1 on), ``image_id``, ``width`` and
    ``height`` of the first product that shows it, what ``curated`` says (``split``, ``shot_score``, ``shot_reason``,
    ``issues``, ``cluster``, ``is_copy``), ``kind`` (one of :data:`KINDS`), ``machine`` (the rule's own kind;
    :data:`UNKNOWN` where a person's took its place), ``rejected``, ``left_out`` (rejected, or a near duplicate of
    another), and of a person's override ``person_shot``, ``keep`` and ``note``.

    ``shown``: a row a (picture, product): ``number``, ``product_id``, ``place`` (of the row in ``images``), the
    product's ``product_type``, ``wear``, ``gender``, ``shop`` and ``is_described`` (whether there is a row of it), the
    picture's ``kind`` and ``split``, and ``team`` (the least number of its cluster; without one, its own).

    ``described``: the products, with ``shop``, and ``wear`` filled from the taxonomy.

    Attributes:
        root: the workspace's folder.
        tables: what figures ask.
        by_kind: how many pictures there are of each kind.
        products: how many there are.
        unknown_types: product types that the taxonomy does not know, and how many products have them, most first.
        failures: how many there are.
        run: the record of the newest run of ``curate``; empty where there is none.
        outdated: the inputs of that run that have changed since.
    """

    root: Path
    tables: Tables
    by_kind: Mapping[str, int]
    products: int
    unknown_types: tuple[tuple[str, int], ...]
    failures: int
    run: dict[str, Any]
    outdated: tuple[str, ...]

    def number(self, sql: str, **parameters: Any) -> int:
        """The one number that a query gives."""
        return int(self.tables.rows(sql, **parameters)[0][0])


def load(data: Tables, digests: dict[str, str]) -> Dataset:
    """Join the tables of a workspace.

    Args:
        data: with :data:`INPUTS`; it is given the tables that :class:`Dataset` tells of.
        digests: the sha256 of tables as they are now, by the name of their file; empty where there is none.

    Raises:
        MissingInput: one of :data:`INPUTS` is not there.
        BadTable: a cell is not what the schema says.
    """
    for name in OPTIONAL:
        data.make_if_missing(name)
    data.create("listed", _LISTED)
    data.create("numbered", _NUMBERED)
    data.create("judged", _JUDGED)
    data.create("reported", _REPORTED)
    data.define("described", _DESCRIBED)
    data.create("shown", _SHOWN)
    run = newest_run(data.workspace.root, "curate")
    before = run.get("inputs")
    known = before if isinstance(before, dict) else digests
    return Dataset(
        root=data.workspace.root,
        tables=data,
        by_kind=dict(data.rows("SELECT kind, count(*) FROM reported GROUP BY kind")),
        products=data.rows("SELECT count(*) FROM products")[0][0],
        unknown_types=_unknown_types(data),
        failures=data.rows("SELECT count(*) FROM failures")[0][0],
        run=run,
        outdated=tuple(name for name in _CURATES if known.get(name, "") != digests.get(name, "")),
    )


def _unknown_types(data: Tables) -> tuple[tuple[str, int], ...]:
    """The types that the taxonomy does not know; of those that are as common, the first of the table first."""
    taxonomy = data.workspace.taxonomy()
    counts = data.rows(
        "SELECT product_type, count(*) FROM (SELECT product_type, row_number() OVER () AS place FROM products) "
        "WHERE product_type IS NOT NULL GROUP BY product_type ORDER BY count(*) DESC, min(place)"
    )
    return tuple((name, count) for name, count in counts if not taxonomy.wear(name))


def newest_run(root: Path, stage: str) -> dict[str, Any]:
    """The record of a stage's newest run; empty where there is none that can be read."""
    for file in sorted((root / "runs").glob(f"{stage}-*.json"), reverse=True):
        if record := read_json(file):  # of one that somebody broke, the one before it will do
            return record
    return {}
