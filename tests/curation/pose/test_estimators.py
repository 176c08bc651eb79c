"""The pose estimator that settings name, and whole runs with another one than MediaPipe."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from fullshot import curation
from fullshot.core.errors import UserError
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.curation.features.versions import version_name, version_of
from fullshot.curation.pose import PoseEstimator, open_pose_estimator
from fullshot.curation.pose.mediapipe import MediaPipePose
from fullshot.curation.pose.model_file import PoseModel
from fullshot.curation.pose.openpose import OpenPose
from fullshot.curation.pose.skeletons import BLAZEPOSE, COCO18, MPI15, Skeleton
from tests.curation.pose.networks import CELL, paint, spread, write_network

Make = Callable[[list[tuple[str, str]]], Workspace]
ROWS = [("s:1", "outfit"), ("s:1", "front"), ("s:2w", "person")]


def asking(network: Path | str, **words: object) -> Settings:
    """Settings that ask for OpenPose with this network."""
    return load(curate={"processes": 1, "pose": "openpose", "pose_network": str(network), **words})


def people_kept(workspace: Workspace, estimator: PoseEstimator) -> dict[str, int]:
    """How many numbers are kept of the people in each picture, of what this estimator found."""
    version = version_name(version_of(estimator))
    shards = (workspace / "features").glob(f"pictures/{version}/*.parquet")
    rows = [row for shard in shards for row in pyarrow.parquet.read_table(shard).to_pylist()]
    return {row["image_id"]: len(row["keypoints"]) for row in rows}


def test_mediapipe_unless_asked_otherwise(pose_model: PoseModel) -> None:
    estimator = open_pose_estimator(load())
    assert isinstance(estimator, MediaPipePose)
    assert (estimator.skeleton, estimator.model, estimator.model_source) == (BLAZEPOSE, pose_model, pose_model.route)


def test_an_unknown_estimator_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"expected the pose estimator to be one of mediapipe, openpose.*, got 'none'"):
        open_pose_estimator(load(curate={"pose": "none"}))


@pytest.mark.parametrize(("name", "skeleton"), [("coco", COCO18), ("mpi", MPI15)])
def test_openpose_with_the_joints_of_its_network(tmp_path: Path, name: str, skeleton: Skeleton) -> None:
    path = write_network(tmp_path / "net work.onnx", skeleton)
    estimator = open_pose_estimator(asking(path, pose_layout=name))
    places = spread(skeleton, 300, 400)
    assert isinstance(estimator, OpenPose)
    assert estimator.skeleton == skeleton
    person = estimator.predict(paint(skeleton, 300, 400, places))
    np.testing.assert_allclose(person.keypoints[0, :, :2], list(places.values()), atol=1.5 * CELL)


def test_what_stored_poses_depend_on_is_in_the_version(tmp_path: Path, pose_model: PoseModel) -> None:
    one = write_network(tmp_path / "one.onnx", COCO18)
    other = write_network(tmp_path / "other.onnx", COCO18, order="RGB")
    mpi = write_network(tmp_path / "mpi.onnx", MPI15)
    again = tmp_path / "again.onnx"
    again.write_bytes(one.read_bytes())
    estimators = [
        open_pose_estimator(load()),
        open_pose_estimator(asking(one)),
        open_pose_estimator(asking(other)),
        open_pose_estimator(asking(mpi, pose_layout="mpi")),
        open_pose_estimator(asking(one, pose_layout="mpi")),  # the wrong joints: another version, whatever comes of it
    ]
    assert len({estimator.version for estimator in estimators}) == len(estimators)
    assert (
        open_pose_estimator(asking(again)).version == open_pose_estimator(asking(one)).version
    )  # the same network at another place


def predict(settings: Settings) -> None:
    open_pose_estimator(settings).predict(np.zeros((30, 20, 3), np.uint8))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (None, None, "needs its network: set curate.pose_network"),
        ("none.onnx", None, "got no such file"),
        ("", None, "got no such file"),  # a folder
        ("text.onnx", b"hello", "OpenCV cannot read"),
        ("empty.onnx", b"", "OpenCV cannot read"),
        ("pose.caffemodel", b"hello", "Caffe network"),
    ],
)
def test_what_is_no_network_is_told_in_one_line(
    tmp_path: Path, make_workspace: Make, name: str | None, content: bytes | None, says: str
) -> None:
    if name and content is not None:
        (tmp_path / name).write_bytes(content)
    settings = asking("" if name is None else tmp_path / name)
    workspace = make_workspace(ROWS)
    for use in (predict, lambda settings: curation.curate(workspace, settings)):
        with pytest.raises(UserError, match=says) as caught:
            use(settings)
        assert "\n" not in str(caught.value)
        assert name is None or str(tmp_path / name) in str(caught.value)
    assert not workspace.table("curated").is_file()


def test_a_network_of_other_joints_than_asked_for_stops_a_run_before_anything_is_written(
    tmp_path: Path, make_workspace: Make
) -> None:
    workspace = make_workspace(ROWS)
    with pytest.raises(UserError, match="is it a network for another skeleton") as caught:
        curation.curate(workspace, asking(write_network(tmp_path / "mpi.onnx", MPI15)))
    assert "\n" not in str(caught.value)
    assert not workspace.table("curated").is_file()


@pytest.mark.parametrize(("name", "skeleton"), [("coco", COCO18), ("mpi", MPI15)])
def test_a_run_keeps_poses_of_its_network_and_mediapipe_extracts_again(
    tmp_path: Path, make_workspace: Make, settings: Settings, name: str, skeleton: Skeleton
) -> None:
    workspace = make_workspace(ROWS)
    network = asking(write_network(tmp_path / "network.onnx", skeleton), pose_layout=name)

    stats = curation.curate(workspace, network, overlays=True)
    assert (stats["images"], stats["extracted"], stats["unreadable"], stats["pose_model_source"]) == (
        3,
        3,
        0,
        "settings",
    )
    kept = people_kept(workspace, open_pose_estimator(network))
    assert set(kept) == set(workspace.read("images")["image_id"])
    assert set(kept.values()) == {len(skeleton.joints) * 4}  # somebody, dressed in the colours of joints
    assert len(workspace.read("curated")) == 3
    assert len(list((workspace / "overlays").rglob("*.jpg"))) == 3
    assert not people_kept(workspace, open_pose_estimator(settings))
    assert curation.curate(workspace, network)["extracted"] == 0

    stats = curation.curate(workspace, settings)
    assert (stats["extracted"], stats["full_shots"]) == (3, 2)
    assert len(people_kept(workspace, open_pose_estimator(settings))) == 3
    assert curation.curate(workspace, network)["extracted"] == 0  # what it saw lies beside


def test_workers_of_their_own_process_tell_of_a_wrong_network_in_one_line(
    tmp_path: Path, make_workspace: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fullshot.curation.features.store._LEAST_SHARD", 2)
    (tmp_path / "text.onnx").write_bytes(b"hello")
    workspace = make_workspace(ROWS)
    with pytest.raises(UserError, match="OpenCV cannot read") as caught:
        curation.curate(workspace, asking(tmp_path / "text.onnx", processes=2))
    assert "\n" not in str(caught.value)
