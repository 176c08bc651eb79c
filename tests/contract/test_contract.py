"""Every command, and every kind of picture: what the table says is what happens."""

import pytest

from tests.contract.commands import Contract
from tests.contract.expected import EXPECTED, exit_code
from tests.contract.observed import outcome
from tests.contract.pictures import KINDS

CELLS = [(command, kind) for command, row in EXPECTED.items() for kind in row]


def test_the_table_has_a_cell_for_every_kind() -> None:
    assert {command: list(row) for command, row in EXPECTED.items()} == {command: list(KINDS) for command in EXPECTED}


@pytest.mark.parametrize("command", EXPECTED)
def test_a_command_goes_to_its_end(contract: Contract, command: str) -> None:
    done = contract[command]
    assert done.code == exit_code(command), done.words


@pytest.mark.parametrize(("command", "kind"), CELLS, ids=[f"{command}, {kind}" for command, kind in CELLS])
def test_what_a_command_does_with_a_kind_of_picture(contract: Contract, command: str, kind: str) -> None:
    assert outcome(contract, command, kind) == EXPECTED[command][kind]
