"""The tables: dtypes, one-step writes, errors that name the cell."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fullshot import tables
from fullshot.errors import BadTable, MissingInput

ROW = {"product_id": "s:1", "gender": "men", "wear": "top", "in_stock": True, "price": 12.5, "rating_count": 3}
SHA = "ab" * 32


def test_a_table_survives_the_file(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    written = tables.frame(
        "products", [{**ROW, "name": 'a "b", c\nd', "sizes": "S,M"}, {**ROW, "product_id": "s:2", "in_stock": None}]
    )
    tables.write("products", written, path)
    pd.testing.assert_frame_equal(tables.read("products", path), written)
    assert ",true," in path.read_text()
    assert not list(tmp_path.glob(".*"))


def test_an_empty_table_has_its_columns(tmp_path: Path) -> None:
    tables.write("boxes", tables.frame("boxes"), tmp_path / "boxes.csv")
    assert tables.read("boxes", tmp_path / "boxes.csv").columns.tolist() == tables.columns("boxes")


def test_a_further_column_is_kept(tmp_path: Path) -> None:
    tables.write("products", tables.frame("products", [{**ROW, "fabric": "wool"}]), tmp_path / "products.csv")
    assert tables.read("products", tmp_path / "products.csv")["fabric"].tolist() == ["wool"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gender": "mex"}, "row 2 column gender: expected one of men, women, boys, girls, unisex, unknown, got 'mex'"),
        ({"price": "cheap"}, "row 2 column price: expected a number, got 'cheap'"),
        ({"price": -1}, "row 2 column price: expected a number of at least 0, got -1.0"),
        ({"rating_count": 1.5}, "row 2 column rating_count: expected a whole number, got 1.5"),
        ({"rating_count": "inf"}, "row 2 column rating_count: expected a whole number, got 'inf'"),
        ({"rating_count": 1e30}, "row 2 column rating_count: expected a whole number, got 1e+30"),
        ({"in_stock": "perhaps"}, "row 2 column in_stock: expected true or false, got 'perhaps'"),
        ({"product_id": None}, "row 2 column product_id: expected a cell that is not empty"),
    ],
)
def test_a_bad_cell_is_named_and_the_file_stays(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "products.csv"
    good = tables.frame("products", [ROW])
    tables.write("products", good, path)
    before = path.read_bytes()
    with pytest.raises(BadTable) as caught:
        tables.write("products", good.astype(object).assign(**change), path)
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
    assert str(caught.value) == "images: row 2: expected image_id and product_id together once in the table"


def test_a_missing_column_and_a_missing_file_are_said(tmp_path: Path) -> None:
    path = tmp_path / "curated.csv"
    with pytest.raises(MissingInput, match="run `fullshot curate"):
        tables.read("curated", path)
    path.write_text("image_id,full_shot\n")
    with pytest.raises(BadTable, match="expected a column shot_score"):
        tables.read("curated", path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadTable, match="not a CSV table"):
        tables.read("curated", path)
