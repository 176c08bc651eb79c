import subprocess
import sys
from pathlib import Path

import pytest

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.settings import Settings
from fullshot.crawler import browser
from fullshot.crawler.browser import (
    HEADLESS_FLAGS,
    find_chromedriver,
    find_chromium,
    find_renderer,
    provide_chromedriver,
    provide_chromium,
    version,
)
from fullshot.crawler.doctor import checks


def _program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_system_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path that holds no browser and no apt; gives its only folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "playwright"))
    monkeypatch.setattr(browser, "_MAC_APPS", ())
    return folder


def test_the_chromium_of_this_machine_draws_a_page() -> None:
    path = provide_chromium()
    assert version(path).split()[0] in {"Chromium", "Google"}
    command = [
        str(path),
        "--headless",
        *HEADLESS_FLAGS,
        "--dump-dom",
        "data:text/html,<script>document.write(6*7)</script>",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "42" in done.stdout


def test_the_one_asked_for_wins(no_system_browser: Path, tmp_path: Path) -> None:
    _program(no_system_browser / "chromium", "true")
    mine = _program(tmp_path / "mine", "true")
    assert find_chromium(str(mine)) == mine
    assert find_chromium("") == no_system_browser / "chromium"


def test_an_asked_for_path_that_cannot_run_is_the_users_mistake(no_system_browser: Path, tmp_path: Path) -> None:
    _program(no_system_browser / "chromium", "true")
    (tmp_path / "text").write_text("no program")
    for path in (tmp_path / "text", tmp_path / "nowhere"):
        with pytest.raises(UserError, match=str(path)):
            find_chromium(str(path))


def test_names_are_looked_for_in_order(no_system_browser: Path) -> None:
    for name in ("google-chrome", "chromium-browser", "chromium"):
        _program(no_system_browser / name, "true")
        assert find_chromium() == no_system_browser / name


def test_playwrights_download_comes_last(no_system_browser: Path) -> None:
    assert find_chromium() is None
    download = Path(
        subprocess.run(
            [sys.executable, "-c", browser._ASK_PLAYWRIGHT], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
    _program(download, "true")
    assert find_chromium() == download


def test_apt_brings_it_where_it_may(no_system_browser: Path, capfd: pytest.CaptureFixture[str]) -> None:
    installs = 'for word; do if [ "$word" = chromium ]; then : >"$0.was"; printf "#!/bin/sh\\n" >"${0%/*}/chromium"; '
    _program(no_system_browser / "apt-get", installs + '/bin/chmod 755 "${0%/*}/chromium"; fi; done')
    _program(no_system_browser / "env", 'shift; exec "$@"')
    _program(no_system_browser / "sudo", 'shift; exec "$@"')
    _program(no_system_browser / "true", "")
    assert provide_chromium() == no_system_browser / "chromium"
    assert capfd.readouterr().out == ""


def test_where_nothing_brings_it_the_error_says_what_to_do(
    no_system_browser: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A host that answers nobody, so that Playwright's download fails at once wherever this runs.
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")
    with pytest.raises(StageFailed, match="apt-get install chromium"):
        provide_chromium()


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    broken = _program(tmp_path / "chromium", "echo 'libnss3.so: cannot open shared object file' >&2; exit 127")
    with pytest.raises(StageFailed, match=r"does not start: libnss3\.so"):
        version(broken)


def _renderers() -> list[str | None]:
    return [find_renderer("auto"), find_renderer("playwright"), find_renderer("selenium")]


def test_a_renderer_is_named_where_all_it_needs_is_there(no_system_browser: Path) -> None:
    assert _renderers() == [None, None, None]
    _program(no_system_browser / "chromium", "true")
    assert _renderers() == ["playwright", "playwright", None]
    _program(no_system_browser / "chromedriver", "true")
    assert find_chromedriver() == no_system_browser / "chromedriver"
    assert find_renderer("selenium") == "selenium"


def test_selenium_serves_where_playwright_is_not_installed(
    no_system_browser: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(no_system_browser / "chromium", "true")
    _program(no_system_browser / "chromedriver", "true")
    monkeypatch.setattr(browser, "_is_installed", lambda package: package == "selenium")
    assert _renderers() == ["selenium", None, "selenium"]


def test_apt_brings_a_chromedriver_where_it_may(no_system_browser: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StageFailed, match="apt-get install chromium-driver"):
        provide_chromedriver()
    driver = 'printf "#!/bin/sh\\n" >"${0%/*}/chromedriver"; /bin/chmod 755 "${0%/*}/chromedriver"'
    installs = f'for word; do if [ "$word" = chromium-driver ]; then {driver}; fi; done'
    _program(no_system_browser / "apt-get", installs)
    _program(no_system_browser / "env", 'shift; exec "$@"')
    _program(no_system_browser / "sudo", 'shift; exec "$@"')
    _program(no_system_browser / "true", "")
    assert provide_chromedriver() == no_system_browser / "chromedriver"
    assert capfd.readouterr().out == ""


def test_doctor_names_what_pages_built_by_script_need(no_system_browser: Path) -> None:
    found = {check.name: check for check in checks(Settings())}
    assert [found[name].state for name in ("chromium", "chromedriver")] == ["optional", "optional"]
    assert found["chromedriver"].fix
    _program(no_system_browser / "chromedriver", "echo 'ChromeDriver 1.2.3 (a long hash)'")
    found = {check.name: check for check in checks(Settings())}
    assert found["chromedriver"].ok
    assert found["chromedriver"].found == f"ChromeDriver 1.2.3 ({no_system_browser / 'chromedriver'})"


def test_what_the_doctor_and_the_help_ask_for_loads_no_crawler() -> None:
    code = """
import sys
import fullshot.crawler.doctor
from fullshot.crawler import RENDERERS, SHOPS, find_chromium
print(*SHOPS.names(), *RENDERERS.names())
print(*{name.partition(".")[0] for name in sys.modules})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, modules = done.stdout.splitlines()
    assert names.startswith("myntra schema_org ")
    assert not {"scrapy", "twisted", "web_poet", "playwright", "selenium", "pandas"} & set(modules.split())
