"""Learning rates and decays that change: lists by epoch, groups with rates of their own, decay by a Cell."""

from collections.abc import Callable
from math import exp
from typing import Any

import numpy as np
import pytest

from simpar import nn
from simpar.context import PYNATIVE_MODE, Context
from simpar.dtype import float32, int32
from simpar.tensor import Tensor
from tests.nn.stepping import GRADIENTS, START, close, run, weight


@pytest.fixture(autouse=True)
def at_once(own_context: Context) -> None:
    own_context.mode = PYNATIVE_MODE


# --- lists by epoch ---

EPOCHS = [step // 3 for step in range(10)]


@pytest.mark.parametrize(
    ("made", "formula"),
    [
        (lambda: nn.exponential_decay_lr(0.1, 0.9, 10, 3, 2), lambda e: 0.1 * 0.9 ** (e / 2)),
        (lambda: nn.exponential_decay_lr(0.1, 0.9, 10, 3, 2, True), lambda e: 0.1 * 0.9 ** (e // 2)),
        (lambda: nn.natural_exp_decay_lr(0.1, 0.9, 10, 3, 2), lambda e: 0.1 * exp(-0.9 * e)),
        (lambda: nn.natural_exp_decay_lr(0.1, 0.9, 10, 3, 2, True), lambda e: 0.1 * exp(-0.9 * 2 * (e // 2))),
        (lambda: nn.inverse_decay_lr(0.1, 0.9, 10, 3, 2), lambda e: 0.1 / (1 + 0.9 * e / 2)),
        (lambda: nn.inverse_decay_lr(0.1, 0.9, 10, 3, 2, True), lambda e: 0.1 / (1 + 0.9 * (e // 2))),
        (
            lambda: nn.polynomial_decay_lr(0.1, 0.01, 10, 3, 2, 0.5),
            lambda e: 0.09 * (1 - min(e, 2) / 2) ** 0.5 + 0.01,
        ),
        (
            lambda: nn.polynomial_decay_lr(0.1, 0.01, 10, 3, 2, 0.5, True),
            lambda e: 0.09 * (1 - e / (2 if e <= 2 else 4)) ** 0.5 + 0.01,
        ),
        (lambda: nn.warmup_lr(0.1, 10, 3, 2), lambda e: 0.1 * min(e, 2) / 2),
    ],
)
def test_lists_of_rates_change_from_epoch_to_epoch(
    made: Callable[[], list[float]], formula: Callable[[int], float]
) -> None:
    assert made() == pytest.approx([formula(epoch) for epoch in EPOCHS])


def test_cosine_decay_is_half_a_wave() -> None:
    made = nn.cosine_decay_lr(0.01, 0.1, 10, 3, 2)
    assert made == pytest.approx([0.1] * 3 + [0.055] * 3 + [0.01] * 4)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (lambda: nn.exponential_decay_lr(True, 0.9, 10, 3, 2), TypeError),
        (lambda: nn.exponential_decay_lr(-0.1, 0.9, 10, 3, 2), ValueError),
        (lambda: nn.exponential_decay_lr(0.1, 0.9, 10.0, 3, 2), TypeError),  # pyright: ignore[reportArgumentType]
        (lambda: nn.exponential_decay_lr(0.1, 0.9, 10, 0, 2), ValueError),
        (lambda: nn.exponential_decay_lr(0.1, 0.9, 10, 3, 2, 1), TypeError),  # pyright: ignore[reportArgumentType]
        (lambda: nn.cosine_decay_lr(0.1, 0.01, 10, 3, 2), ValueError),
        (lambda: nn.piecewise_constant_lr([5, 2], [0.1, 0.2]), ValueError),
        (lambda: nn.piecewise_constant_lr([2], [0.1, 0.2]), ValueError),
        (lambda: nn.piecewise_constant_lr([2, 4], [1, 2]), TypeError),
        (lambda: nn.ExponentialDecayLR(True, 0.9, 4), TypeError),
        (lambda: nn.ExponentialDecayLR(0.1, 0.9, 4.0), TypeError),  # pyright: ignore[reportArgumentType]
        (lambda: nn.CosineDecayLR(-0.1, 0.1, 4), ValueError),
    ],
)
def test_wrong_types_and_wrong_numbers_are_told_apart(wrong: Callable[[], Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        wrong()


def test_polynomial_decay_rises_again_where_its_length_grows() -> None:
    schedule = nn.PolynomialDecayLR(0.1, 0.0, 4, 1.0, update_decay_steps=True)
    made = [float(schedule(Tensor(step, int32)).asnumpy()) for step in (0, 2, 4, 5, 8, 9)]
    assert made == pytest.approx([0.1, 0.05, 0, 0.1 * 3 / 8, 0, 0.1 * 3 / 12], abs=1e-7)


# --- groups ---


def test_a_list_beside_a_number_makes_lists_of_both() -> None:
    a, b = weight("a"), weight("b")
    optimizer = nn.SGD([{"params": [a], "lr": [0.5, 0.25]}, {"params": [b]}], 0.1)
    assert optimizer.dynamic_lr
    for gradient in GRADIENTS[:2]:
        optimizer((Tensor(gradient), Tensor(gradient)))
    close(a.asnumpy(), START - 0.5 * GRADIENTS[0] - 0.25 * GRADIENTS[1])
    close(b.asnumpy(), START - 0.1 * (GRADIENTS[0] + GRADIENTS[1]))
    assert [rate.name for rate in optimizer.get_lr_parameter([a, b])] == ["learning_rate_group_0", "learning_rate"]
    assert optimizer.get_lr_parameter(b).shape == (2,)


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"lengths \[2, 3\]"):
        nn.SGD([{"params": [weight("a")], "lr": [0.1, 0.2]}, {"params": [weight("b")]}], [0.1, 0.2, 0.3])


def test_a_parameter_of_two_groups_is_refused() -> None:
    w = weight()
    with pytest.raises(RuntimeError, match="'w' was given to the optimizer twice"):
        nn.SGD([{"params": [w]}, {"params": [w], "lr": 0.5}], 0.1)


# --- decay by a Cell ---


class Fading(nn.Cell):
    """Decays by 0.1, 0.05, ..."""

    def construct(self, global_step: Tensor) -> Tensor:
        return Tensor(0.1, float32) / (global_step.astype(float32) + 1.0)


@pytest.mark.parametrize("kind", [nn.SGD, lambda ps, rate, **o: nn.Momentum(ps, rate, 0.0, **o)])
def test_a_cell_gives_the_decay_of_each_step(kind: Callable[..., nn.Optimizer]) -> None:
    w = START.astype(np.float64)
    for step, gradient in enumerate(GRADIENTS, 1):
        w = w - 0.05 * (gradient + 0.1 / step * w)
    close(run(lambda ps: kind(ps, 0.05, weight_decay=Fading())), w, 1e-4)


def test_a_decay_apart_from_the_gradient_is_a_number() -> None:
    with pytest.raises(NotImplementedError, match="AdamWeightDecay takes a weight_decay that is a number"):
        nn.AdamWeightDecay([weight()], weight_decay=Fading())


# --- kinds of Adam ---


def test_amsgrad_divides_by_the_largest_second_moment() -> None:
    w, m, v, top = START.astype(np.float64), *(np.zeros((4, 6)) for _ in range(3))
    for step, gradient in enumerate(GRADIENTS.astype(np.float64), 1):
        g = gradient + 0.01 * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        top = np.maximum(top, v)
        w = w - 0.02 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * m / (np.sqrt(top) + 1e-8)
    close(run(lambda ps: nn.Adam(ps, 0.02, weight_decay=0.01, use_amsgrad=True)), w, 1e-4)
    assert [p.name for p in nn.Adam([weight()], use_amsgrad=True).vhat or ()] == ["vhat.w"]


@pytest.mark.parametrize(
    "options", [{"use_lazy": True, "use_offload": True}, {"use_lazy": True, "use_amsgrad": True}], ids=str
)
def test_kinds_of_adam_exclude_each_other(options: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        nn.Adam([weight()], **options)
    with pytest.raises(TypeError, match="no option use_sparse"):
        nn.Adam([weight()], use_sparse=True)
