"""Programs: a function compiled for these shapes and options, its cache, and its calls."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from inspect import signature
from time import perf_counter
from typing import Any, Protocol, cast

import numpy as np

from simpar.collectives import World, solo_world
from simpar.compile.agreement import compare_plans
from simpar.compile.loops import Deciding, agreed
from simpar.compile.options import check_world, partition_options
from simpar.compile.passes import save_files, save_group
from simpar.compile.record import describe_program, measure_seldom, open_recorder
from simpar.compile.reported import Fed, report_layouts
from simpar.compile.traced import Traced, Way, trace_and_cut
from simpar.compile.tree import Rebuild, flatten
from simpar.compile.wanted import by_position, notes_of, under_wanted_options
from simpar.compile.watch import Watch, watch_values
from simpar.context import Context, current, register_runner
from simpar.dtype import as_dtype
from simpar.errors import TraceError
from simpar.execute import Executor, run_collective
from simpar.graph import NEXT, Graph, register_collectives
from simpar.parameter import Parameter
from simpar.partition import PartitionOptions, Plan, localize
from simpar.recorder import StepFinished
from simpar.tensor import Elsewhere, Tensor, branched

__all__ = ["Planner", "Program", "compile_function", "jit", "run_function"]

Function = Callable[..., Any]

_KEPT_SHAPES = 64
"""For how many shapes of its arguments a function keeps programs; each has buffers of its own."""
_KEPT_VARIANTS = 8
"""How many programs it keeps for one shape: those of training and evaluation, say."""


class Planner(Protocol):
    """Takes plans instead of running them: ``simpar plan``."""

    @property
    def device_num(self) -> int:
        """How many devices are imagined."""
        ...

    @property
    def rank(self) -> int:
        """Which of them this program plays."""
        ...

    @property
    def strategy_file(self) -> str:
        """Whose strategies count more than the program's; empty for none."""
        ...

    def take(self, name: str, plan: Plan, source: tuple[Graph, PartitionOptions]) -> None:
        """Keep the plan of a program, and what it was before it was cut."""
        ...

    def result(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """Return what stands for a result that nobody computes."""
        ...

    def asked(self, what: str) -> None:
        """Be told that the program needs a value that nobody computes; does not return once there is a plan."""
        ...


@dataclass(slots=True)
class Program:
    """One function, compiled.

    Args:
        name: for records and errors.
        plan: of this rank.
        arguments: the numbers of all arguments, also of those that only another stage holds.
        parameters: the Parameters of the program.
        rebuild: puts results into the function's own nest.
        guards: what the function asked while it was traced, and the answers it got.
        options: the context's options it was compiled under.
        settings: of each Parameter when it was compiled.
        queued: the arguments that come from queues.
        executor: runs the plan; None if only planned.
        watch: records the values of its slices, if they are wanted.
    """

    name: str
    plan: Plan
    arguments: tuple[int, ...]
    parameters: tuple[Any, ...]
    rebuild: Rebuild
    guards: tuple[tuple[Callable[[], object], object], ...]
    options: object
    settings: tuple[object, ...]
    queued: Mapping[int, tuple[int, str]] = field(default_factory=dict[int, tuple[int, str]])
    executor: Executor | None = None
    step_place: int | None = None
    steps: int = 0
    watch: Watch | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the answers are still the same, and the Parameters are set as they were."""
        return (
            self.options is current().parallel
            and all(ask() == answer for ask, answer in self.guards)
            and all(p.settings is s for p, s in zip(self.parameters, self.settings, strict=True))
        )

    def run(self, tensors: Sequence[Tensor], context: Context) -> Any:
        """Run one step and return the results in the function's own nest."""
        if self.executor is None:
            return self.rebuild([_planned(context.planner, self.plan, v) for v in self.plan.outputs])
        arrays = self._arrays(tensors, context.count("step") if self.step_place is not None else 0)
        start = perf_counter()
        made = self.executor.run(arrays)
        left = iter(made)
        results = [_delivered(self.plan, v, left) for v in self.plan.outputs]
        self.steps += 1
        if context.recorder is not None:
            loss = float(made[0]) if made and made[0].ndim == 0 and as_dtype(made[0].dtype).is_float else None
            context.recorder.emit(StepFinished(self.name, self.steps, start, perf_counter(), loss, self.executor.times))
            measure_seldom(context, self.steps, self.executor)
            if self.watch is not None:
                self.watch.after_step(self.steps)
        return self.rebuild(results)

    def ask(self, tensors: Sequence[Tensor]) -> int:
        """Return the one result, a condition or size, which all ranks find alike; no step is counted."""
        assert self.executor is not None, "conditions are looked at where programs run"
        context = current()
        made = self.executor.run(self._arrays(tensors, context.counters.get("step", 0)))
        return agreed(made[0], context.world or solo_world())

    def _arrays(self, tensors: Sequence[Tensor], step: int) -> list[Any]:
        given: list[Any] = list(tensors)
        if self.step_place is not None:
            before = sum(place < self.step_place for place in self.queued)
            given.insert(self.step_place - before, Tensor.wrap(np.asarray(step)))
        if self.queued:
            from simpar.compile.queued import merged  # which most programs do without

            given = merged(iter(given), self.arguments, self.queued, self.plan)
        numbered = zip(self.arguments, given, strict=True)
        return [t.asnumpy() for v, t in numbered if v not in self.plan.elsewhere]


def _delivered(plan: Plan, number: int, arrays: Iterator[Any]) -> Tensor:
    """Return a result as a Tensor that knows how it is cut, if it is, or that another stage has it."""
    if number in plan.elsewhere:
        other = plan.elsewhere[number]
        return Elsewhere(other.shape, other.dtype, other.layout)
    made = Tensor.wrap(next(arrays))
    planned = plan.values[number]
    if planned.slice_shape != planned.shape or planned.layout.size < plan.device_num:
        made.layout, made.full_shape_of_slice = planned.layout, planned.shape
    return made


def _planned(planner: Planner, plan: Plan, number: int) -> Tensor:
    planned = plan.elsewhere.get(number) or plan.values[number]
    made = planner.result(planned.slice_shape, planned.dtype)
    if planned.slice_shape != planned.shape:
        made.layout, made.full_shape_of_slice = planned.layout, planned.shape
    return made


# --- the cache ---

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


# --- from function to program ---


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
    program = _program_of(traced, tensors, rebuild, owner, context, runs)
    if not traced.is_condition:
        return program
    follow = partial(_compile, function, tensors, rebuild, owner, context, True)
    return Deciding(program, follow, traced.way)


def _program_of(
    traced: Traced, tensors: list[Tensor], rebuild: Rebuild, owner: object, context: Context, runs: bool
) -> Program:
    trace, graph, nest, partitioned = traced.trace, traced.graph, traced.nest, traced.partitioned
    options = partition_options(context)
    plan = localize(partitioned, context.rank)
    name = type(owner).__name__ if owner is not None and not callable(getattr(owner, "__code__", None)) else "step"
    name = f"{getattr(owner, '__name__', name)}-{context.count('program')}"
    answers = tuple((ask, ask()) for ask in trace.guards)
    step_place = next((i for i, a in enumerate(graph.arguments) if a.name == "step"), None)
    parameters = cast("tuple[Any, ...]", tuple(trace.parameters))
    settings = tuple(p.settings for p in parameters)
    _keep_plan(owner, plan)
    arguments = tuple(a.value.id for a in graph.arguments)
    program = Program(
        name, plan, arguments, parameters, nest, answers, context.parallel, settings, _queued(graph),
        step_place=step_place,
    )  # fmt: skip
    save_group(plan, context)
    if context.is_partitioned:
        numbers = [a.value.id for a in graph.arguments if a.name != "step" and not a.name.startswith(NEXT)]
        fed = rebuild([Fed(n, t) for n, t in zip(numbers, tensors, strict=True)])
        report_layouts(owner, plan, fed, {v.id for v in trace.cotangents})
        save_files(partitioned, plan, context)
    by_number = {given.value.id: p for given, p in zip(graph.parameters, parameters, strict=True)}
    held = [by_number[p.value.id] for p in plan.parameters]
    if context.planner is not None:
        context.planner.take(name, plan, (graph, options))
        for parameter, planned in zip(held, plan.parameters, strict=True):
            parameter.plan(planned.value.layout)  # as placing it would, for the programs to come
        _leave_to_others(plan, by_number)
        return program
    if not runs:
        return program
    world = context.world or solo_world()
    compare_plans(world, plan, context)
    fresh = [p for p in held if p.placed is None]
    program.executor = Executor(plan, held, world)
    _leave_to_others(plan, by_number)
    if context.parallel.parameter_broadcast and not context.is_partitioned:
        _broadcast(world, fresh)
    open_recorder(context, world)
    if context.recorder is not None:
        describe_program(context.recorder, name, plan, program.executor.planned_bytes, (graph, options))
        program.watch = watch_values(context.recorder, name, program.executor)
    return program


def _leave_to_others(plan: Plan, by_number: Mapping[int, Any]) -> None:
    """Let the parameters that another stage holds know it."""
    for number, planned in plan.elsewhere.items():
        if number in by_number:
            by_number[number].leave(planned.layout)


def _queued(graph: Graph) -> Mapping[int, tuple[int, str]]:
    """Return which arguments come from queues: column and name of each by its place."""
    if not any(a.name.startswith(NEXT) for a in graph.arguments):
        return {}
    from simpar.compile.queued import queued_columns

    return queued_columns(graph)


def _keep_plan(owner: object, plan: Plan) -> None:
    """Leave the plan with the Cell or function it belongs to, for those who ask what became of it."""
    if hasattr(owner, "__dict__"):
        vars(owner)["_simpar_plan"] = plan


def _broadcast(world: World, parameters: Sequence[Any]) -> None:
    """Give all ranks rank 0's values of the parameters that are not theirs alone."""
    for parameter in parameters:
        if not parameter.layerwise_parallel:
            world.communicator.broadcast(parameter.placed, 0)


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
