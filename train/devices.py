"""The device that torch trains or runs a network on."""

import torch

from fullshot.core.errors import UserError


def device_of(name: str, setting: str) -> torch.device:
    """The device of this name; for an empty one the best there is.

    Args:
        name: such as ``cpu``, ``cuda``, ``0`` (a GPU's number) or ``mps``; or empty.
        setting: that names it, for a message.

    Raises:
        UserError: there is no such device.
    """
    if name:
        try:
            return torch.zeros(1, device=f"cuda:{name}" if name.isdecimal() else name).device
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"setting {setting}: expected cpu, cuda, 0 or mps, got {name!r}: {reason}") from None
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
