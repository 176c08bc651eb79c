"""What every blob store does, whichever it is."""

import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fullshot.core.blobs import BLOB_STORES
from fullshot.core.interfaces import BlobStore

Make = Callable[[], BlobStore]


@pytest.fixture(params=BLOB_STORES.names())
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return BLOB_STORES.get(request.param)(tmp_path / "blobs")


def test_what_is_written_is_read(store: BlobStore) -> None:
    store.write("images/ab/abcd.jpg", b"first")
    store.write("images/ab/abcd.jpg", b"second")
    assert store.read("images/ab/abcd.jpg") == b"second"
    assert store.size("images/ab/abcd.jpg") == len(b"second")


def test_a_blob_holds_any_bytes(store: BlobStore) -> None:
    for content in (b"", b"\r\n\0\xff", os.urandom(100_000)):
        store.write("blob", content)
        assert (store.read("blob"), store.size("blob")) == (content, len(content))


def test_a_name_with_other_signs_is_a_name(store: BlobStore) -> None:
    for name in ("images/ein Bild.jpg", "images/\N{HIRAGANA LETTER KA}.jpg", "images/100%/a+b&c#d.jpg", ".hidden"):
        store.write(name, name.encode())
        assert store.read(name) == name.encode()
    assert len(list(store.names())) == 4


def test_a_folder_is_no_blob(store: BlobStore) -> None:
    store.write("images/ab/abcd.jpg", b"1")
    assert store.size("images/ab") is None
    assert list(store.names("images/ab")) == ["images/ab/abcd.jpg"]


def test_readers_never_see_a_part(store: BlobStore) -> None:
    contents = [bytes([number]) * 1_000_000 for number in range(2)]
    store.write("blob", contents[0])
    done = threading.Event()

    def write() -> None:
        for number in range(20):
            store.write("blob", contents[number % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert store.read("blob") in contents
    writer.join()
    assert list(store.names()) == ["blob"]


def test_what_is_not_there_is_said(store: BlobStore) -> None:
    assert store.size("images/none.jpg") is None
    store.delete("images/none.jpg")
    with pytest.raises(FileNotFoundError):
        store.read("images/none.jpg")


def test_names_are_told_in_order_by_their_beginning(store: BlobStore) -> None:
    assert list(store.names()) == []
    for name in ("images/b/2.jpg", "images/a/1.jpg", "boxes.csv", "images/ab.jpg"):
        store.write(name, b"")
    assert list(store.names()) == ["boxes.csv", "images/a/1.jpg", "images/ab.jpg", "images/b/2.jpg"]
    assert list(store.names("images/a")) == ["images/a/1.jpg", "images/ab.jpg"]
    store.delete("images/a/1.jpg")
    assert list(store.names("images/")) == ["images/ab.jpg", "images/b/2.jpg"]


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../outside", "images/../../outside", "images\\..\\x", "images/", "images//x", "./x", "x\0"],
)
def test_no_name_leads_out_of_the_store(store: BlobStore, name: str) -> None:
    for use in (store.read, store.size, store.delete, lambda name: store.write(name, b"")):
        with pytest.raises(ValueError, match="expected a name"):
            use(name)


def test_a_worker_process_gets_the_same_store(store: BlobStore) -> None:
    store.write("a", b"1")
    assert pickle.loads(pickle.dumps(store)).read("a") == b"1"  # noqa: S301
