"""Where a setting comes from, and what is said of a bad one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fullshot.core import renaming, settings
from fullshot.core.errors import UserError


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings as if a key and a whole section had been called otherwise once."""
    monkeypatch.setattr(settings, "RENAMED", {"crawl.pause": "crawl.delay", "answer.garments": "recommend.neighbours"})
    renaming._report.cache_clear()
    yield
    renaming._report.cache_clear()


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
            "unknown setting zzz in {file}; expected one of crawl, curate, annotate, detector, embedder, index",
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


@pytest.mark.parametrize("text", ["[annotate]\ntoken = 8675309\n", "annotate = 8675309\n"])
def test_a_bad_setting_that_is_secret_is_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "fullshot.toml"
    file.write_text(text)
    with pytest.raises(UserError, match="setting annotate") as caught:
        settings.load(file)
    assert "8675309" not in str(caught.value)


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


@pytest.mark.usefixtures("renamed")
def test_an_old_name_in_the_file_is_understood_and_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "fullshot.toml"
    file.write_text("[crawl]\npause = 3\n[answer]\ngarments = 4\n")
    for _ in range(2):
        loaded = settings.load(file)
        assert (loaded.crawl.delay, loaded.recommend.neighbours) == (3.0, 4)
    assert capsys.readouterr().err.splitlines() == [
        f"fullshot: {file}: crawl.pause is called crawl.delay now",
        f"fullshot: {file}: answer.garments is called recommend.neighbours now",
    ]


@pytest.mark.usefixtures("renamed")
def test_an_old_name_in_the_environment_is_understood_and_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FULLSHOT_CRAWL_PAUSE", "3")
    monkeypatch.setenv("fullshot_answer_garments", "4")
    file = tmp_path / "fullshot.toml"
    file.write_text("[crawl]\ndelay = 9\n")  # the environment wins, whichever name it uses
    for _ in range(2):
        loaded = settings.load(file)
        assert (loaded.crawl.delay, loaded.recommend.neighbours) == (3.0, 4)
    assert capsys.readouterr().err.splitlines() == [
        "fullshot: FULLSHOT_CRAWL_PAUSE is called FULLSHOT_CRAWL_DELAY now",
        "fullshot: FULLSHOT_ANSWER_GARMENTS is called FULLSHOT_RECOMMEND_NEIGHBOURS now",
    ]


@pytest.mark.usefixtures("renamed")
def test_a_value_under_an_old_name_is_checked_as_under_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "fullshot.toml"
    file.write_text("[crawl]\npause = -3\n")
    with pytest.raises(UserError, match=r"^setting crawl\.delay: .*greater than or equal to 0, got -3$"):
        settings.load(file)


@pytest.mark.usefixtures("renamed")
def test_an_old_and_a_new_name_together_are_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "fullshot.toml"
    file.write_text("[crawl]\npause = 3\ndelay = 2\n")
    with pytest.raises(UserError) as caught:
        settings.load(file)
    assert str(caught.value) == f"{file}: crawl.pause is called crawl.delay now: give one of them"
    monkeypatch.setenv("FULLSHOT_CRAWL_PAUSE", "3")
    monkeypatch.setenv("FULLSHOT_CRAWL_DELAY", "2")
    with pytest.raises(UserError) as caught:
        settings.load()
    assert str(caught.value) == "FULLSHOT_CRAWL_PAUSE is called FULLSHOT_CRAWL_DELAY now: give one of them"


def test_what_is_renamed_leads_to_settings_that_there_are() -> None:
    there = {f"{section}.{key}" for section, keys in settings.load().model_dump().items() for key in keys}
    assert set(settings.RENAMED.values()) <= there
    assert not there & set(settings.RENAMED)
