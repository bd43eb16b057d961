"""Functions of functions, under MindSpore's names (``from mindspore.ops import composite as C``).

``GradOperation`` differentiates, ``HyperMap`` applies a function to every leaf of nested lists and tuples,
``MultitypeFuncGraph`` chooses one of several functions by the types of its arguments.
"""

from collections.abc import Callable, Sequence
from numbers import Number
from typing import Any, Final, cast

from simpar.autodiff import GradOperation, grad, value_and_grad
from simpar.errors import DTypeError
from simpar.jacobian import jvp, vjp
from simpar.tensor import Tensor

__all__ = [
    "GradOperation",
    "HyperMap",
    "Map",
    "MultitypeFuncGraph",
    "add_flags",
    "constexpr",
    "core",
    "grad",
    "jvp",
    "partial",
    "value_and_grad",
    "vjp",
]

Function = Callable[..., Any]


class HyperMap:
    """Applies a function to the leaves of nested lists and tuples that have one form.

    Args:
        ops: the function; if None, it is the first argument of the call.
        reverse: kept for MindSpore's sake: the order of the calls, which has no effect on the result.

    >>> HyperMap(lambda x, y: x + y)((1, [2, 3]), (10, [20, 30]))
    (11, (22, 33))
    """

    def __init__(self, ops: Function | None = None, reverse: bool = False) -> None:
        self.ops, self.reverse = ops, reverse

    def __call__(self, *args: Any) -> Any:
        """Return the results, nested like the arguments, in tuples.

        Raises:
            DTypeError: the arguments do not have one form.
        """
        function, nests = (args[0], args[1:]) if self.ops is None else (self.ops, args)
        return self._mapped(function, nests)

    def _mapped(self, function: Function, nests: Sequence[Any]) -> Any:
        if not isinstance(nests[0], list | tuple):
            return function(*nests)
        lengths = [len(cast("Sequence[Any]", n)) if isinstance(n, list | tuple) else 0 for n in nests]
        if len(set(lengths)) > 1:
            raise DTypeError(f"{type(self).__name__} needs lists and tuples of one form, not of lengths {lengths}.")
        return tuple(self._mapped(function, leaves) for leaves in zip(*nests, strict=True))


class Map(HyperMap):
    """Applies a function to the members of lists and tuples, and does not look into the members.

    >>> Map(len)(([1, 2], [3]))
    (2, 1)
    """

    def _mapped(self, function: Function, nests: Sequence[Any]) -> Any:
        return tuple(function(*members) for members in zip(*nests, strict=True))


_KINDS: Final[dict[str, Any]] = {
    "Tensor": Tensor,
    "Number": Number,
    "Bool": bool,
    "Int": int,
    "Float": float,
    "String": str,
    "Tuple": tuple,
    "List": list,
    "Dictionary": dict,
    "NoneType": type(None),
}
"""MindSpore's names of what an argument may be; other names (``Function``, ``Ref``) fit anything."""


class MultitypeFuncGraph:
    """Chooses, among functions that were registered, the first whose types fit the arguments.

    >>> scale = MultitypeFuncGraph("scale")
    >>> @scale.register("Number", "Number")
    ... def scale_number(factor, x):
    ...     return factor * x
    >>> scale(2, 3)
    6
    """

    def __init__(self, name: str, read_value: bool = False) -> None:
        self.name, self.read_value = name, read_value
        self.entries: list[tuple[tuple[Any, ...], Function]] = []

    def register(self, *kinds: Any) -> Callable[[Function], Function]:
        """Return a decorator that registers a function for arguments of these kinds, in order."""

        def keep(function: Function) -> Function:
            self.entries.append((kinds, function))
            return function

        return keep

    def __call__(self, *args: Any) -> Any:
        """Call the function that fits.

        Raises:
            DTypeError: none does.
        """
        for kinds, function in self.entries:
            if len(kinds) == len(args) and all(_fits(a, k) for a, k in zip(args, kinds, strict=True)):
                return function(*args)
        given = ", ".join(type(a).__name__ for a in args)
        known = "; ".join(", ".join(map(str, kinds)) for kinds, _ in self.entries)
        raise DTypeError(f"{self.name} has no function for ({given}); it was given some for: {known}.")


def _fits(value: object, kind: object) -> bool:
    expected = _KINDS.get(kind, object) if isinstance(kind, str) else kind
    return not isinstance(expected, type) or isinstance(value, expected)


def add_flags(fn: Any = None, **flags: Any) -> Any:
    """Return ``fn``, or a decorator: MindSpore's hints to its compiler change nothing here."""
    return _unchanged if fn is None else fn


def _unchanged(fn: Function) -> Function:
    return fn


def core(fn: Any = None, **flags: Any) -> Any:
    """Return ``fn``, or a decorator: see ``add_flags``."""
    return add_flags(fn, **flags)


def constexpr(fn: Any = None, get_instance: bool = True, name: str | None = None, **options: Any) -> Any:
    """Return ``fn``, or a decorator: a function of constants is simply called while a function is traced."""
    return add_flags(fn)


def partial(fn: Function, *args: Any) -> Function:
    """Return ``fn`` with its first arguments given.

    >>> partial(pow, 2)(3)
    8
    """
    return lambda *rest: fn(*args, *rest)
