"""What the ranks tell ``simpar doctor``: ``python -m simpar.cli.probe`` opens the world, sums over it, and prints."""

import importlib
import json
import sys
from typing import Any

import numpy as np

from simpar.collectives import open_world

__all__ = ["MARK", "blas_kernels"]

MARK = "simpar probe "
"""What the line begins with that the first rank prints; JSON follows."""


def blas_kernels() -> str:
    """Return which BLAS numpy uses in this process and with which kernels: ``"openblas 0.3.31 SkylakeX, 1 thread"``."""
    try:
        threadpoolctl: Any = importlib.import_module("threadpoolctl")  # it has no types
    except ImportError:
        return "unknown (threadpoolctl is not installed)"
    found: list[dict[str, Any]] = [each for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"]
    if not found:
        return "unknown"
    threads = int(found[0]["num_threads"])
    kernels = found[0].get("architecture", "unknown kernels")
    return f"{found[0]['internal_api']} {found[0]['version']} {kernels}, {threads} thread{'s' if threads > 1 else ''}"


def _describe() -> dict[str, Any]:
    world = open_world()
    total = np.array([float(world.rank)])
    world.communicator.all_reduce(total)
    told = sys.modules["mpi4py.MPI"].Get_library_version() if "mpi4py.MPI" in sys.modules else "none"
    library = " ".join(told.replace("\0", "").partition(",")[0].splitlines()[0].split())
    return {"rank": world.rank, "size": world.size, "sum": total[0], "library": library, "blas": blas_kernels()}


if __name__ == "__main__":
    described = _describe()
    if described["rank"] == 0:
        print(MARK + json.dumps(described), flush=True)
