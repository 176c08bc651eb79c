"""The state of a YOLO training after its last whole epoch."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from fullshot.core.files import read_json, write_text


class Checkpoint:
    """The state after the last whole epoch.

    Ultralytics overwrites ``last.pt`` and ``best.pt`` in place: killed while it does, it leaves half a file. So each is
    copied when it is whole, and ``state.json`` comes last.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._weights = folder / "weights"
        self._folder = folder / "checkpoint"
        self.best = self._weights / "best.pt"
        self.last = self._weights / "last.pt"
        self._since = time.monotonic()

    def state(self) -> dict[str, Any]:
        """``epochs`` done, the ``best_epoch``, ``seconds`` of training, and whether patience ended it (``complete``).

        Of a run that goes on from a finished one, ``patient_since`` says after how many epochs: Ultralytics counts its
        patience from there.
        """
        nothing = {"epochs": 0, "best_epoch": 0, "seconds": 0.0, "complete": False, "patient_since": 0}
        return nothing | read_json(self._folder / "state.json")

    def save(self, trainer: Any) -> None:
        """Copy what Ultralytics has just saved (its callback ``on_model_save``)."""
        self._folder.mkdir(exist_ok=True)
        for file in (self.best, self.last):
            part = self._folder / f"{file.name}.part"
            try:
                shutil.copyfile(file, part)
            except OSError:  # on a full disk it would stand in the way of the next attempt
                part.unlink(missing_ok=True)
                raise
            part.replace(self._folder / file.name)
        before, now = self.state(), time.monotonic()
        best = int(trainer.stopper.best_epoch)
        state = {
            **before,
            "epochs": trainer.epoch + 1,
            "best_epoch": before["best_epoch"] if best and best == before["patient_since"] else best,
            "seconds": before["seconds"] + now - self._since,
            # Who asks for more epochs than there were gets them, unless patience ended the training before.
            "complete": bool(trainer.stop) and trainer.epoch + 1 < trainer.epochs,
        }
        self._since = now
        write_text(self._folder / "state.json", json.dumps(state))

    def restore(self, epochs: int) -> dict[str, Any]:
        """Put the copies back where Ultralytics goes on from.

        Args:
            epochs: to be done in all.

        Returns:
            See :meth:`state`; ``complete`` where so many are done.
        """
        state = self.state()
        if state["epochs"]:
            self._weights.mkdir(exist_ok=True)
            for file in (self.best, self.last):
                shutil.copyfile(self._folder / file.name, file)
        return {**state, "complete": state["complete"] or state["epochs"] >= epochs}

    def take_over(self, before: "Checkpoint") -> None:
        """Begin with what a finished run ended with."""
        part = self._folder.with_name(f".{self._folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(before._folder, part)
        state = before.state()
        state = {**state, "complete": False, "patient_since": state["epochs"]}
        write_text(part / "state.json", json.dumps(state))
        part.replace(self._folder)

    def remove(self) -> None:
        """Delete all but the best weights."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self.last.unlink(missing_ok=True)
