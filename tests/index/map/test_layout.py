import numpy as np
import pytest

from fullshot.index.map.layout import lay_out, spread


def groups(count: int = 30, seed: int = 0) -> "tuple[np.ndarray, np.ndarray]":
    """Vectors in three groups, and the group of each."""
    group = np.arange(count) % 3
    return (np.eye(3, 8)[group] * 9 + np.random.default_rng(seed).normal(size=(count, 8))).astype(np.float32), group


def test_what_is_near_stays_near() -> None:
    vectors, group = groups()
    places, cell = spread(lay_out(vectors))
    distances = ((places[:, None] - places[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    assert np.mean(group[distances.argmin(1)] == group) > 0.9
    assert places.min() >= 0
    assert places.max() <= 1
    # No picture covers another.
    apart = np.abs(places[:, None] - places[None]).max(-1)
    assert apart[~np.eye(len(places), dtype=bool)].min() > cell * 0.99


def test_the_same_vectors_have_the_same_places() -> None:
    vectors, _ = groups()
    first, second = (spread(lay_out(vectors)) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1] == second[1]


@pytest.mark.parametrize("count", [1, 2, 4, 5, 7])
@pytest.mark.parametrize("kind", ["different", "same", "pairs"])
def test_few_items_and_equal_ones_have_places_of_their_own(count: int, kind: str) -> None:
    vectors, _ = groups(count)
    if kind == "same":
        vectors[:] = 1
    if kind == "pairs":
        vectors = vectors[np.arange(count) // 2]
    places, cell = spread(lay_out(vectors))
    assert np.isfinite(places).all()
    assert len(np.unique(places.round(6), axis=0)) == count
    assert 0 < cell <= 1


def test_a_line_of_places_becomes_a_grid() -> None:
    places, _ = spread(np.stack([np.linspace(0, 1, 50), np.full(50, 0.5)], axis=1))
    assert len(np.unique(places.round(6), axis=0)) == 50
