"""Calls: a function runs as the program that fits its arguments, compiled when it is called so for the first time."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from inspect import signature
from typing import Any, cast

from simpar.collectives import solo_world
from simpar.compile.loops import Deciding
from simpar.compile.making import make_program
from simpar.compile.options import check_world
from simpar.compile.program import Program
from simpar.compile.traced import Way, trace_and_cut
from simpar.compile.tree import Rebuild, flatten
from simpar.compile.wanted import by_position, notes_of, under_wanted_options
from simpar.context import Context, current, register_runner
from simpar.errors import TraceError
from simpar.execute import run_collective
from simpar.graph import register_collectives
from simpar.parameter import Parameter
from simpar.tensor import Tensor, branched

__all__ = ["compile_function", "jit", "run_function"]

Function = Callable[..., Any]

_KEPT_SHAPES = 64
"""For how many shapes of its arguments a function keeps programs; each has buffers of its own."""
_KEPT_VARIANTS = 8
"""How many programs it keeps for one shape: those of training and evaluation, say."""
_Compiled = Program | Deciding[Program]
"""A function as far as it is known what it does."""


def run_function(
    function: Function, args: Sequence[Any], owner: object = None, named: Mapping[str, Any] | None = None
) -> Any:
    """Run a function as a compiled program: graph mode's way to call.

    Args:
        function: what to run, on Tensors and plain values.
        args: its arguments, nested as it likes.
        owner: the Cell it belongs to, if any.
        named: its arguments by keyword.
    """
    context = current()
    function, args = by_position(function, args, named or {})
    tensors, _, _ = given = flatten(args, Parameter)

    def run() -> Any:
        made = _program(function, given, owner, context)
        return (made.decided(tensors) if isinstance(made, Deciding) else made).run(tensors, context)

    return under_wanted_options(run, notes_of(function), context)


def compile_function(function: Function, args: Sequence[Any], owner: object = None) -> Program:
    """Compile a function for these arguments without running it; where no ranks are connected, for imagined ones."""
    context, given = current(), flatten(tuple(args), Parameter)

    def compiled() -> Program:
        if context.world is None and context.planner is None:
            made = _compile(function, given[0], given[2], owner, context, runs=False)
        else:
            made = _program(function, given, owner, context)
        return made.condition if isinstance(made, Deciding) else made

    return under_wanted_options(compiled, notes_of(function), context)


def _program(
    function: Function, given: tuple[list[Tensor], Any, Rebuild], owner: object, context: Context
) -> _Compiled:
    """Return the program of a call, compiled if there is none for it yet."""
    tensors, nest, rebuild = given
    key = (nest, tuple((t.shape, t.dtype, t.layout) for t in tensors))
    cache = _cache_of(function, context.rank)
    known = cache[key] = cache.pop(key, [])  # the last used stands last
    for program in known:
        if program.is_valid:
            return program
    while len(cache) > _KEPT_SHAPES:
        del cache[next(iter(cache))]
    made = _compile(function, tensors, rebuild, owner, context)
    known[:] = [p for p in known if p.options is context.parallel][1 - _KEPT_VARIANTS :]
    known.append(made)
    return made


def _cache_of(function: Function, rank: int) -> dict[Any, list[_Compiled]]:
    """Return the programs that a rank made for a function; they live as long as the function, or its Cell.

    Ranks may be threads, which share the function: each has programs of its own, and forgets them in its own order.
    """
    return (
        notes_of(function)
        .setdefault("_simpar_programs", _Programs())
        .setdefault((getattr(function, "__name__", ""), rank), {})
    )


class _Programs(dict[tuple[str, int], dict[Any, list[_Compiled]]]):
    """The programs of one function or Cell; a copy of the Cell begins without."""

    def __deepcopy__(self, memo: object) -> "_Programs":
        return _Programs()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return _Programs, ()


def _compile(
    function: Function,
    tensors: list[Tensor],
    rebuild: Rebuild,
    owner: object,
    context: Context,
    runs: bool = True,
    way: Way | None = None,
) -> _Compiled:
    """Return the program of a function, or of the condition on which it depends what follows."""
    runs = runs and context.planner is None
    if runs:
        check_world(context)
    traced = trace_and_cut(function, tensors, rebuild, owner, context, way, runs)
    program = make_program(traced, tensors, rebuild, owner, context, runs)
    if not traced.is_condition:
        return program
    follow = partial(_compile, function, tensors, rebuild, owner, context, True)
    return Deciding(program, follow, traced.way)


# --- the doors ---


def jit(function: Function | None = None, *, fn: Function | None = None, **_: Any) -> Function:
    """Return a function that runs as a compiled program; MindSpore's options of the same decorator are accepted.

    ``fn`` is the older name of ``function``.

    Inside another traced function it is recorded as part of it.
    """

    def decorate(function: Function) -> Function:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            if current().trace is not None:
                return branched(lambda: function(*args, **kwargs))
            if not kwargs:
                return run_function(function, args, function)
            bound = signature(function).bind(*args, **kwargs)
            bound.apply_defaults()
            return run_function(function, bound.args, function, bound.kwargs)

        return run

    given = fn if function is None else function
    return decorate if given is None else decorate(given)


def _run_collective(op: str, arrays: list[Any], attrs: Any) -> Any:
    context = current()
    if context.trace is not None:
        raise TraceError(f"op {op} is recorded while a function is traced, not run.")
    if context.planner is not None:
        context.planner.asked(f"a collective outside of a program, {op},")
    check_world(context)
    return run_collective(context.world or solo_world(), op, arrays, attrs)


register_collectives(_run_collective)
register_runner(run_function, compile_function)
cast("Any", run_function).compile = compile_function
