"""What every pose estimator does, whichever it is."""

import pickle
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from fullshot.core.boxes import Picture
from fullshot.core.settings import Settings, load
from fullshot.curation import POSE_ESTIMATORS, PoseEstimator, garment_boxes
from fullshot.curation.pose.skeletons import COCO18
from fullshot.demo.shop.studio import draw, open_studio
from tests.curation.pose.networks import write_network


@pytest.fixture(scope="module", params=POSE_ESTIMATORS.names())
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings that name the estimator, and the network that OpenPose needs."""
    network = write_network(tmp_path_factory.mktemp("network") / "coco.onnx", COCO18)
    return load(curate={"pose": request.param, "pose_network": str(network)})


@pytest.fixture(scope="module")
def estimator(settings: Settings) -> Iterator[PoseEstimator]:
    opened = POSE_ESTIMATORS.get(settings.curate.pose).from_settings(settings)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Picture:
    """Somebody dressed in many colours, from head to feet."""
    studio = open_studio(seed=7, collections=1)
    path = tmp_path_factory.mktemp("picture") / "outfit.jpg"
    path.write_bytes(draw(studio, next(one for one in studio.pictures if one.kind == "outfit"))[0])
    return np.asarray(Image.open(path).convert("RGB"))


def test_people_are_key_points_of_its_skeleton(estimator: PoseEstimator, picture: Picture) -> None:
    people = estimator.predict(picture)
    assert len(people) >= 1
    assert people.skeleton == estimator.skeleton
    assert people.keypoints.shape == (len(people), len(estimator.skeleton.joints), 4)
    assert np.isfinite(people.keypoints).all()
    assert ((people.keypoints[..., 2:] >= 0) & (people.keypoints[..., 2:] <= 1)).all()
    # In shares of the picture, not in pixels.
    assert np.abs(people.keypoints[..., :2]).max() < 3


def test_the_same_picture_gives_the_same_people_and_stays_as_it_is(estimator: PoseEstimator, picture: Picture) -> None:
    before = picture.copy()
    first, second = estimator.predict(picture), estimator.predict(picture)
    np.testing.assert_array_equal(first.keypoints, second.keypoints)
    np.testing.assert_array_equal(picture, before)


def test_a_view_of_a_picture_is_the_same_picture(estimator: PoseEstimator, picture: Picture) -> None:
    view = np.ascontiguousarray(picture[::-1, ::-1])[::-1, ::-1]
    np.testing.assert_array_equal(estimator.predict(view).keypoints, estimator.predict(picture).keypoints)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (64, 64)])
def test_nobody_is_in_a_grey_picture_of_any_shape(estimator: PoseEstimator, shape: tuple[int, int]) -> None:
    people = estimator.predict(np.full((*shape, 3), 128, np.uint8))
    assert people.keypoints.shape == (0, len(estimator.skeleton.joints), 4)


def test_garments_of_whoever_is_found_have_boxes_inside_the_picture(estimator: PoseEstimator, picture: Picture) -> None:
    height, width = picture.shape[:2]
    people = estimator.predict(picture)
    for number in range(len(people)):
        for box in garment_boxes(people[number], width, height):
            assert 0 <= box.x_min < box.x_max <= width
            assert 0 <= box.y_min < box.y_max <= height


def test_a_worker_process_gets_the_same_one_before_and_after_it_was_used(settings: Settings, picture: Picture) -> None:
    unused = POSE_ESTIMATORS.get(settings.curate.pose).from_settings(settings)
    copies = [pickle.loads(pickle.dumps(unused))]  # noqa: S301
    people = unused.predict(picture)
    copies.append(pickle.loads(pickle.dumps(unused)))  # noqa: S301
    unused.close()
    for copy in copies:
        assert (copy.version, copy.skeleton) == (unused.version, unused.skeleton)
        np.testing.assert_array_equal(copy.predict(picture).keypoints, people.keypoints)
        copy.close()


def test_a_closed_one_loads_its_model_again(settings: Settings, picture: Picture) -> None:
    estimator = POSE_ESTIMATORS.get(settings.curate.pose).from_settings(settings)
    estimator.close()
    people = estimator.predict(picture)
    estimator.close()
    estimator.close()
    np.testing.assert_array_equal(estimator.predict(picture).keypoints, people.keypoints)
    estimator.close()


def test_its_version_tells_what_its_joints_are_and_is_one_line(estimator: PoseEstimator, settings: Settings) -> None:
    again = POSE_ESTIMATORS.get(settings.curate.pose).from_settings(settings)
    assert again.version == estimator.version
    assert estimator.version.split()[0] == estimator.skeleton.name
    assert "\n" not in estimator.version
    assert estimator.model_source
