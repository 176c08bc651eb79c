"""Detectors of Ultralytics YOLO. Nothing outside this package knows of Ultralytics, or where its files lie."""

from fullshot.train.detector.yolo.trainer import YoloTrainer

__all__ = ["YoloTrainer"]
