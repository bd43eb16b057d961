"""One record per op: its rule, its arithmetic, its gradient. Everything else about an op is derived from these.

>>> import numpy as np
>>> from simpar.dtype import float32
>>> double = OpDef("double", rule="... -> ...", kernel=lambda x, out=None: np.add(x, x, out=out))
>>> double.infer(((2, 3),), (float32,), {})[1]
(((2, 3), Float32),)
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simpar.dtype import DType, bfloat16, promote
from simpar.errors import RuleError
from simpar.layout import Rule, parse_rule

__all__ = ["OPS", "Example", "Local", "OpDef", "kernel_of", "local_shape", "lookup", "op"]

Attrs = Mapping[str, Any]
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Local:
    """One rank's part of a node, from which ``OpDef.localize`` writes the rank's own attributes.

    Args:
        operands: slice shape of each operand.
        results: slice shape of each result.
        starts: where this rank's slice of each factor begins, for factors that are cut.
        boxes: ``(start, stop)`` per axis of this rank's slice of each result.
        shapes: global shape of each result.
        sizes: global length of each factor.
        spans: what this rank's windows cover of what they move over, padding included, by the factor of windows.
    """

    operands: tuple[Shape, ...]
    results: tuple[Shape, ...]
    starts: Mapping[str, int]
    boxes: tuple[tuple[tuple[int, int], ...], ...]
    shapes: tuple[Shape, ...]
    sizes: Mapping[str, int]
    spans: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def pads(self, factor: str) -> tuple[int, int]:
        """Return how much of what its windows cover is padding: before the axis, and behind it."""
        (start, stop), length = self.spans[factor], self.sizes[f"{factor}~"]
        before = min(max(-start, 0), stop - start)
        return before, stop - start - before - max(0, min(stop, length) - max(start, 0))


@dataclass(frozen=True, slots=True)
class Example:
    """Operands on which the suites try an op under every legal cut.

    Args:
        shapes: one per operand.
        attrs: the op's attributes.
        dtypes: one name per operand; float32 if left out.
        low, high: the range of the values, per operand if tuples; whole numbers for integer operands.
        grad: whether the gradient is tried too.
    """

    shapes: tuple[Shape, ...]
    attrs: Attrs = field(default_factory=dict[str, Any])
    dtypes: tuple[str, ...] = ()
    low: float | tuple[float, ...] = -1.0
    high: float | tuple[float, ...] = 1.0
    grad: bool = True


@dataclass(frozen=True, slots=True)
class OpDef:
    """The record of one op.

    Args:
        name: what nodes call it.
        rule: the rule as text, or a function of the operands' shapes and the attributes that returns text or a
            ``Rule``; None for the collectives, which have no meaning on one device.
        kernel: ``kernel(*arrays, out=..., **attrs)`` on numpy arrays. ``out`` is an array (a tuple of them for several
            results) to write into, or None to make one; the result is returned.
        bprop: ``bprop(g, *inputs, out=..., **attrs)`` on Tensors; returns the cotangent of each input, None for those
            without. Of complex numbers it is the transposed slope, not conjugated (see ``autodiff``). It takes only
            the keywords it names. ``g`` and ``out`` are tuples for several results.
        dtype: the results' element types from the operands' and the attributes; promoted from the operands if None.
        whole: factors that must not be cut.
        offsets: a factor whose start on this rank the kernel gets as ``offset=``.
        combine: what joins partial results.
        order: factors in the order of the device matrix, where it is not that of the text.
        repeat_first: factors; where one is cut, ranks that repeat the work stand along the first device axis.
        batch: which operand has the batch, for ops without a strategy; the first with the most axes if None.
        linear: ``"each"`` if the op is linear in each operand alone, ``"joint"`` if in all together (as a sum is): such
            an op may take partial operands. Empty if neither.
        view: whether the result is a view of the first operand, where numpy can make one.
        elementwise: whether the result may overwrite an operand of its own shape and type.
        effect: whether the op is kept although nobody takes its results.
        localize: writes one rank's attributes from the global ones.
        infer_shape: shapes of the results where there is no rule.
        examples: what the suites try it on.
    """

    name: str
    rule: str | Callable[[Sequence[Shape], Attrs], "str | Rule"] | None = None
    kernel: Callable[..., Any] | None = None
    bprop: Callable[..., Any] | None = None
    dtype: Callable[[Sequence[DType], Attrs], DType | tuple[DType, ...]] | None = None
    whole: tuple[str, ...] = ()
    offsets: str = ""
    combine: str = "sum"
    order: tuple[str, ...] = ()
    repeat_first: tuple[str, ...] = ()
    batch: int | None = None
    linear: str = ""
    view: bool = False
    elementwise: bool = False
    effect: bool = False
    localize: Callable[[Attrs, Local], Attrs] | None = None
    infer_shape: Callable[[Sequence[Shape], Attrs], tuple[Shape, ...]] | None = None
    examples: tuple[Example, ...] = ()

    def bind(self, shapes: Sequence[Shape], attrs: Attrs) -> Rule:
        """Return the op's rule for operands of these shapes.

        Raises:
            RuleError: the shapes do not fit.
        """
        if self.rule is None:
            raise RuleError(f"op {self.name} is a collective: it has no rule over factors.")
        text = self.rule if isinstance(self.rule, str) else self.rule(shapes, attrs)
        if isinstance(text, Rule):
            return text
        return _parsed(text, tuple(shapes), self.whole, self.combine, self.order, self.repeat_first)

    def infer(
        self, shapes: Sequence[Shape], dtypes: Sequence[DType], attrs: Attrs
    ) -> tuple[Rule | None, tuple[tuple[Shape, DType], ...]]:
        """Return the bound rule, and shape and element type of each result."""
        rule = None
        if self.infer_shape is not None:
            made = self.infer_shape(shapes, attrs)
        else:
            rule = self.bind(shapes, attrs)
            made = rule.result_shapes
        types = promote(dtypes) if self.dtype is None else self.dtype(dtypes, attrs)
        each = types if isinstance(types, tuple) else (types,) * len(made)
        return rule, tuple(zip(made, each, strict=True))

    def local_attrs(self, attrs: Attrs, local: Local) -> Attrs:
        """Return one rank's attributes."""
        out = attrs
        if self.offsets:
            out = {**out, "offset": local.starts.get(self.offsets, 0)}
        return out if self.localize is None else self.localize(out, local)

    def backward(self, g: Any, inputs: Sequence[Any], out: Any, attrs: Attrs) -> tuple[Any, ...]:
        """Return the cotangents of the inputs; see ``bprop``."""
        assert self.bprop is not None, f"op {self.name} has no gradient"
        offered = {"out": out, **attrs}
        wanted = inspect.signature(self.bprop).parameters.values()
        keywords = {p.name: offered[p.name] for p in wanted if p.kind is p.KEYWORD_ONLY and p.name in offered}
        made = self.bprop(g, *inputs, **keywords)
        return cast("tuple[Any, ...]", made if isinstance(made, tuple) else (made,))


@lru_cache(4096)  # the layers of a network bind the same rules to the same shapes, in several passes
def _parsed(
    text: str,
    shapes: tuple[Shape, ...],
    whole: tuple[str, ...],
    combine: str,
    order: tuple[str, ...],
    first: tuple[str, ...],
) -> Rule:
    return parse_rule(text, shapes, whole=whole, combine=combine, order=order, repeat_first=first)


def local_shape(name: str = "shape") -> Callable[[Attrs, Local], Attrs]:
    """Return a ``localize`` that sets the attribute ``name`` to the slice shape of the first result."""
    return lambda attrs, local: {**attrs, name: local.results[0]}


OPS: dict[str, OpDef] = {}
"""Every op by name, filled as the modules of ``ops`` are imported."""


def op(name: str, **fields: Any) -> OpDef:
    """Make the record of an op and make it known under its name.

    Raises:
        RuleError: the name is taken.
    """
    if name in OPS:
        raise RuleError(f"op {name!r} exists already. Give the new op another name.")
    made = OPS[name] = OpDef(name, **fields)
    return made


def lookup(name: str) -> OpDef:
    """Return the record of an op.

    Raises:
        RuleError: there is none of this name.
    """
    if name not in OPS:
        raise RuleError(f"there is no op {name!r}. Known ops: {', '.join(sorted(OPS))}.")
    return OPS[name]


# --- bfloat16 ---


def kernel_of(made: OpDef, types: Iterable[DType]) -> Callable[..., Any]:
    """Return the kernel of an op for operands and results of these types.

    numpy's own functions know little of bfloat16. So a kernel never sees it: operands are widened to float32, and
    results rounded to the nearest bfloat16, once per op, as the hardware that has this type does.
    """
    assert made.kernel is not None, f"op {made.name} has a kernel"
    return partial(_in_float32, made.kernel) if bfloat16 in types else made.kernel


def _in_float32(kernel: Callable[..., Any], *arrays: NDArray[Any], out: Any = None, **attrs: Any) -> Any:
    """Call a kernel on operands, results and attributes in which float32 stands for bfloat16."""
    half = bfloat16.numpy
    wide = [a.astype(np.float32) if a.dtype == half else a for a in arrays]
    attrs = {name: "float32" if isinstance(a, str) and a == "bfloat16" else a for name, a in attrs.items()}
    if out is None:
        return kernel(*wide, **attrs)
    outs = cast("tuple[NDArray[Any], ...]", out if isinstance(out, tuple) else (out,))
    made = tuple(np.empty(o.shape, np.float32) if o.dtype == half else o for o in outs)
    kernel(*wide, out=made if isinstance(out, tuple) else made[0], **attrs)
    for target, result in zip(outs, made, strict=True):
        if target is not result:
            target[...] = result
    return outs if isinstance(out, tuple) else outs[0]
