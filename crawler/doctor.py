"""What a crawl needs from this machine, for ``fullshot doctor``."""

from fullshot.core.checks import Check
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.settings import Settings
from fullshot.crawler.browser import (
    find_chromedriver,
    find_chromium,
    provide_chromedriver,
    provide_chromium,
    version,
)


def checks(settings: Settings) -> list[Check]:
    """A Chromium, which only pages built by script need, and a chromedriver, which only Selenium needs for them."""
    return [_chromium(), _chromedriver()]


def _chromium() -> Check:
    advice = "pages built by script need it: fullshot doctor --fix, or apt-get install chromium"
    try:
        path = find_chromium()
        if path is not None:
            return Check("chromium", True, f"{version(path)} ({path})", needed=False)
    except (StageFailed, UserError) as error:
        return Check("chromium", False, str(error), advice, needed=False)
    return Check("chromium", False, "none found", advice, needed=False, fix=_provide)


def _chromedriver() -> Check:
    advice = "only crawls with --renderer selenium need it: fullshot doctor --fix, or apt-get install chromium-driver"
    path = find_chromedriver()
    if path is None:
        return Check("chromedriver", False, "none found", advice, needed=False, fix=_provide_driver)
    try:
        return Check("chromedriver", True, f"{' '.join(version(path).split()[:2])} ({path})", needed=False)
    except StageFailed as error:
        return Check("chromedriver", False, str(error), advice, needed=False)


def _provide() -> None:
    provide_chromium()


def _provide_driver() -> None:
    provide_chromedriver()
