"""Parameters for the tests of this folder, and the modes they are made in."""

from typing import Any

import numpy as np

from simpar import dtype as types
from simpar.context import set_auto_parallel_context
from simpar.initializer import initializer
from simpar.parameter import Parameter
from simpar.tensor import Tensor

Array = np.ndarray[Any, Any]

CUTTING = ("semi_auto_parallel", "auto_parallel")
OTHER_MODES = ("stand_alone", "data_parallel", "hybrid_parallel")


def mode(name: str, **options: object) -> None:
    set_auto_parallel_context(parallel_mode=name, **options)


def ones(*shape: int, name: str | None = "w") -> Parameter:
    return Parameter(Tensor(np.ones(shape), types.float32), name=name)


def counted(*shape: int, name: str | None = "w") -> Parameter:
    """Make a Parameter whose values are 0, 1, 2, ... row by row."""
    return Parameter(Tensor(np.arange(np.prod(shape)).reshape(shape), types.float32), name=name)


def lazy(*shape: int, init: object = "normal", name: str | None = "w", **options: Any) -> Parameter:
    """Make a Parameter without values, in semi_auto_parallel."""
    mode("semi_auto_parallel")
    return Parameter(initializer(init, shape), name=name, **options)


def as_rank(rank: int, device_num: int = 8) -> None:
    set_auto_parallel_context(device_num=device_num, global_rank=rank)
