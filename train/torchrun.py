"""Several processes that train one model together, as torchrun starts them, a process a device.

The first one leads: it alone reads the workspace, measures, writes and speaks. The others wait for what is to be
trained, compute along, and end.
"""

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator
from typing import Any

_PATIENCE = datetime.timedelta(days=1)
"""While the first process reads a large workspace or measures, the others wait; if it ends, torchrun ends them."""


def processes() -> int:
    """How many there are; 1 without torchrun."""
    return int(os.environ["WORLD_SIZE"]) if "LOCAL_RANK" in os.environ else 1


def rank() -> int:
    """The number of this one; 0 is the one that leads."""
    return int(os.environ["RANK"]) if processes() > 1 else 0


def local() -> tuple[int, int]:
    """The number of this process on its machine, and how many there are on it."""
    return int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])


def is_follower() -> bool:
    """Whether another process leads this one."""
    return rank() > 0


def is_beside_leader() -> bool:
    """Whether this process runs on the machine of the one that leads: torchrun counts them machine by machine."""
    return rank() < local()[1]


@contextlib.contextmanager
def leading() -> Iterator[Callable[[Any], None]]:
    """Lead the other processes, where there are any.

    Yields:
        A function that gives them something to do, see :func:`following`; to be called once. Where it is not called,
        there is nothing to do, and they end.
    """
    told = False

    def tell(what: Any) -> None:
        nonlocal told
        told = True
        if processes() > 1:
            _share(what)

    try:
        yield tell
    finally:
        if not told:
            tell(None)
        _leave()


@contextlib.contextmanager
def following() -> Iterator[Any]:
    """Wait for what the first process gives to do.

    Yields:
        That; None: there is nothing to do.
    """
    try:
        yield _share(None)
    finally:
        _leave()


def _share(what: Any) -> Any:
    """The first process's object, in each of them; it is the same version's own, and may be anything."""
    import torch
    from torch import distributed

    if not distributed.is_initialized():
        has_cuda = torch.cuda.is_available()
        if has_cuda:
            torch.cuda.set_device(local()[0])
        distributed.init_process_group("cpu:gloo,cuda:nccl" if has_cuda else "gloo", timeout=_PATIENCE)
    given = [what]
    distributed.broadcast_object_list(given, src=0, device=torch.device("cpu"))
    return given[0]


def _leave() -> None:
    if processes() > 1:
        from torch import distributed

        if distributed.is_initialized():
            distributed.destroy_process_group()
