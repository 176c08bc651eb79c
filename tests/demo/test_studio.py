"""The built-in shop's studio: the same shop for the same seed, whole, with boxes that fit the garments."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fullshot.demo.drawing.bottoms import Bottom
from fullshot.demo.drawing.cuts import Top
from fullshot.demo.drawing.designs import Design, OnePiece
from fullshot.demo.drawing.lasts import Shoe
from fullshot.demo.drawing.patterns import Fabric
from fullshot.demo.shop.camera import measure
from fullshot.demo.shop.studio import Picture, Studio, draw, draw_all, open_studio

WIDTH, HEIGHT = 480, 640


@pytest.fixture(scope="module")
def studio() -> Studio:
    return open_studio(7)


def picture(studio: Studio, name: str) -> Picture:
    return next(p for p in studio.pictures if p.name == name)


def pixels(jpeg: bytes) -> np.ndarray:
    """RGB, (H, W, 3), as signed integers."""
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).astype(np.int16)


def test_shop_has_the_promised_size(studio: Studio) -> None:
    assert Counter(p.wear for p in studio.products) == {"top": 76, "bottom": 76, "foot": 76, "long": 12}
    assert Counter(p.kind for p in studio.pictures) == {"front": 240, "detail": 240, "worn": 240, "outfit": 180}
    assert [p.product_id for p in studio.products] == list(range(10001, 10241))
    assert len({p.name for p in studio.pictures}) == 900
    assert 12 <= len({p.brand for p in studio.products}) <= 14


def test_products_are_all_different(studio: Studio) -> None:
    assert len({repr(p.design) for p in studio.products}) == 240
    sold = Counter((p.gender, p.article_type, p.name) for p in studio.products)
    assert max(sold.values()) <= 2


def test_products_keep_the_rules_of_a_shop(studio: Studio) -> None:
    for p in studio.products:
        assert 0 < p.price < p.mrp
        assert 1 <= p.rating <= 5
        assert p.sold_out is not any(there for _, there in p.sizes)
        assert p.name.startswith(f"{p.brand} {p.gender} {p.colour}")
        assert p.wear != "long" or p.gender == "Women"
    assert 4 <= sum(p.sold_out for p in studio.products) <= 24


def test_looks_stay_within_a_collection_and_wear_everything(studio: Studio) -> None:
    by_id = {p.product_id: p for p in studio.products}
    worn: Counter[int] = Counter()
    for outfit in (p for p in studio.pictures if p.kind == "outfit"):
        members = [by_id[i] for i in outfit.product_ids]
        assert len({m.collection for m in members}) == 1
        assert sorted(m.wear for m in members) in (["bottom", "foot", "top"], ["foot", "long"])
        worn.update(outfit.product_ids)
    assert set(worn) == set(by_id)


def test_small_shop_is_the_beginning_of_the_large_one(studio: Studio) -> None:
    small = open_studio(7, 4)
    assert small.products == studio.products[: len(small.products)]
    assert set(small.pictures) <= set(studio.pictures)


@pytest.mark.parametrize("collections", [0, 39])
def test_number_of_collections_out_of_range(collections: int) -> None:
    with pytest.raises(ValueError, match=f"between 1 and 38, but got {collections}"):
        open_studio(7, collections)


def test_seed_decides_everything(studio: Studio) -> None:
    assert open_studio.__wrapped__(7) == studio
    assert open_studio(8).products != studio.products


@pytest.mark.parametrize("name", ["10001-front.jpg", "10002-detail.jpg", "10003-worn.jpg", "look-0001.jpg"])
def test_drawing_twice_gives_the_same_bytes(studio: Studio, name: str) -> None:
    first, second = draw(studio, picture(studio, name)), draw(studio, picture(studio, name))
    assert first == second
    assert Image.open(io.BytesIO(first[0])).size == (WIDTH, HEIGHT)


def repainted(design: Design, paint: str) -> Design:
    """The same cut, all of it in one colour."""
    match design:
        case Top():
            return replace(design, fabric=Fabric(paint), trim=paint, block_colour=paint, print_name="")
        case Bottom():
            return replace(design, fabric=Fabric(paint), trim=paint, stripe="")
        case Shoe():
            return replace(design, fabric=Fabric(paint), sole=paint, accent=paint, lace=paint)
        case OnePiece():
            bodice, lower = repainted(design.bodice, paint), repainted(design.lower, paint)
            assert isinstance(bodice, Top)
            assert isinstance(lower, Bottom)
            return OnePiece(bodice, lower, paint and "")


@pytest.mark.parametrize(
    "name", ["look-0001.jpg", "look-0007.jpg", "look-0010.jpg", "10015-worn.jpg", "10004-worn.jpg"]
)
def test_boxes_fit_what_changes_when_a_garment_changes_colour(studio: Studio, name: str) -> None:
    """The boxes come from silhouettes; this finds the garment another way, in the finished pictures."""
    shot = picture(studio, name)
    _, boxes = draw(studio, shot)
    assert boxes
    for box in boxes:
        drawn = []
        for paint in ("#00ff40", "#ff00c0"):
            products = tuple(
                replace(p, design=repainted(p.design, paint)) if p.product_id == box.product_id else p
                for p in studio.products
            )
            drawn.append(pixels(draw(replace(studio, products=products), shot)[0]))
        ys, xs = np.nonzero(np.abs(drawn[0] - drawn[1]).sum(axis=2) > 130)
        found = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
        np.testing.assert_allclose([box.x_min, box.y_min, box.x_max, box.y_max], found, atol=3.0)
        assert 0 <= box.x_min < box.x_max <= WIDTH
        assert 0 <= box.y_min < box.y_max <= HEIGHT


def test_every_garment_of_every_look_has_a_box_that_can_be_seen(studio: Studio) -> None:
    for outfit in [p for p in studio.pictures if p.kind == "outfit"][::2]:
        boxes = measure(studio, outfit)
        assert sorted(b.product_id for b in boxes) == sorted(outfit.product_ids)
        assert all(b.x_max - b.x_min >= 30 and b.y_max - b.y_min >= 10 for b in boxes), outfit.name


def test_looks_show_the_whole_person_with_margins(studio: Studio) -> None:
    for name in ("look-0003.jpg", "look-0012.jpg"):
        jpeg, boxes = draw(studio, picture(studio, name))
        foot = next(b for b in boxes if b.wear == "foot")
        upper = next(b for b in boxes if b.wear in ("top", "long"))
        assert foot.y_max < HEIGHT - 4
        assert upper.y_min > 60  # a head's height is left above the collar
        assert 60_000 > len(jpeg) > 8_000


def test_folder_is_filled_by_processes_gone_on_with_and_kept(tmp_path: Path) -> None:
    small = open_studio(7, 1)
    seen: list[tuple[int, int]] = []
    alone = draw_all(small, tmp_path / "alone", processes=1, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, len(small.pictures))
    assert seen[-1] == (len(small.pictures), len(small.pictures))
    together = draw_all(small, tmp_path / "together", processes=2)
    assert alone == together
    files = {p.name: (tmp_path / "alone" / p.name).read_bytes() for p in small.pictures}
    assert files == {p.name: (tmp_path / "together" / p.name).read_bytes() for p in small.pictures}

    lost = tmp_path / "alone" / small.pictures[5].name
    kept = tmp_path / "alone" / small.pictures[6].name
    lost.unlink()
    before = kept.stat().st_mtime_ns
    assert draw_all(small, tmp_path / "alone", processes=1) == alone
    assert lost.read_bytes() == files[lost.name]
    assert kept.stat().st_mtime_ns == before

    start = time.perf_counter()
    assert draw_all(small, tmp_path / "alone") == alone
    assert time.perf_counter() - start < 0.5
    assert not list((tmp_path / "alone").glob("*.part"))


class Killed(Exception):
    """What ends a run in the middle here."""


def kill_at(count: int) -> Callable[[int, int], None]:
    def progress(done: int, _total: int) -> None:
        if done >= count:
            raise Killed

    return progress


def test_run_that_was_killed_is_gone_on_with(tmp_path: Path) -> None:
    small = open_studio(7, 1)

    with pytest.raises(Killed):
        draw_all(small, tmp_path, processes=1, progress=kill_at(16))
    there = {p.name for p in tmp_path.glob("*.jpg")}
    assert 0 < len(there) < len(small.pictures)
    boxes = draw_all(small, tmp_path, processes=1)
    outfit = small.pictures[-1]
    assert boxes[outfit.name] == draw(small, outfit)[1]
    # Pictures drawn before it was killed lost their boxes with it; they are found again.
    worn = next(p for p in small.pictures if p.kind == "worn" and p.name in there)
    assert boxes[worn.name] == draw(small, worn)[1]


def test_folder_of_another_seed_is_drawn_anew(tmp_path: Path) -> None:
    for seed in (7, 8):
        with pytest.raises(Killed):
            draw_all(open_studio(seed, 1), tmp_path, processes=1, progress=kill_at(8))
    other = open_studio(8, 1)
    first = other.pictures[0]
    assert (tmp_path / first.name).read_bytes() == draw(other, first)[0]
