"""How Lightning drives the training: batches, steps, and what is kept of every epoch."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_metric_learning.samplers import MPerClassSampler
from torch import Tensor

from fullshot.core.progress import Advance
from fullshot.core.settings import EmbedderSettings
from fullshot.train.embedder.augment import augmented
from fullshot.train.embedder.backbones.small import Network
from fullshot.train.embedder.losses import mined, weighted_triplet_loss
from fullshot.train.embedder.model import as_input

PER_PRODUCT = 4
"""Pictures of one product in a batch."""

WEIGHT_DECAY = 1e-4

CHECKPOINT = "last.ckpt"


class Batches:
    """Batches of row numbers, :data:`PER_PRODUCT` of each product in it; another order in each epoch.

    A product with fewer pictures gives the same one several times, each time augmented anew.

    Args:
        products: the product of each row, as a number; shape (N,).
        rows: the rows to choose from; shape (M,).
        batch: rows in a batch.
        seed: the same seed and epoch make the same batches, in a run that was stopped and in one that was not.
    """

    def __init__(self, products: NDArray[np.int64], rows: NDArray[np.int64], batch: int, seed: int) -> None:
        self.epoch = 0
        self._products, self._rows, self._seed = products[rows], torch.from_numpy(rows), seed
        most = PER_PRODUCT * len(np.unique(self._products))
        self._batch = max(PER_PRODUCT, min(batch, most) // PER_PRODUCT * PER_PRODUCT)

    def __len__(self) -> int:
        return max(1, round(len(self._products) / self._batch))

    def __iter__(self) -> Iterator[Tensor]:
        # The library's sampler draws from NumPy's global numbers: they are lent a seed, and put back.
        before = np.random.get_state()
        np.random.seed([self._seed, self.epoch])
        try:
            chosen = list(MPerClassSampler(self._products, PER_PRODUCT, self._batch, len(self) * self._batch))
        finally:
            np.random.set_state(before)
        self.epoch += 1
        yield from self._rows[torch.tensor(chosen)].reshape(-1, self._batch)


class Siamese(lightning.LightningModule):
    """The steps of a training: embed a batch, mine its triplets, weigh them.

    Args:
        settings: of the embedder.
        crops: shape (N, side, side, 3), uint8, RGB.
        products: shape (N,), the product of each crop.
        wears: shape (N,), the wear of each crop.
        steps: batches of the whole training.
    """

    def __init__(
        self,
        settings: EmbedderSettings,
        crops: NDArray[np.uint8],
        products: NDArray[np.int64],
        wears: NDArray[np.int64],
        steps: int,
    ) -> None:
        super().__init__()
        self.settings, self.steps = settings, steps
        self.crops, self.products, self.wears = crops, torch.from_numpy(products), torch.from_numpy(wears)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = Network(settings.dimension)
        self.loss = weighted_triplet_loss(settings.margin, settings.alpha, settings.dimension, settings.embedding_scale)
        self.noise = torch.Generator()
        self.losses: list[float] = []

    def on_train_epoch_start(self) -> None:
        # Numbers of an epoch depend on nothing before it, so that a resumed run is the run it would have been.
        self.noise.manual_seed(self.settings.seed * 100_003 + self.current_epoch)
        self.losses.clear()

    def training_step(self, rows: Tensor, batch_idx: int) -> Tensor:
        chosen = rows.cpu()
        crops = augmented(as_input(self.crops[chosen.numpy()]), self.noise).to(self.device)
        products, wears = self.products[chosen].to(self.device), self.wears[chosen].to(self.device)
        embeddings = self.network(crops)
        triplets = mined(embeddings.detach(), products, wears, self.settings.margin)
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


class Keeper(lightning.Callback):
    """After every epoch: measures, keeps the best weights, and writes the checkpoint, in one step.

    Args:
        folder: of the run.
        siamese: what is trained.
        measure: a network's recalls on the split val (see :func:`fullshot.train.embedder.evaluation.scored`).
        advance: told of every epoch.
    """

    def __init__(
        self, folder: Path, siamese: Siamese, measure: Callable[[Network], dict[str, Any]], advance: Advance
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
        unfinished = self._folder / f".{CHECKPOINT}.part"
        trainer.save_checkpoint(unfinished)
        unfinished.replace(self._folder / CHECKPOINT)
        self._advance(len(self.history), trainer.max_epochs or 0)
