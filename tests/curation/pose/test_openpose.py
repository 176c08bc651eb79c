"""OpenPose-style networks, run by OpenCV: small real ones, whose heatmaps are known functions of the picture."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fullshot.core.errors import UserError
from fullshot.curation.pose.openpose import OPENPOSE, TENSORFLOW, OpenPose, Preparation, decode
from fullshot.curation.pose.skeletons import BLAZEPOSE, COCO18, MPI15, Skeleton
from tests.curation.pose.networks import CELL, SIDE, paint, spread, write_network

PICTURE = np.zeros((30, 20, 3), np.uint8)


@pytest.fixture
def network(tmp_path: Path) -> Callable[..., Path]:
    return lambda skeleton, **words: write_network(tmp_path / f"{skeleton.name}.onnx", skeleton, **words)


@pytest.mark.parametrize("skeleton", [COCO18, MPI15], ids=lambda skeleton: skeleton.name)
@pytest.mark.parametrize(("width", "height"), [(368, 368), (600, 900), (1000, 700), (120, 200)])
def test_every_joint_is_found_at_its_place_whatever_the_shape_of_the_picture(
    network: Callable[..., Path], skeleton: Skeleton, width: int, height: int
) -> None:
    places = spread(skeleton, width, height)
    with contextlib.closing(OpenPose(network(skeleton), skeleton)) as pose:
        person = pose.predict(paint(skeleton, width, height, places))
    assert person.skeleton is pose.skeleton is skeleton
    assert person.keypoints.shape == (1, len(skeleton.joints), 4)
    off = (person.keypoints[0, :, :2] - np.array(list(places.values()))) * (width, height) / max(width, height) / CELL
    assert np.abs(off).max() < 0.75  # cells: an edge of a dot lies anywhere in one
    assert person.keypoints[0, :, 2].min() > 0.9
    np.testing.assert_array_equal(person.keypoints[0, :, 2], person.keypoints[0, :, 3])


def test_visibility_is_the_height_of_the_peak_and_a_missing_joint_has_none(network: Callable[..., Path]) -> None:
    places = spread(COCO18, 400, 600)
    del places["left ankle"]
    picture = paint(COCO18, 400, 600, places, {"right ankle": 0.9})
    with contextlib.closing(OpenPose(network(COCO18))) as pose:
        person = pose.predict(picture)
    [faint, missing, plain] = person.joints(["right ankle", "left ankle", "right hip"])[0, :, 2]
    assert faint == pytest.approx(0.6, abs=0.05)  # 1 - 4 * (1 - 0.9)
    assert missing < 0.2
    assert plain > 0.9


@pytest.mark.parametrize(
    ("joints", "strength", "threshold", "found"),
    [
        (0, 1.0, 0.2, 0),
        (2, 1.0, 0.2, 0),  # two joints are nobody
        (3, 1.0, 0.2, 1),
        (3, 0.9, 0.5, 1),  # peaks of 0.6
        (3, 0.9, 0.7, 0),
    ],
)
def test_somebody_is_there_from_three_joints_at_the_threshold_on(
    network: Callable[..., Path], joints: int, strength: float, threshold: float, found: int
) -> None:
    # Colours that are opposite one another: no dot is a little of another joint's.
    chosen = ["nose", "right eye", "left shoulder"][:joints]
    places = {joint: place for joint, place in spread(COCO18, 300, 400).items() if joint in chosen}
    with contextlib.closing(OpenPose(network(COCO18), COCO18, threshold)) as pose:
        assert len(pose.predict(paint(COCO18, 300, 400, places, dict.fromkeys(chosen, strength)))) == found


@pytest.mark.parametrize("preparation", [OPENPOSE, TENSORFLOW, Preparation("RGB", 127.5, 1 / 255)])
def test_a_network_gets_the_colours_that_it_was_trained_on(tmp_path: Path, preparation: Preparation) -> None:
    words = {"order": preparation.order, "mean": preparation.mean, "scale": preparation.scale * 255}
    path = write_network(tmp_path / "any.onnx", COCO18, **words)  # type: ignore[arg-type]
    places = spread(COCO18, 300, 400)
    with contextlib.closing(OpenPose(path, preparation=preparation)) as pose:
        person = pose.predict(paint(COCO18, 300, 400, places))
    np.testing.assert_allclose(person.keypoints[0, :, :2], list(places.values()), atol=1.5 * CELL)
    assert person.keypoints[0, :, 2].min() > 0.9


@pytest.mark.parametrize("extra", [[39], [1], [1, 38], [39, 38]])
def test_outputs_with_and_without_fields_together_and_apart(network: Callable[..., Path], extra: list[int]) -> None:
    """[1, 38]: heatmaps with background, and the fields as an output of their own, as conversions have it."""
    places = spread(COCO18, 300, 400)
    with contextlib.closing(OpenPose(network(COCO18, extra=extra))) as pose:
        person = pose.predict(paint(COCO18, 300, 400, places))
    np.testing.assert_allclose(person.keypoints[0, :, :2], list(places.values()), atol=1.5 * CELL)


def test_a_network_of_another_size(network: Callable[..., Path]) -> None:
    places = spread(COCO18, 300, 400)
    with contextlib.closing(OpenPose(network(COCO18, side=256), side=256)) as pose:
        person = pose.predict(paint(COCO18, 300, 400, places, cell=8 / 256))
    np.testing.assert_allclose(person.keypoints[0, :, :2], list(places.values()), atol=1.5 * 8 / 256)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (3, 2)])
def test_the_smallest_pictures_and_strips(network: Callable[..., Path], shape: tuple[int, int]) -> None:
    with contextlib.closing(OpenPose(network(COCO18), threshold=0.0)) as pose:
        person = pose.predict(np.full((*shape, 3), 128, np.uint8))
    assert np.isfinite(person.keypoints).all()
    assert ((person.keypoints >= 0) & (person.keypoints <= 1)).all()


def test_a_picture_turned_round_in_memory_is_the_same_picture_and_stays_as_it_is(
    network: Callable[..., Path],
) -> None:
    picture = paint(COCO18, 300, 400, spread(COCO18, 300, 400))
    view = np.ascontiguousarray(picture[::-1, ::-1])[::-1, ::-1]
    with contextlib.closing(OpenPose(network(COCO18))) as pose:
        expected, got = pose.predict(picture), pose.predict(view)
    np.testing.assert_array_equal(got.keypoints, expected.keypoints)
    np.testing.assert_array_equal(view, picture)


def one_by_one(heatmap: NDArray[np.float64], width: float, height: float) -> list[float]:
    """A joint's keypoint, by loops: the highest cell in the picture, then the parabola's top along either axis."""
    best, at = -np.inf, (0, 0)
    rows = [row for row in range(heatmap.shape[0]) if row + 0.5 < height] or [0]
    columns = [column for column in range(heatmap.shape[1]) if column + 0.5 < width] or [0]
    for row in rows:
        for column in columns:
            if heatmap[row, column] > best:
                best, at = heatmap[row, column], (row, column)
    row, column = at
    x, y = column + 0.5, row + 0.5
    if columns[0] < column < columns[-1]:
        before, after = heatmap[row, column - 1], heatmap[row, column + 1]
        x += 0.5 * (after - before) / (2 * best - before - after)
    if rows[0] < row < rows[-1]:
        before, after = heatmap[row - 1, column], heatmap[row + 1, column]
        y += 0.5 * (after - before) / (2 * best - before - after)
    peak = min(max(best, 0), 1)
    return [min(x / width, 1), min(y / height, 1), peak, peak]


@pytest.mark.parametrize(
    ("shape", "filled"),
    [
        ((18, 46, 46), (1.0, 1.0)),
        ((15, 46, 46), (0.5, 1.0)),
        ((18, 46, 46), (1.0, 0.63)),
        ((18, 32, 57), (0.9, 0.31)),
        ((300, 3, 2), (1.0, 1.0)),  # peaks at all edges
        ((5, 46, 46), (0.003, 1.0)),
        ((4, 1, 1), (1.0, 1.0)),
    ],
)
def test_all_joints_at_once_are_what_a_loop_over_them_finds(
    shape: tuple[int, int, int], filled: tuple[float, float]
) -> None:
    heatmaps = np.random.default_rng(0).normal(0.5, 0.5, shape)
    expected = [one_by_one(heatmap, shape[2] * filled[0], shape[1] * filled[1]) for heatmap in heatmaps]
    np.testing.assert_allclose(decode(heatmaps, filled), expected)


def test_peaks_between_cells_are_found_there() -> None:
    centres = np.random.default_rng(1).uniform(2, 44, (200, 2))
    y, x = np.mgrid[:46, :46] + 0.5
    squares = (x - centres[:, 0, None, None]) ** 2 + (y - centres[:, 1, None, None]) ** 2
    found = decode(np.exp(-squares / 2 / 0.875**2))
    assert np.abs(found[:, :2] * 46 - centres).mean() < 0.05  # cells; the highest cell's centre is 0.25 off


def test_heatmaps_that_are_flat_or_no_numbers_are_no_joints() -> None:
    heatmaps = np.zeros((3, 4, 5))
    heatmaps[1], heatmaps[2] = np.nan, np.inf
    found = decode(heatmaps)
    assert np.isfinite(found).all()
    assert (found[:, 2:] == 0).all()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.onnx", None, "there is no network"),
        ("none.pb", None, "there is no network"),
        ("pose_iter_440000.caffemodel", b"x", "Caffe network, which OpenCV 5 does not read any more: convert"),
        ("pose_deploy.prototxt", None, "Caffe network"),
        ("empty.onnx", b"", "OpenCV cannot read"),
        ("text.onnx", b"hello", "OpenCV cannot read"),
        ("text.pb", b"hello", "OpenCV finds no network in"),  # the new engine ends the process on this
        ("empty.pb", b"", "OpenCV cannot read"),
        ("text.tflite", b"hello", "OpenCV cannot read"),
        ("weights.pth", b"hello", "OpenCV cannot read"),
    ],
)
def test_a_file_that_is_no_network_is_told_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        OpenPose(tmp_path / name).predict(PICTURE)
    message = str(caught.value)
    assert says in message
    assert str(tmp_path / name) in message
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")


def test_a_folder_is_no_network(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no network"):
        OpenPose(tmp_path).predict(PICTURE)


@pytest.mark.parametrize(
    ("made_for", "words", "asked", "says"),
    [
        (MPI15, {}, COCO18, r"with 18, 19 or 57 maps for the skeleton coco, but got shape \(1, 44, 46, 46\)"),
        (COCO18, {}, MPI15, r"with 15, 16 or 44 maps for the skeleton mpi, but got shape \(1, 57, 46, 46\)"),
        (MPI15, {"extra": [1]}, COCO18, r"got shape \(1, 16, 46, 46\)"),  # too few
        (COCO18, {"extra": [39], "flat": True}, COCO18, r"got shape \(1, 120612\)"),
        (COCO18, {"extra": [3, 38]}, COCO18, r"got shape \(1, 21, 46, 46\) and \(1, 38, 46, 46\)"),
        (COCO18, {}, BLAZEPOSE, "with 33 or 34 maps for the skeleton blazepose"),
    ],
)
def test_an_output_of_another_shape_is_told_before_any_picture(
    network: Callable[..., Path], made_for: Skeleton, words: dict[str, object], asked: Skeleton, says: str
) -> None:
    with pytest.raises(UserError, match=says) as caught:
        OpenPose(network(made_for, **words), asked).predict(PICTURE)
    assert "\n" not in str(caught.value)


def test_a_network_that_cannot_take_the_picture_is_told_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    maps = helper.make_tensor_value_info("maps", TensorProto.FLOAT, list("nchw"))
    shape = numpy_helper.from_array(np.array([1, 57, 46, 46]), "shape")  # fewer values than a picture has
    node = helper.make_node("Reshape", ["picture", "shape"], ["maps"])
    model = helper.make_model(helper.make_graph([node], "wrong", [picture], [maps], [shape]), ir_version=8)
    path = tmp_path / "wrong.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match=r"OpenCV cannot (run|read)") as caught:
        OpenPose(path).predict(PICTURE)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
