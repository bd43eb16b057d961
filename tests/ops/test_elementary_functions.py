"""Arithmetic, trigonometric, special and bitwise functions and activations: values and gradients against PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from simpar import Tensor, int32, mint, ops
from simpar.errors import RuleError
from tests.ops.test_against_torch import gradients_of, torch_gradients_of

torch = pytest.importorskip("torch")
functional: Any = torch.nn.functional

Function = Callable[..., Any]


def spread(low: float, high: float, seed: int = 3) -> Any:
    return np.random.default_rng(seed).uniform(low, high, (4, 6)).astype(np.float32)


def same(name: str, low: float = -2.0, high: float = 2.0) -> tuple[str, Function, Function, list[Any]]:
    return name, getattr(ops, name), getattr(torch, name), [spread(low, high)]


def gate(name: str, *args: Any) -> tuple[str, Function, Function, list[Any]]:
    theirs = getattr(functional, name)
    return name, lambda x: getattr(ops, name)(x, *args), lambda x: theirs(x, *args), [spread(-4, 4)]


def pair(name: str, low: float = 0.5, high: float = 3.0) -> tuple[str, Function, Function, list[Any]]:
    return name, getattr(ops, name), getattr(torch, name), [spread(low, high), spread(low, high, 4)[:, :1]]


SMOOTH = [
    *(same(n) for n in ("tan", "atan", "sinh", "cosh", "asinh", "erf", "erfc", "exp2", "sinc", "frac", "rad2deg")),
    *(same(n, -0.9, 0.9) for n in ("asin", "acos", "atanh", "erfinv")),
    *(same(n, 1.2, 4.0) for n in ("acosh", "log2", "log10", "lgamma", "digamma")),
    *(same(n, 0.1, 0.9) for n in ("logit",)),
    *(pair(n) for n in ("hypot", "xlogy", "atan2", "logaddexp", "logaddexp2", "remainder", "copysign")),
    ("fmod", ops.fmod, torch.fmod, [spread(-9, 9), np.full((4, 6), 2.5, np.float32)]),
    ("lerp", lambda x, y: ops.lerp(x, y, 0.3), lambda x, y: torch.lerp(x, y, 0.3), [spread(0, 1), spread(1, 2)]),
    (
        "lerp by a tensor",
        lambda x, y, w: ops.Lerp()(x, y, w),
        lambda x, y, w: x + w * (y - x),
        [spread(0, 1), spread(1, 2)[0], spread(0, 1, 5)[:, :1]],
    ),
    (
        "addcmul",
        lambda x, y, z: ops.addcmul(x, y, z, 0.5),
        lambda x, y, z: torch.addcmul(x, y, z, value=0.5),
        [spread(0, 1), spread(1, 2)[0], spread(0, 1, 5)],
    ),
    (
        "addcdiv",
        lambda x, y, z: mint.addcdiv(x, y, z, value=2),
        lambda x, y, z: torch.addcdiv(x, y, z, value=2),
        [spread(0, 1), spread(1, 2), spread(1, 2, 5)],
    ),
    ("addn", lambda x, y: ops.AddN()([x, y, x]), lambda x, y: x + y + x, [spread(0, 1), spread(1, 2)]),
    ("i0", ops.i0, torch.special.i0, [spread(-2, 2)]),
    ("i1", ops.i1, torch.special.i1, [spread(-2, 2)]),
    ("i0e", ops.i0e, torch.special.i0e, [spread(-2, 2)]),
    ("i1e", ops.i1e, torch.special.i1e, [spread(-2, 2)]),
    ("polygamma", lambda x: ops.polygamma(2, x), lambda x: torch.polygamma(2, x), [spread(1, 3)]),
    ("mvlgamma", lambda x: ops.mvlgamma(x, 3), lambda x: torch.mvlgamma(x, 3), [spread(2, 5)]),
    *(gate(n) for n in ("relu6", "selu", "hardswish", "hardsigmoid", "softsign", "logsigmoid", "mish", "tanhshrink")),
    *(gate(n) for n in ("elu", "celu", "hardshrink", "softshrink", "softplus", "glu", "hardtanh")),
    *(gate(n, *c) for n, c in (("elu", (0.5,)), ("celu", (2.0,)), ("hardshrink", (1.0,)), ("leaky_relu", (0.2,)))),
    gate("threshold", 1.0, 7.0),
    (
        "softplus from a threshold",
        lambda x: ops.softplus(x, 2, 3),
        lambda x: functional.softplus(x, 2, 3),
        [spread(-4, 4)],
    ),
    ("prelu", ops.prelu, functional.prelu, [spread(-2, 2), spread(0, 1)[0]]),
    ("prelu with one slope", ops.prelu, functional.prelu, [spread(-2, 2), np.array([0.3], np.float32)]),
    ("fast_gelu", ops.fast_gelu, lambda x: x * torch.sigmoid(1.702 * x), [spread(-4, 4)]),
    (
        "swiglu",
        lambda x: ops.swiglu(x, 1),
        lambda x: functional.silu(x.chunk(2, 1)[0]) * x.chunk(2, 1)[1],
        [spread(-3, 3)],
    ),
]


@pytest.mark.parametrize(("mine", "theirs", "arrays"), [c[1:] for c in SMOOTH], ids=[c[0] for c in SMOOTH])
def test_value_and_gradient_agree_with_torch(mine: Function, theirs: Function, arrays: list[Any]) -> None:
    value, gradients = gradients_of(mine, arrays)
    expected, slopes = torch_gradients_of(theirs, arrays)
    np.testing.assert_allclose(value, expected, rtol=3e-5, atol=2e-6)
    for got, wanted in zip(gradients, slopes, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


STEPS: list[tuple[str, Function, Function]] = [
    ("trunc", ops.trunc, torch.trunc),
    ("rint", ops.rint, torch.round),
    ("isinf", ops.isinf, torch.isinf),
    ("isneginf", ops.isneginf, torch.isneginf),
    ("signbit", ops.signbit, torch.signbit),
    ("nan_to_num", ops.nan_to_num, torch.nan_to_num),
    ("nan_to_num by numbers", lambda x: ops.nan_to_num(x, 1, 2, 3), lambda x: torch.nan_to_num(x, 1, 2, 3)),
    ("nextafter", lambda x: ops.nextafter(x, x + 1), lambda x: torch.nextafter(x, x + 1)),
    ("heaviside", lambda x: ops.heaviside(x[:-1], 0.5), lambda x: torch.heaviside(x[:-1], torch.tensor(0.5))),
    ("isclose", lambda x: ops.isclose(x, x * 1.000001), lambda x: torch.isclose(x, x * 1.000001)),
    ("div trunc", lambda x: ops.div(x, 2, rounding_mode="trunc"), lambda x: torch.div(x, 2, rounding_mode="trunc")),
]


@pytest.mark.parametrize(("mine", "theirs"), [c[1:] for c in STEPS], ids=[c[0] for c in STEPS])
def test_steps_and_special_values_agree_with_torch(mine: Function, theirs: Function) -> None:
    x = np.array([-np.inf, -2.5, -0.0, 0.0, 0.5, 1.5, np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(mine(Tensor(x)).asnumpy(), theirs(torch.tensor(x)).numpy())


WHOLE: list[tuple[str, Function, Function]] = [
    ("and", ops.bitwise_and, torch.bitwise_and),
    ("or", ops.bitwise_or, torch.bitwise_or),
    ("xor", ops.bitwise_xor, torch.bitwise_xor),
    ("left shift", ops.bitwise_left_shift, torch.bitwise_left_shift),
    ("right shift", ops.bitwise_right_shift, torch.bitwise_right_shift),
    ("gcd", ops.gcd, torch.gcd),
    ("lcm", ops.lcm, torch.lcm),
    ("remainder", ops.remainder, torch.remainder),
    ("truncate_mod", ops.truncate_mod, torch.fmod),
    ("truncate_div", ops.truncate_div, lambda x, y: torch.div(x, y, rounding_mode="trunc")),
]


@pytest.mark.parametrize(("mine", "theirs"), [c[1:] for c in WHOLE], ids=[c[0] for c in WHOLE])
def test_whole_numbers_agree_with_torch(mine: Function, theirs: Function) -> None:
    x, y = np.array([-9, -4, 0, 7, 12], np.int32), np.array([2, 3, 4, 3, 1], np.int32)
    got = mine(Tensor(x), Tensor(y))
    assert got.dtype == int32
    np.testing.assert_array_equal(got.asnumpy(), theirs(torch.tensor(x), torch.tensor(y)).numpy())


SCIPY = ("j0", "j1", "k0", "k1", "k0e", "k1e", "y0", "y1")


@pytest.mark.parametrize("kind", SCIPY)
def test_bessel_functions_are_scipys(kind: str) -> None:
    x = spread(0.5, 3.0)
    np.testing.assert_allclose(
        getattr(ops, f"bessel_{kind}")(Tensor(x)).asnumpy(), getattr(special, kind)(x), rtol=1e-6
    )


def test_incomplete_functions_are_scipys() -> None:
    a, b, x = spread(1, 3), spread(1, 3, 4), spread(0.1, 0.9, 5)
    np.testing.assert_allclose(ops.igamma(Tensor(a), Tensor(x)).asnumpy(), special.gammainc(a, x), rtol=1e-6)
    np.testing.assert_allclose(ops.igammac(Tensor(a), Tensor(x)).asnumpy(), special.gammaincc(a, x), rtol=1e-6)
    np.testing.assert_allclose(ops.zeta(Tensor(a + 1), Tensor(b)).asnumpy(), special.zeta(a + 1, b), rtol=1e-6)
    got = ops.Betainc()(Tensor(a), Tensor(b), Tensor(x)).asnumpy()
    np.testing.assert_allclose(got, special.betainc(a, b, x), rtol=1e-6)


def test_divisions_that_expect_zeros_give_zero_there() -> None:
    x, y = Tensor([2.0, 0.0, np.inf, 0.0]), Tensor([0.0, 2.0, 0.0, -1.0])
    assert ops.div_no_nan(x, y).tolist() == [0.0, 0.0, 0.0, 0.0]
    assert ops.mul_no_nan(x, y).tolist() == [0.0, 0.0, 0.0, 0.0]
    assert ops.xdivy(x[1:2], y[:1]).tolist() == [0.0]
    assert ops.xlogy(x[1:2], y[3:]).tolist() == [0.0]


def test_mod_of_an_object_has_the_sign_of_the_dividend_and_floor_mod_that_of_the_divisor() -> None:
    x, y = Tensor([-4.0, 5.0, 6.0]), Tensor([3.0, 2.0, 3.0])
    assert ops.Mod()(x, y).tolist() == [-1.0, 1.0, 0.0]
    assert ops.FloorMod()(x, y).tolist() == [2.0, 1.0, 0.0]


def test_bits_are_turned_and_counted() -> None:
    assert ops.invert(Tensor([0, 5], int32)).tolist() == [-1, -6]
    assert ops.population_count(Tensor([0, 7, 8], int32)).tolist() == [0, 3, 1]


def test_what_does_not_fit_is_refused_with_the_numbers() -> None:
    with pytest.raises(RuleError, match=r"shape, not of \(2,\), \(1,\)"):
        ops.addn([Tensor([1.0, 2.0]), Tensor([1.0])])
    with pytest.raises(RuleError, match="has length 3; a gate needs two equal halves"):
        ops.glu(Tensor([1.0, 2.0, 3.0]))
    with pytest.raises(RuleError, match="choose None, 'floor' or 'trunc'"):
        ops.div(Tensor([1.0]), 2, rounding_mode="up")
    with pytest.raises(RuleError, match="alpha, which is 0"):
        ops.celu(Tensor([1.0]), 0.0)
    with pytest.raises(RuleError, match="give 0 or more"):
        ops.polygamma(-1, Tensor([1.0]))
    with pytest.raises(RuleError, match="give 1 or more"):
        ops.mvlgamma(Tensor([1.0]), 0)
