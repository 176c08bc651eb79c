"""A table's CSV and Parquet: which of them is right, and what a kill or a person's hand leaves behind."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fullshot.core import files, tables
from fullshot.core.errors import BadTable, MissingInput, StageFailed
from fullshot.core.tables import stored
from fullshot.core.tables.schemas import SCHEMAS
from fullshot.core.workspace import Workspace

PRODUCTS: list[dict[str, Any]] = [
    {"product_id": f"s:{number}", "gender": "men", "wear": "top", "name": f"shirt {number}", "price": number}
    for number in range(4)
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    result = Workspace(tmp_path)
    result.write("products", tables.frame("products", PRODUCTS))
    return result


def names(workspace: Workspace) -> list[str]:
    return [str(name) for name in workspace.read("products")["name"]]


def test_a_parquet_says_what_its_csv_says(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    assert names(workspace) == [f"shirt {number}" for number in range(4)]
    assert (workspace / "tables/products.parquet").is_file()
    assert capfd.readouterr().err == ""


def test_many_rows_stand_in_the_same_order_in_both(tmp_path: Path) -> None:
    count = 130_000  # more than a row group of the Parquet
    with Workspace(tmp_path).open() as data:
        data.write("labels", f"SELECT i AS label, 's:' || i AS product_id FROM range({count}) AS rows(i)")
        assert data.rows("SELECT label FROM labels") == [(number,) for number in range(count)]
    lines = (tmp_path / "exports/labels.csv").read_text().splitlines()
    assert lines[1:] == [f"{number},s:{number}" for number in range(count)]


def test_a_csv_changed_by_hand_is_taken_in_once_and_that_is_said(
    workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    path = workspace.table("products")
    path.write_text(path.read_text().replace("shirt 2", "coat"))
    assert names(workspace)[2] == "coat"
    assert (
        capfd.readouterr().err
        == f"fullshot: {path} was changed since it was written: taken in (4 rows before, 4 now)\n"
    )
    assert names(workspace)[2] == "coat"
    assert capfd.readouterr().err == ""


def test_a_csv_that_was_cut_to_its_header_is_told_by_the_count_of_its_rows(
    workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    path = workspace.table("products")
    whole = path.read_text()
    path.write_text(whole.splitlines()[0] + "\n")
    assert names(workspace) == []
    assert "taken in (4 rows before, 0 now)\n" in capfd.readouterr().err
    path.write_text(whole)
    (workspace / "tables/products.parquet").write_bytes(b"damaged")
    assert len(names(workspace)) == 4
    assert "taken in (4 rows now)\n" in capfd.readouterr().err


def test_a_csv_that_was_deleted_is_written_again(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    path, parquet = workspace.table("products"), workspace / "tables/products.parquet"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{header},note", *(f"{row},mine" for row in rows)]) + "\n")
    assert len(names(workspace)) == 4
    before, digests = path.read_bytes(), workspace.digests(["products"])
    capfd.readouterr()
    said = (
        f"fullshot: {path} was deleted: written again from {parquet}; "
        "to be rid of the table, delete that file as well\n"
    )
    ways: list[Callable[[], object]] = [
        lambda: workspace.read("products"),
        lambda: workspace.read_if_there("products"),
        lambda: workspace.digests(["products"]) == digests or pytest.fail("another digest"),
        lambda: add_a_product(workspace),
    ]
    for way in ways:
        path.unlink()
        workspace.must_have("products")
        way()
        assert capfd.readouterr().err == said
        assert path.read_bytes().startswith(before)
        assert names(workspace)
        assert capfd.readouterr().err == ""
    assert set(workspace.read("products")["note"].dropna()) == {"mine"}
    path.unlink()
    parquet.unlink()
    for call in (lambda: workspace.must_have("products"), lambda: workspace.read("products")):
        with pytest.raises(MissingInput, match=r"no products\.csv in .*: run `fullshot crawl"):
            call()
    assert workspace.read_if_there("products").empty


def add_a_product(workspace: Workspace) -> None:
    """As commands do that need no table to begin with."""
    with workspace.open() as data:
        data.make_if_missing("products")
        data.write("products", "SELECT * FROM products UNION ALL BY NAME SELECT 's:9' AS product_id, 'men' AS gender")


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_table_comes_back(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(name, tables.frame(name))
    path = workspace.table(name)
    whole = path.read_bytes()
    path.unlink()
    with workspace.open() as data:
        data.make_if_missing(name)
        assert data.rows(f"SELECT count(*) FROM {name}") == [(0,)]
    assert path.read_bytes() == whole
    assert capfd.readouterr().err.count(f"{path} was deleted") == 1


@pytest.mark.parametrize("content", [b"", b"PAR1", b"neither this nor that"])
def test_a_deleted_csv_whose_parquet_is_damaged_is_said(workspace: Workspace, content: bytes) -> None:
    workspace.table("products").unlink()
    (workspace / "tables/products.parquet").write_bytes(content)
    with pytest.raises(StageFailed) as caught:
        workspace.read("products")
    assert "products.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not workspace.table("products").exists()
    assert not list(workspace.root.rglob("*.part"))


def test_a_kill_while_a_deleted_csv_is_written_again_is_not_taken_for_a_persons_hand(
    workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    path = workspace.table("products")
    path.write_text(path.read_text().replace("\n", "\r\n"))  # written again, it is another file
    expected = names(workspace)
    path.unlink()
    killed = KILLED.replace(
        'Workspace(sys.argv[1]).write("products", tables.frame("products", rows))',
        'Workspace(sys.argv[1]).read("products")',
    )
    for steps in ("0", "2"):
        assert subprocess.run([sys.executable, "-c", killed, workspace.root, steps], check=False).returncode == -9
        assert path.exists() == (steps == "2")
    capfd.readouterr()
    assert names(workspace) == expected
    assert "was changed" not in capfd.readouterr().err


def test_a_csv_of_the_same_size_and_another_time_is_noticed(workspace: Workspace) -> None:
    path = workspace.table("products")
    before = path.stat()
    path.write_text(path.read_text().replace("shirt 2", "skirt 2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert path.stat().st_size == before.st_size
    assert names(workspace)[2] == "skirt 2"


def test_a_copied_workspace_is_not_taken_in_again(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, capfd: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path_factory.mktemp("copy") / "ws"
    shutil.copytree(workspace.root, copy, copy_function=shutil.copyfile)
    parquet = copy / "tables/products.parquet"
    before = parquet.stat().st_ino
    assert names(Workspace(copy)) == names(workspace)
    assert parquet.stat().st_ino == before
    assert capfd.readouterr().err == ""


def test_nonsense_is_named_cell_by_cell_and_stays(workspace: Workspace) -> None:
    path = workspace.table("products")
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace(",men,", ",mex,")
    lines[3] = lines[3].replace(",2.0,", ",cheap,")
    path.write_text("\n".join([*lines, ""]))
    with pytest.raises(BadTable) as caught:
        workspace.read("products")
    genders = "men, women, boys, girls, unisex, unknown"
    assert str(caught.value) == (
        f"{path}: row 2 column gender: expected one of {genders}, got 'mex'; "
        "row 4 column price: expected a number, got 'cheap'"
    )
    # Nor is it written over by who never read it.
    nonsense = path.read_bytes()
    with pytest.raises(BadTable, match="row 2 column gender"):
        workspace.write("products", tables.frame("products", PRODUCTS[:1]))
    assert path.read_bytes() == nonsense


def test_mistakes_of_all_kinds_are_named_together(workspace: Workspace) -> None:
    path = workspace.table("products")
    header, *rows = (line.split(",") for line in path.read_text().splitlines())
    mistakes = {"price": "cheap", "wear": "head", "currency": "Rs.", "fetched_at": "02/11/2026", "product_id": "s:0"}
    for row, (column, cell) in zip([rows[0], rows[0], rows[1], rows[2], rows[3]], mistakes.items(), strict=True):
        row[header.index(column)] = cell
    path.write_text("".join(",".join(row) + "\n" for row in (header, *rows)))
    with pytest.raises(BadTable) as caught:
        workspace.read("products")
    assert str(caught.value) == f"{path}: " + "; ".join(
        [
            "row 2 column price: expected a number, got 'cheap'",
            "row 2 column product_id: expected each value in one row only, got 's:0'",
            "row 2 column wear: expected one of top, bottom, foot, long, other, got 'head'",
            "row 3 column currency: expected three capital letters as ISO 4217 has them, such as EUR, got 'Rs.'",
            "row 4 column fetched_at: expected a time as ISO 8601 writes it, such as 2026-11-02T09:30:00Z, "
            "got '02/11/2026'",
            "row 5 column product_id: expected each value in one row only, got 's:0'",
        ]
    )


def test_a_cell_that_is_no_number_is_not_said_to_be_empty_as_well(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write("labels", tables.frame("labels", [{"label": 1, "product_id": "s:1"}]))
    path = workspace.table("labels")
    path.write_text("label,product_id\nfirst,s:1\n,s:2\n")
    with pytest.raises(BadTable) as caught:
        workspace.read("labels")
    assert str(caught.value) == (
        f"{path}: row 2 column label: expected a whole number, got 'first'; "
        "row 3 column label: expected a cell that is not empty, got an empty cell"
    )


def test_a_persons_columns_may_be_called_as_the_checks_call_theirs(workspace: Workspace) -> None:
    path = workspace.table("products")
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{header},row number,text of price", *(f"{row},7,8" for row in rows), ""]))
    assert set(workspace.read("products")["text of price"]) == {"8"}
    path.write_text(path.read_text().replace(",men,", ",mex,", 1))
    with pytest.raises(BadTable, match=r"row 2 column gender: .*, got 'mex'$"):
        workspace.read("products")


def test_what_a_person_changed_meanwhile_is_kept(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    path = workspace.table("products")
    with workspace.open() as data:
        rows = data.frame("products")
        path.write_text(path.read_text().replace("shirt 2", "coat"))
        data.write("products", rows)
    (aside,) = workspace.root.glob("products.changed-*.csv")
    assert "coat" in aside.read_text()
    assert names(workspace)[2] == "shirt 2"
    assert f"the changed one is kept as {aside.name}" in capfd.readouterr().err


def test_what_a_person_changed_in_a_table_that_is_made_anew_is_kept(
    workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    row = {"image_id": "a" * 64, "split": "train", "shot": "item"}
    workspace.write("curated", tables.frame("curated", [row]))
    path = workspace.table("curated")
    path.write_text(path.read_text().replace("item", "full"))
    with workspace.open() as data:
        assert data.rows("SELECT shot FROM curated") == [("full",)]
        data.write("curated", tables.frame("curated", [row]))
    (aside,) = workspace.root.glob("curated.changed-*.csv")
    assert "full" in aside.read_text()
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert f"`fullshot curate` makes it anew: the changed one is kept as {aside.name}" in said


def test_empty_lines_are_no_rows(workspace: Workspace) -> None:
    path = workspace.table("products")
    path.write_text(path.read_text() + "\n" * 25_000 + "s:7,,gown,,women\n")
    assert names(workspace)[-1] == "gown"


def test_many_bad_cells_are_counted(workspace: Workspace) -> None:
    path = workspace.table("products")
    rows = "".join(f"s:{number},,,,mex{',' * 16}\n" for number in range(10, 35))
    path.write_text(path.read_text() + rows)
    with pytest.raises(BadTable, match=r"row 6 column gender: .*; row 15 column gender: [^;]*; and 15 more$"):
        workspace.read("products")


@pytest.mark.parametrize("content", [b"PAR1", b"", None])
def test_a_damaged_parquet_is_made_again(
    workspace: Workspace, content: bytes | None, capfd: pytest.CaptureFixture[str]
) -> None:
    parquet = workspace / "tables/products.parquet"
    whole = parquet.read_bytes()
    parquet.write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert names(workspace) == [f"shirt {number}" for number in range(4)]
    assert capfd.readouterr().err == f"fullshot: {parquet} is damaged: made again from products.csv\n"
    assert names(workspace)
    assert capfd.readouterr().err == ""


def test_a_missing_parquet_is_said_to_be_missing(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    parquet = workspace / "tables/products.parquet"
    parquet.unlink()
    assert names(workspace)
    assert capfd.readouterr().err == f"fullshot: {parquet} is missing: made again from products.csv\n"


@pytest.mark.parametrize(("sign", "signs"), [(";", "semicolons"), ("\t", "tabs")])
def test_a_spreadsheets_other_separators_are_named(workspace: Workspace, sign: str, signs: str) -> None:
    path = workspace.table("products")
    path.write_text(path.read_text().replace(",", sign), encoding="utf-8-sig")
    with pytest.raises(BadTable) as caught:
        workspace.read("products")
    assert str(caught.value) == f"{path}: its cells are separated by {signs}: save it with commas between them"


@pytest.mark.parametrize(("encoding", "place"), [("cp1252", "0xfc in line 3"), ("utf-16", "0xff in line 1")])
def test_a_spreadsheets_other_encodings_are_named(workspace: Workspace, encoding: str, place: str) -> None:
    path = workspace.table("products")
    path.write_text(path.read_text().replace("shirt 1", "gr\u00fcn"), encoding=encoding)
    with pytest.raises(BadTable) as caught:
        workspace.read("products")
    assert str(caught.value) == f"{path} is not UTF-8 (byte {place}): save it as CSV UTF-8"


@pytest.mark.parametrize("quote", ["", 'a "quoted" one'])  # read by Arrow, and by Python
def test_rows_of_commas_alone_are_left_out(workspace: Workspace, quote: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = workspace.table("products")
    header, *rows = path.read_text().splitlines()
    rows[0] = rows[0].replace("shirt 0", quote)
    nothing = "," * header.count(",")
    path.write_text("\n".join([header, rows[0], nothing, *rows[1:], nothing, ""]))
    assert len(names(workspace)) == 4
    counts = "4 rows before, 4 now, 2 without a cell left out"
    assert capfd.readouterr().err == f"fullshot: {path} was changed since it was written: taken in ({counts})\n"
    # Rows are numbered as a spreadsheet does.
    path.write_text(path.read_text().replace("s:1,", ",").replace("s:2,men", "s:2,mex"))
    with pytest.raises(BadTable, match=r"row 4 column product_id: .*, got an empty cell"):
        workspace.read("products")


def test_a_parquet_that_is_damaged_within_is_made_again(
    workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    parquet = workspace / "tables/products.parquet"
    whole = bytearray(parquet.read_bytes())
    whole[len(whole) // 3] ^= 255
    parquet.write_bytes(whole)
    assert names(workspace) == [f"shirt {number}" for number in range(4)]
    assert capfd.readouterr().err == f"fullshot: {parquet} is damaged: made again from products.csv\n"


def test_who_took_in_an_older_csv_does_not_undo_what_was_written_meanwhile(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, parquet = workspace.table("products"), workspace / "tables/products.parquet"
    path.write_text(path.read_text().replace("shirt 2", "coat"))
    assert "coat" in names(workspace)
    older = parquet.read_bytes()
    keep = stored.TableFiles._keep

    def after_the_other(table: stored.TableFiles, record: stored.Record) -> None:
        parquet.write_bytes(older)
        keep(table, record)

    monkeypatch.setattr(stored.TableFiles, "_keep", after_the_other)
    workspace.write("products", tables.frame("products", [{**PRODUCTS[0], "name": "gown"}]))
    monkeypatch.undo()
    assert names(workspace) == ["gown"]


def test_a_lost_parquet_is_made_again(workspace: Workspace) -> None:
    (workspace / "tables/products.parquet").unlink()
    assert names(workspace) == [f"shirt {number}" for number in range(4)]


KILLED = """
import os, signal, sys
from pathlib import Path
from fullshot.core import tables
from fullshot.core.tables import stored
from fullshot.core.workspace import Workspace

put = stored._put_in_place
steps = int(sys.argv[2])

def counting(part, target):
    global steps
    if steps == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    steps -= 1
    put(part, target)

stored._put_in_place = counting
rows = [{"product_id": "s:9", "gender": "women", "name": "gown"}]
keep = stored.TableFiles._keep

def killed(table, record):
    if not record.coming:
        os.kill(os.getpid(), signal.SIGKILL)
    keep(table, record)

if sys.argv[2] == "2":
    stored.TableFiles._keep = killed
Workspace(sys.argv[1]).write("products", tables.frame("products", rows))
"""


@pytest.mark.parametrize(("steps", "expected"), [(0, "old"), (1, "new"), (2, "new")])
def test_a_kill_between_the_files_leaves_the_old_table_or_the_new_one(
    workspace: Workspace, capfd: pytest.CaptureFixture[str], steps: int, expected: str
) -> None:
    old = names(workspace)
    done = subprocess.run([sys.executable, "-c", KILLED, workspace.root, str(steps)], check=False)
    assert done.returncode == -9
    assert names(workspace) == (["gown"] if expected == "new" else old)
    # It is not taken for a person's hand.
    parquet = workspace / "tables/products.parquet"
    said = f"fullshot: {parquet} was not finished by a command that was ended: made again from products.csv\n"
    assert capfd.readouterr().err == (said if expected == "new" else "")
    assert names(workspace) == (["gown"] if expected == "new" else old)
    assert capfd.readouterr().err == ""
    assert len(workspace.table("products").read_text().splitlines()) == len(names(workspace)) + 1


def test_a_full_disk_leaves_the_old_table(workspace: Workspace) -> None:
    before = workspace.table("products").read_bytes()
    rows = [{**PRODUCTS[0], "product_id": f"s:{number}", "name": os.urandom(400).hex()} for number in range(2_000)]
    limited = (
        "import resource, signal, sys\n"
        "from fullshot.core import tables\n"
        "from fullshot.core.errors import StageFailed\n"
        "from fullshot.core.workspace import Workspace\n"
        "import pandas as pd\n"
        "data = pd.read_pickle(sys.argv[2])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    Workspace(sys.argv[1]).write('products', data)\n"
        "except (StageFailed, OSError) as error:\n"
        "    print(error)\n"
        "    sys.exit(7)\n"
    )
    data = workspace.root.parent / "rows.pickle"
    tables.frame("products", rows).to_pickle(data)
    done = subprocess.run(
        [sys.executable, "-c", limited, workspace.root, data], check=False, capture_output=True, text=True
    )
    data.unlink()
    assert (done.returncode, done.stdout.count("\n")) == (7, 1), done.stderr
    assert workspace.table("products").read_bytes() == before
    assert len(names(workspace)) == len(PRODUCTS)
    assert not list(workspace.root.rglob("*.part"))


def old_workspace(folder: Path) -> Workspace:
    """As version 0.1 left it: CSVs alone."""
    workspace = Workspace(folder)
    folder.mkdir()
    workspace.write("products", tables.frame("products", PRODUCTS))
    workspace.write("failures", tables.frame("failures"))
    shutil.rmtree(workspace / "tables")
    return workspace


def test_a_workspace_of_version_0_1_is_brought_up_to_date_in_one_step(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    workspace = old_workspace(tmp_path / "old")
    with workspace.open() as data:
        assert data.rows("SELECT count(*) FROM products") == [(4,)]
    assert "are CSVs alone, as version 0.1 wrote them: taken into tables/" in capfd.readouterr().err
    assert sorted(path.name for path in (workspace / "tables").glob("*.parquet")) == [
        "failures.parquet",
        "products.parquet",
    ]
    with workspace.open():
        assert capfd.readouterr().err == ""


def test_two_commands_bring_it_up_to_date_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    workspace = old_workspace(tmp_path / "old")
    keep, other = stored.TableFiles._keep, tmp_path / "other"
    shutil.copytree(workspace.root, other)
    assert len(names(Workspace(other))) == len(PRODUCTS)
    capfd.readouterr()

    def after_the_other(table: stored.TableFiles, record: stored.Record) -> None:
        keep(table, record)
        if not (workspace / "tables").exists():
            shutil.copytree(other / "tables", workspace / "tables")

    monkeypatch.setattr(stored.TableFiles, "_keep", after_the_other)
    assert len(names(workspace)) == len(PRODUCTS)
    assert "version 0.1" not in capfd.readouterr().err
    assert not list(workspace.root.glob(".*.part"))


def test_it_is_left_as_it_was_when_that_is_killed(tmp_path: Path) -> None:
    workspace = old_workspace(tmp_path / "old")
    before = {path: files.digest(path) for path in workspace.root.rglob("*") if path.is_file()}
    killed = (
        "import os, signal, sys\n"
        "from fullshot.core.tables import stored\n"
        "from fullshot.core.workspace import Workspace\n"
        "stored.TableFiles._keep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Workspace(sys.argv[1]).open()\n"
    )
    assert subprocess.run([sys.executable, "-c", killed, workspace.root], check=False).returncode == -9
    assert not (workspace / "tables").exists()
    assert {path: files.digest(path) for path in before} == before
    assert len(names(workspace)) == len(PRODUCTS)


def test_an_old_workspace_that_nobody_may_write_to_is_said_in_one_line(tmp_path: Path) -> None:
    workspace = old_workspace(tmp_path / "old")
    in_the_way = workspace / f".tables.{os.getpid()}.part"  # what is refused to root as well
    in_the_way.touch()
    with pytest.raises(StageFailed) as caught:
        workspace.open()
    message = str(caught.value)
    assert message.startswith(f"{workspace.root} has tables of version 0.1, which cannot be taken into tables/: ")
    assert str(in_the_way) in message
    assert "\n" not in message
    in_the_way.unlink()
    assert len(names(workspace)) == len(PRODUCTS)


def test_a_changed_csv_that_cannot_be_taken_in_is_said_in_one_line(workspace: Workspace) -> None:
    path = workspace.table("products")
    path.write_text(path.read_text().replace("shirt 2", "coat"))
    shutil.rmtree(workspace / "tables")
    (workspace / "tables").touch()
    with pytest.raises(StageFailed) as caught:
        workspace.read("products")
    assert str(caught.value).startswith(f"{path} cannot be taken into {workspace / 'tables/products.parquet'}: ")
    assert "\n" not in str(caught.value)


def test_a_broken_table_of_an_old_workspace_is_said_by_who_asks_for_it(tmp_path: Path) -> None:
    workspace = old_workspace(tmp_path / "old")
    path = workspace.table("failures")
    path.write_text(path.read_text() + "u,,c,m,,\n")
    assert len(names(workspace)) == len(PRODUCTS)
    with pytest.raises(BadTable, match="row 2 column kind: expected a cell that is not empty"):
        workspace.read("failures")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("product_id,product_id\n", "expected each column once, got product_id twice"),
        ("product_id,note,Note\n", "expected each column once, got note and Note"),
        ("product_id,url,URL\n", "expected each column once, got url and URL"),
        ("product_id,,url\n", "expected a name for each column, got none for column 2"),
        ("product_id,_FS_seq\n", "expected another name for the column _FS_seq: fullshot uses it itself"),
        ("\n", "not a CSV table: it has no columns"),
        ('"unfinished', "not a CSV table: unexpected end of data"),
        ("product_id,gender\n\x00\xff\n", "expected a column url, name"),
    ],
)
def test_a_file_that_is_no_table_is_said(workspace: Workspace, text: str, message: str) -> None:
    workspace.table("products").write_text(text)
    with pytest.raises(BadTable, match=message):
        workspace.read("products")


def test_a_row_with_too_many_cells_is_said(workspace: Workspace) -> None:
    path = workspace.table("products")
    path.write_text(path.read_text() + "s:7" + "," * 40 + "x\n")
    with pytest.raises(BadTable, match=r"row 6: expected 21 cells, got 41$"):
        workspace.read("products")


MOST_READ_AT_ONCE = 1 << 24  # bytes of a CSV


@pytest.mark.parametrize("cell", ['"Nike" shoes', '"a""" b', '"a"b"'])
def test_what_follows_a_closed_quotation_mark_is_said(workspace: Workspace, cell: str) -> None:
    path = workspace.table("products")
    path.write_text(path.read_text() + f"s:7,,{cell},,women{',' * 16}\n")
    with pytest.raises(BadTable, match=r"""products.csv: not a CSV table: ',' expected after '"' \(line 6\)$"""):
        workspace.read("products")


@pytest.mark.parametrize("beyond", range(-2, 3))
def test_quotation_marks_are_looked_at_across_what_is_read_at_once(workspace: Workspace, beyond: int) -> None:
    path = workspace.table("products")
    before, rest = path.read_text(), f"women{',' * 16}\n"
    row = f"s:{{}},,{'x' * 60_000},,{rest}"
    count = (MOST_READ_AT_ONCE - len(before)) // len(row) - 1
    text = before + "".join(row.format(1000 + number) for number in range(count))
    # The mark that closes the cell is the last byte of what is read at once, or near it.
    start = "s:9,,"
    filling = MOST_READ_AT_ONCE + beyond - len(text) - len(start) - len('"Nike"')
    name = f'"{"x" * filling}Nike" shoes'
    path.write_text(f"{text}{start}{name},,{rest}")
    with pytest.raises(BadTable, match="not a CSV table: ',' expected after"):
        workspace.read("products")


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ('"a, b"', "a, b"),
        ('"a ""b"" c"', 'a "b" c'),
        ('""', ""),
        ('""""', '"'),
        ('"a\nb"', "a\nb"),
        ('a "b" c', 'a "b" c'),
        (' "a"', ' "a"'),
    ],
)
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotation_marks_round_a_cell_and_within_one(
    workspace: Workspace, cell: str, name: str, start: str, end: str
) -> None:
    path = workspace.table("products")
    lines = [*path.read_text().splitlines(), f"s:7,,{cell},,women{',' * 16}"]
    path.write_text(start + end.join(lines) + end, newline="")
    assert workspace.read("products")["name"].astype(object).fillna("").tolist()[-1] == name


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "nan", "1_000", "1e999"])
def test_what_is_no_number_of_things_is_said(workspace: Workspace, cell: str) -> None:
    path = workspace.table("products")
    header = path.read_text().splitlines()[0].split(",")
    row = {"product_id": "s:7", "gender": "women", "price": cell, "rating_count": cell}
    path.write_text(path.read_text() + ",".join(row.get(column, "") for column in header) + "\n")
    with pytest.raises(BadTable) as caught:
        workspace.read("products")
    for column, kind in (("price", "number"), ("rating_count", "whole number")):
        assert f"row 6 column {column}: expected a {kind}, got {cell!r}" in str(caught.value)


def test_a_row_that_a_spreadsheet_cut_short_is_filled_up(workspace: Workspace) -> None:
    path = workspace.table("products")
    path.write_text(path.read_text() + "s:7,,gown,,women\r\n")
    assert names(workspace)[-1] == "gown"


def test_memory_that_runs_out_is_said(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from fullshot.core.tables import connection

    monkeypatch.setattr(connection, "MEMORY", "1MiB")
    with workspace.open() as data, pytest.raises(StageFailed, match="not enough memory for a table"):
        data.rows("SELECT count(DISTINCT random()) FROM range(5_000_000)")


def test_all_tables_have_their_files_where_they_belong(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for name in SCHEMAS:
        parts = stored.TableFiles.of(tmp_path, name, workspace.table(name))
        beside = parts.csv.parent.name == "exports"
        assert parts.parquet.parent == (workspace.exports if beside else tmp_path / "tables")
        assert parts.record == tmp_path / "tables" / f"{name}.json"


def test_a_csv_that_is_saved_while_it_is_taken_in_is_told_from_what_it_was(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, digest = workspace.table("products"), files.digest
    path.write_text(path.read_text().replace("shirt 2", "coat"))
    take_in = stored.TableFiles.take_in

    def saved_after_it_was_digested(of: Path) -> str:
        result = digest(of)
        path.write_text(path.read_text().replace("coat", "gown"))
        return result

    def while_a_person_saves(table: stored.TableFiles, connection: Any) -> tuple[int, int]:
        with monkeypatch.context() as person:
            person.setattr(files, "digest", saved_after_it_was_digested)
            return take_in(table, connection)

    monkeypatch.setattr(stored.TableFiles, "take_in", while_a_person_saves)
    assert "gown" in names(workspace)
    monkeypatch.undo()
    assert workspace.digests(["products"]) == {"products.csv": digest(path)}


@pytest.mark.parametrize("column", ["file_row_number", "row number", "text of price", "row", "times"])
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("much", "row 3 column price: expected a number, got 'much'"),
        ("much" * 1000, f"row 3 column price: expected a number, got '{'much' * 20}'… (4000 characters)"),
    ],
)
def test_a_bad_cell_is_named_whatever_else_stands_in_its_row(
    workspace: Workspace, column: str, cell: str, said: str
) -> None:
    path = workspace.table("products")
    header, *lines = path.read_text().splitlines()
    lines = [f"{line},theirs" for line in lines]
    lines[1] = lines[1].replace(",1.0,", f",{cell},")
    path.write_text("\n".join([f"{header},{column}", *lines]) + "\n")
    with pytest.raises(BadTable) as caught:
        workspace.read("products")
    assert str(caught.value) == f"{path}: {said}"


def test_of_many_rows_that_stand_twice_some_are_named_and_all_counted(workspace: Workspace) -> None:
    path = workspace.table("products")
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *lines, *lines, *lines]) + "\n")
    with pytest.raises(BadTable, match=r"row 2 column product_id: .*row 11 column product_id: .*; and 2 more$"):
        workspace.read("products")


def test_two_changes_of_one_second_are_both_kept(workspace: Workspace) -> None:
    workspace.write("queue", tables.frame("queue", [{"image_id": "0" * 64, "image_path": "0.jpg"}]))
    path = workspace.table("queue")
    for change in ("one.jpg", "other.jpg", "other.jpg"):
        workspace.write("queue", tables.frame("queue", [{"image_id": "0" * 64, "image_path": "0.jpg"}]))
        path.write_text(path.read_text().replace("0.jpg", change))
        os.utime(path, (1_000_000_000, 1_000_000_000))
        workspace.read("queue")
    kept = sorted(file.read_text().split(",")[-3] for file in path.parent.glob("queue.changed-*.csv"))
    assert kept == ["one.jpg", "other.jpg"]
