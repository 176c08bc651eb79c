"""How Lightning drives a training of one of torchvision's detectors, and its checkpoint after every epoch."""

import copy
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import lightning
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from fullshot.core.errors import StageFailed
from fullshot.core.progress import Advance
from fullshot.train import torchrun
from fullshot.train.driving import CHECKPOINT, save_checkpoint
from fullshot.train.journal import Journal

_BACKBONE_SHARE = 0.3
"""Of the learning rate, for a pretrained backbone: it is to be kept, not learnt anew."""

_WEIGHT_DECAY = 0.03
_WARM_UP = 100
_LAST_SHARE = 0.02
"""Steps until the learning rate is reached, and what is left of it at the end of the cosine."""

IS_PRETRAINED = "is_pretrained"
"""In a checkpoint: whether the run began with a pretrained backbone, whose first layers it keeps."""

LARGEST_GRADIENT = 10.0
"""By its norm."""

_MOST_KEPT = 0.999
"""Of the average of the weights, at each step; less of it at the beginning."""


class Detection(lightning.LightningModule):
    """The steps of a training: the losses of a batch, and a moving average of the weights.

    The average is what is measured and kept: it moves less from step to step than the weights do, and finds more where
    there are few pictures.

    Args:
        network: see :func:`fullshot.train.detector.torchvision.networks.build`.
        learning_rate: of AdamW.
        steps: batches of the whole training.
        is_pretrained: whether the backbone's weights are; its checkpoint remembers it, as :data:`IS_PRETRAINED`.
    """

    def __init__(self, network: nn.Module, *, learning_rate: float, steps: int, is_pretrained: bool) -> None:
        super().__init__()
        self.network = network
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self.losses: list[Mapping[str, float]] = []
        self._learning_rate, self._steps, self._is_pretrained = learning_rate, steps, is_pretrained

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[IS_PRETRAINED] = self._is_pretrained

    def on_train_epoch_start(self) -> None:
        self.losses.clear()

    def training_step(self, batch: tuple[list[Tensor], list[dict[str, Tensor]]], batch_idx: int) -> Tensor:
        pictures, targets = batch
        losses: dict[str, Tensor] = self.network([picture.float() / 255 for picture in pictures], targets)
        if not all(torch.isfinite(value) for value in losses.values()):
            raise StageFailed(
                "the training broke off: a loss is no longer a number; set detector.learning_rate lower, and go on "
                "with --resume from the last whole epoch"
            )
        self.losses.append({name: float(value.detach()) for name, value in losses.items()})
        return torch.stack(list(losses.values())).sum()

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        step = self.global_step
        kept = min(_MOST_KEPT, (1 + step) / (20 + step))
        with torch.no_grad():
            weights = self.network.state_dict().values()
            for ours, theirs in zip(self.average.state_dict().values(), weights, strict=True):
                if ours.dtype.is_floating_point:
                    ours.lerp_(theirs, 1 - kept)
                else:
                    ours.copy_(theirs)

    def configure_optimizers(self) -> Any:
        body = {id(parameter) for parameter in self.network.backbone.body.parameters()}  # type: ignore[union-attr]
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        groups: list[dict[str, Any]] = [
            {
                "params": [parameter for parameter in trained if id(parameter) in body],
                "lr": self._learning_rate * (_BACKBONE_SHARE if self._is_pretrained else 1),
            },
            {"params": [parameter for parameter in trained if id(parameter) not in body]},
        ]
        optimizer = torch.optim.AdamW(groups, self._learning_rate, weight_decay=_WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _share(self, step: int) -> float:
        """Of the learning rate: up to it in a line, down in a cosine."""
        done = min(1.0, step / max(1, self._steps))
        cosine = _LAST_SHARE + (1 - _LAST_SHARE) * (1 + math.cos(math.pi * done)) / 2
        return min(1.0, (step + 1) / _WARM_UP) * cosine


def carry_on(before: Path, folder: Path) -> None:
    """Write the checkpoint of a finished run into the folder of a new one, which is patient anew.

    Args:
        before: folder of the finished run.
        folder: of the new one.
    """
    state = torch.load(before / CHECKPOINT, map_location="cpu", weights_only=True)
    for its in state["callbacks"].values():
        if "history" in its:
            its["patient_since"] = len(its["history"])
    unfinished = folder / f".{CHECKPOINT}.part"
    torch.save(state, unfinished)
    unfinished.replace(folder / CHECKPOINT)


class Measure(Protocol):
    """Says how good a network is.

    Attributes:
        sample: some pictures with the boxes that it found last, side by side; None: there are none.
    """

    sample: Image.Image | None

    def __call__(self, network: nn.Module) -> Mapping[str, Any]:
        """Its ``map50`` and ``map50_95``."""


class CheckpointCallback(lightning.Callback):
    """After every epoch: measures, keeps the best weights, and writes the checkpoint, in one step.

    Args:
        folder: of the run.
        detection: what is trained.
        measure: on the split val.
        patience: the training ends after so many epochs that measured no better; 0: it goes on to the last.
        advance: is given the number of epochs done and in all.

    Attributes:
        history: a row for each epoch: its number, mean losses, and what was measured.
        patient_since: the epoch that patience is counted from: of a run that went on from a finished one, the first.
        weights: those of the best epoch.
        seconds: of training, sittings before this one among them.
    """

    def __init__(
        self,
        folder: Path,
        detection: Detection,
        measure: Measure,
        advance: Advance,
        *,
        patience: int,
    ) -> None:
        self.history: list[dict[str, Any]] = []
        self.patient_since = 0
        self.weights: dict[str, Tensor] = {}
        self.seconds = 0.0
        self._folder, self._detection, self._measure, self._advance = folder, detection, measure, advance
        self._patience = patience
        self._journal = Journal(folder)
        self._since = time.monotonic()

    @property
    def best(self) -> dict[str, Any]:
        """The epoch with the best mean average precision over all overlaps; the later of equals."""
        return max(self.history, key=lambda row: (row["map50_95"], row["epoch"]))

    def is_complete(self, epochs: int) -> bool:
        """Whether so many epochs are done, or none of the latest was any better."""
        done = len(self.history)
        if not self._patience or done >= epochs:
            return done >= epochs
        reached = next(row["epoch"] for row in self.history if row["map50_95"] == self.best["map50_95"])
        return bool(done - max(reached, self.patient_since) >= self._patience)

    def state_dict(self) -> dict[str, Any]:
        return {
            "history": self.history,
            "weights": self.weights,
            "seconds": self.seconds,
            "patient_since": self.patient_since,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history, self.weights = state_dict["history"], state_dict["weights"]
        self.seconds, self.patient_since = state_dict["seconds"], state_dict.get("patient_since", 0)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        # A kill may have come after the last epoch was written, and before the run was finished.
        trainer.should_stop = bool(self.history) and self.is_complete(trainer.max_epochs or 0)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        average = self._detection.average
        # Of several processes all have to know when it ends, and one measures.
        self.history.append(trainer.strategy.broadcast(self._row(trainer.current_epoch + 1)))
        if self.best is self.history[-1]:
            self.weights = {name: value.cpu().clone() for name, value in average.state_dict().items()}
        now = time.monotonic()
        self.seconds, self._since = self.seconds + now - self._since, now
        save_checkpoint(trainer, self._folder)
        self._advance(len(self.history), trainer.max_epochs or 0)
        trainer.should_stop = self.is_complete(trainer.max_epochs or 0)

    def _row(self, epoch: int) -> dict[str, Any]:
        """Of the history; empty in a process that does not lead."""
        if torchrun.is_follower():
            return {}
        losses = self._detection.losses
        means = {name: round(sum(row[name] for row in losses) / len(losses), 5) for name in losses[0]}
        measured = self._measure(self._detection.average)
        row = {"epoch": epoch, **means, "map50": measured["map50"], "map50_95": measured["map50_95"]}
        self._journal.scalars(row)
        if self._measure.sample is not None:
            self._journal.picture("found", np.asarray(self._measure.sample), epoch)
        return row
