"""Fourier and cosine transforms: values and gradients are those of PyTorch and scipy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.fft
from numpy.typing import NDArray

import simpar as ms
from simpar import Tensor, ops
from simpar.collectives import run_threads
from simpar.errors import RuleError
from tests.ops.test_against_torch import gradients_of

torch = pytest.importorskip("torch")

Array = NDArray[Any]
RNG = np.random.default_rng(4)
REAL = RNG.standard_normal((3, 4, 6)).astype(np.float32)
COMPLEX = (RNG.standard_normal((3, 4, 6)) + 1j * RNG.standard_normal((3, 4, 6))).astype(np.complex64)

TRANSFORMS = [
    *((n, COMPLEX) for n in ("fft", "ifft", "fft2", "ifft2", "fftn", "ifftn")),
    *((n, COMPLEX) for n in ("irfft", "irfft2", "irfftn", "hfft", "hfft2", "hfftn")),
    *((n, REAL) for n in ("fft", "fft2", "rfft", "rfft2", "rfftn", "ihfft", "ihfft2", "ihfftn")),
]
LENGTHS: dict[str, list[dict[str, Any]]] = {
    "": [{}, {"n": 4, "dim": 1, "norm": "ortho"}, {"n": 7, "dim": 0, "norm": "forward"}],
    "2": [{}, {"s": (5, 4), "dim": (2, 0), "norm": "ortho"}],
    "n": [{}, {"s": (5, 3), "norm": "forward"}, {"dim": (0, 2), "norm": "ortho"}],
}


@pytest.mark.parametrize(("name", "array"), [pytest.param(n, a, id=f"{n} {a.dtype}") for n, a in TRANSFORMS])
def test_a_transform_and_its_gradient_are_those_of_torch(name: str, array: Array) -> None:
    for options in LENGTHS[name[-1] if name[-1] in "2n" else ""]:
        ours: Callable[..., Tensor] = getattr(ops, name)
        theirs: Callable[..., Any] = getattr(torch.fft, name)

        def loss(x: Tensor, ours: Callable[..., Tensor] = ours, options: dict[str, Any] = options) -> Tensor:
            made = ours(x, **options)
            return ops.abs(made * made + made).sum()

        value, (gradient,) = gradients_of(loss, [array])
        given = torch.tensor(array, requires_grad=True)
        made = theirs(given, **options)
        expected = (made * made + made).abs().sum()
        expected.backward()
        forward = ours(Tensor(array), **options)
        given_back = made.detach().resolve_conj().numpy()
        assert forward.asnumpy().dtype == given_back.dtype
        np.testing.assert_allclose(forward.asnumpy(), given_back, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-4)
        np.testing.assert_allclose(gradient, given.grad.resolve_conj().numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["dct", "idct", "dctn", "idctn"])
@pytest.mark.parametrize("type", [1, 2, 3, 4])
@pytest.mark.parametrize("norm", ["backward", "forward", "ortho"])
def test_cosine_transforms_are_those_of_scipy(name: str, type: int, norm: str) -> None:
    made = getattr(ops, name)(Tensor(REAL), type, norm=norm)
    expected = getattr(scipy.fft, name)(REAL, type, norm=norm)
    np.testing.assert_allclose(made.asnumpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["dct", "idct"])
@pytest.mark.parametrize("type", [1, 2, 3, 4])
@pytest.mark.parametrize("norm", ["backward", "forward", "ortho"])
def test_the_gradient_of_a_cosine_transform_is_the_transposed_matrix(name: str, type: int, norm: str) -> None:
    matrix = getattr(scipy.fft, name)(np.eye(6), type, norm=norm, axis=0)
    weights = RNG.standard_normal(6).astype(np.float32)
    _, (gradient,) = gradients_of(
        lambda x: (getattr(ops, name)(x, type, norm=norm) * Tensor(weights)).sum(), [REAL[0, 0]]
    )
    np.testing.assert_allclose(gradient, matrix.T @ weights, rtol=1e-4, atol=1e-5)


def test_frequencies_and_shifts_are_those_of_numpy() -> None:
    np.testing.assert_allclose(ops.fftfreq(7, 0.5).asnumpy(), np.fft.fftfreq(7, 0.5), rtol=1e-6)
    np.testing.assert_allclose(ops.RFFTFreq()(8).asnumpy(), np.fft.rfftfreq(8), rtol=1e-6)
    for dim in (None, 1, (0, 2)):
        np.testing.assert_array_equal(ops.fftshift(Tensor(REAL), dim).asnumpy(), np.fft.fftshift(REAL, dim))
        np.testing.assert_array_equal(ops.IFFTShift()(Tensor(REAL), dim).asnumpy(), np.fft.ifftshift(REAL, dim))


def test_what_a_transform_refuses() -> None:
    x = Tensor(REAL)
    with pytest.raises(RuleError, match="2 lengths"):
        ops.fftn(x, (4, 4), (0,))
    with pytest.raises(RuleError, match="choose"):
        ops.fft(x, norm="sideways")
    with pytest.raises(RuleError, match="give 1, 2, 3 or 4"):
        ops.dct(x, 5)
    with pytest.raises(RuleError, match="each once"):
        ops.fft2(x, None, (1, -2))


def test_a_filter_in_the_space_of_frequencies_is_the_same_on_ranks() -> None:
    def program(cut: bool) -> tuple[float, Array]:
        there, back = ops.RFFT2(), ops.IRFFT2()
        if cut:
            there.shard(((4, 1, 1),))
            back.shard(((4, 1, 1),))
        response = Tensor(np.linspace(0, 1, 4 * 4).reshape(4, 4).astype(np.float32))

        def loss(x: Tensor) -> Tensor:
            return ops.square(back(there(x) * response)).sum()

        value, gradient = ms.value_and_grad(loss)(Tensor(np.tile(REAL[:1], (8, 1, 1))))
        return value.item(), ms.parallel.full_tensor(gradient).asnumpy().copy()

    def on_rank() -> tuple[float, Array]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        return program(True)

    value, gradient = program(False)
    for made, slope in run_threads(4, on_rank):
        assert made == pytest.approx(value, rel=1e-5)
        np.testing.assert_allclose(slope, gradient, rtol=1e-4, atol=1e-5)
