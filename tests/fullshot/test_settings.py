"""Where a setting comes from, and what is said of a bad one."""

from pathlib import Path

import pytest

from fullshot import settings
from fullshot.errors import UserError


def test_flags_win_over_the_environment_which_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "fullshot.toml"
    file.write_text("[crawl]\ndelay = 2.0\nmax_products = 5\ntimeout = 9.0\n")
    monkeypatch.setenv("FULLSHOT_CRAWL_MAX_PRODUCTS", "7")
    monkeypatch.setenv("FULLSHOT_CRAWL_TIMEOUT", "8")
    crawl = settings.load(file, crawl={"timeout": 3.0, "delay": None}).crawl
    assert (crawl.delay, crawl.max_products, crawl.timeout, crawl.concurrency) == (2.0, 7, 3.0, 1)


def test_a_crawl_is_polite_unless_told_otherwise() -> None:
    crawl = settings.load().crawl
    assert (crawl.delay, crawl.concurrency, crawl.obey_robots, crawl.autothrottle) == (1.0, 1, True, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[crawl]\ndelay = -1\n", "setting crawl.delay: Input should be greater than or equal to 0, got -1"),
        ("[crawl]\ndelai = 1\n", "setting crawl.delai: Extra inputs are not permitted, got 1"),
        ("[krawl]\ndelay = 1\n", "setting krawl: Extra inputs are not permitted"),
        ("[crawl\n", "fullshot.toml: "),
    ],
)
def test_a_bad_setting_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "fullshot.toml"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        settings.load(file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
