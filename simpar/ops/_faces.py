"""What the two faces of the ops share: operands as users give them, objects of one or two, formats of images."""

from dataclasses import replace
from typing import Any, Self

from numpy.typing import NDArray

from simpar.errors import NotYetError
from simpar.graph import Strategy
from simpar.layout import Layout
from simpar.ops.primitive import Primitive
from simpar.ops.support import one
from simpar.tensor import Tensor, as_tensor

__all__ = ["Binary", "ImagePrimitive", "Operand", "Unary", "applied", "first_tensor"]

Operand = Tensor | NDArray[Any] | float


def first_tensor(*given: object) -> Tensor | None:
    """Return the first Tensor among operands, after which numbers are typed."""
    return next((x for x in given if isinstance(x, Tensor)), None)


def applied(name: str, *operands: object, **attrs: Any) -> Tensor:
    """Apply an op to Tensors, arrays and numbers."""
    like = first_tensor(*operands)
    return one(name, *(as_tensor(x, like) for x in operands), **attrs)


class Unary(Primitive):
    """Is an op of one tensor."""

    def __call__(self, x: Operand) -> Tensor:
        """Apply the op."""
        return self.apply_one(x)


class Binary(Primitive):
    """Is an op of two tensors or numbers that broadcast."""

    def __call__(self, x: Operand, y: Operand) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, y)


_FIRST, _LAST = (0, 3, 1, 2), (0, 2, 3, 1)


class ImagePrimitive(Primitive):
    """Is an op of images whose record has channels first; in ``"NHWC"`` it turns its operands round, and its result.

    Strategies are those of the operands as the user gives them.

    Args:
        data_format: ``"NCHW"`` or ``"NHWC"``.
        attrs: of the op.

    Raises:
        NotYetError: another format.
    """

    def __init__(self, data_format: str, **attrs: Any) -> None:
        super().__init__(**attrs)
        if data_format not in ("NCHW", "NHWC"):
            raise NotYetError(f"{self.name} with data_format {data_format!r}: simpar has 'NCHW' and 'NHWC'.")
        self.data_format = data_format

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> Self:
        """Say how the op is cut, axes in the order of ``data_format``; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        if self.data_format == "NHWC":
            self.in_strategy, self.out_strategy = _turned(self.in_strategy), _turned(self.out_strategy)
        return self

    def channels_first(self, x: Tensor) -> Tensor:
        """Return images or a weight of four axes with the channels as axis 1."""
        return one("transpose", x, perm=_FIRST) if self.data_format == "NHWC" and x.ndim == 4 else x

    def as_given(self, x: Tensor) -> Tensor:
        """Return a result in the format of the user's images."""
        return one("transpose", x, perm=_LAST) if self.data_format == "NHWC" else x


def _turned(strategy: Strategy | None) -> Strategy | None:
    """Return a strategy whose entries of four axes have the channels as axis 1."""
    return None if strategy is None else tuple(map(_entry, strategy))


def _entry(entry: tuple[int, ...] | Layout) -> tuple[int, ...] | Layout:
    if isinstance(entry, tuple):
        return tuple(entry[a] for a in _FIRST) if len(entry) == 4 else entry
    if len(entry.tensor_map) != 4:
        return entry
    lengths, turns = (tuple(had[a] for a in _FIRST) if had else () for had in (entry.lengths, entry.turns))
    return replace(entry, tensor_map=tuple(entry.tensor_map[a] for a in _FIRST), lengths=lengths, turns=turns)
