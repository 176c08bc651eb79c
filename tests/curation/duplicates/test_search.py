"""Near duplicates: what is one, what is none, and that none is missed."""

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.boxes import Picture
from fullshot.core.settings import CurateSettings
from fullshot.curation.duplicates import binary_index
from fullshot.curation.duplicates.clusters import label_clusters, representatives
from fullshot.curation.duplicates.fingerprint import THUMBNAIL_BYTES, Fingerprint, blank, fingerprint
from fullshot.curation.duplicates.search import find_pairs
from fullshot.curation.duplicates.similarity import is_near_duplicate, similarity

RADIUS = CurateSettings().duplicate_radius
SIMILARITY = CurateSettings().duplicate_similarity

Pairs = set[tuple[int, int]]


def pairs_of(pictures: list[Picture], radius: int = RADIUS, least: float = SIMILARITY) -> Pairs:
    return found_in([fingerprint(picture) for picture in pictures], radius, least)


def found_in(prints: list[Fingerprint], radius: int = RADIUS, least: float = SIMILARITY) -> Pairs:
    hashes = np.array([one.phash for one in prints], np.uint64)
    thumbnails = np.array([one.thumbnail for one in prints], np.uint8).reshape(-1, THUMBNAIL_BYTES)
    return as_set(find_pairs(hashes, thumbnails, radius, least))


def as_set(pairs: NDArray[np.int64]) -> Pairs:
    return {(int(one), int(other)) for one, other in pairs}


def within(hashes: NDArray[np.uint64], radius: int) -> Pairs:
    """Brute force."""
    near = np.bitwise_count(hashes[:, None] ^ hashes[None]) <= radius
    return as_set(np.argwhere(np.triu(near, 1)))


def varied(count: int) -> NDArray[np.uint8]:
    """Thumbnails that are not blank and all differ."""
    return np.random.default_rng(3).integers(0, 256, (count, THUMBNAIL_BYTES), dtype=np.uint8)


def joined(pairs: Pairs, count: int) -> list[int]:
    labels = label_clusters(count, np.array(sorted(pairs), np.int64).reshape(-1, 2))
    return [int(label) for label in labels]


@pytest.fixture(scope="module")
def pictures(photos: dict[str, bytes]) -> dict[str, Picture]:
    names = ("bus", "zidane", "outfit", "front", "worn")
    return {name: np.asarray(Image.open(io.BytesIO(photos[name])).convert("RGB")) for name in names}


def resized(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    size = (round(width * 0.6), round(height * 0.6))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def encoded(picture: Picture) -> Picture:
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", quality=40)
    return np.asarray(Image.open(memory))


def cropped(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    rows, columns = round(height * 0.03), round(width * 0.03)
    return np.asarray(picture[rows : height - rows, columns : width - columns], np.uint8)


def brightened(picture: Picture) -> Picture:
    return np.asarray(np.clip(picture * 1.3, 0, 255), np.uint8)


def recoloured(picture: Picture) -> Picture:
    """Red is green, green is blue, blue is red."""
    return np.ascontiguousarray(picture[..., [2, 0, 1]])


def shirt(colour: tuple[int, int, int]) -> Picture:
    """A shirt of one colour on white."""
    picture = np.full((800, 600, 3), 255, np.uint8)
    outline = np.array([[200, 150], [400, 150], [540, 300], [470, 360], [420, 310], [420, 650], [180, 650], [180, 310],
                        [130, 360], [60, 300]])  # fmt: skip
    cv2.fillPoly(picture, [outline], colour)
    return picture


@pytest.mark.parametrize("change", [resized, encoded, cropped, brightened])
@pytest.mark.parametrize("name", ["bus", "zidane", "outfit", "front", "worn"])
def test_a_changed_copy_is_a_duplicate(
    pictures: dict[str, Picture], name: str, change: Callable[[Picture], Picture]
) -> None:
    assert pairs_of([pictures[name], change(pictures[name])]) == {(0, 1)}


def test_different_pictures_are_none(pictures: dict[str, Picture]) -> None:
    assert pairs_of(list(pictures.values())) == set()


def test_thumbnails_alone_tell_different_pictures_apart(pictures: dict[str, Picture]) -> None:
    """With every pair a candidate."""
    assert pairs_of(list(pictures.values()), radius=64) == set()
    assert len(set(joined(pairs_of(list(pictures.values()), radius=64, least=0), len(pictures)))) == 1


@pytest.mark.parametrize(
    "colours",
    [
        ((180, 30, 40), (40, 30, 180)),  # red, blue
        ((15, 15, 15), (120, 120, 120)),  # black, grey
        ((20, 20, 20), (25, 30, 80)),  # black, navy
        ((250, 250, 250), (245, 235, 180)),  # white, cream
    ],
)
def test_one_shirt_in_two_colours_is_two(colours: tuple[tuple[int, int, int], tuple[int, int, int]]) -> None:
    one, other = (fingerprint(shirt(colour)).thumbnail for colour in colours)
    # One hash, as such shots have at worst.
    assert found_in([Fingerprint(1, one), Fingerprint(1, other)]) == set()
    assert not is_near_duplicate(one[None], other[None], SIMILARITY)[0]


def test_a_photo_in_other_colours_is_another(pictures: dict[str, Picture]) -> None:
    assert pairs_of([pictures["bus"], recoloured(pictures["bus"])], radius=64) == set()


def test_similarity_is_the_same_either_way_round(pictures: dict[str, Picture]) -> None:
    bus = pictures["bus"]
    changed = [cropped(bus), brightened(bus), recoloured(bus), pictures["zidane"]]
    theirs = np.array([fingerprint(picture).thumbnail for picture in changed])
    ours = np.array([fingerprint(bus).thumbnail] * len(changed))
    there, back = similarity(ours, theirs), similarity(theirs, ours)
    np.testing.assert_allclose(there, back, atol=1e-4)
    assert there[:2].min() > SIMILARITY > there[2:].max()
    np.testing.assert_allclose(similarity(ours, ours), 1)


def test_shortcuts_do_not_change_what_is_a_near_duplicate(pictures: dict[str, Picture]) -> None:
    everything = [change(one) for one in pictures.values() for change in (np.array, encoded, cropped, brightened)]
    prints = np.array([fingerprint(picture).thumbnail for picture in everything])
    first, second = np.triu_indices(len(prints), 1)
    found = is_near_duplicate(prints[first], prints[second], SIMILARITY)
    np.testing.assert_array_equal(found, similarity(prints[first], prints[second]) >= SIMILARITY)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 3), (95, 97), (192, 191), (3000, 200)])
def test_pictures_of_any_size_have_a_fingerprint(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    found = fingerprint(picture)
    assert 0 <= found.phash < 2**64
    assert found.thumbnail.shape == (THUMBNAIL_BYTES,)
    assert found.thumbnail.dtype == np.uint8


def test_the_hash_is_that_of_the_field(pictures: dict[str, Picture]) -> None:
    """As imagehash writes it, but for the scale of the first row and column."""
    grey = np.asarray(Image.fromarray(pictures["bus"]).convert("L").resize((32, 32), Image.Resampling.BOX), np.float64)
    steps = np.arange(32)
    cosines = np.cos(np.pi * (2 * steps + 1) * steps[:8, None] / 64) * np.sqrt(np.r_[1 / 32, [1 / 16] * 7])[:, None]
    waves = cosines @ grey @ cosines.T
    expected = int.from_bytes(np.packbits(waves > np.median(waves)).tobytes(), "big")
    assert (fingerprint(pictures["bus"]).phash ^ expected).bit_count() <= 2


def test_blank_pictures_are_duplicates_only_where_they_are_the_same() -> None:
    random = np.random.default_rng(5)
    white, grey = np.full((300, 200, 3), 255, np.uint8), np.full((300, 200, 3), 128, np.uint8)
    noisy = [np.clip(white - random.integers(0, 6, white.shape), 0, 255).astype(np.uint8) for _ in range(3)]
    prints = [fingerprint(picture) for picture in (white, grey, white.copy(), *noisy)]
    assert blank(np.array([one.thumbnail for one in prints])).all()
    assert found_in(prints, radius=64) == {(0, 2)}


def test_a_pale_garment_is_not_blank() -> None:
    print_of = fingerprint(shirt((235, 235, 235)))
    assert not blank(print_of.thumbnail[None])[0]
    assert pairs_of([shirt((235, 235, 235)), resized(shirt((235, 235, 235)))]) == {(0, 1)}


@pytest.mark.parametrize("count", [0, 1])
def test_few_rows(count: int) -> None:
    pairs = find_pairs(np.zeros(count, np.uint64), varied(count), RADIUS, SIMILARITY)
    assert pairs.shape == (0, 2)
    labels = label_clusters(count, pairs)
    assert labels.tolist() == list(range(count))
    rows = representatives(labels, np.ones(count, np.int64), np.ones(count))
    assert rows.tolist() == list(range(count))


def test_rows_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a thumbnail for each of"):
        find_pairs(np.zeros(3, np.uint64), varied(2), RADIUS, SIMILARITY)


def test_many_copies_give_few_pairs(pictures: dict[str, Picture]) -> None:
    one, other = fingerprint(pictures["bus"]), fingerprint(pictures["zidane"])
    count = 10_000
    hashes = np.resize(np.array([one.phash, other.phash], np.uint64), count)
    thumbnails = np.resize(np.array([one.thumbnail, other.thumbnail]), (count, THUMBNAIL_BYTES))
    pairs = find_pairs(hashes, thumbnails, RADIUS, SIMILARITY)
    assert len(pairs) == count - 2
    assert label_clusters(count, pairs).tolist() == [row % 2 for row in range(count)]


def test_radius_0_wants_the_same_hash(pictures: dict[str, Picture]) -> None:
    one = fingerprint(pictures["bus"])
    off = Fingerprint(one.phash ^ 1, one.thumbnail)
    other = Fingerprint(one.phash, fingerprint(encoded(pictures["bus"])).thumbnail)
    assert found_in([one, off, other], radius=0) == {(0, 2)}
    assert found_in([one, off], radius=1) == {(0, 1)}


@pytest.mark.parametrize("radius", [0, 1, 3, 4, 7, 8, 10, 11])
@pytest.mark.parametrize("many", [False, True])
def test_no_pair_of_hashes_is_missed(monkeypatch: pytest.MonkeyPatch, radius: int, many: bool) -> None:
    """By both ways of looking hashes up; the second is made to begin at fewer, so that brute force can follow."""
    monkeypatch.setattr(binary_index, "EXACT_BELOW", 0 if many else 10_000)
    random = np.random.default_rng(radius)
    hashes = random.integers(0, 2**64, 3000, dtype=np.uint64)
    flips = random.random((1500, 64)).argsort(axis=1).astype(np.uint64)
    apart = np.arange(1500) % 15
    masks = np.where(np.arange(64) < apart[:, None], np.uint64(1) << flips, np.uint64(0))
    hashes[1500:] = hashes[:1500] ^ np.bitwise_xor.reduce(masks, axis=1)
    expected = within(hashes, radius)
    assert len(expected) >= 100 * (radius + 1)
    assert as_set(find_pairs(hashes, varied(len(hashes)), radius, 0)) == expected


def test_most_pairs_beyond_what_is_exact_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary_index, "EXACT_BELOW", 0)
    random = np.random.default_rng(1)
    hashes = random.integers(0, 2**64, 4000, dtype=np.uint64)
    flips = random.random((2000, 64)).argsort(axis=1)[:, :12].astype(np.uint64)
    hashes[2000:] = hashes[:2000] ^ np.bitwise_xor.reduce(np.uint64(1) << flips, axis=1)
    assert 0.95 < len(find_pairs(hashes, varied(4000), 12, 0)) / len(within(hashes, 12)) <= 1


def test_clusters_do_not_depend_on_the_order(pictures: dict[str, Picture]) -> None:
    changes: list[Callable[[Picture], Picture]] = [np.array, resized, encoded, cropped, brightened]
    prints = [fingerprint(change(one)) for one in pictures.values() for change in changes]
    of = np.arange(len(prints)) // len(changes)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(prints))
        labels = joined(found_in([prints[row] for row in order]), len(prints))
        assert len(set(labels)) == len(pictures)
        assert len(set(zip(labels, of[order].tolist(), strict=True))) == len(pictures)


def test_clusters_are_named_by_their_lowest_row() -> None:
    assert label_clusters(6, np.array([[4, 5], [1, 4], [2, 3]])).tolist() == [0, 1, 2, 2, 1, 1]


@pytest.mark.parametrize(
    ("pixels", "sharpness", "expected"),
    [
        ([1, 9, 1], [9.0, 1.0, 9.0], 1),  # the largest, though the least sharp
        ([9, 9, 1], [1.0, 2.0, 9.0], 1),  # of the largest, the sharpest
        ([9, 9, 9], [2.0, 2.0, 2.0], 0),  # of the same, the first
        ([9, 9, 9], [np.nan, 0.0, np.nan], 1),  # not known is not sharp
    ],
)
def test_the_best_stands_for_its_cluster(pixels: list[int], sharpness: list[float], expected: int) -> None:
    """Rows 0, 1, 2 are a cluster; row 3 is alone, and large."""
    rows = representatives(np.array([0, 0, 0, 3]), np.array([*pixels, 99]), np.array([*sharpness, 99.0]))
    assert rows.tolist() == [expected] * 3 + [3]
