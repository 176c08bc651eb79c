"""Lightning, as every training here is driven by it: from its last checkpoint on, without remarks."""

import contextlib
import logging
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import torch

from fullshot.train import torchrun

CHECKPOINT = "last.ckpt"
"""Of an unfinished run, after its last whole epoch."""


def checkpoint_of(folder: Path) -> dict[str, Any]:
    """What the checkpoint of a run holds; nothing where there is none."""
    file = folder / CHECKPOINT
    held: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True) if file.is_file() else {}
    return held


def epochs_done(folder: Path) -> int:
    """How many epochs the checkpoint of a run holds; 0 where there is none."""
    return int(checkpoint_of(folder).get("epoch", -1)) + 1


def save_checkpoint(trainer: lightning.Trainer, folder: Path) -> None:
    """Write the checkpoint of a run, in one step; of several processes, all have to call it, and the first writes."""
    unfinished = folder / f".{CHECKPOINT}.part"
    try:
        trainer.save_checkpoint(unfinished)
        if trainer.is_global_zero:
            unfinished.replace(folder / CHECKPOINT)
    except BaseException:  # on a full disk it would stand in the way of the next attempt
        unfinished.unlink(missing_ok=True)
        raise


def drive(
    module: lightning.LightningModule,
    batches: Any,
    folder: Path,
    *,
    epochs: int,
    device: torch.device,
    callback: lightning.Callback,
    **more: Any,
) -> None:
    """Let Lightning train to the last epoch, from the checkpoint of the run where there is one.

    Args:
        module: is trained.
        batches: of an epoch, gone through anew in each.
        folder: of the run.
        epochs: in all.
        device: see :func:`fullshot.train.devices.device_of`.
        callback: writes the checkpoint, see :func:`save_checkpoint`.
        **more: arguments of ``lightning.Trainer``.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    with quiet():
        trainer = lightning.Trainer(
            accelerator={"cuda": "gpu"}.get(device.type, device.type),
            **_places(device),
            max_epochs=epochs,
            callbacks=[callback],
            default_root_dir=folder,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **more,
        )
        file = folder / CHECKPOINT
        answer_to_ctrl_c = signal.getsignal(signal.SIGINT)
        try:
            trainer.fit(module, train_dataloaders=batches, ckpt_path=file if file.is_file() else None)
        except (
            SystemExit
        ) as ended:  # Lightning's answer to Ctrl-C: it ignores any further one, and exits without a word
            signal.signal(signal.SIGINT, answer_to_ctrl_c)
            raise KeyboardInterrupt from ended


def _places(device: torch.device) -> dict[str, Any]:
    """Where Lightning is to train: on one device; or by several processes, on one each."""
    if torchrun.processes() == 1:
        return {"devices": [device.index or 0] if device.type == "cuda" else 1}
    _, here = torchrun.local()
    return {
        "devices": here,
        "num_nodes": torchrun.processes() // here,
        "strategy": "ddp",
        "use_distributed_sampler": False,  # batches are shared out already
    }


@contextlib.contextmanager
def quiet() -> Iterator[None]:
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
