"""Random programs: straight lines of ops over matrices of one shape, with strategies, writes and repeated results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from simpar import Parameter, Tensor, ops
from simpar.layout import Layout
from simpar.tensor import call

__all__ = ["SIDE", "Line", "Program", "parameters", "programs"]

SIDE = 8
Strategy = tuple[Any, ...] | None

UNARY = ("tanh", "neg", "relu", "square", "transpose", "refold", "softmax", "rows", "total", "mean", "twist", "wait")
BINARY = ("add", "sub", "mul", "maximum", "matmul", "join", "row_sums", "select", "deal", "weigh")
HELD = ("product", "scaled", "shifted")
"""Ops that take a Parameter itself, so that several may share it."""
EFFECTS = ("assign", "read", "swap")


@dataclass(frozen=True, slots=True)
class Line:
    """One op on values by number (modulo how many there are), and its strategy."""

    op: str
    x: int
    y: int
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class Program:
    """What runs: lines, and the numbers of the values it returns."""

    lines: tuple[Line, ...]
    returned: tuple[int, ...]

    def __call__(self, pair: Sequence[Parameter], *arguments: Tensor) -> tuple[Tensor, ...]:
        made = [*arguments, *(p + 0.0 for p in pair)]
        for line in self.lines:
            value = _apply(line, made, pair)
            if value is not None:
                made.append(value)
        return tuple(made[k % len(made)] for k in self.returned)


def parameters() -> list[Parameter]:
    rng = np.random.default_rng(9)
    return [Parameter(Tensor(rng.uniform(-1, 1, (SIDE, SIDE)).astype(np.float32)), name=f"p{i}") for i in range(2)]


def _apply(line: Line, made: list[Tensor], pair: Sequence[Parameter]) -> Tensor | None:
    x, y = made[line.x % len(made)], made[line.y % len(made)]
    s, op = line.strategy, line.op
    if op == "assign":
        pair[line.x % 2].assign_value(y)
        return None
    if op == "swap":
        one, two = pair[0] * 1.0, pair[1] * 1.0
        pair[0].assign_value(two)
        pair[1].assign_value(one)
        return None
    if op == "read":
        return ops.neg(pair[line.x % 2])
    if op in HELD:
        return _held(op, x, pair[line.y % 2], s)
    if op in BINARY:
        return _binary(op, x, y, s)
    return _unary(op, x, s)


def _binary(op: str, x: Tensor, y: Tensor, s: Strategy) -> Tensor:
    half = SIDE // 2
    if op == "matmul":
        return _one(call("matmul", x, y, strategy=s, transpose_a=False, transpose_b=False)) * 0.125
    if op == "join":
        return ops.concat((x[:half], y[half:]), 0)
    if op == "deal":
        left, right = ops.split(ops.concat((x, y), 1), half, 1)[1:3]
        return ops.concat((right, left), 1)
    if op == "weigh":
        return _one(call("layer_norm", x, y[0] * 0.1, y[1] * 0.1, begin_norm_axis=1, epsilon=1e-3)[0])
    if op == "row_sums":
        return x + ops.reduce_sum(y, (1,), True) * 0.1
    if op == "select":
        return ops.select(x > 0.0, x, y)
    return _one(call(op, x, y, strategy=s))


def _held(op: str, x: Tensor, w: Parameter, s: Strategy) -> Tensor:
    if op == "product":
        return _one(call("matmul", x, w, strategy=s, transpose_a=False, transpose_b=False)) * 0.125
    return _one(call({"scaled": "mul", "shifted": "add"}[op], x, w, strategy=s))


def _unary(op: str, x: Tensor, s: Strategy) -> Tensor:
    if op == "transpose":
        return _one(call("transpose", x, strategy=s, perm=(1, 0)))
    if op == "refold":
        return x.reshape(2, SIDE // 2, SIDE).reshape(SIDE * 2, SIDE // 2).reshape(SIDE, SIDE)
    if op == "twist":
        return x.reshape(2, SIDE // 2, SIDE).transpose(1, 0, 2).reshape(SIDE, SIDE)
    if op == "wait":
        return ops.depend(ops.depend(x.reshape(4, SIDE * 2), x).reshape(2, SIDE // 2, SIDE), x).reshape(SIDE, SIDE)
    if op == "softmax":
        return ops.softmax(x, -1)
    if op == "rows":
        return x[0] + x * 0.5
    if op == "total":
        return x * x.sum()
    if op == "mean":
        return x - x.mean(0)
    if op == "square":
        return ops.tanh(x) * ops.tanh(x)
    return _one(call(op, x, strategy=s))


def _one(made: Any) -> Tensor:
    assert isinstance(made, Tensor)
    return made


# --- how to draw them ---

PAIRS = {"add", "sub", "mul", "maximum", "scaled", "shifted"}


def _strategies(op: str, n: int) -> st.SearchStrategy[Strategy]:
    """Give cuts that are legal for an op on square matrices, by numbers or by layouts."""
    cuts = [c for c in (1, 2, 4, 8) if n % c == 0]
    grids = [(a, b) for a in cuts for b in cuts if n % (a * b) == 0]
    found: list[Strategy] = [None]
    if op in PAIRS:
        found += [(g, g) for g in grids] + [(lay, lay) for lay in _layouts(n)]
    elif op in ("tanh", "neg", "relu", "transpose"):
        found += [(g,) for g in grids] + [(lay,) for lay in _layouts(n)]
    elif op in ("matmul", "product"):
        found += [((a, k), (k, b)) for a, b in grids for k in cuts if n % (a * b * k) == 0]
    return st.sampled_from(found)


def _layouts(n: int) -> list[Layout]:
    if n == 1:
        return []
    ranks = (*range(1, n), 0)
    matrix = (2, n // 2)
    return [Layout(matrix, m, r) for m in ((0, 1), ((0, 1), -1), (-1, (1, 0)), (1, -1)) for r in (None, ranks)]


@st.composite
def _lines(draw: st.DrawFn, n: int) -> Line:
    op = draw(st.sampled_from((*UNARY, *BINARY, *BINARY, *HELD, *EFFECTS)))
    number = st.integers(0, 12)
    return Line(op, draw(number), draw(number), draw(_strategies(op, n)))


@st.composite
def programs(draw: st.DrawFn, n: int) -> Program:
    """Give programs of up to ten lines, cut over ``n`` devices."""
    lines = tuple(draw(st.lists(_lines(n), min_size=1, max_size=10)))
    return Program(lines, tuple(draw(st.lists(st.integers(0, 16), min_size=1, max_size=3))))
