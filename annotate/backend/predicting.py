"""Keeps the detector in use loaded, and draws its boxes on the pictures of tasks, batch by batch."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fullshot.annotate.backend.log import Log
from fullshot.annotate.backend.pictures import DecodedPicture, Pictures, Refused
from fullshot.annotate.label_studio import tasks
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train.detector import Detector, load

BATCH = 16
"""Pictures that are decoded and predicted at once; between two batches, another request has its turn."""

_NOT_TRIED = (-1, -1)

Load = Callable[[Workspace, Settings], Detector]


def load_in_use(workspace: Workspace, settings: Settings) -> Detector:
    """The detector in use; see :func:`fullshot.train.detector.load` for what it raises."""
    return load(workspace, settings=settings)


@dataclass(frozen=True)
class Outcome:
    """The result for one task.

    Attributes:
        prediction: as Label Studio takes it; None where the picture was refused, or there is no detector.
        refusal: why the picture was refused; empty where it was not.
    """

    prediction: dict[str, Any] | None
    refusal: str = ""


class Predictor:
    """Draws boxes with the detector in use; follows when another one comes into use.

    Args:
        workspace: its detector.
        settings: its sections ``detector``, and ``crawl`` for the largest picture.
        pictures: reads the pictures of tasks.
        log: of predictions and refusals.
        loaded: loads the detector in use.
    """

    def __init__(
        self, workspace: Workspace, settings: Settings, pictures: Pictures, log: Log, loaded: Load = load_in_use
    ) -> None:
        self._workspace, self._settings, self._pictures, self._log = workspace, settings, pictures, log
        self._load = loaded
        self._detector: Detector | None = None
        self._state: tuple[int, int] | None = _NOT_TRIED
        # Only this thread uses Torch: predictions wait for one another, and while a detector is loaded.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="detector")
        # Only one thread reads pictures, too: the paths that are cached from images.csv change with the file.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="pictures")

    @property
    def version(self) -> str:
        """The detector's version; empty where there is none."""
        return self._detector.digest if self._detector else ""

    async def refresh(self) -> None:
        """Load the detector in use, unless it is loaded already."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._refresh)

    def _refresh(self) -> None:
        pointer = self._workspace.models("detector") / "latest.json"
        state = (pointer.stat().st_mtime_ns, pointer.stat().st_size) if pointer.is_file() else None
        if state == self._state:
            return
        self._state = state
        try:
            detector = self._load(self._workspace, self._settings)
        except MissingInput as error:
            self._log(f"{error}; until then no boxes are drawn")
        except UserError as error:
            self._log(f"the detector in use does not load: {error}")
        else:
            self._detector = detector
            self._log(f"boxes are drawn by the detector {detector.digest}")

    async def predict(self, data: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Draw boxes on the pictures of tasks.

        Args:
            data: of each task.

        Returns:
            The result for each.
        """
        started = time.perf_counter()
        outcomes: list[Outcome] = []
        for first in range(0, len(data), BATCH):
            outcomes += await self._batch(data[first : first + BATCH])
        count = sum(outcome.prediction is not None for outcome in outcomes)
        if count:
            took = 1000 * (time.perf_counter() - started)
            self._log(f"predicted {count} picture{'s' * (count != 1)} in {took:.0f} ms with {self.version}")
        for refusal in sorted({outcome.refusal for outcome in outcomes if outcome.refusal}):
            times = sum(outcome.refusal == refusal for outcome in outcomes)
            self._log(f"refused {times} picture{'s' * (times != 1)}: {refusal}")
        return outcomes

    async def _batch(self, data: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        read = await loop.run_in_executor(self._reader, lambda: [self._read(one) for one in data])
        return await loop.run_in_executor(self._thread, self._draw, read)

    def _read(self, data: Mapping[str, Any]) -> DecodedPicture | str:
        """A task's picture, or why it is refused."""
        try:
            return self._pictures.read(data)
        except (Refused, UserError) as error:
            return str(error)

    def _draw(self, read: Sequence[DecodedPicture | str]) -> list[Outcome]:
        self._refresh()
        detector = self._detector
        if detector is None:
            return [Outcome(None, each if isinstance(each, str) else "") for each in read]
        predicted = iter(detector.predict([each.pixels for each in read if isinstance(each, DecodedPicture)]))
        outcomes = []
        for each in read:
            if isinstance(each, str):
                outcomes.append(Outcome(None, each))
            else:
                boxes = tasks.as_stored(next(predicted), each.geometry)
                outcomes.append(Outcome(tasks.prediction(detector.digest, boxes, each.geometry)))
        return outcomes

    def close(self) -> None:
        """End the threads."""
        for pool in (self._thread, self._reader):
            pool.shutdown(wait=False, cancel_futures=True)
