"""Chromium for pages that need a browser, and what drives it: where they are, and how to get them."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from fullshot.core.errors import StageFailed, UserError

HEADLESS_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
"""Chromium's flags for use without a screen.

Its sandbox refuses to run as root, as in most containers, and there is no GPU to draw on there; without background
networking the only requests are those of the page."""

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_MAC_APPS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# In a process of its own: Playwright's synchronous interface refuses to run beside an event loop, as a spider has one.
_ASK_PLAYWRIGHT = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
)
_START_SECONDS = 60.0


def find_chromium(path: str | None = None) -> Path | None:
    """The Chromium to use: the one asked for, else the system's, else the one that Playwright downloaded.

    Args:
        path: a path, or a name on the search path; empty or None: whichever is found.

    Returns:
        The executable, or None where there is none.

    Raises:
        UserError: nothing that can be run lies at ``path``.
    """
    if path:
        asked = shutil.which(Path(path).expanduser())
        if asked is None:
            raise UserError(f"browser: expected the path of a Chromium, got {path!r}, which cannot be run")
        return Path(asked)
    for name in _NAMES + (_MAC_APPS if sys.platform == "darwin" else ()):
        if there := shutil.which(name):
            return Path(there)
    return _playwrights_own()


def provide_chromium(path: str | None = None) -> Path:
    """The Chromium of `find_chromium`, or else one installed now: Debian's, or Playwright's download.

    What the installers say goes to stderr.

    Raises:
        UserError: nothing that can be run lies at ``path``.
        StageFailed: there is none and none could be installed; the message says what to do.
    """
    from fullshot.core.checks import apt_command, apt_install

    found = find_chromium(path)
    if found is None and apt_command():
        try:
            apt_install(["chromium"])
        except RuntimeError as error:
            print(f"{error}; trying Playwright's download", file=sys.stderr)
        found = find_chromium()
    if found is None:
        libraries = ["--with-deps"] if apt_command() else []
        command = [sys.executable, "-P", "-m", "playwright", "install", *libraries, "chromium"]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        found = find_chromium()
    if found is None:
        raise StageFailed("no Chromium: install one (Debian: apt-get install chromium) or name one that is there")
    return found


def find_chromedriver() -> Path | None:
    """The chromedriver on the search path, which Selenium needs; None where there is none."""
    there = shutil.which("chromedriver")
    return Path(there) if there else None


def provide_chromedriver() -> Path:
    """The chromedriver of `find_chromedriver`, or else Debian's, installed now.

    What the installer says goes to stderr.

    Raises:
        StageFailed: there is none and none could be installed; the message says what to do.
    """
    from fullshot.core.checks import apt_install

    found = find_chromedriver()
    if found is None:
        try:
            apt_install(["chromium-driver"])
        except RuntimeError as error:
            raise StageFailed(f"no chromedriver: {error}; or put the one of your Chromium's version on PATH") from None
        found = find_chromedriver()
    if found is None:
        raise StageFailed("no chromedriver: put the one of your Chromium's version on PATH")
    return found


def find_renderer(name: str, path: str | None = None) -> str | None:
    """The renderer that a crawl can use for pages built by script.

    Args:
        name: ``playwright``, ``selenium``, or ``auto``: Playwright, or else Selenium.
        path: as for `find_chromium`.

    Returns:
        ``playwright`` or ``selenium``; None where what was asked for lacks its package, a Chromium or a chromedriver.

    Raises:
        UserError: nothing that can be run lies at ``path``.
    """
    if find_chromium(path) is None:
        return None
    usable = {
        "playwright": _is_installed("playwright") and _is_installed("scrapy_playwright"),
        "selenium": _is_installed("selenium") and find_chromedriver() is not None,
    }
    asked = usable if name == "auto" else (name,)
    return next((one for one in asked if usable[one]), None)


def version(path: Path) -> str:
    """What a Chromium, or its driver, says of itself, such as ``Chromium 140.0.7339.80``.

    Raises:
        StageFailed: it does not start; the message holds its first words on why.
    """
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_START_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StageFailed(f"{path} does not start: {error}") from None
    if done.returncode:
        reason = done.stderr.strip().partition("\n")[0] or f"exit code {done.returncode}"
        raise StageFailed(f"{path} does not start: {reason}")
    return done.stdout.strip()


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


def _playwrights_own() -> Path | None:
    done = subprocess.run([sys.executable, "-P", "-c", _ASK_PLAYWRIGHT], capture_output=True, text=True)
    path = Path(done.stdout.strip())
    return path if done.returncode == 0 and path.is_file() else None
