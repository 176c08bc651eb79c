import errno
import os
from pathlib import Path

import numpy as np
import pytest
from pytorch_metric_learning.utils import inference

from fullshot.core.errors import StageFailed
from fullshot.core.interfaces import GivesVectors
from fullshot.core.settings import Settings
from fullshot.index.stores import faiss
from fullshot.index.stores.faiss import FaissStore


@pytest.fixture
def store(tmp_path: Path) -> FaissStore:
    """Four products, in two partitions, saved in ``tmp_path``."""
    store = FaissStore.from_settings(Settings(), tmp_path, 4)
    store.build(np.eye(4, dtype=np.float32), np.arange(4), list("abcd"), ["top", "top", "foot", "foot"])
    store.save()
    return store


def test_ids_are_chosen_from_after_the_embedders_library_has_changed_faiss(store: FaissStore) -> None:
    assert inference.FaissKNN()  # loads what replaces the methods of FAISS's indexes
    query = np.eye(1, 4, dtype=np.float32)
    assert store.search(query, "top", 5, only=[1]) == [[(1, 2.0)]]
    assert store.search(query, "top", 5) == [[(0, 0.0), (1, 2.0)]]


def test_only_what_changed_is_written(store: FaissStore, tmp_path: Path) -> None:
    before = (tmp_path / "foot.faiss").stat().st_mtime_ns
    store.remove(np.array([0]))
    store.save()
    assert (tmp_path / "foot.faiss").stat().st_mtime_ns == before
    assert FaissStore.from_settings(Settings(), tmp_path, 4).partitions() == {"foot": 2, "top": 1}


def test_no_index_is_left_behind(store: FaissStore, tmp_path: Path) -> None:
    store.build(np.eye(1, 4, dtype=np.float32), np.arange(1), ["a"], ["long"])
    store.save()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.faiss", "vectors.parquet"]


@pytest.mark.parametrize("name", ["top.faiss", "vectors.parquet"])
def test_a_damaged_file_is_one_line(store: FaissStore, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"half")
    with pytest.raises(StageFailed, match=f"{name} is .*damaged") as error:
        FaissStore.from_settings(Settings(), tmp_path, 4)
    assert "\n" not in str(error.value)


def test_a_missing_index_is_one_line(store: FaissStore, tmp_path: Path) -> None:
    (tmp_path / "top.faiss").unlink()
    with pytest.raises(StageFailed, match=r"top\.faiss is missing or damaged"):
        FaissStore.from_settings(Settings(), tmp_path, 4)


def test_an_index_of_another_table_is_one_line(store: FaissStore, tmp_path: Path) -> None:
    table = (tmp_path / "vectors.parquet").read_bytes()
    store.remove(np.array([0]))
    store.save()
    (tmp_path / "vectors.parquet").write_bytes(table)
    with pytest.raises(StageFailed, match=r"top\.faiss holds other vectors"):
        FaissStore.from_settings(Settings(), tmp_path, 4)


def test_a_saved_index_is_in_memory_when_it_is_asked_for_alone(store: FaissStore, tmp_path: Path) -> None:
    (tmp_path / "top.faiss").rename(tmp_path / "away")
    store.add(np.full((1, 4), 9, np.float32), np.array([4]), ["e"], ["foot"])
    store.save()
    assert store.search(np.full((1, 4), 9, np.float32), "foot", 1) == [[(4, 0.0)]]
    with pytest.raises(StageFailed, match=r"top\.faiss is missing or damaged"):
        store.search(np.eye(1, 4, dtype=np.float32), "top", 1)
    (tmp_path / "away").rename(tmp_path / "top.faiss")
    assert store.search(np.eye(1, 4, dtype=np.float32), "top", 1) == [[(0, 0.0)]]


def test_a_save_that_failed_is_gone_on_with(store: FaissStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store.add(np.full((1, 4), 9, np.float32), np.array([4]), ["e"], ["foot"])
    with monkeypatch.context() as patched:
        patched.setattr(faiss, "write_bytes", full)
        with pytest.raises(OSError, match="space"):
            store.save()
    store.save()
    again = FaissStore.from_settings(Settings(), tmp_path, 4)
    assert again.search(np.full((1, 4), 9, np.float32), "foot", 1) == [[(4, 0.0)]]


def test_vectors_are_given_back_by_their_ids(store: FaissStore, tmp_path: Path) -> None:
    assert isinstance(store, GivesVectors)
    opened = FaissStore.from_settings(Settings(), tmp_path, 4)
    opened.remove(np.array([1]))
    opened.add(np.full((1, 4), 7, np.float32), np.array([9]), ["e"], ["top"])
    expected = [[0, 0, 0, 1], [7, 7, 7, 7], [1, 0, 0, 0]]
    assert opened.vectors(np.array([3, 9, 0])).tolist() == expected
    assert opened.vectors(np.array([], np.int64)).shape == (0, 4)
    with pytest.raises(KeyError):
        opened.vectors(np.array([1]))
