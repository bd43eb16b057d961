"""Reverse-mode differentiation of a traced function, from the ops' own rules.

The function runs once and leaves its nodes in the trace; then each node, last to first, is given the cotangent of its
results and answers with those of its operands (``OpDef.bprop``). The answers are ordinary nodes, so that a gradient
can be partitioned, or differentiated again. This module knows no op.

Where numbers are complex, what is handed back from node to node is the *transposed* slope, so that the rules of the
reals hold for every function that has a complex slope: of y = f(x), g f'(x). What a user gets is its conjugate, which
points where a real result grows fastest: PyTorch's convention.

The trace learns which value is the cotangent of which (``Trace.cotangents``), because a cotangent takes the layout of
its value.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from simpar.context import current, runner
from simpar.errors import DTypeError, LayoutError, NotYetError, TraceError
from simpar.graph import EVERY_STAGE, NO_MICRO, Node, Trace, Value, lookup
from simpar.parameter import Parameter
from simpar.tensor import Tensor, branched, filled

__all__ = ["GradOperation", "check_alike", "conjugate", "differentiate", "grad", "value_and_grad", "with_own_gradient"]

Function = Callable[..., Any]


def value_and_grad(
    fn: Function,
    grad_position: int | tuple[int, ...] | None = 0,
    weights: Parameter | Sequence[Parameter] | None = None,
    has_aux: bool = False,
) -> Function:
    """Return a function that computes ``fn`` and its gradients.

    Args:
        fn: a function or Cell of Tensors that returns a Tensor, or a tuple of them.
        grad_position: which arguments to differentiate by; None for none.
        weights: Parameters to differentiate by.
        has_aux: whether only the first result is differentiated, the others being returned beside it.

    Returns:
        A function of the same arguments: ``(value, gradients)``. The gradients are those of the arguments (one Tensor
        for an int, a tuple for a tuple), those of the weights (a tuple), or a pair of both if both are asked for.

    Raises:
        TraceError: there is nothing to differentiate by.
        NotYetError: an op on the way has no gradient, when the function is called.
    """
    return _value_and_grad(fn, grad_position, weights, has_aux=has_aux)


def _value_and_grad(
    fn: Function,
    grad_position: int | tuple[int, ...] | None,
    weights: Parameter | Sequence[Parameter] | None,
    *,
    has_aux: bool = False,
    has_sens: bool = False,
) -> Function:
    """Return what ``value_and_grad`` does; with ``has_sens`` the last argument is the cotangent of the result."""
    if grad_position is None and weights is None:
        raise TraceError("value_and_grad has nothing to differentiate by: give grad_position or weights.")
    listed = (weights,) if isinstance(weights, Parameter) else None if weights is None else tuple(weights)

    def with_gradients(*given: Any) -> tuple[Any, Any]:
        args, sens = (given[:-1], given[-1]) if has_sens else (given, None)
        positions = _positions(grad_position)
        out, by_position, by_weight = differentiate(fn, args, positions, listed or (), has_aux, sens=sens)
        first: Any = by_position if isinstance(grad_position, tuple) else by_position[0] if by_position else None
        second: Any = by_weight[0] if isinstance(weights, Parameter) else by_weight
        if listed is None:
            return out, first
        return out, second if grad_position is None else (first, second)

    def run(*args: Any) -> Any:
        run_graph = runner()
        if current().trace is not None or run_graph is None:
            return with_gradients(*args)
        return run_graph(with_gradients, args, fn)

    return run


def grad(
    fn: Function,
    grad_position: int | tuple[int, ...] | None = 0,
    weights: Parameter | Sequence[Parameter] | None = None,
    has_aux: bool = False,
) -> Function:
    """Return a function that computes the gradients of ``fn``; with ``has_aux``, and its other results.

    Arguments and errors as of ``value_and_grad``.
    """
    both = value_and_grad(fn, grad_position, weights, has_aux)

    def run(*args: Any) -> Any:
        out, gradients = both(*args)
        return (gradients, *out[1:]) if has_aux else gradients

    return run


class GradOperation:
    """MindSpore's older door to gradients.

    Args:
        get_all: differentiate by all arguments (else by the first).
        get_by_list: differentiate by the Parameters given at the call; by all that a Cell trains if none are given.
        sens_param: the last argument is the cotangent of the result (else ones).
    """

    def __init__(self, get_all: bool = False, get_by_list: bool = False, sens_param: bool = False) -> None:
        self.get_all, self.get_by_list, self.sens_param = get_all, get_by_list, sens_param

    def __call__(self, fn: Function, weights: Sequence[Parameter] | None = None) -> Function:
        """Return a function that computes the gradients of ``fn``."""
        if weights is None and self.get_by_list:
            weights = cast("Any", fn).trainable_params() if hasattr(fn, "trainable_params") else ()
        listed = tuple(weights or ()) if self.get_by_list else None

        def run(*args: Any) -> Any:
            count = len(args) - self.sens_param
            positions = tuple(range(count)) if self.get_all else None if listed is not None else 0
            _, gradients = _value_and_grad(fn, positions, listed, has_sens=self.sens_param)(*args)
            return gradients

        return run


def _positions(grad_position: int | tuple[int, ...] | None) -> tuple[int, ...]:
    return () if grad_position is None else (grad_position,) if isinstance(grad_position, int) else grad_position


def differentiate(
    fn: Function,
    args: Sequence[Any],
    positions: Sequence[int],
    weights: Sequence[Parameter],
    has_aux: bool,
    cotangents: Sequence[Tensor] | None = None,
    sens: Any = None,
) -> tuple[Any, tuple[Any, ...], tuple[Tensor, ...]]:
    """Run ``fn`` under the active trace; return its result and the gradients by position and by weight.

    Args:
        fn, args, positions, weights, has_aux: what is differentiated, by what.
        cotangents: of the results; ones if None.
        sens: what a single result is multiplied by instead: its cotangent, if the shapes are equal.
    """
    trace: Trace | None = current().trace
    if trace is None:
        raise TraceError("gradients need the graph of the function: `import simpar` as a whole, which registers how.")
    start = len(trace.nodes)
    leaves = [_leaves(args[p]) for p in positions]
    inputs = [trace.bind(leaf.operand()) for held in leaves for leaf in held]
    held = [trace.parameter(w) for w in weights]
    out = branched(lambda: fn(*args))
    if _is_like(sens, out):
        cotangents = (sens,)
    elif sens is not None:
        out = out * conjugate(sens)
    results: tuple[Any, ...] = cast("Any", out) if isinstance(out, tuple) else (out,)
    seeds = [r for r in (results[:1] if has_aux else results) if isinstance(r, Tensor)]
    if cotangents is not None:
        check_alike("the cotangent", cotangents, seeds)
    found = adjoint(trace, start, seeds, [*inputs, *held], cotangents)
    by_input, by_weight = found[: len(inputs)], found[len(inputs) :]
    for weight, value, gradient in zip(weights, held, by_weight, strict=True):
        if value == trace.parameter_input(weight):
            trace.gradients[value] = trace.bind(gradient.operand())
    if any(node.micro != NO_MICRO for node in trace.nodes[start:]):
        for weight, gradient in zip(weights, by_weight, strict=True):
            trace.owe(weight, gradient.operand())
    left = iter(by_input)
    return cast("Any", out), tuple(_nested(args[p], left) for p in positions), tuple(by_weight)


def _is_like(sens: Any, out: Any) -> bool:
    """Return whether a cotangent is of the shape and type of what it belongs to."""
    both = isinstance(sens, Tensor) and isinstance(out, Tensor)
    return both and (sens.shape, sens.dtype) == (out.shape, out.dtype)


def check_alike(what: str, given: Sequence[Any], like: Sequence[Tensor]) -> None:
    """Check that there is a Tensor of the same shape for each.

    Raises:
        DTypeError: there is not.
    """
    shapes = [x.shape if isinstance(x, Tensor) else x for x in given]
    if shapes != [x.shape for x in like]:
        raise DTypeError(f"{what} has shapes {shapes}, which do not fit {[x.shape for x in like]}; give one for each.")


def _leaves(argument: Any) -> list[Tensor]:
    """Return the Tensors of an argument that is one, or a list or tuple of them."""
    if isinstance(argument, list | tuple):
        return [leaf for member in cast("Sequence[Any]", argument) for leaf in _leaves(member)]
    return [argument] if isinstance(argument, Tensor) else []


def _nested(argument: Any, leaves: Iterator[Tensor]) -> Any:
    """Return gradients in the nest of the argument, tuples for lists; None for what is no Tensor."""
    if isinstance(argument, list | tuple):
        return tuple(_nested(member, leaves) for member in cast("Sequence[Any]", argument))
    return next(leaves) if isinstance(argument, Tensor) else None


def adjoint(
    trace: Trace,
    start: int,
    seeds: Sequence[Tensor],
    targets: Sequence[Value],
    given: Sequence[Tensor] | None = None,
) -> list[Tensor]:
    """Return the cotangents of ``targets``, recording the nodes that compute them.

    Args:
        trace: the active trace.
        start: the first node to walk back to.
        seeds: the results.
        targets: values to differentiate by.
        given: the cotangent of each result; ones if None.
    """
    nodes = trace.nodes[start:]
    needed = _reached_from(nodes, targets)
    cotangents: dict[Value, Tensor] = {}
    with trace.during("backward"), trace.marked(stage=EVERY_STAGE, micro=NO_MICRO, recompute=None):
        for place, seed in enumerate(seeds):
            cotangent = filled(seed.shape, seed.dtype, 1) if given is None else conjugate(given[place])
            _add(cotangents, trace.bind(seed.operand()), cotangent.astype(seed.dtype))
        for node in reversed(nodes):
            if node.outputs[0] in trace.own_gradients:
                _pull_back_at_once(trace, node, cotangents, needed)
                continue
            if needed.isdisjoint(node.inputs) or not any(v in cotangents for v in node.outputs):
                continue
            _pull_back(trace, node, cotangents, needed)
        for target in targets:
            if target in cotangents:
                cotangents[target] = conjugate(cotangents[target])
                trace.cotangents.setdefault(trace.bind(cotangents[target].operand()), target)
        return [cotangents[v] if v in cotangents else filled(v.shape, v.dtype, 0) for v in targets]


def conjugate(given: Tensor) -> Tensor:
    """Return the conjugate of complex numbers, and others as they are."""
    return given.apply("conj") if given.dtype.is_complex else given


def _reached_from(nodes: Sequence[Node], targets: Iterable[Value]) -> set[Value]:
    """Return the values that depend on the targets, themselves included."""
    reached = set(targets)
    for node in nodes:
        if not reached.isdisjoint(node.inputs):
            reached.update(node.outputs)
    return reached


def _pull_back(trace: Trace, node: Node, cotangents: dict[Value, Tensor], needed: set[Value]) -> None:
    """Turn the cotangents of a node's results into those of its operands."""
    definition = lookup(node.op)
    if definition.bprop is None:
        _check_flat(node, needed)
        return
    trace.adjoint_of = node.outputs[0]
    trace.scope.append(node.scope)
    given: list[Tensor] = []
    for v in node.outputs:
        if v in cotangents:
            trace.cotangents.setdefault(trace.bind(cotangents[v].operand()), v)
        given.append(cotangents[v] if v in cotangents else filled(v.shape, v.dtype, 0))
    results = [Tensor.wrap(v) for v in node.outputs]
    several = len(results) > 1
    operands = [Tensor.wrap(v) for v in node.inputs]
    made = definition.backward(
        tuple(given) if several else given[0], operands, tuple(results) if several else results[0], node.attrs
    )
    for v, cotangent in zip(node.inputs, made, strict=True):
        if cotangent is not None and v in needed:
            _add(cotangents, v, cotangent)
    trace.scope.pop()
    trace.adjoint_of = None


# --- functions with a gradient of their own ---


def with_own_gradient(fn: Function, bprop: Function, args: Sequence[Any]) -> Any:
    """Run a function under the active trace whose gradient is what ``bprop`` says, not what its ops would say.

    Args:
        fn: returns a Tensor, or a tuple of them.
        bprop: takes the arguments, the result and its cotangent, and returns a tuple with the cotangent of each
            argument; None for one that has none. Parameters that ``fn`` looks at get no gradient from it.
        args: the arguments of ``fn``.
    """
    trace: Trace | None = current().trace
    assert trace is not None, "a gradient is asked for while a function is traced"
    out = branched(lambda: fn(*args))
    is_tuple = isinstance(out, tuple)
    results = [r.apply("identity") if isinstance(r, Tensor) else r for r in (cast("Any", out) if is_tuple else (out,))]
    values = [trace.bind(r.operand()) for r in results if isinstance(r, Tensor)]
    made: Any = tuple(results) if is_tuple else results[0]

    def pulled_back(cotangents: Mapping[Value, Any]) -> Mapping[Value, Any]:
        if cotangents.keys().isdisjoint(values):
            return {}
        given = [_cotangent(r, cotangents) for r in results]
        answer = bprop(*args, made, tuple(given) if is_tuple else given[0])
        found: dict[Value, Tensor] = {}
        for leaf, term in _own_terms(args, answer):
            _add(found, trace.bind(leaf.operand()), conjugate(term))
        return found

    trace.own_gradients.update(dict.fromkeys(values[1:]))
    trace.own_gradients.update(dict.fromkeys(values[:1], pulled_back))
    return made


def _cotangent(result: Any, cotangents: Mapping[Value, Any]) -> Any:
    """Return what a function's own gradient is given for one result."""
    if not isinstance(result, Tensor):
        return None
    value = cast("Value", result.operand())
    return conjugate(cotangents[value]) if value in cotangents else filled(value.shape, value.dtype, 0)


def _own_terms(args: Sequence[Any], answer: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """Give each argument that is a Tensor with the cotangent that a function's own gradient made for it.

    Raises:
        DTypeError: there is no tuple with one for each argument.
        LayoutError: a cotangent has another shape than its argument.
    """
    if not isinstance(answer, tuple):
        raise DTypeError(
            f"For bprop function, output should be a tuple with one gradient for each input, not {answer!r}."
        )
    if len(cast("tuple[Any, ...]", answer)) != len(args):
        raise DTypeError(f"bprop returns {len(cast('Any', answer))} gradients for {len(args)} inputs; return one each.")
    for argument, gradient in zip(args, cast("tuple[Any, ...]", answer), strict=True):
        pairs = zip(_leaves(argument), _leaves(gradient), strict=False)
        for leaf, term in pairs:
            if term.shape != leaf.shape:
                raise LayoutError(f"bprop returns a gradient of shape {term.shape} for an input of shape {leaf.shape}.")
            yield leaf, term.astype(leaf.dtype)


def _pull_back_at_once(trace: Trace, node: Node, cotangents: dict[Value, Tensor], needed: set[Value]) -> None:
    """Let a function's own gradient answer for all of its nodes, at the first of its results."""
    pulled_back = trace.own_gradients[node.outputs[0]]
    if pulled_back is None:
        return
    trace.adjoint_of = node.outputs[0]
    trace.scope.append(node.scope)
    for value, term in pulled_back(cotangents).items():
        if value in needed:
            _add(cotangents, value, term)
    trace.scope.pop()
    trace.adjoint_of = None


def _check_flat(node: Node, needed: set[Value]) -> None:
    """Check that an op without a gradient takes or makes whole numbers only, so that none is missing.

    Raises:
        NotYetError: it takes and makes floats.
    """
    taken = [v for v in node.inputs if v in needed and v.dtype.has_gradient]
    if taken and any(v.dtype.has_gradient for v in node.outputs):
        raise NotYetError(
            f"{node.where}: simpar has no gradient of this op yet, so the function cannot be differentiated "
            f"{'twice' if node.phase == 'backward' else 'here'}. Write it with other ops, or stop the gradient "
            f"before it."
        )


def _add(cotangents: dict[Value, Tensor], value: Value, term: Tensor) -> None:
    """Add a term to the cotangent of a value."""
    assert term.shape == value.shape, f"the cotangent {term.shape} of a value {value.shape} has another shape"
    cotangents[value] = cotangents[value] + term if value in cotangents else term
