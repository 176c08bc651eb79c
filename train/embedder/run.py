"""One training of an embedder: from the crops of its examples to weights, and from its last checkpoint on."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from fullshot.core.files import digest as file_digest
from fullshot.core.progress import bar, say, say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import Wear
from fullshot.core.workspace import Workspace
from fullshot.train import runs, validation
from fullshot.train.devices import device_of
from fullshot.train.driving import CHECKPOINT, drive, epochs_done
from fullshot.train.embedder import checkpoints
from fullshot.train.embedder.crops import Crops, cut_crops
from fullshot.train.embedder.dataset import refuse_too_few
from fullshot.train.embedder.evaluation import score
from fullshot.train.embedder.in_use import weights_of
from fullshot.train.embedder.loading import export
from fullshot.train.embedder.network import EmbeddingNetwork, embed_crops
from fullshot.train.embedder.plots import plot
from fullshot.train.embedder.sampling import ProductBatches
from fullshot.train.embedder.starting import Network
from fullshot.train.embedder.training import CheckpointCallback, Siamese


def _counts(learnt_from: pd.DataFrame) -> dict[str, int]:
    return {
        "products": int(learnt_from["product_id"].nunique()),
        "item_shots": int(learnt_from["x_min"].isna().sum()),
        "worn_garments": int(learnt_from["x_min"].notna().sum()),
    }


def train(
    stage: str,
    workspace: Workspace,
    settings: Settings,
    network: Network,
    run: runs.Run,
    examples: pd.DataFrame,
) -> None:
    """Train a run to its end, from its last checkpoint where it has one, and declare it finished.

    Args:
        stage: its name, for what is said.
        workspace: holds the pictures.
        settings: name the engine that cuts crops.
        network: what the run is made with.
        run: a new one, or one that was stopped.
        examples: rows of :data:`fullshot.train.embedder.dataset.COLUMNS`.

    Raises:
        MissingInput: too few of the pictures can be read.
        UserError: there is no such device.
    """
    started, section = time.monotonic(), network.settings
    about = checkpoints.About.of(section)
    crops = cut_crops(workspace.root, examples, about.preparation, settings, stage)
    say_unreadable(stage, crops.unreadable)
    learnt_from = np.flatnonzero(crops.use & (examples["split"] == "train").to_numpy(bool))
    refuse_too_few(workspace.root, examples.iloc[learnt_from])
    products = pd.factorize(examples["product_id"])[0].astype(np.int64)
    numbers = {str(wear): number for number, wear in enumerate(Wear)}
    wears = np.array([numbers[wear] for wear in examples["wear"]], np.int64)
    batches = ProductBatches(products, learnt_from, section.batch, section.seed)
    siamese = Siamese(section, network.build(), crops.pixels, products, wears, len(batches) * section.epochs)
    measure, validation_rows = _measure(examples, crops)
    device = device_of(section.device, "embedder.device")
    resumed_at = batches.epoch = epochs_done(run.folder)
    if not resumed_at:
        say(f"{stage}: the backbone {section.backbone} starts {network.start.source}")
    with bar(stage, "epochs") as advance:
        checkpoint = CheckpointCallback(run.folder, siamese, measure, advance)
        drive(siamese, batches, run.folder, epochs=section.epochs, device=device, callback=checkpoint)
    weights = weights_of(run.folder)
    checkpoints.write(weights, checkpoint.weights, about)
    export(run.folder, weights)
    siamese.network.load_state_dict(checkpoint.weights)
    plot(checkpoint.history, run.folder / "training.png")
    measured = measure(siamese.network)
    metrics = {
        "resumed_at": resumed_at,
        **_counts(examples.iloc[learnt_from]),
        "unreadable": len(crops.unreadable),
        "epochs": len(checkpoint.history),
        "best_epoch": checkpoint.best["epoch"],
        "seconds": round(time.monotonic() - started, 1),
        "weights": file_digest(weights),
        "val": measured,
        "history": checkpoint.history,
        **validation.entry("recall@5", measured["recall@5"], validation_rows),
    }
    runs.finish(run, metrics)
    # What a checkpoint holds beyond the weights is of no use to a finished run.
    (run.folder / CHECKPOINT).unlink(missing_ok=True)


def _measure(examples: pd.DataFrame, crops: Crops) -> tuple[Callable[[EmbeddingNetwork], dict[str, Any]], str]:
    """What measures a network, and the digest of the rows that it is measured on.

    It is the recall on the split val: the worn garments among all item shots that training may see.

    Where no outfit image of the split has boxes of known products, one picture of each product is sought among the
    others. The gallery counts among the rows: among more products, the right one is harder to find.
    """
    held_out = (examples["split"] == "val").to_numpy(bool)
    is_whole = examples["x_min"].isna().to_numpy(bool)
    asked = held_out & ~is_whole & crops.use
    if asked.any():
        held = is_whole & crops.use
    else:
        readable = examples[~examples["path"].isin(crops.unreadable)]
        first = ~readable["product_id"].duplicated() & readable["product_id"].duplicated(keep=False)
        asked = held_out & first.reindex(examples.index, fill_value=False).to_numpy(bool)
        held = ~asked & examples.index.isin(readable.index)
    queries, gallery = np.flatnonzero(asked), np.flatnonzero(held if asked.any() else asked)

    def measure(network: EmbeddingNetwork) -> dict[str, Any]:
        vectors, gallery_vectors = (embed_crops(network, crops.pixels, rows) for rows in (queries, gallery))
        return score(examples.iloc[queries], vectors, examples.iloc[gallery], gallery_vectors)

    told = ["image_id", "product_id", "wear", "x_min", "y_min", "x_max", "y_max"]
    rows = validation.digest_of_rows(queries=examples.iloc[queries][told], gallery=examples.iloc[gallery][told])
    return measure, rows
