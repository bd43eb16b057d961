"""Products of a function's Jacobian with a vector, from either side, by reverse-mode differentiation alone."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any, cast

from simpar.autodiff import check_alike, conjugate, differentiate
from simpar.context import current, runner
from simpar.errors import DTypeError
from simpar.parameter import Parameter
from simpar.tensor import Tensor, branched, filled

__all__ = ["jvp", "vjp"]

Function = Callable[..., Any]


def vjp(
    fn: Function, *inputs: Any, weights: Parameter | Sequence[Parameter] | None = None, has_aux: bool = False
) -> tuple[Any, ...]:
    """Return what ``fn`` computes, and a function that takes cotangents of its results back to its inputs.

    Args:
        fn: a function or Cell of Tensors that returns a Tensor, or a tuple of them.
        inputs: its arguments.
        weights: Parameters to differentiate by, too: that function returns a pair then.
        has_aux: whether only the first result is differentiated; the others are returned last.

    Raises:
        DTypeError: an input is no Tensor, or a cotangent does not fit its result.
    """
    _check_tensors("vjp", inputs)
    made = fn(*inputs)
    listed = (weights,) if isinstance(weights, Parameter) else tuple(weights or ())

    def pulled_back(given: tuple[Any, ...], cotangents: tuple[Any, ...]) -> Any:
        _, found, by_weight = differentiate(fn, given, range(len(given)), listed, has_aux, cotangents)
        first = found[0] if len(found) == 1 else found
        return first if weights is None else (first, by_weight[0] if isinstance(weights, Parameter) else by_weight)

    def run(*cotangents: Any) -> Any:
        return _compiled(pulled_back, (inputs, cotangents), fn)

    return (made[0], run, *made[1:]) if has_aux else (made, run)


def jvp(fn: Function, inputs: Any, v: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return what ``fn`` computes, and how fast it changes when its inputs change by ``v``.

    That is the slope of the gradient by the cotangent, in which the gradient is linear: it needs no rules of its own.

    Args:
        fn: a function or Cell of Tensors that returns a Tensor, or a tuple of them.
        inputs: its argument, or a tuple of them.
        v: a Tensor like the argument, or a tuple of them.
        has_aux: whether only the first result is differentiated; the others are returned last.

    Raises:
        DTypeError: an input is no Tensor, or ``v`` does not fit the inputs.

    >>> jvp(lambda x: x * x, Tensor([3.0]), Tensor([1.0]))[1].tolist()
    [6.0]
    """
    is_tuple = isinstance(inputs, tuple)
    if isinstance(v, tuple) != is_tuple:
        raise DTypeError("jvp takes a Tensor and a Tensor like it, or a tuple and a tuple; v is the other of the two.")
    args = cast("tuple[Any, ...]", inputs if is_tuple else (inputs,))
    directions = cast("tuple[Any, ...]", v if is_tuple else (v,))
    _check_tensors("jvp", args)
    check_alike("v", directions, args)

    def pushed(args: tuple[Any, ...], directions: tuple[Any, ...]) -> Any:
        made = branched(lambda: fn(*args))
        results: tuple[Any, ...] = cast("Any", made) if isinstance(made, tuple) else (made,)
        ones = tuple(filled(r.shape, r.dtype, 1) for r in (results[:1] if has_aux else results))

        def slope(*cotangents: Any) -> Tensor:
            found = differentiate(fn, args, range(len(args)), (), has_aux, cotangents)[1]
            terms = [(conjugate(g) * d).sum() for g, d in zip(found, directions, strict=True)]
            return reduce(add, terms)

        found = differentiate(slope, ones, range(len(ones)), (), False)[1]
        changes = found if isinstance(made, tuple) and not has_aux else found[0]
        return (results[0], changes, *results[1:]) if has_aux else (made, changes)

    return _compiled(pushed, (args, directions), fn)


def _compiled(function: Function, args: tuple[Any, ...], owner: Any) -> Any:
    """Run a function inline in an active trace, else as a program that is kept with its owner."""
    run_graph = runner()
    return function(*args) if current().trace is not None or run_graph is None else run_graph(function, args, owner)


def _check_tensors(name: str, inputs: Sequence[Any]) -> None:
    wrong = [x for x in inputs if not isinstance(x, Tensor)]
    if wrong:
        raise DTypeError(f"{name} differentiates by Tensors, not by {wrong[0]!r}.")
