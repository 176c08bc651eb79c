from pathlib import Path
from typing import Any

import pytest

from fullshot.core import leakage as leaks
from fullshot.core import tables
from fullshot.core.errors import UserError
from fullshot.core.workspace import Workspace

NAMES = {letter: letter * 64 for letter in "abcdef"}
SIZE = {"path": "x.jpg", "width": 1, "height": 1, "bytes": 1}


def make(root: Path, rows: list[dict[str, Any]]) -> Workspace:
    """A workspace of pictures: ``image`` (a letter), ``product``, ``style``, ``cluster``, ``split``, ``keep``."""
    root.mkdir()
    workspace = Workspace(root)
    images = [{"image_id": NAMES[row["image"]], "product_id": row["product"], **SIZE} for row in rows]
    workspace.write("images", tables.frame("images", images))
    goods = {row["product"]: row.get("style") for row in rows}
    products = [{"product_id": name, "gender": "women", "style": style} for name, style in goods.items()]
    workspace.write("products", tables.frame("products", products))
    judged = {row["image"]: row for row in rows}
    curated = [
        {"image_id": NAMES[name], "split": row["split"], "cluster": row.get("cluster"), "keep": row.get("keep", True)}
        for name, row in judged.items()
    ]
    workspace.write("curated", tables.frame("curated", curated))
    return workspace


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({"product": "s:2", "split": "test"}, None),
        ({"product": "s:1", "split": "train"}, None),
        ({"product": "s:1", "split": "test"}, "product s:1"),
        ({"product": "s:2", "split": "val", "style": "s:1"}, "style s:1"),
        ({"product": "s:2", "split": "test", "cluster": "k"}, "cluster k"),
        ({"product": "s:1", "split": "test", "keep": False}, None),  # thrown out: on no side
    ],
)
def test_what_belongs_together_is_on_one_side(tmp_path: Path, second: dict[str, Any], why: str | None) -> None:
    first = {"image": "a", "product": "s:1", "style": "s:1", "cluster": "k", "split": "train"}
    workspace = make(tmp_path / "ws", [first, {"image": "b", "style": None, **second}])
    found = leaks.by_tables(workspace.open())
    if why is None:
        assert not found
        leaks.refuse(workspace.open())
        return
    [leak] = found
    assert f"{leak.why} {leak.name}" == why
    assert dict(leak.images) == {NAMES["a"]: "train", NAMES["b"]: second["split"]}
    with pytest.raises(UserError) as error:
        leaks.refuse(workspace.open())
    assert "a" * 12 in str(error.value)
    assert "b" * 12 in str(error.value)
    assert "fullshot curate" in str(error.value)
    assert "\n" not in str(error.value)


def test_of_many_leaks_a_few_are_named_and_the_others_counted(tmp_path: Path) -> None:
    rows = [
        {"image": letter, "product": f"s:{number // 2}", "split": "train" if number % 2 else "test", "cluster": "k"}
        for number, letter in enumerate("abcdef")
    ]
    workspace = make(tmp_path / "ws", rows)
    assert len(leaks.by_tables(workspace.open())) == 4
    with pytest.raises(UserError, match="and 1 more"):
        leaks.refuse(workspace.open())


def test_a_table_from_before_there_were_styles_and_thrown_out_pictures(tmp_path: Path) -> None:
    workspace = make(tmp_path / "ws", [{"image": "a", "product": "s:1", "split": "train"}])
    for name, columns in (("products", ["style"]), ("curated", ["keep", "shot"])):
        table = workspace.read(name).drop(columns=columns)
        workspace.table(name).write_text(table.to_csv(index=False), "utf-8")
    assert not leaks.by_tables(workspace.open())
