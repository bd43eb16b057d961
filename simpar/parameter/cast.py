"""``CastParameter``: a Parameter as a Cell with ``to_float`` computes with it."""

from simpar.dtype import DType
from simpar.parameter.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["CastParameter", "parameter_behind"]


class CastParameter(Tensor):
    """The values of a Parameter in another type, with the Parameter to which writes go.

    >>> from simpar.dtype import float16
    >>> half = CastParameter.of(Parameter(Tensor([1.0]), name="w"), float16)
    >>> half.dtype, parameter_behind(half)
    (Float16, Parameter (name=w, shape=(1,), dtype=Float32, requires_grad=True))
    """

    parameter: Parameter

    @classmethod
    def of(cls, parameter: Parameter, dtype: DType) -> "CastParameter":
        """Return a Parameter's values in ``dtype``."""
        made = cls.__new__(cls)
        vars(made).update(vars(parameter.astype(dtype)))
        made.parameter = parameter
        return made


def parameter_behind(given: object) -> Parameter | None:
    """Return the Parameter that a value is, or is a cast of; None for any other."""
    if isinstance(given, CastParameter):
        return given.parameter
    return given if isinstance(given, Parameter) else None
