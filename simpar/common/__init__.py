"""MindSpore's ``mindspore.common``: element types, Tensor, Parameter, initializers, the seed, under those names."""

from simpar.common import initializer, parameter
from simpar.context import get_seed, set_seed
from simpar.parameter import Parameter, ParameterTuple
from simpar.tensor import Tensor

__all__ = ["Parameter", "ParameterTuple", "Tensor", "get_seed", "initializer", "parameter", "set_seed"]
