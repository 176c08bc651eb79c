"""Puts the backend together: the HTTP server, the detector in use, and trainings as annotations come in."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from fullshot.annotate.backend import counting
from fullshot.annotate.backend.app import AuthGuard, application
from fullshot.annotate.backend.log import Log
from fullshot.annotate.backend.pictures import Pictures
from fullshot.annotate.backend.predicting import BATCH, Load, Predictor, load_in_use
from fullshot.annotate.backend.retraining import COMMAND, Training
from fullshot.annotate.backend.studio import Studio
from fullshot.annotate.label_studio.client import Client
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.settings import AnnotateSettings, Settings
from fullshot.core.workspace import Workspace

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_START = "START_TRAINING"
_PAUSE = 60.0
"""Seconds to wait after a training that failed before another may start."""


def serve_backend(workspace: Workspace, settings: Settings, client: Client) -> None:
    """Answer Label Studio, and train whenever there are enough new annotations; until Ctrl-C.

    Args:
        workspace: whose pictures are in the project.
        settings: its sections ``detector`` and ``annotate``; keys beginning with ``backend_`` are the server's.
        client: of the Label Studio.

    Raises:
        UserError: there is no such project, the port is in use, Label Studio does not reach the backend, or it would
            listen beyond this machine without a password.
    """

    async def run() -> None:
        async with started_backend(workspace, settings, client):
            await asyncio.Event().wait()

    asyncio.run(run())


@contextlib.asynccontextmanager
async def started_backend(
    workspace: Workspace,
    settings: Settings,
    client: Client,
    *,
    loaded: Load = load_in_use,
    command: Sequence[str] = COMMAND,
) -> AsyncIterator[str]:
    """The backend, for as long as the context lasts.

    Args:
        workspace: see :func:`serve_backend`.
        settings: see :func:`serve_backend`.
        client: see :func:`serve_backend`.
        loaded: loads the detector in use.
        command: starts the process that trains.

    Yields:
        Its address.
    """
    section = settings.annotate
    _check_password(section)
    studio = await asyncio.to_thread(Studio, client, section.project)
    log = Log(workspace)
    pictures = Pictures(workspace, client, settings.crawl.max_picture_bytes)
    predictor = Predictor(workspace, settings, pictures, log, loaded)
    backend = _Backend(workspace, settings, studio, predictor, log, Training(workspace, settings, log, command))
    try:
        # Before the first request: Label Studio gives up after three seconds, and importing torch takes longer.
        await predictor.refresh()
        async with _listening(section, backend.on_webhook, predictor, log) as url:
            if section.backend_register:
                password = section.backend_password.get_secret_value()
                address = section.backend_url.rstrip("/") or url
                await asyncio.to_thread(studio.connect, address, password, predictor.version)
                log(f"the backend answers at {url}, connected with project {studio.project} at {client.url}")
            else:
                log(f"the backend answers at {url}; connect it with project {studio.project} at {client.url}")
            work = asyncio.create_task(backend.work())
            try:
                yield url
            finally:
                work.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await work
    finally:
        predictor.close()


def _check_password(section: AnnotateSettings) -> None:
    if section.backend_host not in _LOOPBACK and not section.backend_password.get_secret_value():
        raise UserError(
            f"a backend that listens on {section.backend_host} answers others than this machine: "
            "give it a password, FULLSHOT_ANNOTATE_BACKEND_PASSWORD in the environment"
        )


@contextlib.asynccontextmanager
async def _listening(
    section: AnnotateSettings, hook: Callable[[Mapping[str, Any]], None], predictor: Predictor, log: Log
) -> AsyncIterator[str]:
    hosts: set[str] = set()
    guard = AuthGuard(hosts, section.backend_password.get_secret_value())
    runner = web.AppRunner(application(predictor, hook, guard, log), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, section.backend_host, section.backend_port).start()
        except OSError as error:
            place = f"{section.backend_host}:{section.backend_port}"
            raise UserError(f"the backend cannot listen on {place}: {error.strerror or error}") from None
        port = runner.addresses[0][1]
        names = {*_LOOPBACK, section.backend_host} - {"::1"} | {"[::1]"}
        hosts |= {f"{name}:{port}" for name in names}
        if section.backend_url:
            hosts.add(urlsplit(section.backend_url).netloc.lower())
        host = f"[{section.backend_host}]" if ":" in section.backend_host else section.backend_host
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class _Backend:
    """The work in the background: counts annotations, trains, and gives open tasks the boxes of a new detector."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        studio: Studio,
        predictor: Predictor,
        log: Log,
        training: Training,
    ) -> None:
        self._workspace, self._studio, self._predictor, self._log = workspace, studio, predictor, log
        self._retrain_after = settings.annotate.retrain_after
        self._training = training
        self._untrained = counting.UntrainedAnnotations(studio.project)
        self._wake = asyncio.Event()
        self._is_requested = False
        self._not_before = 0.0

    def on_webhook(self, body: Mapping[str, Any]) -> None:
        """Note what a webhook reports; the work is done later, so that it is answered at once."""
        before = len(self._untrained)
        if body["action"] == _START:
            self._is_requested = True
            self._log("a training was asked for")
        elif not self._untrained.update(body):
            return
        elif len(self._untrained) != before:
            self._log_count()
        self._wake.set()

    def _log_count(self) -> None:
        count = len(self._untrained)
        self._log(
            f"{count} of {self._retrain_after} new annotations"
            + (" to train on" if count < self._retrain_after else "")
        )

    async def work(self) -> None:
        """Count the annotations that there are, and train whenever there are enough."""
        await self._safely(self._count)
        await self._safely(self._update_open_tasks)
        while True:
            due = self._is_requested or (
                len(self._untrained) >= self._retrain_after and time.monotonic() >= self._not_before
            )
            if due:
                await self._safely(self._train)
            self._wake.clear()
            if not due:
                await self._wake.wait()

    async def _safely(self, step: Callable[[], Any]) -> None:
        """Log whatever goes wrong in a step, so that the backend goes on."""
        try:
            await step()
        except (UserError, StageFailed) as error:
            self._log(str(error))
        except Exception as error:  # nobody awaits this task, so nobody else would report it
            self._log(f"this went wrong: {type(error).__name__}: {error}")

    async def _count(self) -> None:
        trained = await asyncio.to_thread(counting.trained, self._workspace)
        # Webhooks that arrive meanwhile are counted too; an annotation that comes both ways counts once.
        annotations = await asyncio.to_thread(lambda: list(self._studio.annotations()))
        self._untrained.add(annotations, trained)
        self._log_count()

    async def _train(self) -> None:
        self._is_requested = False
        # A training that fails must not start again at once for the same annotations.
        self._not_before = time.monotonic() + _PAUSE
        used = self._untrained.snapshot()
        self._log(f"a training begins, for {len(used)} new annotations")
        if not await self._training.run():
            self._log("the detector in use stays; the next annotation begins another training, a minute from now")
            return
        self._not_before = 0.0
        self._untrained.remove(await asyncio.to_thread(counting.trained, self._workspace))
        # Some of them are never pulled, such as those of deleted pictures; the next training cannot use them either.
        self._untrained.remove(used)
        self._log_count()
        await self._predictor.refresh()
        await self._update_open_tasks()

    async def _update_open_tasks(self) -> None:
        """Give the boxes of the detector in use to open tasks that have others' boxes, and let annotators see them."""
        version = self._predictor.version
        if not version:
            return
        outdated = await asyncio.to_thread(self._studio.outdated_tasks, version)
        if not outdated and await asyncio.to_thread(self._studio.shown_version) == version:
            return
        count = 0
        for first in range(0, len(outdated), BATCH):
            batch = outdated[first : first + BATCH]
            outcomes = await self._predictor.predict([task.data for task in batch])
            rows = [
                {"task": task.number, **outcome.prediction}
                for task, outcome in zip(batch, outcomes, strict=True)
                if outcome.prediction is not None
            ]
            if rows:
                await asyncio.to_thread(self._studio.add_predictions, rows)
            count += len(rows)
        await asyncio.to_thread(self._studio.show_version, version)
        self._log(f"annotators see the boxes of {version}; {count} tasks had others")
