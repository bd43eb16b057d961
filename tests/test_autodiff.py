"""Gradients of functions: what is asked for, in which form; against derivatives written by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Parameter, ParameterTuple, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.errors import NotYetError, TraceError

X, Y = Tensor([1.0, 2.0, 3.0]), Tensor([4.0, 5.0, 6.0])


def product(x: Tensor, y: Tensor) -> Tensor:
    return (x * x * y).sum()


def weights() -> tuple[Parameter, Parameter]:
    one, two = (Parameter(Tensor(np.full(3, v, np.float32)), name=f"w{v}") for v in (2, 3))
    return one, two


# --- what is asked for ---


def test_value_and_grad_of_the_first_argument() -> None:
    value, gradient = ms.value_and_grad(product)(X, Y)
    assert value.item() == 4 + 20 + 54
    assert gradient.tolist() == [8, 20, 36]


def test_grad_of_a_position_and_of_several() -> None:
    assert ms.grad(product, 1)(X, Y).tolist() == [1, 4, 9]
    both = ms.grad(product, (0, 1))(X, Y)
    assert isinstance(both, tuple)
    assert [g.tolist() for g in both] == [[8, 20, 36], [1, 4, 9]]


def test_grad_of_weights_alone_and_with_arguments() -> None:
    one, two = weights()
    function = lambda x: (x * one * two).sum()  # noqa: E731
    alone = ms.grad(function, None, ParameterTuple([one, two]))(X)
    assert [g.tolist() for g in alone] == [[3, 6, 9], [2, 4, 6]]
    by_argument, by_weight = ms.grad(function, 0, [one, two])(X)
    assert by_argument.tolist() == [6, 6, 6]
    assert [g.tolist() for g in by_weight] == [[3, 6, 9], [2, 4, 6]]
    assert ms.grad(function, None, one)(X).tolist() == [3, 6, 9], "one Parameter gives one Tensor"


def test_nothing_to_differentiate_by_is_an_error() -> None:
    with pytest.raises(TraceError, match="give grad_position or weights"):
        ms.value_and_grad(product, None)


def test_has_aux_returns_other_results_untouched() -> None:
    (value, twice), gradient = ms.value_and_grad(lambda x: (x.sum(), x * 2.0), has_aux=True)(X)
    assert (value.item(), twice.tolist(), gradient.tolist()) == (6, [2, 4, 6], [1, 1, 1])
    gradient, twice = ms.grad(lambda x: (x.sum(), x * 2.0), has_aux=True)(X)
    assert (twice.tolist(), gradient.tolist()) == ([2, 4, 6], [1, 1, 1])


def test_several_results_without_aux_are_added() -> None:
    assert ms.grad(lambda x: (x.sum(), (x * x).sum()))(X).tolist() == [3, 5, 7]


def test_a_result_that_is_no_scalar_is_seeded_with_ones() -> None:
    assert ms.grad(lambda x: x * x)(X).tolist() == [2, 4, 6]


def test_an_argument_that_does_not_matter_has_gradient_zero() -> None:
    assert ms.grad(lambda x, y: x.sum(), 1)(X, Y).tolist() == [0, 0, 0]


def test_a_value_used_twice_collects_both_terms() -> None:
    assert ms.grad(lambda x: (x * x + x).sum())(X).tolist() == [3, 5, 7]


def test_stop_gradient_stops() -> None:
    stop = ops.StopGradient()
    assert ms.grad(lambda x: (x * stop(x)).sum())(X).tolist() == [1, 2, 3]


def test_whole_numbers_have_no_gradient_but_may_take_part() -> None:
    indices = Tensor(np.array([2, 0], np.int32))
    table = Tensor(np.ones((3, 2), np.float32))
    gradient = ms.grad(lambda t: (ops.gather(t, indices, 0) * 3.0).sum())(table)
    assert gradient.tolist() == [[3, 3], [0, 0], [3, 3]]


# --- gradients of gradients ---


def test_a_gradient_can_be_differentiated_again() -> None:
    cube = lambda x: (x * x * x).sum()  # noqa: E731
    second = ms.grad(lambda x: ms.grad(cube)(x).sum())
    assert second(X).tolist() == [6, 12, 18]
    third = ms.grad(lambda x: ms.grad(lambda y: ms.grad(cube)(y).sum())(x).sum())
    assert third(X).tolist() == [6, 6, 6]


def test_the_square_of_a_gradient_by_a_weight_can_be_a_loss() -> None:
    w, _ = weights()

    def penalty(x: Tensor) -> Tensor:
        gradient = ms.grad(lambda t: (t * t * w).sum())(x)  # 2 x w
        return (gradient * gradient).sum()

    assert ms.grad(penalty, None, w)(X).tolist() == [16, 64, 144]  # 8 x² w


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu"])
def test_second_derivatives_of_activations_are_those_of_the_definition(name: str) -> None:
    function = getattr(ops, name)
    second = ms.grad(lambda x: ms.grad(lambda y: function(y).sum())(x).sum())(X).asnumpy()
    x = X.asnumpy().astype(np.float64)
    t, s = np.tanh(x), 1 / (1 + np.exp(-x))
    expected = {"tanh": -2 * t * (1 - t * t), "sigmoid": s * (1 - s) * (1 - 2 * s), "relu": 0 * x}[name]
    np.testing.assert_allclose(second, expected, rtol=1e-4, atol=1e-6)


def test_a_second_derivative_that_is_missing_is_said_and_never_zero() -> None:
    with pytest.raises(NotYetError, match=r"op cdist_grad .*cannot be differentiated twice"):
        ms.grad(lambda x: ms.grad(lambda y: ops.cdist(y, y + 1).sum())(x).sum())(Tensor([[1.0, 2.0]]))


# --- GradOperation ---


class Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor([2.0, 2.0, 2.0]), name="w")

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        return x * y * self.w


def test_grad_operation_gives_the_first_argument_or_all() -> None:
    net = Net()
    assert ms.GradOperation()(net)(X, Y).tolist() == [8, 10, 12]
    assert [g.tolist() for g in ms.GradOperation(get_all=True)(net)(X, Y)] == [[8, 10, 12], [2, 4, 6]]


def test_grad_operation_by_list_gives_the_weights() -> None:
    net = Net()
    by_list = ms.GradOperation(get_by_list=True)(net, ParameterTuple(net.trainable_params()))(X, Y)
    assert [g.tolist() for g in by_list] == [[4, 10, 18]]
    both = ms.GradOperation(get_all=True, get_by_list=True)(net, net.trainable_params())(X, Y)
    assert [[g.tolist() for g in part] for part in both] == [[[8, 10, 12], [2, 4, 6]], [[4, 10, 18]]]


def test_grad_operation_takes_the_cotangent_as_last_argument() -> None:
    sens = Tensor([1.0, 0.0, 10.0])
    assert ms.GradOperation(sens_param=True)(Net())(X, Y, sens).tolist() == [8, 0, 120]
    all_of = ms.GradOperation(get_all=True, sens_param=True)(Net())(X, Y, sens)
    assert [g.tolist() for g in all_of] == [[8, 0, 120], [2, 0, 60]]


# --- where it runs ---


def test_inside_a_jit_gradients_are_part_of_the_program() -> None:
    @ms.jit
    def step(x: Tensor, y: Tensor) -> Any:
        value, gradient = ms.value_and_grad(product)(x, y)
        return value, x - gradient * 0.5

    value, moved = step(X, Y)
    assert (value.item(), moved.tolist()) == (78, [-3, -8, -15])


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
def test_the_mode_changes_no_gradient(mode: int) -> None:
    ms.set_context(mode=mode)
    assert ms.grad(product)(X, Y).tolist() == [8, 20, 36]


def test_a_weight_written_in_the_forward_pass_is_differentiated_as_it_was_read() -> None:
    w, _ = weights()

    def forward(x: Tensor) -> Tensor:
        y = (x * w).sum()
        w.assign_value(w * 2.0)
        return y

    assert ms.grad(forward, None, w)(X).tolist() == [1, 2, 3]
    assert w.asnumpy().tolist() == [4, 4, 4]


def test_gradients_of_cut_arguments_are_delivered_whole_with_a_full_batch() -> None:
    def run() -> Any:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        w = Parameter(Tensor(np.ones((4, 4), np.float32)), name="w")
        multiply = ops.MatMul().shard(((2, 2), (2, 1)))
        gradient = ms.grad(lambda x: (multiply(x, w) * 3.0).sum())(Tensor(np.ones((4, 4), np.float32)))
        return gradient.asnumpy()

    for made in run_threads(4, run):
        np.testing.assert_array_equal(made, np.full((4, 4), 12.0))


def test_the_gradient_of_a_list_is_a_tuple_of_the_same_nest() -> None:
    def total(pair: list[Tensor], more: tuple[Tensor, int]) -> Tensor:
        return (pair[0] * pair[1] * more[0] * more[1]).sum()

    x, y, z = Tensor([2.0]), Tensor([3.0]), Tensor([5.0])
    by_pair, by_more = ms.grad(total, (0, 1))([x, y], (z, 7))
    assert [t.tolist() for t in by_pair] == [[105.0], [70.0]]
    assert by_more[0].tolist() == [42.0]
    assert by_more[1] is None


# --- products with the Jacobian ---


def two(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return ops.sin(x) * y, (x * y).sum()


def test_vjp_takes_cotangents_of_each_result_back_to_each_input() -> None:
    x, y, u, s = (np.array(v, np.float32) for v in ([1.0, 2.0], [3.0, 5.0], [0.5, -1.0], 2.0))
    made, pulled_back = ms.vjp(two, Tensor(x), Tensor(y))
    np.testing.assert_allclose(made[0].asnumpy(), np.sin(x) * y, rtol=1e-6)
    dx, dy = pulled_back(Tensor(u), Tensor(s))
    np.testing.assert_allclose(dx.asnumpy(), u * np.cos(x) * y + s * y, rtol=1e-6)
    np.testing.assert_allclose(dy.asnumpy(), u * np.sin(x) + s * x, rtol=1e-6)


def test_jvp_pushes_changes_of_each_input_to_each_result() -> None:
    x, y, a, b = (np.array(v, np.float32) for v in ([1.0, 2.0], [3.0, 5.0], [0.5, -1.0], [2.0, 0.25]))
    for run in (lambda: ms.jvp(two, (Tensor(x), Tensor(y)), (Tensor(a), Tensor(b))), jvp_in_a_cell(x, y, a, b)):
        made, changes = run()
        np.testing.assert_allclose(made[1].asnumpy(), (x * y).sum(), rtol=1e-6)
        np.testing.assert_allclose(changes[0].asnumpy(), np.cos(x) * y * a + np.sin(x) * b, rtol=1e-6)
        np.testing.assert_allclose(changes[1].asnumpy(), (y * a + x * b).sum(), rtol=1e-6)


def jvp_in_a_cell(*given: NDArray[Any]) -> Callable[[], Any]:
    x, y, a, b = map(Tensor, given)
    return lambda: ms.nn.Jvp(two)(x, y, (a, b))


def test_vjp_by_weights_and_with_a_result_that_is_not_differentiated() -> None:
    w = Parameter(Tensor([2.0]), name="w")
    x = Tensor([3.0])
    value, pulled_back, aux = ms.vjp(lambda x: (x * w, x + 1.0), x, weights=w, has_aux=True)
    dx, dw = pulled_back(Tensor([10.0]))
    assert [t.tolist() for t in (value, aux, dx, dw)] == [[6.0], [4.0], [20.0], [30.0]]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: ms.vjp(ops.sin, 1.0),
        lambda x: ms.vjp(ops.sin, x)[1](Tensor([1.0, 2.0, 3.0])),
        lambda x: ms.vjp(ops.sin, x)[1](x, x),
        lambda x: ms.jvp(ops.sin, x, (x,)),
        lambda x: ms.nn.Jvp(two)((x, x), (x, x)),
        lambda x: ms.nn.Vjp(ops.sin)(x, (x,)),
    ],
)
def test_what_does_not_fit_inputs_or_results_is_refused(wrong: Callable[[Tensor], Any]) -> None:
    with pytest.raises(TypeError):
        wrong(Tensor([1.0, 2.0]))
