"""Parameters: named Tensors that training changes, whole or in slices.

A Parameter knows its whole shape and which box of it this rank holds. Made by an initializer where programs are cut, it
holds nothing until its layout is known, and then its own slice only, equal to that of one device.

Modules, in reading order: ``naming`` (names and their collisions), ``source`` (what it can be made of), ``slices``
(boxes of a value), ``settings`` and ``described`` (name, settings, flags), ``parameter`` (values, slices, copies),
``parameter_tuple``, ``cast`` (Parameters in another type).
"""

from simpar.parameter.cast import CastParameter, parameter_behind
from simpar.parameter.naming import UNNAMED, check_names, is_unnamed, number_unnamed
from simpar.parameter.parameter import Parameter
from simpar.parameter.parameter_tuple import ParameterTuple

__all__ = [
    "UNNAMED",
    "CastParameter",
    "Parameter",
    "ParameterTuple",
    "check_names",
    "is_unnamed",
    "number_unnamed",
    "parameter_behind",
]
