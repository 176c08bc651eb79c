"""Where a setting comes from, and what is said of a bad one."""

from pathlib import Path

import pytest

from fullshot.core import settings
from fullshot.core.errors import UserError


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
        ("[crawl]\ndelya = 1\n", "unknown setting crawl.delya in {file}; did you mean delay?"),
        ("[krawl]\ndelay = 1\n", "unknown setting krawl in {file}; did you mean crawl?"),
        ("delay = 1\n", "unknown setting delay in {file}; did you mean crawl.delay?"),
        ("[recommend]\nzzz = 1\n", "unknown setting recommend.zzz in {file}; expected one of neighbours"),
        (
            "[zzz]\n",
            "unknown setting zzz in {file}; expected one of crawl, curate, annotate, detector, embedder, recommend",
        ),
        ("[crawl\n", "fullshot.toml: "),
    ],
)
def test_a_bad_setting_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "fullshot.toml"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        settings.load(file)
    assert message.format(file=file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("FULLSHOT_CRAWL_DELYA", "did you mean FULLSHOT_CRAWL_DELAY?"),
        ("FULLSHOT_CURATE_POSEMODEL", "did you mean FULLSHOT_CURATE_POSE_MODEL?"),
        ("fullshot_crawl_delya", "did you mean FULLSHOT_CRAWL_DELAY?"),  # either case sets a setting
        ("FULLSHOT_RECOMMEND_ZZZ", "expected one of neighbours"),
    ],
)
def test_a_misspelt_variable_is_not_passed_over(monkeypatch: pytest.MonkeyPatch, variable: str, hint: str) -> None:
    monkeypatch.setenv(variable, "3")
    with pytest.raises(UserError) as caught:
        settings.load()
    assert str(caught.value) == f"unknown setting {variable} in the environment; {hint}"


def test_variables_that_are_no_settings_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings.load().model_dump()
    for variable in ("FULLSHOT_DEMO_COLLECTIONS", "FULLSHOT_PROCESS_END_WITH_PARENT", "FULLSHOT", "CRAWL_DELYA"):
        monkeypatch.setenv(variable, "3")
    monkeypatch.setenv("MY_CRAWL_DELYA", "3")
    assert settings.load().model_dump() == before


def test_every_setting_can_be_set_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings.load().model_dump()
    for section, values in before.items():
        for key, value in values.items():
            monkeypatch.setenv(f"FULLSHOT_{section}_{key}".upper(), str(value))
    assert settings.load().model_dump() == before
