"""People and their joints: the estimators that find them, and what is made of them."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names
from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from fullshot.core.settings import Settings
    from fullshot.curation.pose.estimator import PoseEstimator
    from fullshot.curation.pose.people import People
    from fullshot.curation.pose.skeletons import Skeleton

__all__ = ["POSE_ESTIMATORS", "People", "PoseEstimator", "Skeleton", "open_pose_estimator"]

__getattr__ = lazy_names(__name__, {".estimator": ["PoseEstimator"], ".people": ["People"], ".skeletons": ["Skeleton"]})

POSE_ESTIMATORS: "Registry[type[PoseEstimator]]" = Registry(
    "pose estimator",
    "fullshot.pose_estimators",
    {
        "mediapipe": "fullshot.curation.pose.mediapipe:MediaPipePose",
        "openpose": "fullshot.curation.pose.openpose:OpenPose",
    },
    keeps("fullshot.core.interfaces:PoseEstimator"),
)
"""A pose estimator's class by its name in ``curate.pose``."""


def open_pose_estimator(settings: "Settings") -> "PoseEstimator":
    """The pose estimator that the settings name; its model is fetched if need be, and loaded with the first picture.

    Raises:
        UserError: there is none of that name, and these are listed; or its model is missing.
    """
    return POSE_ESTIMATORS.get(settings.curate.pose).from_settings(settings)
