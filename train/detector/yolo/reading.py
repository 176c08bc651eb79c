"""Pictures and labels as Ultralytics gets them from here, so that each picture's file is opened once.

Left alone it opens a file to check it, to measure it, to see how fast the disk is and how much memory all would need,
and to read it. All but the last is known before it begins.

Import this after :func:`fullshot.train.detector.yolo.library.ultralytics` was called.
"""

import functools
import random
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ultralytics.data.dataset import YOLODataset
from ultralytics.models import RTDETR, YOLO
from ultralytics.models.rtdetr.train import RTDETRTrainer
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.utils import NUM_THREADS, colorstr

from fullshot.train.detector.crops import part_about
from fullshot.train.detector.yolo.pictures import Loaded, Pictures

_LEAST_STRIDE = 32
_FILES_TIMED = 5


class _Dataset(YOLODataset):
    """A folder that :func:`fullshot.train.detector.yolo.dataset.write` wrote."""

    def __init__(self, pictures: Pictures, **arguments: Any) -> None:
        self._pictures = pictures
        self._side = int(arguments["imgsz"])
        self._is_estimating = False
        super().__init__(**arguments)

    def get_img_files(self, img_path: str | list[str]) -> list[str]:
        place = Path(str(img_path))
        listed = place.read_text("utf-8").splitlines() if place.is_file() else map(str, place.iterdir())
        files = sorted(listed)
        # Ultralytics draws files whose reading it times; drawn here too, a seed means the same training.
        random.sample(files, min(_FILES_TIMED, len(files)))
        return files

    def get_labels(self) -> list[dict[str, Any]]:
        return [
            {
                "im_file": file,
                "shape": self._pictures.shapes[Path(file).stem],
                "cls": rows[:, :1],
                "bboxes": rows[:, 1:],
                "segments": [],
                "keypoints": None,
                "normalized": True,
                "bbox_format": "xywh",
            }
            for file, rows in zip(self.im_files, map(_label_rows, self.get_label_files()), strict=True)
        ]

    def check_cache_ram(self, safety_margin: float = 1.0) -> bool:
        self._is_estimating = True
        fits: bool = super().check_cache_ram(safety_margin)
        self._is_estimating = False
        return fits

    def cache_images(self) -> None:
        with ThreadPool(NUM_THREADS) as pool:
            for file, loaded in zip(self.im_files, pool.imap(self.load_image, range(self.ni)), strict=True):
                self._pictures.in_memory[file, self._side] = loaded

    def load_image(self, i: int, rect_mode: bool = True, resize_short: bool = False) -> Loaded:
        file = self.im_files[i]
        if self._is_estimating:
            return self._of_its_size(file)
        loaded = self._pictures.in_memory.get((file, self._side))
        return loaded or super().load_image(i, rect_mode, resize_short)

    def get_image_and_label(self, index: int) -> dict[str, Any]:
        found: dict[str, Any] = super().get_image_and_label(index)
        return _cropped(found) if self.augment and self._pictures.in_crops else found

    def _of_its_size(self, file: str) -> Loaded:
        """What stands for a picture where only its size in memory counts."""
        height, width = self._pictures.shapes[Path(file).stem]
        share = self._side / max(height, width)
        shape = min(ceil(height * share), self._side), min(ceil(width * share), self._side)
        return np.broadcast_to(np.uint8(0), (*shape, 3)), (height, width), shape


def _cropped(found: dict[str, Any]) -> dict[str, Any]:
    """A picture and its labels as Ultralytics hands them on, in a part about any one of its boxes."""
    picture, instances = found["img"], found["instances"]
    height, width = picture.shape[:2]
    instances.convert_bbox("xyxy")
    instances.denormalize(width, height)
    box = random.choice(instances.bboxes.tolist())
    part = part_about(box, width, height, [random.random() for _ in range(4)])
    instances.add_padding(-part.left, -part.top)
    instances.clip(part.width, part.height)
    found["cls"] = found["cls"][instances.remove_zero_area_boxes()]
    instances.normalize(part.width, part.height)
    rows, columns = (slice(part.top, part.top + part.height), slice(part.left, part.left + part.width))
    return {**found, "img": np.ascontiguousarray(picture[rows, columns]), "resized_shape": (part.height, part.width)}


class _SquareDataset(_Dataset):
    """The same for a network that takes squares alone: pictures are brought to them, whatever their proportions."""

    def load_image(self, i: int, rect_mode: bool = False, resize_short: bool = False) -> Loaded:
        return super().load_image(i, rect_mode, resize_short)


Keep = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], None]
"""Is given the first batch of a validation, and what was found in it."""


class _Reading:
    """What a trainer does otherwise here."""

    dataset: type[_Dataset] = _Dataset

    def __init__(self, pictures: Pictures, keep: Keep, **arguments: Any) -> None:
        self._pictures, self._keep = pictures, keep
        super().__init__(**arguments)

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> _Dataset:
        trainer: Any = self
        stride = max(int(trainer.model.stride.max()), _LEAST_STRIDE)
        rect = mode == "val" and self.dataset is not _SquareDataset
        return _dataset(trainer, self._pictures, img_path, mode, batch, rect=rect, stride=stride, kind=self.dataset)

    def get_validator(self) -> Any:
        validator: Any = super().get_validator()  # type: ignore[misc]  # of the trainer beside this class
        update = validator.update_metrics

        def update_and_keep(preds: Any, batch: Any) -> None:
            if validator.batch_i == 0:
                self._keep(batch, preds)
            update(preds, batch)

        validator.update_metrics = update_and_keep
        return validator


class _Trainer(_Reading, DetectionTrainer):
    pass


class _SquareTrainer(_Reading, RTDETRTrainer):
    dataset = _SquareDataset


def trainer_of(model: Any, pictures: Pictures, keep: Keep) -> Any:
    """What ``model.train`` is to train with: None, its own choice, for a model that is neither a YOLO nor an RT-DETR.

    Args:
        model: see :func:`fullshot.train.detector.yolo.library.open_model`.
        pictures: of the data set; those that a training reads into memory stay there.
        keep: is given the first batch of each validation.
    """
    trainer = {YOLO: _Trainer, RTDETR: _SquareTrainer}.get(type(model))
    return trainer and functools.partial(trainer, pictures, keep)


def _dataset(
    of: Any,
    pictures: Pictures,
    img_path: str,
    mode: str,
    batch: int | None,
    *,
    rect: bool,
    stride: int,
    kind: type[_Dataset] = _Dataset,
) -> _Dataset:
    """As ``ultralytics.data.build.build_yolo_dataset`` makes one, which knows no other classes than its own."""
    return kind(
        pictures,
        img_path=img_path,
        imgsz=of.args.imgsz,
        batch_size=batch,
        augment=mode == "train",
        hyp=of.args,
        rect=of.args.rect or rect,
        cache=of.args.cache or None,
        single_cls=False,
        stride=stride,
        pad=0.0 if mode == "train" else 0.5,
        prefix=colorstr(f"{mode}: "),
        task=of.args.task,
        classes=of.args.classes,
        data=of.data,
        fraction=1.0,
    )


def _label_rows(file: str) -> NDArray[np.float32]:
    """The different lines of a label file: shape (N, 5), class, centre x and y, width, height as shares."""
    lines = Path(file).read_text("utf-8").splitlines()
    rows = np.array([line.split() for line in lines], np.float32).reshape(-1, 5)
    _, first = np.unique(rows, axis=0, return_index=True)
    return rows[first] if len(first) < len(rows) else rows
