"""Inputs of unknown length are planned for lengths that the ops and the cuts agree with."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simpar import Parameter, Symbol, Tensor, nn, ops
from simpar.compile import compile_function
from simpar.context import Context, entered, set_auto_parallel_context
from simpar.errors import RuleError, StrategyError


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with entered(Context()):
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, dataset_strategy="full_batch")
        yield


class Sum(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.ones((24, 8), np.float32)))
        self.add = ops.Add().shard(((4, 2), (4, 2)))

    def construct(self, x: Tensor) -> Tensor:
        return self.add(x, self.w)


def open_tensor(*lengths: object) -> Tensor:
    return Tensor(shape=list(lengths), dtype=np.float32)  # pyright: ignore


def planned(function: Callable[..., Any], *inputs: Tensor) -> list[tuple[int, ...]]:
    """Return the shapes for which a program is planned: those of its inputs, and of its first result."""
    plan = compile_function(function, inputs).plan
    return [plan.values[v].shape for v in (*plan.arguments, plan.outputs[0])]


@pytest.mark.parametrize("length", [None, Symbol(divisor=8), Symbol(max=30)])
def test_an_unknown_length_becomes_that_of_a_parameter(length: object) -> None:
    net = Sum()
    program = compile_function(net.construct, (open_tensor(length, 8),), net)
    assert program.plan.values[program.plan.outputs[0]].shape == (24, 8)
    assert net.parameter_layout_dict["x"][6] == [-1, 8]


def test_a_length_that_the_symbol_excludes_is_not_tried() -> None:
    with pytest.raises(RuleError, match="do not broadcast"):
        Sum().compile(open_tensor(Symbol(divisor=5), 8))


def test_several_unknown_lengths_are_found_one_after_the_other() -> None:
    def step(x: Tensor, y: Tensor) -> Tensor:
        return (x + Tensor(np.ones((40, 24), np.float32))).reshape((-1, 12)) * y

    assert planned(step, open_tensor(None, None), open_tensor(None, 12)) == [(40, 24), (80, 12), (80, 12)]


def test_a_reshape_to_a_fixed_length_is_met_by_a_multiple() -> None:
    x, y = planned(lambda x: x.reshape((48, -1, 10)), open_tensor(Symbol(divisor=7), 10))
    assert x[0] % 48 == x[0] % 7 == 0
    assert y == (48, x[0] // 48, 10)


def test_a_count_that_follows_from_lengths_is_met() -> None:
    line: Any = ops.Range().shard(((2,),))

    def step(x: Tensor) -> Tensor:
        a, b, c = x.shape
        return line(Tensor(a), Tensor(b), Tensor(c)) * x

    symbols = [Symbol(divisor=2), Symbol(divisor=4), Symbol(divisor=2)]
    (a, b, c), _ = planned(step, open_tensor(*symbols))
    assert -((a - b) // c) in (1, c)
    assert -((a - b) // c) % 2 == a % 2 == b % 4 == c % 2 == 0


def test_lengths_are_chosen_that_the_cuts_divide() -> None:
    relu = ops.ReLU().shard(((8,),))
    (n,), (left,) = planned(lambda x: relu(x[1:]), open_tensor(Symbol(divisor=3)))
    assert n % 3 == 0 and left == n - 1 and left % 8 == 0  # noqa: PT018


def test_an_axis_that_is_whole_beside_a_cut_one_is_broadcast() -> None:
    mul = ops.Mul().shard(((1, 8), (1, 1)))
    shapes = planned(mul, open_tensor(None, 64), open_tensor(None, None))
    assert shapes[1][1] == 1


def test_axes_of_one_unique_symbol_have_one_length() -> None:
    row = Tensor(np.ones((6, 1), np.float32))
    for unique in (True, False):
        s = Symbol(unique=unique)
        x, y, _ = planned(lambda x, y: ops.concat((x, row), 1) @ y, open_tensor(6, s), open_tensor(None, s))
        assert x[1] + 1 == y[0]
        assert x[1] == y[1] or not unique


def test_the_error_is_that_of_the_lengths_that_came_furthest() -> None:
    mul, relu = ops.Mul(), ops.ReLU().shard(((3,),))
    with pytest.raises(StrategyError):
        compile_function(lambda x: relu(mul(x, Tensor(np.ones(16, np.float32)))), (open_tensor(None),))


LENGTHS = st.integers(1, 40)


@settings(max_examples=30, deadline=None)
@given(n=LENGTHS, m=LENGTHS, k=st.integers(1, 6), cut=st.sampled_from((1, 2, 4, 8)))
def test_constants_of_the_program_tell_the_lengths(n: int, m: int, k: int, cut: int) -> None:
    """Whatever the lengths are, a product, a concat, a reshape and a sum that need them are planned with them."""
    n *= cut

    def step(x: Tensor, y: Tensor) -> Tensor:
        joined = ops.Concat(1)((x, y))  # (n, m + k)
        product = joined @ Tensor(np.ones((m + k, 8), np.float32))
        flat = product.reshape((-1, 2))
        return ops.Add().shard(((cut, 1), (cut, 1)))(flat, Tensor(np.ones((4 * n, 2), np.float32)))

    with entered(Context()):
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, dataset_strategy="full_batch")
        assert planned(step, open_tensor(None, None), open_tensor(None, k))[:2] == [(n, m), (n, k)]
