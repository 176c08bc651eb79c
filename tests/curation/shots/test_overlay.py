"""Pictures with joints drawn over them, alone and as a whole run writes them."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fullshot import curation
from fullshot.core import pictures as storage
from fullshot.core.boxes import Picture
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.pose.people import People, nobody
from fullshot.curation.pose.skeletons import BLAZEPOSE, COCO18, Skeleton
from fullshot.curation.shots.overlay import COUNTS, DOUBTFUL, counting, draw, encode

WIDTH, HEIGHT = 440, 660  # a disc has a radius of 6 pixels, a ring's middle is as far out
RADIUS = 6
GREY = 128
OUTSIDE = (-0.5, 0.5)
Pixel = tuple[int, int]

NOBODY = nobody(COCO18), np.zeros((0, 18), bool)


def grey(width: int = WIDTH, height: int = HEIGHT) -> Picture:
    return np.full((height, width, 3), GREY, np.uint8)


def person(places: dict[str, tuple[float, float]], visibility: float = 0.9, skeleton: Skeleton = COCO18) -> People:
    """Somebody with these joints; all others lie outside the frame."""
    keypoints = np.tile([*OUTSIDE, visibility, visibility], (len(skeleton.joints), 1))
    for joint, place in places.items():
        keypoints[skeleton.rows([joint])[0], :2] = place
    return People(keypoints[None], skeleton)


def that(*joints: str, skeleton: Skeleton = COCO18) -> NDArray[np.bool_]:
    """Of one person these joints count, and no others."""
    chosen = np.zeros((1, len(skeleton.joints)), bool)
    chosen[:, skeleton.rows(joints)] = True
    return chosen


def centre(place: tuple[float, float]) -> Pixel:
    return int(place[0] * WIDTH), int(place[1] * HEIGHT)


def colour(picture: Picture, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(value) for value in picture[y, x])


def read(content: bytes) -> Picture:
    """The picture in a JPEG file, by another library than the one that wrote it."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def near(picture: Picture, wanted: tuple[int, int, int], within: int = 60) -> NDArray[np.bool_]:
    """Which pixels are about of that colour; edges are smoothed, a JPEG changes colours a little."""
    return np.asarray(np.abs(picture.astype(int) - wanted).sum(axis=2) < within)


@pytest.mark.parametrize("place", [(0.5, 0.5), (0.1, 0.8), (0.72, 0.31)])
def test_a_joint_that_counts_is_a_green_disc(place: tuple[float, float]) -> None:
    drawn = draw(grey(), person({"nose": place}), that("nose"))
    x, y = centre(place)
    for across, down in [(0, 0), (RADIUS - 2, 0), (2 - RADIUS, 0), (0, RADIUS - 2), (0, 2 - RADIUS)]:
        assert colour(drawn, x + across, y + down) == COUNTS
    assert not near(drawn, DOUBTFUL).any()
    far = np.ones(drawn.shape[:2], bool)
    far[y - 2 * RADIUS : y + 2 * RADIUS + 1, x - 2 * RADIUS : x + 2 * RADIUS + 1] = False
    assert (drawn[far] == GREY).all()


def test_a_joint_that_does_not_is_an_orange_ring_with_the_picture_inside() -> None:
    drawn = draw(grey(), person({"nose": (0.5, 0.5)}), that())
    x, y = centre((0.5, 0.5))
    assert colour(drawn, x, y) == (GREY, GREY, GREY)
    for across, down in [(RADIUS, 0), (-RADIUS, 0), (0, RADIUS), (0, -RADIUS)]:
        assert near(drawn, DOUBTFUL)[y + down, x + across]
    assert not near(drawn, COUNTS).any()


def test_a_bone_is_green_where_both_its_ends_count_and_thin_and_orange_elsewhere() -> None:
    places = {"left hip": (0.3, 0.2), "left knee": (0.3, 0.5), "left ankle": (0.3, 0.8)}
    drawn = draw(grey(), person(places), that("left hip", "left knee"))
    x = centre((0.3, 0.0))[0]
    thigh, shin = int(0.35 * HEIGHT), int(0.65 * HEIGHT)
    assert colour(drawn, x, thigh) == COUNTS
    assert colour(drawn, x, shin) == DOUBTFUL
    assert near(drawn, COUNTS)[thigh].sum() > near(drawn, DOUBTFUL)[shin].sum()


def test_joints_of_one_limb_only_are_joined() -> None:
    drawn = draw(grey(), person({"left hip": (0.3, 0.2), "right ankle": (0.3, 0.8)}), that())
    assert colour(drawn, centre((0.3, 0.0))[0], HEIGHT // 2) == (GREY, GREY, GREY)


@pytest.mark.parametrize(
    "place",
    [(-0.01, 0.5), (1.01, 0.5), (0.5, -0.01), (0.5, 1.01), (1e30, 0.5), (np.nan, 0.5), (0.5, np.nan), (0.5, -np.inf)],
)
@pytest.mark.filterwarnings("error")
def test_a_joint_outside_the_frame_or_not_found_draws_nothing_nor_does_a_bone_to_it(place: tuple[float, float]) -> None:
    somebody = person({"left knee": place, "left hip": (0.3, 0.2)})
    everything = np.ones((1, len(COCO18.joints)), bool)
    expected = draw(grey(), person({"left hip": (0.3, 0.2)}), everything)
    np.testing.assert_array_equal(draw(grey(), somebody, everything), expected)
    assert (expected != GREY).any()


@pytest.mark.parametrize("skeleton", [BLAZEPOSE, COCO18], ids=lambda skeleton: skeleton.name)
def test_nothing_but_gaps_draws_nothing(skeleton: Skeleton) -> None:
    nowhere = People(np.full((1, len(skeleton.joints), 4), np.nan), skeleton)
    assert not counting(nowhere, 0.0).any()
    np.testing.assert_array_equal(draw(grey(), nowhere, counting(nowhere, 0.0)), grey())


@pytest.mark.parametrize("place", [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0)])
def test_a_joint_on_the_frame_itself_is_in_the_picture(place: tuple[float, float]) -> None:
    somebody = person({"nose": place})
    assert counting(somebody, 0.5)[:, COCO18.rows(["nose"])].all()
    drawn = draw(grey(), somebody, that("nose"))
    assert colour(drawn, min(centre(place)[0], WIDTH - 1), min(centre(place)[1], HEIGHT - 1)) == COUNTS


def test_what_counts_is_not_covered_by_what_does_not() -> None:
    both = {"nose": (0.5, 0.5), "left ear": (0.5, 0.5), "right ear": (0.5, 0.5)}
    drawn = draw(grey(), person(both), that("nose"))
    assert colour(drawn, *centre((0.5, 0.5))) == COUNTS
    ring = dict.fromkeys(("left ear", "right ear"), (0.5 + RADIUS / WIDTH, 0.5))
    drawn = draw(grey(), person({"nose": (0.5, 0.5), **ring}), that("nose"))
    assert colour(drawn, *centre((0.5, 0.5))) == COUNTS


def test_everybody_is_drawn_and_each_by_counts_of_their_own() -> None:
    both = [person({"nose": (0.25, 0.5)}), person({"nose": (0.75, 0.5)})]
    two = People(np.concatenate([one.keypoints for one in both]), COCO18)
    drawn = draw(grey(), two, np.concatenate([that("nose"), that()]))
    assert colour(drawn, *centre((0.25, 0.5))) == COUNTS
    x, y = centre((0.75, 0.5))
    assert near(drawn, DOUBTFUL)[y, x + RADIUS]


@pytest.mark.parametrize("caption", ["", "full 0.97: full length"])
def test_the_picture_given_stays_and_nobody_leaves_it_as_it_is(caption: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (90, 60, 3), np.uint8)
    before = picture.copy()
    drawn = draw(picture, person({"nose": (0.5, 0.5)}), that("nose"), caption)
    np.testing.assert_array_equal(picture, before)
    assert not np.shares_memory(drawn, picture)
    alone = draw(picture, *NOBODY, caption)
    np.testing.assert_array_equal(alone[:90], before)
    assert not np.shares_memory(alone, picture)
    assert (len(alone) > 90) == bool(caption)


def test_pictures_that_cannot_be_drawn_on_in_place() -> None:
    picture = grey()
    picture.flags.writeable = False
    expected = draw(picture, person({"nose": (0.5, 0.25)}), that("nose"))
    turned = draw(picture[::-1, ::-1], person({"nose": (0.5, 0.25)}), that("nose"))
    np.testing.assert_array_equal(turned, expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (2, 3)])
@pytest.mark.parametrize("caption", ["", "half 0.12: ankles outside the frame"])
def test_the_smallest_pictures_and_strips(shape: tuple[int, int], caption: str) -> None:
    places = dict.fromkeys(COCO18.joints, (0.5, 0.5)) | {"left ankle": (1.0, 1.0), "right ankle": (0.0, 0.0)}
    somebody = person(places)
    drawn = draw(grey(shape[1], shape[0]), somebody, counting(somebody, 0.5), caption)
    assert drawn.shape[1:] == (shape[1], 3)
    assert colour(drawn, shape[1] // 2, shape[0] // 2) == COUNTS
    assert read(encode(drawn)).shape == drawn.shape


def test_a_caption_stands_below_the_picture_in_as_many_lines_as_it_needs() -> None:
    short, long = "half 0.10", "half 0.10: ankles outside the frame, " * 4
    one, more = draw(grey(), *NOBODY, short), draw(grey(), *NOBODY, long)
    assert one.shape[1] == more.shape[1] == WIDTH
    assert len(more) > len(one) > HEIGHT
    for drawn in (one, more):
        np.testing.assert_array_equal(drawn[:HEIGHT], grey())
        assert drawn[HEIGHT:].max() > 200  # pale letters
        assert drawn[HEIGHT:, [0, -1]].max() < 60  # on a dark band, none of them cut off
    assert not np.array_equal(draw(grey(), *NOBODY, "item"), draw(grey(), *NOBODY, "half"))


def test_a_caption_may_have_any_letters() -> None:
    np.testing.assert_array_equal(draw(grey(), *NOBODY, "0–1, 3 ≥ 2"), draw(grey(), *NOBODY, "0-1, 3 >= 2"))
    assert len(draw(grey(), *NOBODY, "über 服 \N{HIGH-HEELED SHOE}\nnext")) > HEIGHT


@pytest.mark.parametrize(
    ("x", "y", "visibility", "counts"),
    [
        (0.5, 0.5, 0.6, True),
        (0.5, 0.5, 0.5, True),
        (0.5, 0.5, 0.49, False),
        (0.0, 1.0, 0.6, True),
        (-0.01, 0.5, 0.9, False),
        (1.01, 0.5, 0.9, False),
        (0.5, 1.01, 0.9, False),
        (0.5, -0.01, 0.9, False),
        (np.nan, 0.5, 0.9, False),
        (0.5, 0.5, np.nan, False),
    ],
)
def test_a_joint_counts_where_it_is_visible_and_inside(x: float, y: float, visibility: float, counts: bool) -> None:
    got = counting(person({"nose": (x, y)}, visibility), 0.5)
    np.testing.assert_array_equal(got, that("nose") if counts else that())


def test_each_joint_may_have_a_visibility_of_its_own_that_it_needs() -> None:
    somebody = person({"nose": (0.5, 0.1), "left ankle": (0.5, 0.9), "right ankle": (0.6, 0.9)}, 0.6)
    least = np.full(len(COCO18.joints), 0.5)
    least[COCO18.rows(["left ankle"])] = 0.7
    np.testing.assert_array_equal(counting(somebody, least), that("nose", "right ankle"))


@pytest.mark.parametrize(
    ("people", "counts", "says"),
    [(1, (0, 18), r"\(1, 18\), but got shape \(0, 18\)"), (0, (1, 18), "got shape"), (1, (1, 33), "got shape")],
)
def test_counts_that_do_not_fit_the_people(people: int, counts: tuple[int, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        draw(grey(), person({"nose": (0.5, 0.5)})[:people], np.ones(counts, bool))


def test_a_file_holds_the_picture_in_its_colours() -> None:
    picture = grey(64, 48)
    picture[:, :32], picture[:, 32:] = COUNTS, DOUBTFUL
    content = encode(picture)
    assert content.startswith(b"\xff\xd8\xff")
    got = read(content)
    assert near(got[:, :16], COUNTS).all()
    assert near(got[:, -16:], DOUBTFUL).all()


def test_a_picture_too_long_for_the_format(capfd: pytest.CaptureFixture[str]) -> None:
    assert read(encode(grey(65_500, 1))).shape == (1, 65_500, 3)
    with pytest.raises(ValueError, match=r"no JPEG can be made of a picture of shape \(1, 65501, 3\)"):
        encode(grey(65_501, 1))
    assert capfd.readouterr() == ("", "")


def overlays(workspace: Workspace) -> dict[str, Path]:
    """The overlays that a run wrote, by the name of their picture."""
    names = {row["image_id"]: Path(row["url"]).stem for row in workspace.read("images").to_dict("records")}
    found = sorted((workspace / "overlays").rglob("*.*"))
    assert all(path.parent.name == path.stem[:2] and path.suffix == ".jpg" for path in found)
    return {names[path.stem]: path for path in found}


def test_a_run_draws_every_picture_that_can_be_read(
    make_workspace: Callable[[list[tuple[str, str]]], Workspace], settings: Settings
) -> None:
    workspace = make_workspace(
        [("s:1", "outfit"), ("s:1", "front"), ("s:2", "half"), ("s:3", "item0"), ("s:4", "outfit")]
    )
    images = workspace.read("images").drop_duplicates("image_id")
    paths = {Path(row["url"]).stem: workspace / row["path"] for row in images.to_dict("records")}
    paths["item0"].write_text("not a picture", "utf-8")
    before = {name: path.read_bytes() for name, path in paths.items()}

    curation.curate(workspace, settings)
    assert not (workspace / "overlays").exists()  # only where they are asked for
    curation.curate(workspace, settings, overlays=True)

    written = overlays(workspace)
    assert set(written) == {"outfit", "front", "half"}
    assert {name: path.read_bytes() for name, path in paths.items()} == before
    drawn = {name: storage.read_rgb(path) for name, path in written.items()}
    for name, overlay in drawn.items():
        source = storage.read_reduced(paths[name], 512).pixels
        assert overlay.shape[1] == source.shape[1]
        assert overlay.shape[0] > source.shape[0]  # the verdict's band

    # The joints of a full shot count down to the ankles, those of one cut at the hips only in its own half.
    green = near(drawn["outfit"], COUNTS)
    rows = np.flatnonzero(green.any(axis=1)) / len(green)
    assert rows.min() < 0.35
    assert rows.max() > 0.75
    assert near(drawn["half"], COUNTS).any()
    assert not near(drawn["front"], COUNTS).any()


def test_overlays_are_the_same_again(
    make_workspace: Callable[[list[tuple[str, str]]], Workspace], settings: Settings
) -> None:
    workspace = make_workspace([("s:1", "outfit")])
    curation.curate(workspace, settings, overlays=True)
    before = {path: path.read_bytes() for path in overlays(workspace).values()}
    curation.curate(workspace, settings, overlays=True)
    assert {path: path.read_bytes() for path in overlays(workspace).values()} == before


@pytest.mark.parametrize(
    ("setting", "upper", "lower"),
    [("visibility", True, False), ("ankle_visibility", False, True), ("body_visibility", True, True)],
)
def test_joints_count_where_they_are_as_visible_as_the_settings_ask(
    make_workspace: Callable[[list[tuple[str, str]]], Workspace],
    settings: Settings,
    setting: str,
    upper: bool,
    lower: bool,
) -> None:
    """By a bound that none reaches the head's turn orange in the upper half, the ankles' in the lower."""
    workspace = make_workspace([("s:1", "outfit")])
    curation.curate(workspace, settings, overlays=True)
    path = overlays(workspace)["outfit"]
    before = near(storage.read_rgb(path), COUNTS)
    stricter = settings.model_copy(update={"curate": settings.curate.model_copy(update={setting: 1.0})})
    curation.curate(workspace, stricter, overlays=True)
    after = near(storage.read_rgb(path), COUNTS)
    # The band below tells another verdict, and reaches into the last rows as JPEGs do.
    changed = (before[:624] != after[:624]).any(axis=1)
    assert (changed[:320].any(), changed[320:].any()) == (upper, lower)


def test_overlays_of_pictures_that_went_away_since_are_left_out(
    make_workspace: Callable[[list[tuple[str, str]]], Workspace], settings: Settings
) -> None:
    workspace = make_workspace([("s:1", "outfit"), ("s:2", "front")])
    curation.curate(workspace, settings)
    gone = next(row for row in workspace.read("images").to_dict("records") if row["url"].endswith("front.jpg"))
    (workspace / gone["path"]).unlink()
    curation.curate(workspace, settings, overlays=True)
    assert set(overlays(workspace)) == {"outfit"}


def test_a_picture_that_broke_since_its_features_were_extracted_is_named(
    make_workspace: Callable[[list[tuple[str, str]]], Workspace],
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    workspace = make_workspace([("s:1", "outfit"), ("s:2", "front")])
    curation.curate(workspace, settings)
    row = next(row for row in workspace.read("images").to_dict("records") if row["url"].endswith("front.jpg"))
    path = workspace / row["path"]
    before = path.stat()
    path.write_bytes(b"x" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as large and as old as before: nothing else tells
    assert curation.curate(workspace, settings, overlays=True)["extracted"] == 0
    assert set(overlays(workspace)) == {"outfit"}
    assert f"overlays: 1 picture that cannot be read is left out: {row['path']}" in capfd.readouterr().err
