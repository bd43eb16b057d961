"""Optimizers: twenty steps against PyTorch or the definition, groups, learning rates, states."""

from collections.abc import Callable
from math import cos, exp, pi
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simpar import nn
from simpar.context import PYNATIVE_MODE, Context
from simpar.dtype import int32
from simpar.graph import Trace, tracing
from simpar.tensor import Tensor
from tests.nn.stepping import GRADIENTS, START, close, run, run_torch, weight

Array = NDArray[Any]


@pytest.fixture(autouse=True)
def at_once(own_context: Context) -> None:
    own_context.mode = PYNATIVE_MODE


# --- updates ---


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight_decay": 0.1},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01},
        {"momentum": 0.9, "nesterov": True},
    ],
    ids=str,
)
def test_sgd(options: dict[str, Any]) -> None:
    close(run(lambda ps: nn.SGD(ps, 0.05, **options)), run_torch("SGD", lr=0.05, **options))


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum(nesterov: bool) -> None:
    made = run(lambda ps: nn.Momentum(ps, 0.05, 0.9, weight_decay=0.02, use_nesterov=nesterov))
    close(made, run_torch("SGD", lr=0.05, momentum=0.9, weight_decay=0.02, nesterov=nesterov))


def test_adam_against_its_definition() -> None:
    w, m, v = START.astype(np.float64), np.zeros((4, 6)), np.zeros((4, 6))
    for step, gradient in enumerate(GRADIENTS.astype(np.float64), 1):
        g = gradient + 0.01 * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.02 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * m / (np.sqrt(v) + 1e-8)
    close(run(lambda ps: nn.Adam(ps, 0.02, weight_decay=0.01)), w, 1e-4)


def test_adam_against_torch() -> None:
    close(run(lambda ps: nn.Adam(ps, 0.02)), run_torch("Adam", lr=0.02), 1e-4)


def test_adam_weight_decay_against_its_definition() -> None:
    w, m, v = START.astype(np.float64), np.zeros((4, 6)), np.zeros((4, 6))
    for g in GRADIENTS.astype(np.float64):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.02 * (m / (np.sqrt(v) + 1e-6) + 0.1 * w)
    close(run(lambda ps: nn.AdamWeightDecay(ps, 0.02, weight_decay=0.1)), w)


def test_loss_scale_divides_the_gradients() -> None:
    made = run(lambda ps: nn.SGD(ps, 0.05, loss_scale=4.0))
    close(made, START - 0.05 * GRADIENTS.sum(axis=0) / 4)


# --- states ---


@pytest.mark.parametrize(
    ("make", "states"),
    [
        (lambda ps: nn.SGD(ps, 0.1), []),
        (lambda ps: nn.SGD(ps, 0.1, momentum=0.9), ["accum.w"]),
        (lambda ps: nn.Momentum(ps, 0.1, 0.9), ["moments.w"]),
        (lambda ps: nn.Adam(ps), ["moment1.w", "moment2.w"]),
        (lambda ps: nn.AdamWeightDecay(ps), ["adam_m.w", "adam_v.w"]),
    ],
)
def test_states_are_named_after_their_weight_and_follow_it(make: Any, states: list[str]) -> None:
    optimizer = make([weight()])
    held = [p for p in optimizer.get_parameters() if p.name.endswith(".w")]
    assert [p.name for p in held] == states
    assert all(p.state_of == "w" and not p.requires_grad for p in held)


def test_an_optimizer_counts_its_steps_and_keeps_its_numbers_as_parameters() -> None:
    optimizer = nn.Adam([weight()])
    optimizer((Tensor(GRADIENTS[0]),))
    optimizer((Tensor(GRADIENTS[0]),))
    assert optimizer.global_step.asnumpy().tolist() == [2]
    own = {"learning_rate", "global_step", "beta1_power", "beta2_power"}
    assert own <= {p.name for p in optimizer.get_parameters()}


def test_a_traced_update_is_of_the_phase_update_and_written_to_weights_and_states() -> None:
    w = weight()
    optimizer = nn.Momentum([w], 0.1, 0.9)
    with tracing(Trace()) as trace:
        optimizer((Tensor.wrap(trace.argument((4, 6), w.dtype, "g")),))
        graph = trace.graph(())
    assert {node.phase for node in graph.nodes} == {"update"}
    named = {p.value: p.spec.name for p in graph.parameters}
    assert {named[value] for value in graph.writes} == {"w", "moments.w", "global_step"}


# --- groups ---


def test_groups_have_rates_and_decays_of_their_own() -> None:
    a, b = weight("a"), weight("b")
    optimizer = nn.SGD([{"params": [a], "lr": 0.5, "weight_decay": 0.1}, {"params": [b]}], 0.1)
    optimizer((Tensor(GRADIENTS[0]), Tensor(GRADIENTS[0])))
    close(a.asnumpy(), START - 0.5 * (GRADIENTS[0] + 0.1 * START))
    close(b.asnumpy(), START - 0.1 * GRADIENTS[0])
    assert optimizer.is_group
    rates = optimizer.get_lr_parameter([a, b])
    assert [rate.name for rate in rates] == ["learning_rate_group_0", "learning_rate"]
    assert optimizer.is_group_lr
    assert tuple(optimizer.learning_rate) == tuple(rates)
    assert [float(decay.asnumpy()) for decay in optimizer.weight_decay] == pytest.approx([0.1, 0])
    assert optimizer.decay_flags == (True, False)


def test_order_params_says_in_which_order_gradients_come() -> None:
    a, b = weight("a"), weight("b")
    optimizer = nn.SGD([{"params": [a]}, {"params": [b]}, {"order_params": [b, a]}], 0.1)
    assert [p.name for p in optimizer.parameters] == ["b", "a"]


def test_gamma_and_beta_do_not_decay_outside_of_groups() -> None:
    ps = [weight("w"), weight("norm.gamma"), weight("norm.beta")]
    assert nn.Momentum(ps, 0.1, 0.9, weight_decay=0.1).get_weight_decay() == (0.1, 0, 0)
    assert nn.Momentum([{"params": ps}], 0.1, 0.9, weight_decay=0.1).get_weight_decay() == (0.1, 0.1, 0.1)


@pytest.mark.parametrize(
    ("parameters", "kind", "message"),
    [
        ([], ValueError, "must not be empty"),
        (None, ValueError, "None"),
        ("w", TypeError, "takes a list"),
        ([1], TypeError, "takes a list of Parameters or a list of groups"),
        ([{"lr": 0.1}], ValueError, "has 'params'"),
        ([{"params": [], "lr": 0.1}], TypeError, "at least one"),
        ([{"params": [weight()], "grad_centralization": True}], ValueError, "grad_centralization"),
        ([{"params": [weight()]}, {"order_params": []}], ValueError, "order_params lists other"),
    ],
)
def test_what_is_no_list_of_parameters_is_refused(parameters: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        nn.SGD(parameters)


def test_a_parameter_given_twice_is_refused() -> None:
    w = weight()
    with pytest.raises(ValueError, match="'w' was given to the optimizer twice"):
        nn.SGD([w, w])


def test_too_few_gradients_are_refused() -> None:
    with pytest.raises(RuntimeError, match="SGD has 1 Parameters, but got 0 gradients"):
        nn.SGD([weight()])(())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: nn.SGD([weight()], weight_decay=-1),
        lambda: nn.SGD([weight()], loss_scale=0),
        lambda: nn.SGD([weight()], momentum=-1),
        lambda: nn.SGD([weight()], nesterov=True),
        lambda: nn.Momentum([weight()], 0.1, -1),
        lambda: nn.Adam([weight()], beta1=1),
        lambda: nn.SGD([weight()], learning_rate=-0.1),
        lambda: nn.SGD([weight()], learning_rate=[]),
    ],
)
def test_numbers_out_of_range_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"give|needs|betas|at least 0"):
        wrong()


# --- learning rates ---


@pytest.mark.parametrize(
    "rate", [[0.5, 0.25], Tensor([0.5, 0.25]), np.array([0.5, 0.25], np.float32)], ids=["list", "Tensor", "array"]
)
def test_a_list_of_rates_gives_each_step_its_own_and_the_last_one_stays(rate: Any) -> None:
    w = weight()
    optimizer = nn.SGD([w], rate)
    for g in GRADIENTS[:3]:
        optimizer((Tensor(g),))
    close(w.asnumpy(), START - 0.5 * GRADIENTS[0] - 0.25 * GRADIENTS[1] - 0.25 * GRADIENTS[2])


def test_a_rate_may_be_changed_between_steps() -> None:
    w = weight()
    optimizer = nn.SGD([w], 0.5)
    optimizer.learning_rate.set_data(Tensor(0.25))
    optimizer((Tensor(GRADIENTS[0]),))
    close(w.asnumpy(), START - 0.25 * GRADIENTS[0])


@pytest.mark.parametrize("wrong", ["fast", True, None])
def test_what_is_no_rate_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="a learning rate is a number"):
        nn.SGD([weight()], wrong)


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [
        (nn.ExponentialDecayLR(0.1, 0.9, 4), lambda t: 0.1 * 0.9 ** (t / 4)),
        (nn.ExponentialDecayLR(0.1, 0.9, 4, is_stair=True), lambda t: 0.1 * 0.9 ** (t // 4)),
        (nn.NaturalExpDecayLR(0.1, 0.9, 4), lambda t: 0.1 * exp(-0.9 * t)),
        (nn.NaturalExpDecayLR(0.1, 0.9, 4, is_stair=True), lambda t: 0.1 * exp(-0.9 * (t // 4) * 4)),
        (nn.InverseDecayLR(0.1, 0.9, 4), lambda t: 0.1 / (1 + 0.9 * t / 4)),
        (nn.CosineDecayLR(0.01, 0.1, 4), lambda t: 0.01 + 0.045 * (1 + cos(pi * min(t, 4) / 4))),
        (nn.PolynomialDecayLR(0.1, 0.01, 4, 2.0), lambda t: 0.09 * (1 - min(t, 4) / 4) ** 2 + 0.01),
        (nn.WarmUpLR(0.1, 4), lambda t: 0.1 * min(t, 4) / 4),
    ],
    ids=lambda x: type(x).__name__,
)
def test_schedules(schedule: nn.LearningRateSchedule, wanted: Callable[[int], float]) -> None:
    made = [schedule(Tensor([t], int32)).asnumpy().item() for t in range(7)]
    np.testing.assert_allclose(made, [wanted(t) for t in range(7)], rtol=1e-5, atol=1e-8)


def test_an_optimizer_follows_its_schedule_from_step_0() -> None:
    w = weight()
    optimizer = nn.SGD([w], nn.ExponentialDecayLR(0.5, 0.5, 1))
    for g in GRADIENTS[:2]:
        optimizer((Tensor(g),))
    close(w.asnumpy(), START - 0.5 * GRADIENTS[0] - 0.25 * GRADIENTS[1])


@pytest.mark.parametrize(
    "wrong",
    [lambda: nn.WarmUpLR(0.1, 0), lambda: nn.CosineDecayLR(0.2, 0.1, 4), lambda: nn.ExponentialDecayLR(-1, 1, 1)],
)
def test_schedules_refuse_numbers_out_of_range(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"above 0|not below"):
        wrong()


# --- the user's own ---


def test_an_optimizer_of_the_user_finds_rates_and_decay() -> None:
    class Sign(nn.Optimizer):
        def construct(self, gradients: Any) -> bool:
            rates, decayed = self.get_lr(), self.decay_weight(self.scale_grad(gradients))
            for p, g, rate in zip(self.parameters, decayed, rates, strict=True):
                p.assign_value(p - g.abs() * rate)
            return True

    w = weight()
    Sign(0.5, [w], weight_decay=0.1)((Tensor(GRADIENTS[0]),))
    close(w.asnumpy(), START - 0.5 * np.abs(GRADIENTS[0] + 0.1 * START))


def test_an_optimizer_without_an_update_says_so() -> None:
    with pytest.raises(ValueError, match="defines neither _update nor construct"):
        nn.Optimizer(0.1, [weight()])((Tensor(GRADIENTS[0]),))
