"""What an initializer is, and how it is bound to one tensor.

An ``Initializer`` is a recipe, such as "normal with sigma 0.01". ``initializer(...)`` binds it to a tensor: a
``Filling`` knows the shape, the seed and the tensor's own stream of random numbers, and makes any box of the values,
equal under every layout.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from simpar import philox
from simpar.context import current
from simpar.dtype import DType
from simpar.errors import NotYetError, ParameterError

__all__ = ["Box", "Draw", "Filling", "Initializer", "bind", "register", "registered"]

Array = NDArray[Any]
Box = Sequence[tuple[int, int]]
"""``(start, stop)`` along each tensor axis."""
Shape = tuple[int, ...]

_SLICE_STREAMS = 1 << 32
"""From here on come the streams of slices whose box their shape does not tell; from 2**63 on those of dropout."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What an initializer is asked for: one box of one tensor.

    Args:
        shape: the shape of the whole tensor.
        box: ``(start, stop)`` along each axis.
        seed: the program's seed.
        stream: the number of the tensor.
    """

    shape: Shape
    box: tuple[tuple[int, int], ...]
    seed: int = 0
    stream: int = 0

    def normal(self, out: Array, sigma: float, mean: float = 0.0) -> None:
        """Write values of a normal distribution."""
        self._fill(out, lambda w: philox.normal_quantile(philox.centred(w)) * sigma + mean)

    def uniform(self, out: Array, low: float, high: float) -> None:
        """Write values of a uniform distribution."""
        self._fill(out, lambda w: philox.unit(w) * (high - low) + low)

    def quantiles(self, out: Array, sigma: float, mean: float, between: tuple[float, float]) -> None:
        """Write values of a normal distribution of which only these probabilities are left."""
        low, width = between[0], between[1] - between[0]
        self._fill(out, lambda w: philox.normal_quantile(philox.centred(w) * width + low) * sigma + mean)

    def _fill(self, out: Array, convert: Callable[[NDArray[np.uint32]], Array]) -> None:
        philox.fill(out, self.seed, self.stream, self.box, self.shape, convert)


class Initializer:
    """A way to fill a new tensor.

    A class of your own defines ``_initialize(arr)``, as in MindSpore: it fills the numpy array of the *whole* tensor,
    of which each rank keeps its slice. Random numbers in it come from numpy's global generator, seeded for each tensor.

    Args:
        kwargs: kept for ``repr``.

    >>> class Sevens(Initializer):
    ...     def _initialize(self, arr):
    ...         arr[:] = 7
    >>> from simpar import dtype as types
    >>> bind(Sevens(), (2, 3)).fill((2, 3), types.float32, ((0, 1), (1, 3)))
    array([[7., 7.]], dtype=float32)
    """

    def __init__(self, **kwargs: Any) -> None:
        self._kwargs = kwargs

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._kwargs.items())})"

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box into ``out``; by default by making the whole tensor."""
        out[...] = whole(self, out.dtype, draw)[tuple(slice(low, high) for low, high in draw.box)]

    def fill_slice(self, shape: Sequence[int], dtype: DType, slice_index: int | None = None) -> Array:
        """Return the values of a tensor that was made with this initializer itself, ``Tensor(shape=..., init=...)``."""
        return bind(self, tuple(shape)).fill_slice(tuple(shape), dtype, slice_index)

    def _initialize(self, arr: Array) -> None:
        raise NotYetError(f"{type(self).__name__} has no _initialize(self, arr): define it and let it fill the array.")


_ONE_AT_A_TIME = Lock()  # numpy's global generator is shared by threads that play ranks


def whole(given: Initializer, dtype: np.dtype[Any], draw: Draw) -> Array:
    """Return all values of a tensor, with numpy's global generator seeded for this tensor and restored after."""
    made = np.zeros(draw.shape, dtype)
    with _ONE_AT_A_TIME:
        state = np.random.get_state()
        np.random.seed((draw.seed + 0x9E3779B9 * draw.stream) % 2**32)
        try:
            given._initialize(made)  # pyright: ignore[reportPrivateUsage]
        finally:
            np.random.set_state(state)
    return made


@dataclass(frozen=True, slots=True)
class Filling:
    """An initializer bound to one tensor: what a Tensor without data keeps as ``init``."""

    initializer: Initializer
    shape: Shape
    seed: int = 0
    stream: int = 0

    def fill(self, full_shape: Sequence[int], dtype: DType, box: Box, out: Array | None = None) -> Array:
        """Return the values of a box, of the same bits under every layout.

        Args:
            full_shape: the shape of the whole tensor.
            dtype: the element type.
            box: ``(start, stop)`` along each axis.
            out: where to write them; a new array if None.
        """
        made = np.empty([high - low for low, high in box], dtype.numpy) if out is None else out
        self.initializer.fill(made, Draw(tuple(full_shape), tuple(box), self.seed, self.stream))
        return made

    def fill_slice(self, shape: Sequence[int], dtype: DType, slice_index: int | None = None) -> Array:
        """Return the values of one slice, known by its shape and its row-major number among all slices.

        The whole shape divided by the slice's gives the cuts, and those and the number the box. A slice that does not
        divide the whole, or a number beyond its cuts, gets values of its own, equal for equal numbers.
        """
        given = tuple(shape)
        if slice_index is None and given == self.shape:
            slice_index = 0
        box = _box_of_slice(self.shape, given, slice_index or 0)
        if box is not None:
            return self.fill(self.shape, dtype, box)
        stream = self.stream + _SLICE_STREAMS * (1 + (slice_index or 0))
        other = Filling(self.initializer, given, self.seed, stream)
        return other.fill(given, dtype, tuple((0, n) for n in given))


def _box_of_slice(shape: Shape, part: Shape, number: int) -> tuple[tuple[int, int], ...] | None:
    """Return the box of a slice, or None if slices of this shape do not tile the whole."""
    if len(shape) != len(part) or any(p < 1 or n % p for n, p in zip(shape, part, strict=True)):
        return None
    cuts = [n // p for n, p in zip(shape, part, strict=True)]
    if not 0 <= number < prod(cuts):
        return None
    blocks: list[int] = []
    for cut in reversed(cuts):
        blocks.insert(0, number % cut)
        number //= cut
    return tuple((b * p, (b + 1) * p) for b, p in zip(blocks, part, strict=True))


def bind(given: Initializer, shape: Shape) -> Filling:
    """Bind an initializer to the next tensor of this program: to its seed and a stream of its own."""
    context = current()
    return Filling(given, shape, context.seed or 0, context.count("initializer"))


# --- aliases ---

_I = TypeVar("_I", bound=Initializer)


_CLASSES: dict[str, type[Initializer]] = {}  # filled when classes are defined


def register(*aliases: str) -> Callable[[type[_I]], type[_I]]:
    """Let ``initializer("name", ...)`` find a class under its own name and these, in any case and with any underscores.

    >>> @register("sevens")
    ... class Seven(Initializer):
    ...     def _initialize(self, arr):
    ...         arr[:] = 7
    >>> registered("Sevens") is registered("SEVEN") is Seven
    True
    """

    def enter(made: type[_I]) -> type[_I]:
        for alias in (made.__name__, *aliases):
            _CLASSES[_plain(alias)] = made
        return made

    return enter


def _plain(alias: str) -> str:
    return alias.lower().replace("_", "")


def registered(alias: str) -> type[Initializer]:
    """Return the class that an alias names.

    Raises:
        ParameterError: none has this alias; the message lists those there are.
    """
    found = _CLASSES.get(_plain(alias))
    if found is None:
        raise ParameterError(f"{alias!r} is no initializer; choose one of {', '.join(sorted(_CLASSES))}.")
    return found
