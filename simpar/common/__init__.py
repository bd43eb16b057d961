"""MindSpore's ``mindspore.common``: element types, Tensor, Parameter, initializers, the seed, under those names.

``language`` holds what MindSpore's compiler is told beside the program, ``runtime`` what its devices are told.
"""

from simpar.common import initializer, parameter, runtime
from simpar.common.language import (
    JitConfig,
    Symbol,
    jit_class,
    lazy_inline,
    ms_class,
    mutable,
    no_init_parameters,
    no_inline,
    recompute,
)
from simpar.context import get_seed, set_seed
from simpar.parameter import Parameter, ParameterTuple
from simpar.tensor import Tensor

__all__ = [
    "JitConfig",
    "Parameter",
    "ParameterTuple",
    "Symbol",
    "Tensor",
    "get_seed",
    "initializer",
    "jit_class",
    "lazy_inline",
    "ms_class",
    "mutable",
    "no_init_parameters",
    "no_inline",
    "parameter",
    "recompute",
    "runtime",
    "set_seed",
]
