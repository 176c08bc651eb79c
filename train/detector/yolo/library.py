"""Ultralytics YOLO, made to ask nothing of the network and to keep its chatter in a file.

Left alone it fetches a font and weights, sends usage events, and changes settings in the user's home.
"""

import contextlib
import importlib.util
import logging
import os
import pickle
import re
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import platformdirs

from fullshot.core.errors import UserError

_MODELS = Path(__file__).with_name("models")
_INTEGRATIONS = ("clearml", "comet", "dvc", "mlflow", "raytune", "tensorboard", "wandb")
_FONT = "Arial.ttf"

_REFUSED = re.compile(r"GLOBAL (\S+)")
"""What torch says of a class or function in a pickle that is not on the list of those that networks are made of."""


def ultralytics() -> ModuleType:
    """Import Ultralytics, offline and silent.

    Where a program has imported it before on its own account, its settings file is left alone.
    """
    if "ultralytics" not in sys.modules:
        os.environ["YOLO_CONFIG_DIR"] = str(Path(platformdirs.user_cache_dir("fullshot")) / "ultralytics")
        os.environ["YOLO_OFFLINE"] = "true"
        os.environ["YOLO_VERBOSE"] = "false"
    # A file of weights is a pickle: of a stranger's, nothing is run but what builds a network of Ultralytics and torch.
    os.environ["ULTRALYTICS_SAFE_LOAD"] = "true"
    # Importing it tells OpenMP to use one thread; torch, loaded before, keeps all, and so do later processes.
    import torch  # noqa: F401

    threads = os.environ.get("OMP_NUM_THREADS")
    import ultralytics

    if threads is None:
        os.environ.pop("OMP_NUM_THREADS", None)
    from ultralytics import utils
    from ultralytics.nn import tasks
    from ultralytics.utils.events import events

    events.enabled = False
    loading: Any = tasks
    loading.SAFE_LOAD = True  # where a program has imported it before
    if os.environ.get("YOLO_CONFIG_DIR") and utils.USER_CONFIG_DIR.parent == Path(os.environ["YOLO_CONFIG_DIR"]):
        quiet: dict[str, Any] = {"sync": False, **dict.fromkeys(_INTEGRATIONS, False)}
        if any(utils.SETTINGS.get(key) for key in quiet):
            utils.SETTINGS.update(quiet)
    _place_font(utils.USER_CONFIG_DIR / _FONT)
    return ultralytics


def version() -> str:
    """The version of Ultralytics, which is not imported for it: that takes seconds."""
    text = (_folder() / "__init__.py").read_text("utf-8")
    found = re.search(r"""^__version__ = ["'](.+?)["']""", text, re.MULTILINE)
    return found[1] if found else str(ultralytics().__version__)


def _folder() -> Path:
    spec = importlib.util.find_spec("ultralytics")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'ultralytics'", name="ultralytics")
    return Path(spec.origin).parent


def _place_font(file: Path) -> None:
    """Ultralytics fetches this font from the network unless it lies here; any font will do to label a plot."""
    if file.exists():
        return
    import matplotlib

    with contextlib.suppress(OSError):
        shutil.copyfile(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", file)


def model_file(name: str) -> str:
    """The file of a model that is given by path or by name; nothing is fetched.

    Args:
        name: a ``.yaml`` (architecture) or ``.pt`` (weights to go on from) file, the name of an architecture in
            ``train/detector/yolo/models`` or of one that Ultralytics ships, such as ``yolo11n.yaml``.

    Raises:
        UserError: there is no such file.
    """
    path = Path(name).expanduser()
    if path.is_file() and path.suffix in {".yaml", ".yml", ".pt"}:
        return str(path.resolve())
    own = _MODELS / f"{path.stem if path.suffix == '.yaml' else name}.yaml"
    if path.name == name and own.is_file():
        return str(own)
    if path.name == name and path.suffix == ".yaml" and shipped(name) is not None:
        return name
    there = ", ".join(sorted(file.stem for file in _MODELS.glob("*.yaml")))
    raise UserError(
        f"setting detector.model: expected a .yaml or .pt file, {there}, an architecture of Ultralytics such as "
        f"yolo11n.yaml, or weights that it publishes, such as yolo11n.pt, got {name!r}"
    )


def architecture(file: str) -> Path:
    """The file whose content says what a result of :func:`model_file` is."""
    return Path(file) if Path(file).is_absolute() else shipped(file) or Path(file)


def shipped(name: str) -> Path | None:
    """The file of an architecture that comes with Ultralytics; None: there is none of this name.

    Sizes are written into names: ``yolo11n.yaml`` is ``yolo11.yaml`` at size n.
    """
    folder = _folder() / "cfg" / "models"
    wanted = {name, re.sub(r"(\d+)([nslmx])(.*)$", r"\1\3", name)}
    return next((file for file in sorted(folder.rglob("*.yaml")) if file.name in wanted), None)


def device(name: str) -> str:
    """Check a device's name.

    Raises:
        UserError: this machine has no such device.
    """
    from ultralytics.utils.torch_utils import select_device

    if "," in name:
        # Its own processes for several GPUs begin by deleting the folder of the run, and what fullshot keeps in it.
        raise UserError(
            f"setting detector.device: yolo trains on one device here, got {name!r}; fcos, retinanet, faster-rcnn and "
            "ssdlite train on several, by torchrun"
        )
    try:
        select_device(name, verbose=False)
    except (ValueError, RuntimeError, AssertionError):
        raise UserError(
            f"setting detector.device: this machine has no {name!r}; expected cpu, 0, mps or nothing"
        ) from None
    return name


def mixed_precision(device: str) -> bool | str:
    """bfloat16 where the GPU has it: Ultralytics' test of float16 needs weights that it would download."""
    import torch

    on_gpu = device not in {"cpu", "mps"} and torch.cuda.is_available()
    return "bf16" if on_gpu and torch.cuda.is_bf16_supported() else False


def open_model(file: str) -> Any:
    """A model from an architecture or weights (``ultralytics.YOLO``).

    Raises:
        UserError: the file is not one of a detector.
    """
    yolo = ultralytics().YOLO
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, on how a file was pickled: it is read, or it is not
            model = yolo(file, task="detect" if not file.endswith(".pt") else None)
    except Exception as error:  # whatever is wrong in a user's file: Ultralytics raises what it stumbles over
        raise UserError(f"{file}: not a model that Ultralytics reads: {_reason(error)}") from None
    if model.task != "detect":
        raise UserError(f"{file}: expected a model that detects boxes, got one for the task {model.task!r}")
    return model


def _reason(error: Exception) -> str:
    """Why a file is no model, in one line."""
    if isinstance(error.__cause__, pickle.UnpicklingError):
        asked_for = _REFUSED.search(str(error.__cause__))
        if asked_for is None:
            return "it is no file of weights"
        return f"it asks for {asked_for[1]}, which no network of Ultralytics is made of; nothing in it was run"
    return " ".join(str(error).split())[:200] or type(error).__name__


def strip(weights: Path) -> None:
    """Take out of a file of weights what only going on needs, as Ultralytics does at the end of a training.

    Raises:
        UserError: it does not hold a detector.
    """
    open_model(str(weights))  # the next line reads the file, and does not ask what is in it
    from ultralytics.utils.torch_utils import strip_optimizer

    strip_optimizer(str(weights))


def go_on_to(checkpoint: Path, epochs: int, patient_since: int) -> None:
    """Let Ultralytics go on from a checkpoint to so many epochs: it takes their number from the file alone.

    Args:
        checkpoint: that Ultralytics wrote in this run, or in the one that it goes on from.
        epochs: in all.
        patient_since: the epoch that its patience is to be counted from; 0: from the best one.

    Raises:
        UserError: it does not hold a detector.
    """
    open_model(str(checkpoint))  # says in a line what is wrong with it
    import torch
    from ultralytics.nn.tasks import torch_safe_load

    state, _ = torch_safe_load(str(checkpoint))
    if state["train_args"]["epochs"] == epochs and not patient_since:
        return
    state["train_args"]["epochs"] = epochs
    stopper = state.get("stopper") or {}
    if patient_since:
        state["stopper"] = {**stopper, "best_epoch": max(patient_since, int(stopper.get("best_epoch", 0)))}
    torch.save(state, checkpoint)


@contextlib.contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Send what Ultralytics, and what warns beneath it, says to the end of a file while this lasts."""
    ultralytics()
    loggers = [logging.getLogger(name) for name in ("ultralytics", "py.warnings")]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    with path.open("a", encoding="utf-8") as file:
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter("%(message)s"))
        for logger in loggers:
            logger.handlers, logger.propagate = [handler], False
            logger.setLevel(logging.INFO)
        logging.captureWarnings(True)
        try:
            # Its progress bars print, they do not log.
            with contextlib.redirect_stdout(file):
                yield
        finally:
            logging.captureWarnings(False)
            for logger, handlers, level, propagate in before:
                logger.handlers, logger.propagate = handlers, propagate
                logger.setLevel(level)
