"""What a crawl needs from this machine, for ``fullshot doctor``."""

from crawler.browser import find_chromium, provide_chromium, version
from fullshot.checks import Check
from fullshot.errors import StageFailed, UserError
from fullshot.settings import Settings


def checks(settings: Settings) -> list[Check]:
    """A Chromium, which only pages that build themselves by script need."""
    return [_chromium()]


def _chromium() -> Check:
    advice = "pages built by script need it: fullshot doctor --mend, or apt-get install chromium"
    try:
        path = find_chromium()
        if path is not None:
            return Check("chromium", True, f"{version(path)} ({path})", needed=False)
    except (StageFailed, UserError) as error:
        return Check("chromium", False, str(error), advice, needed=False)
    return Check("chromium", False, "none found", advice, needed=False, mend=_provide)


def _provide() -> None:
    provide_chromium()
