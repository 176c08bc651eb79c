"""Training an embedder from a workspace, so that a run that was stopped goes on."""

import contextlib
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fullshot.core import leakage as leaks
from fullshot.core.files import digest as file_digest
from fullshot.core.progress import bar
from fullshot.core.settings import EmbedderSettings, Settings
from fullshot.core.taxonomy import Wear
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.embedder.backbones.small import Network
from fullshot.train.embedder.crops import gathered
from fullshot.train.embedder.dataset import training_examples
from fullshot.train.embedder.evaluation import scored
from fullshot.train.embedder.model import WEIGHTS, device_of, embedded, save
from fullshot.train.embedder.plots import plot
from fullshot.train.embedder.training import CHECKPOINT, Batches, Keeper, Siamese

KIND = "embedder"

INPUTS = ("products", "images", "curated", "boxes", "dataset2", "labels")


def fit(workspace: Workspace, settings: Settings, *, resume: str | None = None) -> dict[str, Any]:
    """Train an embedder; go on with the unfinished run of the same inputs and settings where there is one.

    Args:
        workspace: read: ``exports/dataset2.csv`` and ``labels.csv``, ``images``, ``products``, ``curated``, and
            ``boxes`` where there are any. Written: ``models/embedder/<run>/``.
        settings: its section ``embedder``.
        resume: the name of an unfinished run to go on with, with the settings that it was started with.

    Returns:
        ``run``, ``trained`` (false: it had been before), ``resumed_at`` (epochs done before), ``products``,
        ``item_shots`` and ``worn_garments`` learnt from, ``epochs``, ``best_epoch``, ``seconds`` of this sitting,
        ``weights`` (their digest), ``val`` (see :func:`evaluation.scored`), and the ``history``.

    Raises:
        MissingInput: a table is not there, or holds too little to learn from.
        UserError: there is no run ``resume``, it is finished, or its inputs have changed; no such device; the
            splits leak.
        StageFailed: a picture cannot be read.
    """
    with workspace.stage("train embedder", settings, [workspace.table(name) for name in INPUTS]) as stats:
        examples = training_examples(workspace)
        leaks.refuse(workspace)
        section = runs.section_to_train(workspace, KIND, resume, settings.embedder)
        digest = runs.frames_digest({"examples": examples}, section)
        run = runs.find_run(
            workspace,
            KIND,
            digest,
            resume=resume,
            weights=lambda folder: folder / WEIGHTS,
            inputs="the pictures or boxes",
        )
        trained = run is None or not run.finished
        if run is not None and run.finished:
            runs.put_in_use(run)
        else:
            run = run or runs.start(workspace, KIND, digest, settings)
            _train(workspace, section, run, examples)
        stats.update(run=run.name, trained=trained, **run.metrics)
    return stats


def _counts(learnt_from: pd.DataFrame) -> dict[str, int]:
    return {
        "products": int(learnt_from["product_id"].nunique()),
        "item_shots": int(learnt_from["x_min"].isna().sum()),
        "worn_garments": int(learnt_from["x_min"].notna().sum()),
    }


def _train(workspace: Workspace, section: EmbedderSettings, run: runs.Run, examples: pd.DataFrame) -> None:
    """Train a run to its end, from its last checkpoint where it has one, and declare it finished."""
    started = time.monotonic()
    crops, use = gathered(workspace.root, examples, section.image_size)
    learnt_from = np.flatnonzero(use & (examples["split"] == "train").to_numpy(bool))
    products = pd.factorize(examples["product_id"])[0].astype(np.int64)
    numbers = {str(wear): number for number, wear in enumerate(Wear)}
    wears = np.array([numbers[wear] for wear in examples["wear"]], np.int64)
    batches = Batches(products, learnt_from, section.batch, section.seed)
    siamese = Siamese(section, crops, products, wears, len(batches) * section.epochs)
    measure = _measure(examples, crops, use)
    with bar("train embedder", "epochs") as advance, _quiet():
        keeper = Keeper(run.folder, siamese, measure, advance)
        resumed_at = _drive(run.folder, section, siamese, batches, keeper)
    save(run.folder / WEIGHTS, keeper.weights, section.dimension, section.image_size)
    siamese.network.load_state_dict(keeper.weights)
    plot(keeper.history, run.folder / "training.png")
    metrics = {
        "resumed_at": resumed_at,
        **_counts(examples.iloc[learnt_from]),
        "epochs": len(keeper.history),
        "best_epoch": keeper.best["epoch"],
        "seconds": round(time.monotonic() - started, 1),
        "weights": file_digest(run.folder / WEIGHTS),
        "val": measure(siamese.network),
        "history": keeper.history,
    }
    runs.finish(run, metrics)
    # What a checkpoint holds beyond the weights is of no use to a finished run.
    (run.folder / CHECKPOINT).unlink(missing_ok=True)


def _drive(folder: Path, section: EmbedderSettings, siamese: Siamese, batches: Batches, keeper: Keeper) -> int:
    """Let Lightning train, from the checkpoint where there is one; returns the epochs that it holds."""
    device = device_of(section.device)
    trainer = lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=1,
        max_epochs=section.epochs,
        callbacks=[keeper],
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    checkpoint = folder / CHECKPOINT
    if not checkpoint.is_file():
        trainer.fit(siamese, train_dataloaders=batches)
        return 0
    done = int(torch.load(checkpoint, map_location="cpu", weights_only=True)["epoch"]) + 1
    batches.epoch = done
    trainer.fit(siamese, train_dataloaders=batches, ckpt_path=checkpoint)
    return done


def _measure(
    examples: pd.DataFrame, crops: NDArray[np.uint8], use: NDArray[np.bool_]
) -> Callable[[Network], dict[str, Any]]:
    """Recall on the split val: the worn garments among all item shots that training may see.

    Where no look of the split has boxes of known products, one picture of each product is sought among the others.
    """
    held_out = (examples["split"] == "val").to_numpy(bool)
    whole = examples["x_min"].isna().to_numpy(bool)
    asked = held_out & ~whole
    if asked.any():
        held = whole & use
    else:
        first = ~examples["product_id"].duplicated().to_numpy(bool)
        asked = held_out & first & examples["product_id"].duplicated(keep=False).to_numpy(bool)
        held = ~asked
    queries, gallery = np.flatnonzero(asked), np.flatnonzero(held if asked.any() else asked)

    def measure(network: Network) -> dict[str, Any]:
        vectors, gallery_vectors = embedded(network, crops, queries), embedded(network, crops, gallery)
        return scored(examples.iloc[queries], vectors, examples.iloc[gallery], gallery_vectors)

    return measure


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's remarks on hardware, loggers and workers: what a user has to know is in the run's folder."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(lightning|torch)\.")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
