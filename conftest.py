"""What every test and doctest starts with: one BLAS thread, no records, a context of its own, the same examples."""

import os
from collections.abc import Generator

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads: ranks share the cores
os.environ.setdefault("SIMPAR_RECORD", "0")  # of programs that tests start

import pytest
from hypothesis import settings

from simpar.context import Context, entered

settings.register_profile("simpar", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("simpar")


@pytest.fixture(autouse=True)
def own_context() -> Generator[Context]:
    """Enter a fresh context, so that no option that a test sets reaches the next one."""
    with entered(Context()) as context:
        yield context
