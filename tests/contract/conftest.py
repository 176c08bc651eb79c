"""One workspace for all tests of the contract: whoever changes it takes a copy."""

import pytest
import torch

from tests.contract.commands import Contract
from tests.contract.pictures import drawn_shop


@pytest.fixture(scope="session")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    # Pictures of 32 and 64 pixels: threads that wait for each other cost more than they bring.
    torch.set_num_threads(1)
    return Contract(drawn_shop(), tmp_path_factory.mktemp("contract"))
