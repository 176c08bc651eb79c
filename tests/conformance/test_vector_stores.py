"""What every vector store does, whichever it is."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fullshot.core.errors import UserError
from fullshot.core.interfaces import VectorStore
from fullshot.core.settings import Settings
from fullshot.index.stores import VECTOR_STORES

DIMENSION = 8
PARTITIONS = ("top", "bottom", "foot")

Vectors = NDArray[np.float32]


@pytest.fixture(params=VECTOR_STORES.names())
def kind(request: pytest.FixtureRequest) -> type[VectorStore]:
    return VECTOR_STORES.get(request.param)


def opened(kind: type[VectorStore], folder: Path, dimension: int = DIMENSION) -> VectorStore:
    return kind.from_settings(Settings(), folder, dimension)


@pytest.fixture
def store(kind: type[VectorStore], tmp_path: Path) -> VectorStore:
    return opened(kind, tmp_path / "store")


class Rows:
    """Vectors of products with one to five pictures each, over three partitions."""

    def __init__(self, count: int = 300, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.vectors: Vectors = random.normal(size=(count, DIMENSION)).astype(np.float32)
        self.ids = random.permutation(10 * count)[:count].astype(np.int64)
        numbers = np.sort(random.integers(0, count // 3, count))
        self.products = [f"shop:{number}" for number in numbers]
        self.partitions = [PARTITIONS[number % 3] for number in numbers]

    def build(self, store: VectorStore) -> None:
        store.build(self.vectors, self.ids, self.products, self.partitions)

    def nearest(
        self, queries: Vectors, partition: str, products: int, only: set[int] | None = None
    ) -> list[list[tuple[int, float]]]:
        """The answer by its definition: every distance, sorted, and the first vector of each product."""
        answers = []
        for query in queries:
            distances = ((self.vectors - query) ** 2).sum(axis=1)
            first: dict[str, tuple[int, float]] = {}
            for row in np.lexsort((self.ids, distances)):
                if self.partitions[row] == partition and (only is None or int(self.ids[row]) in only):
                    first.setdefault(self.products[row], (int(self.ids[row]), float(distances[row])))
            answers.append(list(first.values())[:products])
        return answers


def assert_same(found: list[list[tuple[int, float]]], expected: list[list[tuple[int, float]]]) -> None:
    assert [[number for number, _ in answer] for answer in found] == [
        [number for number, _ in answer] for answer in expected
    ]
    for answer, right in zip(found, expected, strict=True):
        assert [distance for _, distance in answer] == pytest.approx([distance for _, distance in right], abs=1e-4)


@pytest.fixture
def queries() -> Vectors:
    """More than twenty: FAISS computes larger batches in another way."""
    return np.random.default_rng(1).normal(size=(40, DIMENSION)).astype(np.float32)


@pytest.mark.parametrize("products", [1, 5, 1000])
def test_search_finds_the_nearest_products_each_once(store: VectorStore, queries: Vectors, products: int) -> None:
    rows = Rows()
    rows.build(store)
    for partition in PARTITIONS:
        expected = rows.nearest(queries, partition, products)
        assert_same(store.search(queries, partition, products), expected)
        assert_same(store.search(queries[:1], partition, products), expected[:1])


def test_a_product_with_very_many_vectors_does_not_hide_the_others(store: VectorStore) -> None:
    vectors = np.zeros((40, DIMENSION), np.float32)
    vectors[:, 0] = np.arange(40)
    store.build(vectors, np.arange(40), ["shop:1"] * 30 + ["shop:2"] * 9 + ["shop:3"], ["top"] * 40)
    assert store.search(vectors[:1], "top", 3) == [[(0, 0.0), (30, 900.0), (39, 39.0**2)]]
    assert store.search(vectors[:1], "top", 2) == [[(0, 0.0), (30, 900.0)]]


def test_a_vector_finds_itself_at_distance_zero(store: VectorStore) -> None:
    rows = Rows()
    rows.build(store)
    (((number, distance),),) = store.search(rows.vectors[:1], rows.partitions[0], 1)
    assert number == rows.ids[0]
    assert 0 <= distance < 1e-5


def test_no_distance_is_below_zero_whatever_is_rounded(store: VectorStore) -> None:
    rows = Rows()
    rows.vectors += 1000
    rows.build(store)
    answers = store.search(rows.vectors, "top", 3)
    assert min(distance for answer in answers for _, distance in answer) >= 0


def test_only_some_ids_are_chosen_from(store: VectorStore, queries: Vectors) -> None:
    rows = Rows()
    rows.build(store)
    only = {int(number) for number in rows.ids[::3]}
    assert_same(store.search(queries, "top", 5, only=iter(only)), rows.nearest(queries, "top", 5, only))
    assert store.search(queries[:2], "top", 5, only=[]) == [[], []]
    assert store.search(queries[:1], "top", 5, only=[10**9]) == [[]]


def test_of_vectors_at_one_distance_the_lower_id_comes_first(store: VectorStore) -> None:
    # Whole numbers: no way to compute the distance rounds them.
    count = 60
    vectors = np.zeros((count, DIMENSION), np.float32)
    vectors[:, 0] = 2
    ids = np.random.default_rng(2).permutation(count).astype(np.int64)
    store.build(vectors, ids, [f"shop:{number // 2}" for number in ids], ["top"] * count)
    for number in (1, 30):
        found = store.search(np.zeros((number, DIMENSION), np.float32), "top", 5)
        assert found == [[(0, 4.0), (2, 4.0), (4, 4.0), (6, 4.0), (8, 4.0)]] * number


def test_what_is_added_is_found_beside_what_was_there(store: VectorStore, queries: Vectors) -> None:
    rows = Rows()
    half = len(rows.ids) // 2
    store.add(rows.vectors[:half], rows.ids[:half], rows.products[:half], rows.partitions[:half])
    store.add(rows.vectors[half:], rows.ids[half:], rows.products[half:], rows.partitions[half:])
    for partition in PARTITIONS:
        assert_same(store.search(queries, partition, 5), rows.nearest(queries, partition, 5))
    assert store.partitions() == {name: rows.partitions.count(name) for name in sorted(PARTITIONS)}


def test_an_id_that_is_added_again_is_replaced(store: VectorStore) -> None:
    rows = Rows()
    rows.build(store)
    other = np.full((1, DIMENSION), 50, np.float32)
    store.add(other, rows.ids[:1], ["shop:moved"], ["long"])
    assert store.search(other, "long", 5) == [[(rows.ids[0], 0.0)]]
    everything = store.search(rows.vectors[:1], rows.partitions[0], 1000)[0]
    assert rows.ids[0] not in {number for number, _ in everything}
    assert sum(store.partitions().values()) == len(rows.ids)


def test_what_is_removed_is_found_no_more(store: VectorStore, queries: Vectors) -> None:
    rows = Rows()
    rows.build(store)
    assert store.remove(np.array([*rows.ids[::2], 10**9], np.int64)) == len(rows.ids[::2])
    assert store.remove(rows.ids[:1]) == 0
    left = {int(number) for number in rows.ids[1::2]}
    for partition in PARTITIONS:
        assert_same(store.search(queries, partition, 5), rows.nearest(queries, partition, 5, left))
    assert sum(store.partitions().values()) == len(left)


def test_a_partition_that_is_emptied_is_gone(store: VectorStore, kind: type[VectorStore], tmp_path: Path) -> None:
    rows = Rows()
    rows.build(store)
    store.save()
    tops = [number for number, name in zip(rows.ids, rows.partitions, strict=True) if name == "top"]
    store.remove(np.array(tops, np.int64))
    assert sorted(store.partitions()) == ["bottom", "foot"]
    assert store.search(rows.vectors[:2], "top", 5) == [[], []]
    store.save()
    store.close()
    assert sorted(opened(kind, tmp_path / "store").partitions()) == ["bottom", "foot"]


def test_building_again_forgets_what_was_there(store: VectorStore) -> None:
    Rows().build(store)
    store.build(np.ones((1, DIMENSION), np.float32), np.array([7]), ["shop:1"], ["long"])
    assert store.partitions() == {"long": 1}
    store.build(np.zeros((0, DIMENSION), np.float32), np.zeros(0, np.int64), [], [])
    assert store.partitions() == {}


def test_what_was_saved_answers_the_same_when_it_is_opened_again(
    kind: type[VectorStore], queries: Vectors, tmp_path: Path
) -> None:
    rows = Rows()
    store = opened(kind, tmp_path / "store")
    rows.build(store)
    store.save()
    store.remove(rows.ids[:5])
    store.add(rows.vectors[:5], rows.ids[:5], rows.products[:5], rows.partitions[:5])
    store.save()
    before = {name: store.search(queries, name, 5) for name in PARTITIONS}
    store.close()
    # The folder takes the place of another when it is complete.
    (tmp_path / "store").rename(tmp_path / "catalog")
    again = opened(kind, tmp_path / "catalog")
    assert {name: again.search(queries, name, 5) for name in PARTITIONS} == before
    again.add(queries[:1], np.array([10**6]), ["shop:new"], ["top"])
    assert again.search(queries[:1], "top", 1)[0][0][0] == 10**6
    again.close()


def test_a_folder_can_be_copied(kind: type[VectorStore], queries: Vectors, tmp_path: Path) -> None:
    rows = Rows()
    store = opened(kind, tmp_path / "store")
    rows.build(store)
    store.save()
    store.close()
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    shutil.rmtree(tmp_path / "store")
    assert_same(opened(kind, tmp_path / "copy").search(queries, "top", 5), rows.nearest(queries, "top", 5))


def test_a_store_without_vectors_finds_nothing(store: VectorStore, queries: Vectors) -> None:
    assert store.partitions() == {}
    assert store.search(queries[:2], "top", 5) == [[], []]
    assert store.remove(np.array([1])) == 0


def test_no_query_or_no_product_asked_for_finds_nothing(store: VectorStore, queries: Vectors) -> None:
    Rows().build(store)
    assert store.search(queries[:0], "top", 5) == []
    assert store.search(queries[:2], "top", 0) == [[], []]
    assert store.search(queries[:2], "hats", 5) == [[], []]


def test_names_of_any_script_are_kept(kind: type[VectorStore], tmp_path: Path) -> None:
    store = opened(kind, tmp_path / "store")
    names = ["обувь", "../top", "a b/c", "Top"]
    store.build(np.eye(4, DIMENSION, dtype=np.float32), np.arange(4), ["शर्ट", "", "p'1", 'p"1'], names)
    store.save()
    store.close()
    again = opened(kind, tmp_path / "store")
    assert again.partitions() == dict.fromkeys(sorted(names), 1)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    for number, name in enumerate(names):
        assert again.search(np.eye(4, DIMENSION, dtype=np.float32)[[number]], name, 1) == [[(number, 0.0)]]


def test_what_has_another_shape_is_refused_and_changes_nothing(store: VectorStore, queries: Vectors) -> None:
    rows = Rows()
    rows.build(store)
    ids, names = np.array([1, 2]), ["a", "b"]
    wide, flat = np.zeros((2, DIMENSION + 1), np.float32), np.zeros(DIMENSION, np.float32)
    for put in (store.build, store.add):
        for vectors in (wide, flat):
            with pytest.raises(ValueError, match=rf"\(N, {DIMENSION}\)"):
                put(vectors, ids, names, names)
        for wrong in ((ids[:1], names, names), (ids, names[:1], names), (ids, names, [*names, "c"])):
            with pytest.raises(ValueError, match="as many"):
                put(queries[:2], *wrong)
        for twice in (np.array([1, 1]), np.array([-1, 1])):
            with pytest.raises(ValueError, match="each once"):
                put(queries[:2], twice, names, names)
        with pytest.raises(ValueError, match="finite"):
            put(np.full((2, DIMENSION), np.nan, np.float32), ids, names, names)
    for vectors in (wide, flat):
        with pytest.raises(ValueError, match=rf"\(N, {DIMENSION}\)"):
            store.search(vectors, "top", 5)
    assert_same(store.search(queries, "top", 5), rows.nearest(queries, "top", 5))


def test_vectors_of_another_length_are_not_opened(kind: type[VectorStore], tmp_path: Path) -> None:
    store = opened(kind, tmp_path / "store")
    Rows().build(store)
    store.save()
    store.close()
    with pytest.raises(ValueError, match=f"{DIMENSION + 1}.*{DIMENSION}"):
        opened(kind, tmp_path / "store", DIMENSION + 1)


def test_an_unknown_store_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"expected the vector store to be one of faiss.*, got 'pinecone'"):
        VECTOR_STORES.get("pinecone")
