"""When a program is compiled, and when again; what it may take, return and write."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.compile import compile_function
from simpar.context import current


class Counted:
    """A function that counts how often it runs: once for each trace."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.traces = function, 0

    def __call__(self, *args: Any) -> Any:
        self.traces += 1
        return self.function(*args)


def ones(*shape: int, dtype: Any = np.float32) -> Tensor:
    return Tensor(np.ones(shape, dtype))


def counted(function: Callable[..., Any]) -> tuple[Counted, Callable[..., Any]]:
    count = Counted(function)
    return count, ms.jit(lambda *args: count(*args))


def test_the_same_shapes_are_traced_once() -> None:
    count, step = counted(lambda x: x * 2.0)
    results = [step(Tensor(np.full((2, 3), k, np.float32))).asnumpy() for k in range(5)]
    assert count.traces == 1
    assert [r[0, 0] for r in results] == [0, 2, 4, 6, 8]


def test_a_new_shape_or_type_is_traced_again_and_both_are_kept() -> None:
    count, step = counted(lambda x: x + x)
    for x in (ones(2, 3), ones(3, 3), ones(2, 3), ones(3, 3), ones(2, 3, dtype=np.int32), ones(2, 3)):
        np.testing.assert_array_equal(step(x).asnumpy(), 2 * x.asnumpy())
    assert count.traces == 3


def test_plain_arguments_are_part_of_the_program() -> None:
    count, step = counted(lambda x, k, flag: x * k if flag else x)
    assert [step(ones(2), k, f).tolist() for k, f in ((2, True), (3, True), (3, False), (2, True))] == [
        [2, 2],
        [3, 3],
        [1, 1],
        [2, 2],
    ]
    assert count.traces == 3


def test_set_train_traces_again_where_the_mode_matters() -> None:
    net = nn.SequentialCell(nn.Dense(4, 4, weight_init="ones", bias_init="zeros"), nn.Dropout(p=0.5))
    count, step = counted(net)
    net.set_train(True)
    dropped = step(ones(2, 4)).asnumpy()
    net.set_train(False)
    np.testing.assert_allclose(step(ones(2, 4)).asnumpy(), 4.0)
    net.set_train(True)
    step(ones(2, 4))
    assert set(np.unique(dropped)) <= {0.0, 8.0}
    assert count.traces == 2, "both programs are kept"


def test_new_options_trace_again() -> None:
    def run() -> tuple[int, list[int]]:
        w = Parameter(Tensor(np.ones((4, 4), np.float32)), name="w", requires_grad=False)
        count, step = counted(lambda x: ops.matmul(x, w))
        bytes_moved: list[int] = []
        for strategy in ("full_batch", "data_parallel", "full_batch"):
            ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", dataset_strategy=strategy)
            for _ in range(2):
                bytes_moved.append(len(step(ones(4, 4)).asnumpy()))
        return count.traces, bytes_moved

    for traces, rows in run_threads(2, run):
        assert traces == 3
        assert rows == [4] * 6


def test_a_changed_setting_of_a_parameter_traces_again() -> None:
    w = Parameter(Tensor(np.ones(4, np.float32)), name="w")
    count, step = counted(lambda x: x * w)
    step(ones(4))
    w.comm_fusion = 3
    step(ones(4))
    assert count.traces == 2


def test_numpy_arrays_lists_and_dicts_go_in_and_come_out() -> None:
    step = ms.jit(lambda given: {"sum": given["a"] + given["b"][0], "both": (given["a"], [given["b"][0]]), "n": 3})
    made = step({"a": np.ones(2, np.float32), "b": [ones(2)]})
    assert made["sum"].tolist() == [2, 2]
    assert isinstance(made["both"][1], list)
    assert made["n"] == 3


def test_results_are_not_overwritten_by_the_next_step() -> None:
    step = ms.jit(lambda x: (x * 2.0, x))
    first = step(ones(3))
    step(Tensor(np.zeros(3, np.float32)))
    assert first[0].tolist() == [2, 2, 2]
    assert first[1].tolist() == [1, 1, 1]


def test_arguments_are_not_changed() -> None:
    x = ones(3)
    ms.jit(lambda t: ops.tanh(ops.exp(t)))(x)
    assert x.tolist() == [1, 1, 1]


def test_a_jit_inside_another_is_part_of_it() -> None:
    inner_count, inner = counted(lambda x: x + 1.0)
    outer = ms.jit(lambda x: inner(x) * 2.0)
    assert [outer(ones(1)).item() for _ in range(3)] == [4.0] * 3
    assert inner_count.traces == 1


# --- writing ---


def test_a_parameter_written_in_a_step_holds_it_after_the_step() -> None:
    total = Parameter(Tensor(np.zeros(2, np.float32)), name="total", requires_grad=False)

    @ms.jit
    def add(x: Tensor) -> Tensor:
        total.assign_value(total + x)
        return total * 10.0

    assert [add(ones(2)).tolist()[0] for _ in range(3)] == [10, 20, 30]
    assert total.asnumpy().tolist() == [3, 3]


def test_two_parameters_change_places() -> None:
    a, b = (Parameter(Tensor(np.full(2, k, np.float32)), name=f"p{k}") for k in (1, 2))

    @ms.jit
    def swap() -> Tensor:
        one, two = a * 1.0, b * 1.0
        a.assign_value(two)
        b.assign_value(one)
        return a - b

    assert swap().tolist() == [1, 1]
    assert (a.asnumpy()[0], b.asnumpy()[0]) == (2, 1)
    assert swap().tolist() == [-1, -1]


def test_a_parameter_takes_the_value_of_another() -> None:
    a, b = (Parameter(Tensor(np.full(2, k, np.float32)), name=f"p{k}") for k in (1, 2))

    @ms.jit
    def copy(x: Tensor) -> Tensor:
        a.assign_value(b.value() if hasattr(b, "value") and callable(b.value) else b * 1.0)
        b.assign_value(b + x)
        return x

    copy(ones(2))
    assert (a.asnumpy()[0], b.asnumpy()[0]) == (2, 3)


def test_set_data_between_steps_is_seen_by_the_next() -> None:
    w = Parameter(Tensor(np.ones(2, np.float32)), name="w")
    step = ms.jit(lambda x: x * w)
    step(ones(2))
    w.set_data(Tensor(np.full(2, 5, np.float32)))
    assert step(ones(2)).tolist() == [5, 5]


# --- ranks ---


@ms.jit
def shared_step(x: Tensor) -> Tensor:
    return ops.tanh(x) * 2.0


def test_ranks_that_share_a_function_compile_it_each() -> None:
    def run() -> list[Any]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        return [shared_step(ones(4, k)).asnumpy() for k in (1, 2, 3, 1, 2, 3)]

    for _ in range(3):
        for made in run_threads(4, run):
            assert [a.shape for a in made] == [(4, k) for k in (1, 2, 3, 1, 2, 3)]


def test_a_result_that_is_cut_goes_into_another_program_as_it_is() -> None:
    def run() -> tuple[tuple[int, ...], Any, str]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", dataset_strategy="data_parallel")
        rank = current().rank
        made = ms.jit(lambda x: x * 2.0)(Tensor(np.full((2, 3), rank, np.float32)))
        again: Any = ms.jit(lambda x: x + x.sum())
        plan = compile_function(again.__wrapped__, (made,), again).plan
        return made.shape, again(made).asnumpy()[0, 0], plan.text

    for rank, (shape, value, text) in enumerate(run_threads(2, run)):
        assert shape == (2, 3), "each rank keeps its rows"
        assert value == 2 * rank + 12, "the sum is that of all rows"
        assert "all_gather" not in text


# --- modes ---


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
def test_value_and_grad_is_the_same_in_both_modes(mode: int) -> None:
    ms.set_context(mode=mode)
    net = nn.Dense(3, 1, weight_init="ones", bias_init="zeros")
    value, gradients = ms.value_and_grad(lambda x: net(x).sum(), None, net.trainable_params())(ones(2, 3))
    assert value.item() == 6
    assert [g.tolist() for g in gradients] == [[[2, 2, 2]], [2]]


def test_a_cell_in_graph_mode_is_traced_once_and_says_how_it_is_cut() -> None:
    def run() -> Any:
        ms.set_context(mode=ms.GRAPH_MODE)
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        net = nn.Dense(4, 8)
        net.matmul.shard(((1, 1), (2, 1)))  # its weight is (out, in)
        net(ones(4, 4))
        return net.weight.asnumpy().shape, net.parameter_layout_dict

    for shape, layouts in run_threads(2, run):
        assert shape == (4, 4)
        assert layouts["weight"][:3] == ([2], [0, -1], [4, 4])


def test_only_the_programs_of_the_last_shapes_are_kept() -> None:
    traced: list[int] = []

    @ms.jit
    def double(x: Tensor) -> Tensor:
        traced.append(x.shape[0])
        return x * 2

    for rows in (*range(1, 65), 1, 65, 1, 2):
        assert double(Tensor(np.ones(rows, np.float32))).shape == (rows,)
    assert traced == [*range(1, 66), 2]  # 1 was used lately, 2 gave way to 65


def test_ranks_that_are_threads_forget_shapes_in_the_same_order() -> None:
    total = ms.jit(lambda x: x.sum())

    def run() -> list[float]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        sizes = [*range(2, 50, 2), *range(60, 2, -2), *range(2, 50, 2)]
        return [total(ones(n, 1)).item() - n for n in sizes]

    assert [set(found) for found in run_threads(4, run)] == [{0.0}] * 4


def test_a_parameter_given_as_an_argument_is_itself_and_can_be_written() -> None:
    held = Parameter(Tensor(np.zeros(3, np.float32)), name="held")

    @ms.jit
    def step(parameter: Parameter, x: Tensor) -> Tensor:
        ops.assign(parameter, parameter + x)
        return parameter.sum()

    assert [float(step(held, Tensor(np.ones(3, np.float32)))) for _ in range(2)] == [3.0, 6.0]
    assert held.asnumpy().tolist() == [2.0, 2.0, 2.0]


def test_an_argument_that_cannot_be_hashed_is_told_from_another_of_its_address() -> None:
    @ms.jit
    def scaled(x: Tensor, options: object) -> Tensor:
        return x * options.scale  # type: ignore[attr-defined]

    class Options:
        __hash__ = None  # type: ignore[assignment]

        def __init__(self, scale: float) -> None:
            self.scale = scale

    assert [float(scaled(Tensor(1.0), Options(float(k)))) for k in range(1, 5)] == [1.0, 2.0, 3.0, 4.0]
