"""The garment detector: fit it on the workspace's boxes, evaluate it, predict with it."""

from train.detector.evaluation import evaluate
from train.detector.fitting import fit
from train.detector.predictor import Detector, load

__all__ = ["Detector", "evaluate", "fit", "load"]
