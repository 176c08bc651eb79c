"""What training and detection need from this machine."""

from importlib.metadata import PackageNotFoundError, packages_distributions, version

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
        words = f"torch, on {section.device or 'the GPU'}"
        if section.precision != runtimes.FLOAT32:
            words += f", in float32; detector.precision = {section.precision} is for the CPU alone"
        return Check("detector's runtime", True, words)
    try:
        runtime = runtimes.chosen(section.runtime, section.precision)
    except UserError as error:
        return Check("detector's runtime", False, str(error))
    if not runtimes.is_installed(runtime):
        return Check("detector's runtime", False, "none is installed", "pip install onnxruntime")
    words = f"{runtimes.NAMES[runtime]} {_version(runtime)}, on the CPU"
    if section.precision == runtimes.BFLOAT16:
        given = runtimes.precision_of(section.runtime, section.precision)
        words += f", in {given}" + ("" if given == section.precision else f", not {section.precision} as asked for")
    elif runtime == runtimes.ONNX_RUNTIME and runtimes.is_installed(runtimes.OPENVINO):
        words += "; OpenVINO is there for detector.precision = bfloat16"
    return Check("detector's runtime", True, words)


def _version(runtime: str) -> str:
    """Of the distribution that brings a runtime: it may have another name, such as onnxruntime-gpu."""
    try:
        return version(runtime)
    except PackageNotFoundError:
        names = packages_distributions().get(runtime, [])
        return f"({names[0]} {version(names[0])})" if names else "(of no known version)"
