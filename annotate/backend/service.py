"""The backend as a whole: a server, the detector in use, and trainings as annotations come in."""

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
"""Seconds after a training that failed in which no other begins."""


def serve_backend(workspace: Workspace, settings: Settings, client: Client) -> None:
    """Answer Label Studio, and train as annotators go on; until Ctrl-C.

    Args:
        workspace: whose pictures are in the project.
        settings: its section ``annotate``, where keys beginning with ``backend_`` say where and for whom; ``detector``.
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
        loaded: how the detector in use is loaded.
        command: of the process that trains.

    Yields:
        Where it answers.
    """
    section = settings.annotate
    _must_be_guarded(section)
    studio = await asyncio.to_thread(Studio, client, section.project)
    log = Log(workspace)
    pictures = Pictures(workspace, client, settings.crawl.max_picture_bytes)
    predictor = Predictor(workspace, settings, pictures, log, loaded)
    backend = _Backend(workspace, settings, studio, predictor, log, Training(workspace, settings, log, command))
    try:
        # Before Label Studio asks: it gives up after three seconds, and a first import of torch takes longer.
        await predictor.refresh()
        async with _listening(section, backend.hear, predictor, log) as url:
            if section.backend_register:
                password = section.backend_password.get_secret_value()
                reached = section.backend_url.rstrip("/") or url
                await asyncio.to_thread(studio.connect, reached, password, predictor.version)
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


def _must_be_guarded(section: AnnotateSettings) -> None:
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
    """What goes on beside the answering: counting, training, and bringing boxes of a new detector to open tasks."""

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
        self._after = settings.annotate.retrain_after
        self._training = training
        self._waiting = counting.Waiting(studio.project)
        self._wake = asyncio.Event()
        self._asked = False
        self._not_before = 0.0

    def hear(self, body: Mapping[str, Any]) -> None:
        """What a webhook tells; it is answered at once."""
        before = len(self._waiting)
        if body["action"] == _START:
            self._asked = True
            self._log("a training was asked for")
        elif not self._waiting.hear(body):
            return
        elif len(self._waiting) != before:
            self._tell()
        self._wake.set()

    def _tell(self) -> None:
        count = len(self._waiting)
        self._log(f"{count} of {self._after} new annotations" + (" to train on" if count < self._after else ""))

    async def work(self) -> None:
        """Count what is there, and train whenever there is enough."""
        await self._safely(self._count)
        await self._safely(self._bring)
        while True:
            due = self._asked or (len(self._waiting) >= self._after and time.monotonic() >= self._not_before)
            if due:
                await self._safely(self._train)
            self._wake.clear()
            if not due:
                await self._wake.wait()

    async def _safely(self, step: Callable[[], Any]) -> None:
        """Whatever goes wrong with Label Studio or with a training, the next task gets its boxes."""
        try:
            await step()
        except (UserError, StageFailed) as error:
            self._log(str(error))
        except Exception as error:  # nobody waits for this task, who would see it
            self._log(f"this went wrong: {type(error).__name__}: {error}")

    async def _count(self) -> None:
        trained = await asyncio.to_thread(counting.trained, self._workspace)
        # What is heard in the meantime is counted too: one and the same annotation only once.
        there = await asyncio.to_thread(lambda: list(self._studio.annotations()))
        self._waiting.take(there, trained)
        self._tell()

    async def _train(self) -> None:
        self._asked = False
        # Whatever happens, not again and again for the same annotations.
        self._not_before = time.monotonic() + _PAUSE
        began = self._waiting.now()
        self._log(f"a training begins, for {len(began)} new annotations")
        if not await self._training.run():
            self._log("the detector in use stays; the next annotation begins another training, a minute from now")
            return
        self._not_before = 0.0
        self._waiting.drop(await asyncio.to_thread(counting.trained, self._workspace))
        # What no pull brings, such as of a picture that is gone, teaches the next training nothing either.
        self._waiting.drop(began)
        self._tell()
        await self._predictor.refresh()
        await self._bring()

    async def _bring(self) -> None:
        """Give boxes of the detector in use to tasks that wait with boxes of others, and let annotators see them."""
        version = self._predictor.version
        if not version:
            return
        undrawn = await asyncio.to_thread(self._studio.undrawn, version)
        if not undrawn and await asyncio.to_thread(self._studio.shown) == version:
            return
        count = 0
        for first in range(0, len(undrawn), BATCH):
            batch = undrawn[first : first + BATCH]
            drawn = await self._predictor.predict([task.data for task in batch])
            rows = [
                {"task": task.number, **one.prediction}
                for task, one in zip(batch, drawn, strict=True)
                if one.prediction is not None
            ]
            if rows:
                await asyncio.to_thread(self._studio.draw, rows)
            count += len(rows)
        await asyncio.to_thread(self._studio.show, version)
        self._log(f"annotators see the boxes of {version}; {count} tasks had others")
