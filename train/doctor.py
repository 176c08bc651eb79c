"""What training and detection need from this machine."""

from importlib.metadata import version

from fullshot.core.checks import Check
from fullshot.core.errors import UserError
from fullshot.core.settings import Settings


def checks(settings: Settings) -> list[Check]:
    """The weights that find garments until a workspace has its own, and what runs them."""
    return [_starter(settings), _runtime(settings)]


def _starter(settings: Settings) -> Check:
    from fullshot.core.files import digest
    from fullshot.train.weights import STARTER_FILE

    if not STARTER_FILE.is_file():
        return Check("starter weights", False, f"not there: {STARTER_FILE}", "install fullshot anew")
    found = f"sha256 {digest(STARTER_FILE)[:12]}…, {STARTER_FILE}"
    return Check("starter weights", True, found if settings.detector.starter else f"{found}; not used (settings)")


def _runtime(settings: Settings) -> Check:
    from fullshot.train import runs_on_cpu, runtimes

    section = settings.detector
    if not runs_on_cpu(section.device):
        return Check("detector's runtime", True, f"torch, on {section.device or 'the GPU'}")
    try:
        runtime = runtimes.chosen(section.runtime, section.precision)
    except UserError as error:
        return Check("detector's runtime", False, str(error))
    words = f"{runtimes.NAMES[runtime]} {version(runtime)}, on the CPU"
    if section.precision == runtimes.BFLOAT16 and runtime == runtimes.OPENVINO:
        words += f", in {section.precision}"
    elif runtime == runtimes.ONNX_RUNTIME and runtimes.is_installed(runtimes.OPENVINO):
        words += "; OpenVINO is there for detector.precision = bfloat16"
    return Check("detector's runtime", True, words)
