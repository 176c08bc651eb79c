"""What a pose estimator is to this stage: one that finds this stage's people, each with joints of its skeletons."""

from fullshot.core import interfaces
from fullshot.curation.pose.people import People
from fullshot.curation.pose.skeletons import Skeleton

PoseEstimator = interfaces.PoseEstimator[People, Skeleton]
