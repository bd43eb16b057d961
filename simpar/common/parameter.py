"""MindSpore's ``mindspore.common.parameter``: see ``simpar.parameter``."""

from simpar.parameter import Parameter, ParameterTuple

__all__ = ["Parameter", "ParameterTuple"]
