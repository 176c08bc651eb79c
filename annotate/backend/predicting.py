"""The detector in use, kept loaded: boxes for the pictures of tasks, one batch at a time."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fullshot.annotate.backend.log import Log
from fullshot.annotate.backend.pictures import Found, Pictures, Refused
from fullshot.annotate.label_studio import tasks
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train.detector import Detector, load

BATCH = 16
"""Pictures that are read and looked at at once; between two batches, another request has its turn."""


_NOT_TRIED = (-1, -1)


Load = Callable[[Workspace, Settings], Detector]


def load_in_use(workspace: Workspace, settings: Settings) -> Detector:
    """The detector in use; see :func:`fullshot.train.detector.load` for what it raises."""
    return load(workspace, settings=settings)


@dataclass(frozen=True)
class Drawn:
    """What became of one task: its prediction; or None, and why (no reason: there is no detector)."""

    prediction: dict[str, Any] | None
    reason: str = ""


class Predictor:
    """Draws boxes with the detector in use, and takes the next one as soon as it is in use.

    Args:
        workspace: its detector.
        settings: its sections ``detector``, and ``crawl`` for the largest picture.
        pictures: where those of tasks come from.
        log: is told.
        loaded: how a detector is loaded.
    """

    def __init__(
        self, workspace: Workspace, settings: Settings, pictures: Pictures, log: Log, loaded: Load = load_in_use
    ) -> None:
        self._workspace, self._settings, self._pictures, self._log = workspace, settings, pictures, log
        self._load = loaded
        self._detector: Detector | None = None
        self._state: tuple[int, int] | None = _NOT_TRIED
        # Torch is used by this one thread alone: predictions wait for one another, and for a detector that is loaded.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="detector")
        # Only one looks up and reads at a time, too: what is known of images.csv changes with the file.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="pictures")

    @property
    def version(self) -> str:
        """Of the detector; empty where there is none."""
        return self._detector.digest if self._detector else ""

    async def refresh(self) -> None:
        """Load the detector in use, unless it is loaded."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._refresh)

    def _refresh(self) -> None:
        pointer = self._workspace.models("detector") / "latest.json"
        state = (pointer.stat().st_mtime_ns, pointer.stat().st_size) if pointer.is_file() else None
        if state == self._state:
            return
        self._state = state
        try:
            found = self._load(self._workspace, self._settings)
        except MissingInput as error:
            self._log(f"{error}; until then no boxes are drawn")
        except UserError as error:
            self._log(f"the detector in use does not load: {error}")
        else:
            self._detector = found
            self._log(f"boxes are drawn by the detector {found.digest}")

    async def predict(self, data: Sequence[Mapping[str, Any]]) -> list[Drawn]:
        """Draw boxes on the pictures of tasks.

        Args:
            data: of each task.

        Returns:
            For each what became of it.
        """
        started = time.perf_counter()
        drawn: list[Drawn] = []
        for first in range(0, len(data), BATCH):
            drawn += await self._batch(data[first : first + BATCH])
        count = sum(one.prediction is not None for one in drawn)
        if count:
            took = 1000 * (time.perf_counter() - started)
            self._log(f"predicted {count} picture{'s' * (count != 1)} in {took:.0f} ms with {self.version}")
        for reason in sorted({one.reason for one in drawn if one.reason}):
            times = sum(one.reason == reason for one in drawn)
            self._log(f"refused {times} picture{'s' * (times != 1)}: {reason}")
        return drawn

    async def _batch(self, data: Sequence[Mapping[str, Any]]) -> list[Drawn]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._reader, lambda: [self._read(one) for one in data])
        return await loop.run_in_executor(self._thread, self._draw, found)

    def _read(self, data: Mapping[str, Any]) -> Found | str:
        """A task's picture, or why it is refused."""
        try:
            return self._pictures.read(data)
        except (Refused, UserError) as error:
            return str(error)

    def _draw(self, found: Sequence[Found | str]) -> list[Drawn]:
        self._refresh()
        detector = self._detector
        if detector is None:
            return [Drawn(None, one if isinstance(one, str) else "") for one in found]
        predicted = iter(detector.predict([one.pixels for one in found if isinstance(one, Found)]))
        drawn = []
        for one in found:
            if isinstance(one, str):
                drawn.append(Drawn(None, one))
            else:
                boxes = tasks.as_stored(next(predicted), one.geometry)
                drawn.append(Drawn(tasks.prediction(detector.digest, boxes, one.geometry)))
        return drawn

    def close(self) -> None:
        """Let the threads go."""
        for pool in (self._thread, self._reader):
            pool.shutdown(wait=False, cancel_futures=True)
