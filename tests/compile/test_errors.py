"""The user's mistakes, in their words: each raises on every rank, at once, and says how to put it right."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.context import current
from simpar.errors import (
    ParameterNameError,
    PlanMismatchError,
    SimparError,
    StrategyError,
    TraceError,
    ValueDependentError,
    WorldError,
)
from simpar.layout import Layout

Function = Callable[..., Any]
X = np.ones((8, 4), np.float32)


def semi_auto(**options: Any) -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, **options)


def raised(function: Function, n: int = 4) -> list[SimparError]:
    """Return the error of each rank; ranks that raise none fail."""

    def play() -> SimparError:
        with pytest.raises(SimparError) as caught:
            function()
        return caught.value

    return run_threads(n, play)


def the_error(kind: type[SimparError], function: Function, n: int = 4) -> str:
    """Return the message that all ranks raise."""
    errors = raised(function, n)
    assert [type(e) for e in errors] == [kind] * n
    assert len({str(e) for e in errors}) == 1
    return str(errors[0])


def multiply(*strategies: Any, shape: tuple[int, int] = (4, 6), **options: Any) -> Function:
    """Return a program that multiplies (8, 4) by a weight under a strategy."""

    def run() -> Any:
        semi_auto(**options)
        product = ops.MatMul().shard(*strategies)
        w = Parameter(Tensor(np.ones(shape, np.float32)), name="w")

        class Net(nn.Cell):
            def construct(self, x: Tensor) -> Tensor:
                return product(x, w)

        return Net()(Tensor(X))

    return run


# --- strategies ---


def test_a_strategy_for_too_few_inputs_says_how_many_there_are() -> None:
    message = the_error(StrategyError, multiply(((2, 1),)))
    assert "strategy ((2, 1),) is for 1 inputs, but the op has 2" in message
    assert "op matmul" in message
    assert "test_errors.py:" in message


def test_a_strategy_with_too_few_numbers_says_what_the_shape_is() -> None:
    message = the_error(StrategyError, multiply(((2,), (1, 2))))
    assert "strategy (2,) of input 0 has 1 numbers, but its shape (8, 4) has 2 axes" in message


def test_a_cut_that_does_not_divide_says_the_length() -> None:
    message = the_error(StrategyError, multiply(((1, 1), (1, 4))))
    assert "axis 1 of input 1, shape (4, 6): length 6 cannot be cut into 4 equal slices" in message


def test_more_cuts_than_devices_says_both_numbers() -> None:
    message = the_error(StrategyError, multiply(((4, 1), (1, 2))))
    assert "cuts the work into 8 parts for 4 devices, more than there are" in message


def test_a_number_of_cuts_that_does_not_divide_the_devices_says_so() -> None:
    message = the_error(StrategyError, multiply(((1, 1), (1, 3))))
    assert "cuts the work into 3 parts for 4 devices, and does not divide them evenly" in message


def test_an_index_cut_in_two_ways_names_it() -> None:
    message = the_error(StrategyError, multiply(((1, 2), (1, 1))))
    assert "cuts axis 0 of input 1 into 1" in message
    assert "into 2 in an earlier input" in message


def test_an_axis_that_must_be_whole_names_it() -> None:
    def run() -> Any:
        semi_auto()
        softmax = ops.Softmax().shard(((1, 2),))
        return ms.jit(lambda x: softmax(x))(Tensor(X))

    message = the_error(StrategyError, run)
    assert "axis 1 of input 0, shape (8, 4) must not be cut by this op" in message


def test_layouts_for_another_number_of_devices_say_both() -> None:
    lay = Layout((2, 4), (1, -1)), Layout((2, 4), (-1, 0))
    message = the_error(StrategyError, multiply(lay))
    assert "the Layouts are for 8 devices (dev_mat (2, 4)), but there are 4" in message


def test_a_layout_that_does_not_divide_says_the_padding() -> None:
    lay = Layout((1, 4), (1, -1)), Layout((1, 4), (-1, 0))
    assert "length 6" in the_error(StrategyError, multiply(lay))


def test_an_out_strategy_that_the_devices_cannot_give_says_what_they_can() -> None:
    message = the_error(StrategyError, multiply(((2, 1), (1, 2)), ((1, 3),)))
    assert "out_strategy (1, 3) asks for cuts that the device matrix (2, 2) of the op does not have" in message


def test_an_error_names_the_cell() -> None:
    def run() -> Any:
        semi_auto()
        net = nn.SequentialCell(nn.Dense(4, 6))
        net[0].matmul.shard(((3, 1), (1, 1)))
        return net(Tensor(X))

    message = the_error(StrategyError, run)
    assert message.startswith("in 0, op matmul"), message


def test_a_dataset_strategy_that_does_not_fit_shows_it() -> None:
    def run() -> Any:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", dataset_strategy=((2, 1, 1),))
        return ms.jit(lambda x: x + 1.0)(Tensor(X))

    message = the_error(StrategyError, run)
    assert "dataset_strategy ((2, 1, 1),) has no entry that fits argument 0 (x0) of shape (8, 4)" in message


# --- devices and ranks ---


def test_a_device_number_other_than_the_ranks_says_both() -> None:
    message = the_error(WorldError, multiply(((2, 1), (1, 2)), device_num=8), n=2)
    assert "device_num is 8, but 2 ranks run" in message


def test_a_program_for_many_devices_without_ranks_says_how_to_start_them() -> None:
    with pytest.raises(WorldError, match=r"compiled for 4 devices, but no ranks are connected.*simpar run SCRIPT -n 4"):
        multiply(((2, 1), (1, 2)), device_num=4)()


def test_ranks_that_trace_different_programs_name_the_line_and_the_ranks() -> None:
    def run() -> Any:
        semi_auto()
        late = current().rank >= 2
        return ms.jit(lambda x: ops.exp(x) if late else ops.tanh(x))(Tensor(X))

    message = the_error(PlanMismatchError, run)
    assert "Line 4 of the plan is" in message
    assert "tanh %1` on rank 0" in message
    assert "exp %1` on ranks 2, 3" in message


def test_ranks_that_close_over_different_constants_are_found() -> None:
    def run() -> Any:
        semi_auto()
        part = Tensor(np.full((8, 4), current().rank // 3, np.float32))
        return ms.jit(lambda x: x + part)(Tensor(X))

    assert "closed over other constants" in the_error(PlanMismatchError, run)


def test_one_rank_that_fails_releases_the_others() -> None:
    def run() -> Any:
        semi_auto()
        if current().rank == 1:
            raise StrategyError("only here")
        return ms.jit(lambda x: x + 1.0)(Tensor(X))

    with pytest.raises(StrategyError, match="only here") as caught:
        run_threads(4, run)
    assert "raised on rank 1 of 4" in caught.value.__notes__


# --- modes ---


# --- tracing ---


def test_control_flow_that_depends_on_a_value_names_the_line() -> None:
    def step(x: Tensor) -> Tensor:
        for _ in range(int(x.sum())):
            x = x * 2
        return x

    with pytest.raises(ValueDependentError, match=r"int\(.*at test_errors.py:\d+ needs a value"):
        ms.jit(step)(Tensor(X))


@pytest.mark.parametrize("ask", [float, int, lambda t: t.asnumpy(), lambda t: t.item()])
def test_a_number_of_a_traced_value_is_refused(ask: Function) -> None:
    with pytest.raises(ValueDependentError, match=r"ops\.select"):
        ms.jit(lambda x: x * ask(x.sum()))(Tensor(X))


def test_a_tensor_of_a_finished_trace_is_refused_inside_and_outside() -> None:
    kept: list[Tensor] = []
    ms.jit(lambda x: kept.append(x * 2.0) or x)(Tensor(X))
    with pytest.raises(TraceError, match="another, finished trace"):
        ms.jit(lambda x: x + kept[0])(Tensor(X))
    with pytest.raises(TraceError, match="trace that has ended"):
        ops.exp(kept[0])


def test_two_parameters_of_one_name_are_refused() -> None:
    def run() -> Any:
        semi_auto()
        first, second = (Parameter(Tensor(np.ones((4, 4), np.float32)), name="w") for _ in range(2))
        return ms.jit(lambda x: x @ first @ second)(Tensor(X))

    assert "two Parameters of this program are named 'w'" in the_error(ParameterNameError, run)


def test_assigning_another_shape_says_both() -> None:
    w = Parameter(Tensor(np.ones((4, 4), np.float32)), name="w")

    def step(x: Tensor) -> Tensor:
        w.assign_value(x)
        return x

    with pytest.raises(TraceError, match=r"'w' has shape \(4, 4\) .* assigned \(8, 4\)"):
        ms.jit(step)(Tensor(X))


@pytest.mark.parametrize("collective", [ops.AllReduce(), ops.AllGather(), lambda x: ops.Broadcast(0)((x,))])
def test_a_hand_written_collective_of_slices_is_refused_in_semi_auto_parallel(collective: Function) -> None:
    def run() -> Any:
        semi_auto()
        double = ops.Mul().shard(((4, 1), ()))
        return ms.jit(lambda x: collective(double(x, 2.0)))(Tensor(X))

    assert "a hand-written" in the_error(StrategyError, run)


def test_a_hand_written_collective_of_what_all_ranks_hold_is_known_to_each_in_semi_auto_parallel() -> None:
    def run() -> Any:
        semi_auto()
        least, product = ops.AllReduce(ops.ReduceOp.MIN), ops.AllReduce(ops.ReduceOp.PROD)
        step = ms.value_and_grad(lambda x: ops.AllReduce()(x * x).sum(), 0)
        loss, slope = ms.jit(step)(Tensor([3.0]))
        others = ms.jit(lambda x: (least(x), product(x), *ops.Broadcast(0)((x,))))(Tensor([3.0]))
        return loss.item(), slope.item(), *(x.item() for x in others)

    assert run_threads(4, run) == [(36.0, 24.0, 3.0, 81.0, 3.0)] * 4


def test_shapes_that_do_not_fit_name_the_op_and_the_line() -> None:
    with pytest.raises(SimparError, match=r"op matmul \(test_errors.py:\d+\)"):
        ms.jit(lambda x: ops.MatMul()(x, x))(Tensor(X))


def test_an_error_cites_the_line_that_called_the_op() -> None:
    def run() -> Any:
        semi_auto()
        relu = ops.ReLU().shard(((3, 1),))
        return ms.jit(lambda x: relu(x))(Tensor(X))

    assert "in `return ms.jit(lambda x: relu(x))(Tensor(X))`: " in the_error(StrategyError, run)
