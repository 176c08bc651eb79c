"""Names in the settings, and what they stand for: in the house, and in packages that are installed beside it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from fullshot.core.engines import map_shards
from fullshot.core.errors import UserError
from fullshot.core.registry import Registry, keeps

GROUP = "fullshot.test_hats"
HOUSE = {"cap": "fullshot.core.errors:UserError"}

Install = Callable[[str, Mapping[str, str]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package of a name, with entry points of the group and a module of the package's name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(package: str, points: Mapping[str, str]) -> None:
        folder = tmp_path / f"{package}-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        lines = "".join(f"{name} = {value}\n" for name, value in points.items())
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")
        (tmp_path / f"{package}.py").write_text("class Hat:\n    pass\n")

    return write


def registry() -> Registry[type]:
    return Registry("hat", GROUP, HOUSE)


def test_a_name_stands_for_an_implementation_of_the_house_or_of_another_package(install: Install) -> None:
    install("milliner", {"bowler": "milliner:Hat"})
    hats = registry()
    assert hats.names() == ["cap", "bowler"]
    assert hats.get("cap") is UserError
    assert (hats.get("bowler").__module__, hats.get("bowler").__name__) == ("milliner", "Hat")
    assert hats.load_all() == {"cap": UserError, "bowler": hats.get("bowler")}


def test_an_unknown_name_is_answered_with_those_that_there_are(install: Install) -> None:
    install("milliner2", {"bowler": "milliner2:Hat"})
    with pytest.raises(UserError) as caught:
        registry().get("fez")
    assert str(caught.value) == "expected the hat to be one of cap, bowler, got 'fez'"


def test_a_name_is_checked_without_loading_what_it_stands_for_in_the_house(install: Install) -> None:
    install("milliner4", {"bowler": "milliner4:Hat", "top": "no_such_module:Hat"})
    hats = Registry[type]("hat", GROUP, {"cap": "no_such_module_either:Hat"})
    hats.check("cap")
    hats.check("bowler")
    with pytest.raises(UserError, match="does not load"):
        hats.check("top")
    with pytest.raises(UserError, match=r"^expected the hat to be one of cap, bowler, top, got 'fez'$"):
        hats.check("fez")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("no_such_module:Hat", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("milliner3:Fez", "AttributeError: module 'milliner3' has no attribute 'Fez'"),
        ("raising_hats:Hat", "ValueError: two lines of trouble"),
        ("leaving_hats:Hat", "SystemExit: wrong Python"),
    ],
)
def test_one_that_does_not_load_is_named_with_its_package_and_the_rest_works(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, reason: str
) -> None:
    install("milliner3", {"bowler": place, "top": "milliner3:Hat"})
    (tmp_path / "leaving_hats.py").write_text("raise SystemExit('wrong Python')\n")
    (tmp_path / "raising_hats.py").write_text("raise ValueError('two lines\\nof trouble')\n")
    hats = registry()
    message = f"the hat 'bowler' of milliner3 1.2 does not load ({place}): {reason}"
    assert hats.names() == ["cap", "bowler", "top"]
    with pytest.raises(UserError) as caught:
        hats.get("bowler")
    assert str(caught.value) == message
    assert hats.get("top").__name__ == "Hat"
    for _ in range(2):
        assert list(hats.load_all()) == ["cap", "top"]
    assert capsys.readouterr().err == f"fullshot: {message}; it is left out\n"


def test_worker_processes_do_not_say_it_again(install: Install, capfd: pytest.CaptureFixture[str]) -> None:
    install("milliner5", {"bowler": "no_such_module:Hat", "cap": "milliner5:Hat"})
    assert dict(map_shards(loaded, [[1], [2]], 2)) == {0: ["cap"], 1: ["cap"]}
    assert capfd.readouterr().err == ""


def loaded(rows: Sequence[int]) -> list[str]:
    return list(registry().load_all())


def test_one_that_would_take_the_place_of_the_houses_is_left_out(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("milliner4", {"cap": "milliner4:Hat"})
    hats = registry()
    assert hats.get("cap") is UserError
    assert hats.load_all() == {"cap": UserError}
    assert capsys.readouterr().err == "fullshot: the hat 'cap' of milliner4 1.2 is left out: fullshot itself has one\n"


def test_of_two_packages_with_one_name_the_first_by_the_alphabet_has_it(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("zeta_hats", {"bowler": "zeta_hats:Hat"})
    install("alpha_hats", {"bowler": "alpha_hats:Hat"})
    hats = registry()
    assert hats.get("bowler").__module__ == "alpha_hats"
    assert hats.names() == ["cap", "bowler"]
    assert (
        capsys.readouterr().err == "fullshot: the hat 'bowler' of zeta_hats 1.2 is left out: alpha_hats 1.2 has one\n"
    )


def test_nothing_of_the_house_is_loaded_before_it_is_asked_for() -> None:
    hats: Registry[type] = Registry("hat", GROUP, {"cap": "no_such_module:Cap"})
    assert hats.names() == ["cap"]
    with pytest.raises(ModuleNotFoundError):  # a mistake of the house's own is no user's
        hats.get("cap")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("class Hat:\n    def read(self, name): ...\n", "got no delete, names, size, write"),
        ("def Hat(place): ...\n", "expected a class, got <function Hat"),
    ],
)
def test_what_does_not_keep_its_protocol_is_named_and_the_rest_works(
    install: Install, tmp_path: Path, capfd: pytest.CaptureFixture[str], code: str, reason: str
) -> None:
    package = f"milliner_of_{len(code)}"
    install(package, {"bowler": f"{package}:Hat"})
    (tmp_path / f"{package}.py").write_text(code)
    hats: Registry[type] = Registry("hat", GROUP, HOUSE, keeps("fullshot.core.interfaces:BlobStore"))
    with pytest.raises(UserError, match=rf"^the hat 'bowler' of {package} 1\.2 does not load .*{reason}"):
        hats.get("bowler")
    assert hats.load_all() == {"cap": UserError}
    assert f"the hat 'bowler' of {package} 1.2 does not load" in capfd.readouterr().err
