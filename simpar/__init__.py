"""MindSpore-style auto-parallel training on MPI ranks, on any machine with Python.

MPI ranks play the devices: every rank holds its real slices of every ``Parameter``, every collective is a real one, and
the numbers equal those of one device. The names are MindSpore's: ``import simpar as ms``.

To read the code, begin with ``simpar.compile``: the passes in order. ``simpar.layout`` holds the one idea (a rule per
op, a layout per tensor), ``simpar.partition`` what follows from it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from simpar import common, communication, context, dtype, nn, ops, parallel
from simpar.autodiff import GradOperation, grad, value_and_grad
from simpar.common import (
    JitConfig,
    Symbol,
    jit_class,
    lazy_inline,
    ms_class,
    mutable,
    no_inline,
    recompute,
    runtime,
)
from simpar.compile import jit
from simpar.context import (
    GRAPH_MODE,
    PYNATIVE_MODE,
    ParallelMode,
    get_auto_parallel_context,
    get_context,
    get_ps_context,
    get_seed,
    reset_auto_parallel_context,
    reset_ps_context,
    set_auto_parallel_context,
    set_context,
    set_device,
    set_ps_context,
    set_seed,
)
from simpar.dtype import (
    bfloat16,
    bool_,
    complex64,
    complex128,
    dtype_to_nptype,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from simpar.jacobian import jvp, vjp
from simpar.ops import reshard
from simpar.parallel import (
    Layout,
    get_algo_parameters,
    reset_algo_parameters,
    set_algo_parameters,
    shard,
    sync_pipeline_shared_parameters,
)
from simpar.parameter import Parameter, ParameterTuple
from simpar.tensor import Tensor

if TYPE_CHECKING:
    from simpar import dataset, mint, train
    from simpar.checkpoint import (
        load_checkpoint,
        load_distributed_checkpoint,
        load_param_into_net,
        save_checkpoint,
    )
    from simpar.train import (
        DatasetHelper,
        DynamicLossScaleManager,
        FixedLossScaleManager,
        Model,
        amp,
        connect_network_with_dataset,
        data_sink,
    )

__version__ = "0.1.0"

__all__ = [
    "GRAPH_MODE",
    "PYNATIVE_MODE",
    "DatasetHelper",
    "DynamicLossScaleManager",
    "FixedLossScaleManager",
    "GradOperation",
    "JitConfig",
    "Layout",
    "Model",
    "ParallelMode",
    "Parameter",
    "ParameterTuple",
    "Symbol",
    "Tensor",
    "__version__",
    "amp",
    "bfloat16",
    "bool_",
    "common",
    "communication",
    "complex64",
    "complex128",
    "connect_network_with_dataset",
    "context",
    "data_sink",
    "dataset",
    "dtype",
    "dtype_to_nptype",
    "float16",
    "float32",
    "float64",
    "get_algo_parameters",
    "get_auto_parallel_context",
    "get_context",
    "get_ps_context",
    "get_seed",
    "grad",
    "int8",
    "int16",
    "int32",
    "int64",
    "jit",
    "jit_class",
    "jvp",
    "lazy_inline",
    "load_checkpoint",
    "load_distributed_checkpoint",
    "load_param_into_net",
    "mint",
    "ms_class",
    "mutable",
    "nn",
    "no_inline",
    "ops",
    "parallel",
    "recompute",
    "reset_algo_parameters",
    "reset_auto_parallel_context",
    "reset_ps_context",
    "reshard",
    "runtime",
    "save_checkpoint",
    "set_algo_parameters",
    "set_auto_parallel_context",
    "set_context",
    "set_device",
    "set_ps_context",
    "set_seed",
    "shard",
    "sync_pipeline_shared_parameters",
    "train",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "value_and_grad",
    "vjp",
]

_ON_DEMAND = {
    "DynamicLossScaleManager": "simpar.train",
    "FixedLossScaleManager": "simpar.train",
    "Model": "simpar.train",
    "DatasetHelper": "simpar.train",
    "connect_network_with_dataset": "simpar.train",
    "data_sink": "simpar.train",
    "amp": "simpar.train",
    "load_checkpoint": "simpar.checkpoint",
    "load_distributed_checkpoint": "simpar.checkpoint",
    "load_param_into_net": "simpar.checkpoint",
    "save_checkpoint": "simpar.checkpoint",
}
_ROOMS_ON_DEMAND = ("dataset", "mint", "train")
"""Rooms that many programs do not need; they are imported when they are asked for, so that the others start fast."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS_ON_DEMAND:
        return import_module(f"simpar.{name}")
    if name in _ON_DEMAND:
        return getattr(import_module(_ON_DEMAND[name]), name)
    raise AttributeError(f"module 'simpar' has no attribute {name!r}")
