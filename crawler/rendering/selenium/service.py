"""Chromedriver as a process that does not outlive this one."""

import contextlib
import sys
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service

from fullshot.crawler.rendering import supervisor


class SupervisedService(Service):
    """Starts chromedriver so that it ends with this process, killed or not.

    Args:
        driver: chromedriver.
    """

    def __init__(self, driver: Path) -> None:
        super().__init__(executable_path=sys.executable)
        self._driver = driver
        self._killed = False

    def env_path(self) -> None:
        """No environment variable names another driver."""
        return

    def command_line_args(self) -> list[str]:
        return ["-I", supervisor.__file__, str(self._driver), *super().command_line_args()]

    def kill(self) -> None:
        """Let go: chromedriver and its Chromium are killed, or not even started."""
        self._killed = True
        process = getattr(self, "process", None)
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()

    def start(self) -> None:
        """As Selenium starts it, unless it was killed before."""
        if self._killed:
            raise WebDriverException("killed before it started")
        super().start()

    def stop(self) -> None:
        """End it; there is nothing that a browser without a profile would have to save."""
        self.kill()
