"""What training and detection need from this machine."""

from fullshot.core.checks import Check
from fullshot.core.settings import Settings


def checks(settings: Settings) -> list[Check]:
    """The weights that find garments until a workspace has its own."""
    from fullshot.core.files import digest
    from fullshot.train.weights import STARTER_FILE

    if not STARTER_FILE.is_file():
        return [Check("starter weights", False, f"not there: {STARTER_FILE}", "install fullshot anew")]
    found = f"sha256 {digest(STARTER_FILE)[:12]}…, {STARTER_FILE}"
    return [Check("starter weights", True, found if settings.detector.starter else f"{found}; not used (settings)")]
