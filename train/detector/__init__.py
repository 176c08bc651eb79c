"""The garment detector: fit it on the workspace's boxes, evaluate it, predict with it."""

from fullshot.train.detector.evaluation import evaluate
from fullshot.train.detector.fitting import fit
from fullshot.train.detector.yolo.predictor import Detector, load

__all__ = ["Detector", "evaluate", "fit", "load"]
