"""Mutation testing, of a project of two functions."""

from pathlib import Path

import pytest

from benchmarks import mutation

pytestmark = pytest.mark.slow

FILES = {
    "pyproject.toml": """
        [tool.mutmut]
        source_paths = ["shop"]
        pytest_add_cli_args_test_selection = ["tests/test_price.py"]
    """,
    "shop/__init__.py": "",
    "shop/price.py": """
        def _least():
            return 5


        LEAST = _least()


        def total(count, price):
            return max(LEAST, count * price)


        def change(paid, due):
            return paid - due
    """,
    "tests/__init__.py": "",
    "tests/test_price.py": """
        from shop.price import total


        def test_total():
            assert [total(count, 4) for count in (0, 1, 2)] == [5, 5, 8]
    """,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("\n".join(line[8:] for line in text.splitlines()))
    return tmp_path


def test_what_runs_on_import_is_tested_too_and_what_survives_is_named(project: Path) -> None:
    (row,) = mutation.measure(project, processes=1)
    assert row.figure == "shop/price.py"
    assert {name.rpartition("__")[0] for name in mutation.survivors(project)} == {"shop.price.x_change"}
    assert row.reached is False
    # Survivors are tried again.
    with (project / "tests" / "test_price.py").open("a") as file:
        file.write("\n\ndef test_change():\n    from shop.price import change\n    assert change(9, 4) == 5\n")
    (row,) = mutation.measure(project, processes=1)
    assert (row.ours, row.reached) == (row.peer, True)


def test_tests_that_fail_by_themselves_say_nothing(project: Path) -> None:
    (project / "tests" / "test_price.py").write_text("def test_nothing() -> None:\n    assert False\n")
    with pytest.raises(SystemExit, match="must pass without any change"):
        mutation.measure(project, processes=1)
