"""One training of a torchvision detector: from its pictures to a file of weights, from its last checkpoint on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

from fullshot.core.boxes import Box
from fullshot.core.engines import cores
from fullshot.core.errors import StageFailed
from fullshot.core.progress import Advance, say
from fullshot.core.settings import DetectorSettings
from fullshot.train import torchrun
from fullshot.train.detector.candidates import CandidateNetwork
from fullshot.train.detector.data import DetectionData, DetectionPicture
from fullshot.train.detector.evaluation import LEAST_SCORE
from fullshot.train.detector.metrics import average_precision
from fullshot.train.detector.network_detector import NetworkDetector
from fullshot.train.detector.samples import side_by_side
from fullshot.train.detector.sampling import repeats_of
from fullshot.train.detector.torchvision import networks, weights
from fullshot.train.detector.torchvision.dataset import Batches, TrainingPictures, together
from fullshot.train.detector.torchvision.pixels import DecodedPictures
from fullshot.train.detector.torchvision.training import (
    IS_PRETRAINED,
    LARGEST_GRADIENT,
    CheckpointCallback,
    Detection,
)
from fullshot.train.devices import device_of
from fullshot.train.driving import checkpoint_of, drive, epochs_done
from fullshot.train.weights import Pretrained
from fullshot.train.weights import read as read_backbone

_MEASURED_AT_ONCE = 16


def train(
    settings: DetectorSettings,
    backbone: str,
    start: Pretrained,
    data: DetectionData,
    folder: Path,
    file: Path,
    advance: Advance,
) -> Mapping[str, Any]:
    """Train to the last epoch, and write the best weights.

    Args:
        settings: of the detector.
        backbone: of timm.
        start: the weights that the training begins with.
        data: the pictures and boxes.
        folder: of the run.
        file: that the best weights are written to.
        advance: see :meth:`fullshot.core.interfaces.DetectorTrainer.fit`.

    Returns:
        See :meth:`fullshot.core.interfaces.DetectorTrainer.fit`.

    Raises:
        UserError: there is no such backbone or device, or the weights are of another network.
        StageFailed: a picture can no longer be read, memory does not hold a batch of one, or a loss is no number.
    """
    device = device_of(settings.device, "detector.device")
    if torchrun.processes() > 1 and device.type == "cuda":
        device = torch.device("cuda", torchrun.local()[0])
    done = epochs_done(folder)
    advance(done, settings.epochs)
    batch = settings.batch
    while True:
        try:
            checkpoint = _train(settings, backbone, start, data, folder, advance, device, batch)
            break
        except StageFailed:
            raise
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise StageFailed(f"the training broke off: {' '.join(str(error).split())[:300]}") from error
            if torchrun.processes() > 1:  # they would have to halve it together
                raise StageFailed(
                    "the training broke off: the memory of a device does not hold its share of a batch: set "
                    "detector.batch lower"
                ) from error
            if batch == 1:
                raise StageFailed(
                    "the training broke off: memory does not hold one picture: set image_size lower"
                ) from error
            batch //= 2
            say(f"fullshot: memory does not hold so many pictures at once: {batch} a step now, and as many to a step")
    if torchrun.is_follower():
        return {}
    saved = weights.Saved(settings.family, backbone, data.labels, settings.image_size, checkpoint.weights)
    weights.save(file, saved)
    return {
        "resumed_at": done,
        "epochs": len(checkpoint.history),
        "best_epoch": checkpoint.best["epoch"],
        "seconds": round(checkpoint.seconds, 1),
    }


def _workers(device: torch.device) -> int:
    """Processes that make pictures ready while a GPU computes; a CPU has something to do itself."""
    return 0 if device.type == "cpu" else max(1, cores() // (torchrun.local()[1] if torchrun.processes() > 1 else 1))


def _precision(device: torch.device) -> Any:
    """Mixed on NVIDIA's GPUs: bfloat16 where there is such, which has float32's range, so that nothing overflows."""
    if device.type != "cuda":
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _train(
    settings: DetectorSettings,
    backbone: str,
    start: Pretrained,
    data: DetectionData,
    folder: Path,
    advance: Advance,
    device: torch.device,
    batch: int,
) -> CheckpointCallback:
    """Train from the last checkpoint to the last epoch, with so many pictures at once; see :func:`train`."""
    before = checkpoint_of(folder)
    # What a run began with may be gone, or another one by now: its checkpoint holds all that became of it.
    is_pretrained = bool(before.get(IS_PRETRAINED, start.path is not None))
    network, first_label = _network(settings, backbone, data.labels)
    if not before:
        _give(network, backbone, start, data.labels)
    if is_pretrained:
        network.backbone.freeze()
    pictures = TrainingPictures(data, first_label=first_label, image_size=settings.image_size)
    gathered = -(-settings.batch // batch)
    repeats = repeats_of(data.splits["train"], settings.sampling)
    share = (torchrun.rank(), torchrun.processes())
    batches = Batches(repeats, batch, settings.image_size, settings.seed, share)
    batches.epoch = epochs_done(folder)
    detection = Detection(
        network,
        learning_rate=settings.learning_rate,
        steps=-(-len(batches) // gathered) * settings.epochs,
        is_pretrained=is_pretrained,
    )
    held_out = _Measured(settings, data.labels, data.splits.get("val", data.splits["train"]), device)
    checkpoint = CheckpointCallback(folder, detection, held_out, advance, patience=settings.patience)
    workers = _workers(device)
    if workers:
        pictures.fill()
    loader: Any = DataLoader(
        pictures,
        batch_sampler=batches,
        collate_fn=together,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
    )
    drive(
        detection,
        loader,
        folder,
        epochs=settings.epochs,
        device=device,
        callback=checkpoint,
        precision=_precision(device),
        gradient_clip_val=LARGEST_GRADIENT,
        accumulate_grad_batches=gathered,
    )
    return checkpoint


def _network(settings: DetectorSettings, backbone: str, labels: Sequence[str]) -> tuple[Any, int]:
    """A network to train, and the number of its first label."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return networks.build(settings.family, backbone, len(labels))


def _give(network: Any, backbone: str, start: Pretrained, labels: Sequence[str]) -> None:
    """Let a network begin with weights."""
    if start.is_detector and start.path:
        weights.carry_over(weights.read(start.path), network, labels)
    elif start.path:
        whole = timm.create_model(backbone).state_dict()
        network.backbone.give(read_backbone(start.path, whole, in_order=start.in_order))


class _Measured:
    """Average precision of a network on pictures, at the size that it learns at.

    Attributes:
        sample: the first pictures with the boxes that were found in them, side by side.
    """

    def __init__(
        self,
        settings: DetectorSettings,
        labels: Sequence[str],
        pictures: Sequence[DetectionPicture],
        device: torch.device,
    ) -> None:
        self._settings, self._labels, self._pictures, self._device = settings, labels, pictures, device
        self._decoded = DecodedPictures(pictures, settings.image_size)
        self.sample: Image.Image | None = None

    def __call__(self, network: nn.Module) -> dict[str, Any]:
        run, facts = weights.runner(network, self._settings.family, self._labels, self._device)
        size = self._settings.image_size
        asked = NetworkDetector(
            CandidateNetwork(run, facts, image_size=size, confidence=LEAST_SCORE), digest="", image_size=size
        )
        expected: list[list[Box]] = []
        found: list[list[Box]] = []
        sizes = []
        for first in range(0, len(self._pictures), _MEASURED_AT_ONCE):
            rows = range(first, min(first + _MEASURED_AT_ONCE, len(self._pictures)))
            some = [self._decoded[row] for row in rows]
            pictures = [pixels.permute(1, 2, 0).numpy() for pixels, _ in some]
            found += asked.predict(pictures)
            if first == 0:
                self.sample = side_by_side(pictures, found)
            for row, (pixels, corners) in zip(rows, some, strict=True):
                boxes = zip(self._pictures[row].boxes, corners.tolist(), strict=True)
                expected.append([Box(box.label, *its_corners) for box, its_corners in boxes])
                sizes.append((pixels.shape[-1], pixels.shape[-2]))
        return average_precision(self._labels, expected, found, sizes)
