"""Folders and CSVs of pictures, brought into a workspace."""

import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from fullshot.cli.curation import add as command
from fullshot.core import image_store, tables
from fullshot.core.errors import UserError
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.add import AddOptions, add_pictures

TABLES = ("products", "images", "failures")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run has a time of its own: a row that should keep its time and does not is seen."""
    moments = (f"2030-01-01T00:00:{second:02d}Z" for second in range(60))
    monkeypatch.setattr("fullshot.curation.add.run.now", lambda: next(moments))


def picture(shade: int, kind: str = "PNG", mode: str = "RGB", **how: Any) -> bytes:
    """A small picture; another one for each shade."""
    memory = io.BytesIO()
    pixels = np.random.default_rng(shade).integers(0, 256, (32, 24, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(memory, kind, **how)
    return memory.getvalue()


def lay(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def rows(workspace: Workspace, name: str, *columns: str) -> list[tuple[Any, ...]]:
    """A table's rows; what is not known is None."""
    table = workspace.read_if_there(name)[list(columns)].astype(object)
    return list(table.where(table.notna(), None).itertuples(index=False, name=None))


def contents(workspace: Workspace) -> dict[str, bytes]:
    return {name: workspace.table(name).read_bytes() for name in TABLES if workspace.table(name).is_file()}


def failures(workspace: Workspace) -> dict[str, str]:
    """The class of each file that failed, by the last part of its address."""
    return {url.rpartition("/")[2]: kind for url, kind in rows(workspace, "failures", "url", "class")}


def test_a_folder_of_classes(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    names = ["Shirts/a.png", "Shirts/deep/b.png", "Sock Things/c.png", "d.png", ".hidden/e.png", "Shirts/.f.png"]
    folder = lay(tmp_path / "mine", {name: picture(shade) for shade, name in enumerate(names)})
    lay(folder, {"labels.CSV": b"x", "Shirts/notes.txt": b"y"})
    stats = add_pictures(workspace, settings, folder)
    assert rows(workspace, "products", "product_id", "product_type", "wear", "gender", "parser") == [
        ("own:Shirts/a.png", "Shirts", "top", "unknown", "add@1"),
        ("own:Shirts/deep/b.png", "Shirts", "top", "unknown", "add@1"),
        ("own:Sock%20Things/c.png", "Sock Things", None, "unknown", "add@1"),
        ("own:d.png", None, None, "unknown", "add@1"),
    ]
    shown = {key: stats[key] for key in ("pictures", "new_pictures", "products", "failed", "passed_over")}
    assert shown == {
        "pictures": 4,
        "new_pictures": 4,
        "products": 4,
        "failed": 0,
        "passed_over": {".csv": 1, ".txt": 1},
    }
    assert stats["unknown_types"] == {"Sock Things": 1}
    images = rows(workspace, "images", "product_id", "image_id", "path", "url", "position", "width", "height", "view")
    _, image_id, path, *rest = images[2]
    assert rest == [(folder / "Sock Things/c.png").as_uri(), 1, 24, 32, None]
    assert (workspace / path).read_bytes() == (folder / "Sock Things/c.png").read_bytes()
    assert image_store.image_id((workspace / path).read_bytes()) == image_id
    assert rows(workspace, "products", "url")[3] == ((folder / "d.png").as_uri(),)


def test_splits_of_a_folder_are_not_classes(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    names = ["train/Jeans/a.png", "val/Jeans/b.png", "test/Dress/c.png", "train/d.png", "Tops/test/e.png"]
    add_pictures(
        workspace, settings, lay(tmp_path / "mine", {name: picture(shade) for shade, name in enumerate(names)})
    )
    assert [kind for (kind,) in rows(workspace, "products", "product_type")] == [
        "Tops",
        "Dress",
        "Jeans",
        None,
        "Jeans",
    ]


def test_the_same_again_changes_no_byte(
    tmp_path: Path, workspace: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay(tmp_path / "mine", {f"Jeans/{n}.png": picture(n) for n in range(3)} | {"bad.jpg": b"text"})
    add_pictures(workspace, settings, folder)
    before = contents(workspace)
    assert add_pictures(workspace, settings, folder)["new_pictures"] == 0
    assert contents(workspace) == before
    # Another spelling of the folder is the same folder.
    add_pictures(workspace, settings, folder / ".." / "mine")
    assert contents(workspace) == before
    # What is stored already is not decoded again.
    monkeypatch.setattr("fullshot.core.image_store.put", lambda *_: pytest.fail("stored again"))
    (folder / "bad.jpg").unlink()
    assert add_pictures(workspace, settings, folder)["pictures"] == 3


def test_what_changed_has_the_time_of_its_change(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    folder = lay(tmp_path / "mine", {"a.png": picture(1), "b.png": picture(2)})
    listing = tmp_path / "mine.csv"
    listing.write_text("image,product_id,name,colour\nmine/a.png,A,Tee,Red\nmine/b.png,B,Hat,\n")
    add_pictures(workspace, settings, listing)
    listing.write_text("image,product_id,name,colour\nmine/a.png,A,Tee,Blue\nmine/b.png,B,Hat,\n")
    (folder / "b.png").write_bytes(picture(3))
    stats = add_pictures(workspace, settings, listing)
    assert (stats["changed_products"], stats["new_products"], stats["new_pictures"]) == (1, 0, 1)
    times = ("product_id", "colour", "first_seen", "fetched_at", "last_seen")
    first, second = "2030-01-01T00:00:00Z", "2030-01-01T00:00:01Z"
    assert rows(workspace, "products", *times) == [
        ("own:A", "Blue", first, second, second),
        ("own:B", None, first, first, first),
    ]
    # The picture that was replaced is kept, without a position.
    found = rows(workspace, "images", "product_id", "position", "image_id", "fetched_at")
    assert found[:2] == [
        ("own:A", 1, image_store.image_id(picture(1)), first),
        ("own:B", 1, image_store.image_id(picture(3)), second),
    ]
    assert found[2] == ("own:B", None, image_store.image_id(picture(2)), first)


def test_a_stored_picture_that_was_damaged_is_stored_again(
    tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    folder = lay(tmp_path / "mine", {"a.png": picture(1)})
    add_pictures(workspace, settings, folder)
    (stored,) = workspace.root.glob("images/*/*.png")
    stored.write_bytes(bytes(len(picture(1))))
    add_pictures(workspace, settings, folder)
    assert stored.read_bytes() == picture(1)


def test_the_same_bytes_are_one_picture(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    lay(tmp_path, {"a.png": picture(1), "b.png": picture(1), "c.png": picture(2)})
    (tmp_path / "list.csv").write_text("image,product_id\na.png,X\nb.png,X\nc.png,X\nb.png,Y\n")
    stats = add_pictures(workspace, settings, tmp_path / "list.csv")
    assert (stats["pictures"], stats["products"]) == (2, 2)
    one, other = image_store.image_id(picture(1)), image_store.image_id(picture(2))
    assert rows(workspace, "images", "product_id", "position", "image_id", "url") == [
        ("own:X", 1, one, (tmp_path / "a.png").as_uri()),
        ("own:X", 3, other, (tmp_path / "c.png").as_uri()),
        ("own:Y", 1, one, (tmp_path / "b.png").as_uri()),
    ]
    assert len(list(workspace.root.glob("images/*/*.png"))) == 2


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_with_usual_names(
    tmp_path: Path, workspace: Workspace, settings: Settings, separator: str, encoding: str
) -> None:
    lay(tmp_path / "pics", {"a b.png": picture(1), "ü.png": picture(2)})
    header = ["Image Path", "id", "articleType", "Gender", "baseColour", "productDisplayName", "price", "style", "url"]
    lines = [
        header,
        ["a b.png", "7", "Tshirts", "Women's", "Red", '"Tee, ""new"""', "Rs. 1,299.50", "S1", "https://x.test/7"],
        ["ü.png", "own:8", "Blazer", "aliens", "", "Ünd;", "cheap", "", ""],
        ["", "9", "Jeans"],
    ]
    cells = [[f'"{cell}"' if separator in cell and '"' not in cell else cell for cell in line] for line in lines]
    (tmp_path / "l.csv").write_text("\n\n".join(separator.join(line) for line in cells), encoding=encoding)
    stats = add_pictures(workspace, settings, tmp_path / "l.csv", AddOptions(root=tmp_path / "pics"))
    columns = ("product_id", "product_type", "wear", "gender", "colour", "name", "price", "style", "url")
    uri = (tmp_path / "pics" / "ü.png").as_uri()
    assert rows(workspace, "products", *columns) == [
        ("own:7", "Tshirts", "top", "women", "Red", 'Tee, "new"', 1299.5, "own:S1", "https://x.test/7"),
        ("own:8", "Blazer", "top", "unknown", None, "Ünd;", None, None, uri),
    ]
    assert (stats["unknown_genders"], stats["unreadable_cells"]) == ({"aliens": 1}, {"price": 1})
    assert failures(workspace) == {"l.csv#row=7": "missing"}


def test_columns_named_by_flags(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    lay(tmp_path, {"a.png": picture(1)})
    (tmp_path / "l.csv").write_text(
        "image,foto,what,label,wear,shop_page\nno.png,a.png,Shirts,3,FOOT,https://x.test/\n"
    )
    columns = {"image": "foto", "type": "what", "product": "label", "link": "shop_page"}
    add_pictures(workspace, settings, tmp_path / "l.csv", AddOptions(shop="mine", columns=columns))
    assert rows(workspace, "products", "product_id", "product_type", "wear", "url") == [
        ("mine:3", "Shirts", "foot", "https://x.test/")
    ]


def test_constants_win(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    folder = lay(tmp_path / "mine", {"Jeans/a.png": picture(1)})
    says = {"type": "", "gender": "Ladies", "wear": "Bottom", "price": "5", "colour": "Blue"}
    add_pictures(workspace, settings, folder, AddOptions(constants=says))
    assert rows(workspace, "products", "product_type", "gender", "wear", "price", "colour") == [
        (None, "women", "bottom", 5.0, "Blue")
    ]


def test_what_people_typed_stays_where_the_source_does_not_say(
    tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    folder = lay(tmp_path / "mine", {"Jeans/a.png": picture(1), "b.png": picture(2)})
    add_pictures(workspace, settings, folder, AddOptions(constants={"gender": "women", "price": "5"}))
    typed = workspace.read("products")
    typed["name"] = ["Blue jeans", "Tee"]
    typed["product_type"] = ["Shirts", "Tops"]
    typed["wear"] = ["foot", None]
    typed["url"] = ["https://x.test/1", typed["url"][1]]
    workspace.write("products", typed)
    lay(folder, {"Jeans/c.png": picture(3)})
    assert add_pictures(workspace, settings, folder)["new_products"] == 1
    columns = ("product_id", "name", "product_type", "wear", "gender", "price", "url")
    b, c = ((folder / name).as_uri() for name in ("b.png", "Jeans/c.png"))
    assert rows(workspace, "products", *columns) == [
        ("own:Jeans/a.png", "Blue jeans", "Shirts", "foot", "women", 5, "https://x.test/1"),
        ("own:Jeans/c.png", None, "Jeans", "bottom", "unknown", None, c),
        ("own:b.png", "Tee", "Tops", "top", "women", 5, b),
    ]
    # What a call says outright counts, also that something is not known.
    add_pictures(workspace, settings, folder, AddOptions(constants={"name": "", "gender": "men", "type": "Dress"}))
    assert rows(workspace, "products", *columns[1:5]) == [
        (None, "Dress", "foot", "men"),
        (None, "Dress", "long", "men"),
        (None, "Dress", "long", "men"),
    ]
    add_pictures(workspace, settings, folder, AddOptions(constants={"gender": "unknown", "type": ""}))
    assert rows(workspace, "products", *columns[2:5]) == [(None, "foot", "unknown")] + [(None, None, "unknown")] * 2


def test_a_cell_of_a_csv_counts_and_an_empty_one_does_not(
    tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    lay(tmp_path, {"a.png": picture(1)})
    listing = tmp_path / "l.csv"
    found = []
    for cells in ("Tee,Jeans,men,Red,5", "Coat,,unknown,,cheap", ",Shirts,,Blue,", ",Spaceship,,,"):
        listing.write_text(f"image,name,type,gender,colour,price\na.png,{cells}\n")
        add_pictures(workspace, settings, listing)
        found += rows(workspace, "products", "name", "product_type", "wear", "gender", "colour", "price")
    assert found == [
        ("Tee", "Jeans", "bottom", "men", "Red", 5),
        ("Coat", "Jeans", "bottom", "men", "Red", 5),
        ("Coat", "Shirts", "top", "men", "Blue", 5),
        ("Coat", "Spaceship", None, "men", "Blue", 5),
    ]


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        ("12,50", 12.5),
        ("€ 12,5", 12.5),
        ("0,3333", 0.3333),
        ("1,299", 1299),
        ("Rs. 1,299.50", 1299.5),
        ("1,29,999", 129_999),  # as in India
        ("1,299,000", 1_299_000),
        ("12,-", 12),
        (".5", 0.5),
        ("1,2,3", None),
        ("12,50.5", None),
        ("1234,567", None),  # either
        ("1.299,50", None),
    ],
)
def test_prices(tmp_path: Path, workspace: Workspace, settings: Settings, cell: str, price: float | None) -> None:
    lay(tmp_path, {"a.png": picture(1)})
    (tmp_path / "l.csv").write_text(f'image,price\na.png,"{cell}"\n')
    stats = add_pictures(workspace, settings, tmp_path / "l.csv")
    assert rows(workspace, "products", "price") == [(price,)]
    assert stats["unreadable_cells"] == ({"price": 1} if price is None else {})


def test_rows_of_others_stay(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    stored = image_store.put(workspace.blobs, picture(1))
    crawled: dict[str, Any] = {
        "product_id": "m:1",
        "gender": "men",
        "wear": "top",
        "name": "Tee",
        "url": "https://m.test/1",
    }
    crawled |= {"parser": "myntra@1", "fetched_at": "2020", "rating": 4.5, "note": "mine"}
    other = {"product_id": "m:2", "gender": "girls", "in_stock": True, "parser": "myntra@1"}
    workspace.write("products", tables.frame("products", [crawled, other]))
    image = {**vars(stored), "url": "https://m.test/1.png", "fetched_at": "2020", "product_id": "m:1", "position": 4}
    workspace.write("images", tables.frame("images", [image]))
    failed = {"url": "https://m.test/x", "kind": "page", "class": "dns", "page": "https://m.test/x"}
    workspace.write("failures", tables.frame("failures", [failed]))
    untouched = contents(workspace)
    add_pictures(workspace, settings, lay(tmp_path / "mine", {"a.png": picture(2), "b.png": b""}))
    for name, lines in {name: content.decode().splitlines() for name, content in untouched.items()}.items():
        assert [line for line in lines if line not in workspace.table(name).read_text().splitlines()] == []
    # What a person says of a product that was crawled is added to what the shop says.
    lay(tmp_path, {"c.png": picture(1)})
    (tmp_path / "l.csv").write_text("image,product_id,gender,wear,name\nc.png,1,,,Coat\n")
    add_pictures(workspace, settings, tmp_path / "l.csv", AddOptions(shop="m"))
    columns = ("product_id", "name", "gender", "rating", "url", "parser", "note", "first_seen")
    assert rows(workspace, "products", *columns)[0] == (
        "m:1", "Coat", "men", 4.5, "https://m.test/1", "myntra@1", "mine", "2020",
    )  # fmt: skip
    assert rows(workspace, "images", "product_id", "url", "position")[0] == ("m:1", "https://m.test/1.png", 4)


def png_of(width: int, height: int) -> bytes:
    """The start of a PNG of any size: a decoder that went on would want memory for all of it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def test_bad_input_is_a_row_or_the_right_answer(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    deep = io.BytesIO()
    Image.fromarray((np.arange(24 * 32, dtype=np.uint16) * 80).reshape(32, 24)).save(deep, "PNG")
    frames = [Image.new("RGB", (24, 32), (shade, 0, 0)) for shade in (10, 200)]
    good = {
        "cmyk.jpg": picture(1, "JPEG", "CMYK"),
        "deep.png": deep.getvalue(),
        "moving.gif": picture(2, "GIF", save_all=True, append_images=frames),
        "moving.webp": picture(3, "WEBP", save_all=True, append_images=frames),
        "turned.jpg": picture(4, "JPEG", exif=turned),
        "no suffix": picture(5),
        "new\nline.png": picture(6),
        "smile 😀.png": picture(7),
        "per%cent#?.png": picture(8),
        "png.jpg": picture(9),
        "x.png/inside.png": picture(10),
        os.fsdecode(b"latin-\xe9.png"): picture(11),
    }
    memory = io.BytesIO()
    Image.new("RGB", (1, 1)).save(memory, "PNG")
    good["one.png"] = memory.getvalue()
    bad = {
        "cut.jpg": (picture(20, "JPEG")[:-60], "not-an-image"),
        "cut.png": (picture(21)[:-60], "not-an-image"),
        "empty.png": (b"", "not-an-image"),
        "text.jpg": (b"not a picture", "not-an-image"),
        "huge.png": (png_of(30_000, 30_000), "too-large"),
        "large.png": (png_of(9_000, 9_000), "too-large"),
        "drawing.svg": (b"<svg/>", "not-an-image"),
    }
    folder = lay(tmp_path / "mine", good | {name: content for name, (content, _) in bad.items()})
    lay(folder, {"latin-cl\udce9/a.png": picture(12)})
    (folder / "gone.png").symlink_to(tmp_path / "nowhere")
    (folder / "self.png").symlink_to("self.png")
    os.mkfifo(folder / "pipe.png")
    stats = add_pictures(workspace, settings, folder)
    expected = {name: kind for name, (_, kind) in bad.items()}
    expected |= {"gone.png": "missing", "self.png": "unreadable", "pipe.png": "not-an-image"}
    assert failures(workspace) == expected
    assert stats["pictures"] == len(good) + 1
    assert stats["failed"] == sum(stats["failures"].values()) == len(expected)
    assert {kind for (kind,) in rows(workspace, "failures", "kind")} == {"picture"}
    ids = {product for (product,) in rows(workspace, "products", "product_id")}
    assert {"own:new%0Aline.png", "own:smile%20%F0%9F%98%80.png", "own:latin-%E9.png", "own:x.png/inside.png"} <= ids
    assert ("own:latin-cl%E9/a.png", "latin-cl?") in rows(workspace, "products", "product_id", "product_type")
    sizes = {url.rpartition("/")[2]: size for url, *size in rows(workspace, "images", "url", "width", "height")}
    assert sizes["turned.jpg"] == [24, 32]  # as it is stored
    assert sizes["one.png"] == [1, 1]
    before = contents(workspace)
    add_pictures(workspace, settings, folder)
    assert contents(workspace) == before


def test_what_was_mended_is_no_failure_any_more(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    folder = lay(tmp_path / "mine", {"a.png": b"", "b.png": b"", "c.png": b"", "d.png": picture(1)})
    other = lay(tmp_path / "other", {"e.png": b""})
    add_pictures(workspace, settings, other)
    add_pictures(workspace, settings, folder)
    assert set(failures(workspace)) == {"a.png", "b.png", "c.png", "e.png"}
    lay(folder, {"a.png": picture(2)})
    (folder / "b.png").unlink()
    stats = add_pictures(workspace, settings, folder)
    assert (stats["new_pictures"], stats["failed"]) == (1, 1)
    assert rows(workspace, "failures", "url", "failed_at") == [
        ((folder / "c.png").as_uri(), "2030-01-01T00:00:01Z"),
        ((other / "e.png").as_uri(), "2030-01-01T00:00:00Z"),
    ]


def test_links_that_go_round_do_not_hang(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    folder = lay(tmp_path / "mine", {"z/Shirts/a.png": picture(1)})
    outside = lay(tmp_path / "outside", {"b.png": picture(2)})
    for link in ("a-link", "zz-link"):
        (folder / link).symlink_to(folder / "z")
    (folder / "z" / "up").symlink_to(folder)
    (folder / "z" / "Shirts" / "up").symlink_to(folder / "z")
    (folder / "linked").symlink_to(outside)
    add_pictures(workspace, settings, folder)
    assert [one for (one,) in rows(workspace, "products", "product_id")] == ["own:linked/b.png", "own:z/Shirts/a.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    folder = lay(tmp_path / "mine", {"a.png": picture(1), "b/c.png": picture(2), "d/e.png": picture(3)})
    modes = {folder / "a.png": 0, folder / "b": 0, folder / "d": 0o444}
    try:
        for path, mode in modes.items():
            path.chmod(mode)
        add_pictures(workspace, settings, folder)
        assert failures(workspace) == {"a.png": "unreadable", "b": "unreadable", "e.png": "unreadable"}
    finally:
        for path in modes:
            path.chmod(0o755)


def test_paths_in_a_csv(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    lay(tmp_path, {"out/a.png": picture(1), "in/b.png": picture(2), "in/c d.png": picture(3)})
    cells = ["../out/a.png", tmp_path / "in/b.png", (tmp_path / "in/c d.png").as_uri(), ".", "no.png", "b.png/x"]
    cells += ["https://x.test/p.png", "file://[x", "n\0l.png", "x" * 300]
    (tmp_path / "in" / "l.csv").write_text("\n".join(["file", *map(str, cells)]))
    stats = add_pictures(workspace, settings, tmp_path / "in" / "l.csv")
    assert stats["pictures"] == 3
    assert failures(workspace) == {
        "in": "not-an-image",
        "no.png": "missing",
        "x": "missing",
        "l.csv#row=8": "missing",
        "n%00l.png": "missing",
        "x" * 300: "unreadable",
        "%5Bx": "missing",
    }
    assert (tmp_path / "out/a.png").as_uri() in {url for (url,) in rows(workspace, "images", "url")}


def test_two_folders_with_the_same_names_are_told_apart(
    tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    one = lay(tmp_path / "one", {"1.png": picture(1), "2.png": picture(2)})
    other = lay(tmp_path / "other", {"1.png": picture(3)})
    add_pictures(workspace, settings, one)
    before = contents(workspace)
    with pytest.raises(UserError, match=r"own:1.png is the picture file:.*one/1.png already: .* --shop NAME"):
        add_pictures(workspace, settings, other)
    assert contents(workspace) == before
    add_pictures(workspace, settings, other, AddOptions(shop="other"))
    assert len(workspace.read("products")) == 3
    # A folder that was moved is the same folder.
    shutil.move(one, tmp_path / "moved")
    add_pictures(workspace, settings, tmp_path / "moved")
    urls = {url for (url,) in rows(workspace, "images", "url")}
    assert urls == {(tmp_path / name).as_uri() for name in ("moved/1.png", "moved/2.png", "other/1.png")}


def test_the_workspace_does_not_add_itself(tmp_path: Path, settings: Settings) -> None:
    folder = lay(tmp_path / "mine", {"a.png": picture(1)})
    workspace = Workspace(folder / "ws")
    add_pictures(workspace, settings, folder)
    assert add_pictures(workspace, settings, folder)["products"] == 1
    for path in (workspace.root, workspace / "images"):
        with pytest.raises(UserError, match="got the workspace's own"):
            add_pictures(workspace, settings, path)


def test_processes_do_what_one_does(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    folder = lay(tmp_path / "mine", {f"{n}.png": picture(n % 256) for n in range(300)} | {"x.png": b""})
    add_pictures(workspace, settings, folder)
    several = Workspace(tmp_path / "several")
    two = settings.model_copy(update={"curate": settings.curate.model_copy(update={"processes": 2})})
    add_pictures(several, two, folder)
    assert [line.rsplit(b"2030", 1)[0] for line in contents(several)["images"].splitlines()] == [
        line.rsplit(b"2030", 1)[0] for line in contents(workspace)["images"].splitlines()
    ]
    assert failures(several) == failures(workspace) == {"x.png": "not-an-image"}


def test_a_killed_run_is_made_good_by_the_next(tmp_path: Path, workspace: Workspace, settings: Settings) -> None:
    folder = lay(tmp_path / "mine", {f"{n:03}.png": picture(n) for n in range(250)})
    before = lay(tmp_path / "before", {"old.png": picture(251)})
    add_pictures(workspace, settings, before)
    tables_before = contents(workspace)
    script = "import sys; from fullshot.cli.curation import add; import typer; typer.run(add)"
    process = subprocess.Popen([sys.executable, "-c", script, workspace.root, folder], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while process.poll() is None and len(list(workspace.root.glob("images/*/*.png"))) < 20:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert contents(workspace) == tables_before
    assert add_pictures(workspace, settings, folder)["new_pictures"] == 250
    table = workspace.read("images")
    assert len(table) == 251
    assert {image_store.image_id((workspace / path).read_bytes()) for path in table["path"]} == set(table["image_id"])


@pytest.mark.parametrize(
    ("csv", "options", "message"),
    [
        (b"", AddOptions(), "expected a CSV with a line of column names, got none in"),
        (b"a,b\n1,2\n", AddOptions(), "no column of pictures in"),
        (b"# fullshot\n\nText.\n", AddOptions(), "list.csv is no CSV with a column of pictures (image, image_path, "),
        (b"# fullshot\n\nText.\n", AddOptions(), "or that of --image): its first line is '# fullshot'"),
        (
            b"image,color\na.png,red\n",
            AddOptions(columns={"colour": "colour"}),
            "there are image, color; did you mean color",
        ),
        (b"image\n", AddOptions(), "expected pictures in"),
        (b"image\n\xff\xfe\n", AddOptions(), "expected a folder or a CSV in UTF-8, got"),
        (b"image\n" + b'"' + b"x" * 200_000, AddOptions(), "expected a folder or a CSV in UTF-8, got"),
        (b"image\na.png", AddOptions(root=Path("/nowhere")), "no folder /nowhere to look for the pictures of"),
        (b"image\na.png", AddOptions(shop="a:b"), "expected a shop's name of letters, digits, dots, dashes, got 'a:b'"),
        (b"image\na.png", AddOptions(constants={"gendre": "men"}), "got 'gendre'; did you mean gender?"),
        (b"image\na.png", AddOptions(constants={"gender": "ducks"}), "--set gender: expected one of men, women, "),
        (b"image\na.png", AddOptions(constants={"wear": "head"}), "--set wear: expected one of top, bottom, "),
        (
            b"image\na.png",
            AddOptions(constants={"price": "-3"}),
            "--set price: expected a number of at least 0, got '-3'",
        ),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(
    tmp_path: Path, workspace: Workspace, settings: Settings, csv: bytes, options: AddOptions, message: str
) -> None:
    (tmp_path / "list.csv").write_bytes(csv)
    with pytest.raises(UserError) as told:
        add_pictures(workspace, settings, tmp_path / "list.csv", options)
    assert message in str(told.value)
    assert "\n" not in str(told.value)
    assert not workspace.root.exists()


def test_the_command(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(command)
    lay(tmp_path, {"a.png": picture(1), "b.png": b""})
    (tmp_path / "l.csv").write_text("pic,kind\na.png,Jean\nb.png,Jean\n")
    words = [str(tmp_path / "ws"), str(tmp_path / "l.csv"), "--image", "pic", "--type", "kind", "--json"]
    result = CliRunner().invoke(app, [*words, "--set", "gender=women", "--set", "brand=A=B"])
    assert result.exit_code == 1  # it ran, and something failed
    assert result.stderr.splitlines()[-1].startswith("fullshot: 1 of what ")
    stats = json.loads(result.stdout)
    assert (stats["pictures"], stats["failed"], stats["failures"]) == (1, 1, {"not-an-image": 1})
    workspace = Workspace(tmp_path / "ws")
    assert rows(workspace, "products", "product_type", "wear", "gender", "brand") == [
        ("Jean", "bottom", "women", "A=B")
    ]
    (record,) = workspace.root.glob("runs/add-*.json")
    assert json.loads(record.read_text())["stats"] == stats
    for extra, message in [
        (["--colour", "kinds"], "no column 'kinds' in"),
        (["--set", "women"], "expected --set NAME=VALUE"),
    ]:
        result = CliRunner().invoke(app, [*words, *extra])
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("fullshot: ")
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
    for source, message in [("none", "got no such file"), ("", "expected a CSV with --image, --type, got a folder")]:
        result = CliRunner().invoke(app, [words[0], str(tmp_path / source), *words[2:]])
        assert result.exit_code == 2
        assert message in result.stderr
