"""What MindSpore's compiler is told beside the program: hints, which mostly change nothing here, and ``Symbol``."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from simpar.context import current
from simpar.errors import DTypeError, ParameterError
from simpar.graph import Recompute, Trace
from simpar.nn import Cell

__all__ = [
    "JitConfig",
    "Symbol",
    "jit_class",
    "lazy_inline",
    "ms_class",
    "mutable",
    "no_init_parameters",
    "no_inline",
    "recompute",
]

_LIKELY = 64
"""What a Symbol is planned as, at least: a length that most cuts divide."""


class JitConfig:
    """Keeps the options of MindSpore's compiler; none has a meaning here.

    Args:
        jit_level, exec_mode: as MindSpore names them.
        options: the others.
    """

    def __init__(self, jit_level: str = "", exec_mode: str = "auto", **options: Any) -> None:
        self.jit_config_dict = {"jit_level": jit_level, "exec_mode": exec_mode, **options}


@dataclass(frozen=True, slots=True)
class Symbol:
    """A length that is not known yet: ``Tensor(shape=[Symbol(divisor=8), 16], dtype=float32)``.

    A program is planned for lengths that fit the description, its ops and its strategies.

    Args:
        max, min: bounds.
        divisor, remainder: what is known of the length.
        unique: whether all axes that are described by this object have the same length.
        name: a name for messages.

    Raises:
        DTypeError: a number is no whole number.
        ParameterError: no length fits.

    >>> Symbol(divisor=24).length, Symbol(max=10, divisor=4, remainder=1).length
    (72, 9)
    """

    max: int = 0
    min: int = 1
    divisor: int = 1
    remainder: int = 0
    unique: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        for what in ("min", "divisor", "remainder"):
            given = getattr(self, what)
            if isinstance(given, bool) or not isinstance(given, int):
                raise DTypeError(f"Symbol: {what} is {given!r}; give a whole number.")
        if self.divisor < 1 or self.min < 1 or self.remainder < 0:
            raise ParameterError(f"{self}: min and divisor are at least 1, remainder is at least 0.")
        if self.max and self.max < self.min:
            raise ParameterError(f"{self}: max is below min.")

    @property
    def length(self) -> int:
        """A length that fits: the first one from 64 on, or the last one below max."""
        wanted = max(self.min, _LIKELY)
        found = wanted + (self.remainder - wanted) % self.divisor
        if self.max and found > self.max:
            found = self.max - (self.max - self.remainder) % self.divisor
        return found

    def fits(self, length: int) -> bool:
        """Return whether the length may be this one.

        >>> Symbol(divisor=8).fits(24), Symbol(divisor=8).fits(20)
        (True, False)
        """
        bounded = self.min <= length and (not self.max or length <= self.max)
        return bounded and length % self.divisor == self.remainder % self.divisor

    def __index__(self) -> int:
        return self.length


def recompute(
    block: Cell,
    *args: Any,
    use_reentrant: bool = True,
    output_recompute: bool = False,
    early_stop: bool = True,
    context_fn: Callable[[], Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Call a Cell; the backward pass computes again what lies inside it, instead of keeping it.

    Args:
        block: the Cell.
        args, kwargs: its inputs.
        use_reentrant, output_recompute, early_stop, context_fn: taken as MindSpore does; they change nothing.

    Raises:
        DTypeError: ``block`` is no Cell.
    """
    if not isinstance(block, Cell):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DTypeError(f"recompute takes a Cell, not {block!r}.")
    trace: Trace | None = current().trace
    if trace is None or trace.marks.recompute is not None:  # nothing to keep, or within a Cell that is recomputed
        return block(*args, **kwargs)
    with trace.marked(recompute=Recompute(trace.made + 1, True)):
        return block(*args, **kwargs)


def mutable(input_data: Any, dynamic_len: bool = False) -> Any:
    """Return the value: numbers are arguments of a program only as Tensors here."""
    return input_data


def lazy_inline(fn: Any = None, attrs: Any = None, policy: Any = None) -> Any:
    """Return the constructor, or a decorator: graphs are always flat here."""
    return _unchanged if fn is None else fn


def no_inline(fn: Any = None) -> Any:
    """Return the function, or a decorator: see ``lazy_inline``."""
    return _unchanged if fn is None else fn


def jit_class(cls: type) -> type:
    """Return the class: objects of any class can be used while a function is traced."""
    return cls


ms_class = jit_class


def _unchanged(fn: Callable[..., Any]) -> Callable[..., Any]:
    return fn


@contextmanager
def no_init_parameters() -> Generator[None]:
    """Build a network without filling its Parameters. In the modes that cut them they are filled late anyway."""
    yield
