"""Whether ranks can be started here, for tests that need them."""

import pytest

from simpar.errors import LaunchError
from simpar.launch import find_mpi

__all__ = ["has_mpi", "needs_mpi"]


def has_mpi() -> bool:
    try:
        find_mpi()
    except LaunchError:
        return False
    return True


needs_mpi = pytest.mark.skipif(not has_mpi(), reason="no MPI is installed")
