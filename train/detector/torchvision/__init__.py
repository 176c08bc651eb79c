"""Detectors of torchvision on backbones of timm: FCOS, RetinaNet, Faster R-CNN and SSDLite."""

from fullshot.train.detector.torchvision.trainer import TorchvisionTrainer, export_weights, open_weights

__all__ = ["TorchvisionTrainer", "export_weights", "open_weights"]
