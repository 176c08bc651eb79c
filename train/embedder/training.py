"""How Lightning drives the training: its steps, and the checkpoint after every epoch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fullshot.core.progress import Advance
from fullshot.core.settings import EmbedderSettings
from fullshot.train.driving import save_checkpoint
from fullshot.train.embedder.augment import augment
from fullshot.train.embedder.losses import mine_triplets, weighted_triplet_loss
from fullshot.train.embedder.network import EmbeddingNetwork, as_input

WEIGHT_DECAY = 1e-4


class Siamese(lightning.LightningModule):
    """The steps of a training: embed a batch, mine its triplets, weigh them.

    Args:
        settings: of the embedder.
        network: that is trained.
        crops: shape (N, side, side, 3), uint8, RGB.
        products: shape (N,), the product of each crop.
        wears: shape (N,), the wear of each crop.
        steps: batches of the whole training.
    """

    def __init__(
        self,
        settings: EmbedderSettings,
        network: EmbeddingNetwork,
        crops: NDArray[np.uint8],
        products: NDArray[np.int64],
        wears: NDArray[np.int64],
        steps: int,
    ) -> None:
        super().__init__()
        self.settings, self.steps = settings, steps
        self.crops, self.products, self.wears = crops, torch.from_numpy(products), torch.from_numpy(wears)
        self.network = network
        self.loss = weighted_triplet_loss(settings.margin, settings.alpha, settings.dimension, settings.embedding_scale)
        self.noise = torch.Generator()
        self.losses: list[float] = []

    def on_train_epoch_start(self) -> None:
        # Numbers of an epoch depend on nothing before it, so that a resumed run is the run it would have been.
        self.noise.manual_seed(self.settings.seed * 100_003 + self.current_epoch)
        self.losses.clear()

    def training_step(self, rows: Tensor, batch_idx: int) -> Tensor:
        chosen = rows.cpu()
        crops = augment(as_input(self.crops[chosen.numpy()]), self.noise).to(self.device)
        products, wears = self.products[chosen].to(self.device), self.wears[chosen].to(self.device)
        embeddings = self.network(crops)
        triplets = mine_triplets(embeddings.detach(), products, wears, self.settings.margin)
        loss: Tensor = self.loss(embeddings, products, triplets)
        self.losses.append(float(loss.detach()))
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self.settings.learning_rate, weight_decay=WEIGHT_DECAY
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.settings.learning_rate, total_steps=self.steps, pct_start=0.2
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class CheckpointCallback(lightning.Callback):
    """After every epoch: measures, keeps the best weights, and writes the checkpoint, in one step.

    Args:
        folder: of the run.
        siamese: what is trained.
        measure: a network's recalls on the split val (see :func:`fullshot.train.embedder.evaluation.score`).
        advance: is given the number of epochs done and in all.
    """

    def __init__(
        self, folder: Path, siamese: Siamese, measure: Callable[[EmbeddingNetwork], dict[str, Any]], advance: Advance
    ) -> None:
        self.history: list[dict[str, Any]] = []
        self.weights: dict[str, Tensor] = {}
        self._folder, self._siamese, self._measure, self._advance = folder, siamese, measure, advance

    @property
    def best(self) -> dict[str, Any]:
        """The epoch that finds the most products among the first five, then as the first; the later of equals.

        The loss would not do: it is a mean over those triplets that are still wrong, and these become harder.
        """
        return max(self.history, key=lambda row: (row["recall@5"] or 0, row["recall@1"] or 0, row["epoch"]))

    @property
    def state_key(self) -> str:
        """Where a checkpoint holds the state of this callback; version 0.1 named it so, and its runs go on."""
        return "Keeper"

    def state_dict(self) -> dict[str, Any]:
        return {"history": self.history, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history, self.weights = state_dict["history"], state_dict["weights"]

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        network = self._siamese.network
        measured = self._measure(network)
        row = {"epoch": trainer.current_epoch + 1, "loss": round(float(np.mean(self._siamese.losses)), 6)}
        self.history.append({**row, "recall@1": measured["recall@1"], "recall@5": measured["recall@5"]})
        if self.best is self.history[-1]:
            self.weights = {name: value.cpu().clone() for name, value in network.state_dict().items()}
        save_checkpoint(trainer, self._folder)
        self._advance(len(self.history), trainer.max_epochs or 0)
