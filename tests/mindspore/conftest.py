"""The alias is installed for each test of this folder, under a context of its own."""

from collections.abc import Iterator

import pytest

from simpar.context import Context, entered
from simpar.mindspore import installed


@pytest.fixture(autouse=True)
def alias() -> Iterator[None]:
    with entered(Context()), installed():
        yield
