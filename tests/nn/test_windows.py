"""Convolutions, poolings and normalizations of sequences, images and volumes, against PyTorch: values and gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.errors import CellAttributeError, ContextError, DTypeError, NotYetError, RuleError
from tests.ops.test_against_torch import torch_gradients_of

torch = pytest.importorskip("torch")
F = torch.nn.functional
Array = NDArray[Any]


def draw(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def agree(ours: Callable[..., Any], theirs: Callable[..., Any], x: Array) -> None:
    """Compare values, and the gradients of the sum of their squares."""

    def loss(x: Tensor) -> tuple[Tensor, Tensor]:
        made = ours(x)
        return (made * made).sum(), made

    (_, made), by_x = ms.value_and_grad(loss, 0, has_aux=True)(Tensor(x))
    expected, (wanted,) = torch_gradients_of(lambda x: theirs(x) ** 2, [x])
    np.testing.assert_allclose(made.asnumpy() ** 2, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(by_x.asnumpy(), wanted, rtol=1e-3, atol=1e-4)


def weights_of(cell: nn.Cell) -> list[Any]:
    return [torch.tensor(p.asnumpy()) for p in cell.get_parameters()]


CONVOLUTIONS: list[tuple[nn.Cell, Callable[..., Any], tuple[int, ...]]] = [
    (
        nn.Conv1d(4, 6, 3, 2, "pad", 1, 2, 2, has_bias=True),
        lambda x, w, b: F.conv1d(x, w[:, :, 0], b, 2, 1, 2, 2),
        (2, 4, 9),
    ),
    (nn.Conv1d(2, 3, 3), lambda x, w: F.conv1d(x, w[:, :, 0], None, 1, 1), (2, 2, 5)),
    (
        nn.Conv3d(2, 4, (3, 2, 1), (1, 2, 1), "pad", 1, 1, 2, has_bias=True),
        lambda x, w, b: F.conv3d(x, w, b, (1, 2, 1), 1, 1, 2),
        (2, 2, 4, 5, 3),
    ),
    (
        nn.Conv2dTranspose(4, 2, (3, 2), 2, "pad", 1, has_bias=True),
        lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1),
        (2, 4, 4, 5),
    ),
    (
        nn.Conv2dTranspose(4, 2, 3, 2, "valid", dilation=2, group=2),
        lambda x, w: F.conv_transpose2d(x, w, None, 2, 0, 0, 2, 2),
        (2, 4, 3, 3),
    ),
    (
        nn.Conv1dTranspose(3, 2, 4, 2, "pad", 1, has_bias=True),
        lambda x, w, b: F.conv_transpose1d(x, w[:, :, 0], b, 2, 1),
        (2, 3, 5),
    ),
    (
        nn.Conv3dTranspose(2, 3, 3, 2, "pad", 1, output_padding=1, has_bias=True),
        lambda x, w, b: F.conv_transpose3d(x, w, b, 2, 1, 1),
        (1, 2, 3, 2, 3),
    ),
]


@pytest.mark.parametrize(("cell", "theirs", "shape"), CONVOLUTIONS, ids=lambda x: type(x).__name__)
def test_a_convolution_equals_torch(cell: nn.Cell, theirs: Callable[..., Any], shape: tuple[int, ...]) -> None:
    agree(cell, lambda x: theirs(x, *weights_of(cell)), draw(*shape))


def test_the_same_padding_of_a_convolution_turned_round_multiplies_the_size_by_the_stride() -> None:
    assert nn.Conv2dTranspose(2, 3, 4, 2)(Tensor(draw(1, 2, 4, 5))).shape == (1, 3, 8, 10)
    assert nn.Conv3dTranspose(2, 3, 2, 2)(Tensor(draw(1, 2, 2, 3, 1))).shape == (1, 3, 4, 6, 2)


def test_output_padding_puts_zeros_behind_the_images_as_mindspore_does() -> None:
    plain, more = (nn.Conv2dTranspose(2, 3, 3, 2, "pad", 1, extra, weight_init="ones") for extra in (0, 1))
    x = Tensor(draw(1, 2, 2, 2))
    np.testing.assert_array_equal(more(x).asnumpy(), np.pad(plain(x).asnumpy(), ((0, 0), (0, 0), (0, 1), (0, 1))))
    with pytest.raises(ContextError, match="needs pad_mode 'pad'"):
        nn.Conv2dTranspose(2, 3, 3, 2, "same", 0, 1)


POOLS: list[tuple[nn.Cell, Callable[..., Any], tuple[int, ...]]] = [
    (nn.MaxPool1d(3, 2, "pad", 1), lambda x: F.max_pool1d(x, 3, 2, 1), (2, 3, 7)),
    (nn.AvgPool1d(3, 2, "pad", 1), lambda x: F.avg_pool1d(x, 3, 2, 1), (2, 3, 7)),
    (nn.MaxPool2d(3, 2, "pad", 1), lambda x: F.max_pool2d(x, 3, 2, 1), (2, 3, 5, 6)),
    (nn.AvgPool2d(3, 2, "pad", 1), lambda x: F.avg_pool2d(x, 3, 2, 1), (2, 3, 5, 6)),
    (nn.MaxPool3d(2, 2), lambda x: F.max_pool3d(x, 2, 2), (2, 3, 4, 5, 6)),
    (nn.AvgPool3d(2, 1), lambda x: F.avg_pool3d(x, 2, 1), (2, 3, 4, 3, 2)),
    (nn.AdaptiveAvgPool1d(3), lambda x: F.adaptive_avg_pool1d(x, 3), (2, 3, 7)),
    (nn.AdaptiveAvgPool2d((None, 3)), lambda x: F.adaptive_avg_pool2d(x, (None, 3)), (2, 3, 5, 8)),
    (nn.AdaptiveAvgPool2d(4), lambda x: F.adaptive_avg_pool2d(x, 4), (2, 3, 8, 3)),
    (nn.AdaptiveAvgPool3d((2, 1, 3)), lambda x: F.adaptive_avg_pool3d(x, (2, 1, 3)), (2, 2, 5, 4, 3)),
]


@pytest.mark.parametrize(("cell", "theirs", "shape"), POOLS, ids=lambda x: type(x).__name__)
def test_a_pooling_equals_torch(cell: nn.Cell, theirs: Callable[..., Any], shape: tuple[int, ...]) -> None:
    agree(cell, theirs, draw(*shape))


def test_what_a_pooling_cannot_do_is_said() -> None:
    with pytest.raises(NotYetError, match="no return_indices"):
        nn.MaxPool3d(2, return_indices=True)
    with pytest.raises(RuleError, match="give 2 numbers"):
        ops.adaptive_avg_pool2d(Tensor(draw(1, 1, 2, 2)), (1, 1, 1))


def test_group_norm_equals_torch() -> None:
    cell = nn.GroupNorm(2, 4, gamma_init="normal", beta_init="normal")
    gamma, beta = weights_of(cell)
    agree(cell, lambda x: F.group_norm(x, 2, gamma, beta, 1e-5), draw(3, 4, 5, 2))
    with pytest.raises(ContextError, match="3 groups do not divide 4 channels"):
        nn.GroupNorm(3, 4)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_instance_norm_equals_torch_and_its_moving_statistics_follow(dims: int) -> None:
    cell = getattr(nn, f"InstanceNorm{dims}d")(4, gamma_init="normal")
    theirs = getattr(torch.nn, f"InstanceNorm{dims}d")(4, affine=True, track_running_stats=False)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(cell.gamma.asnumpy()))
    x = draw(2, 4, *(3, 5, 2)[:dims])
    agree(cell, theirs, x)
    tracked = getattr(torch.nn, f"InstanceNorm{dims}d")(4, track_running_stats=True)
    tracked(torch.tensor(x))
    cell.set_train()
    cell(Tensor(x))
    np.testing.assert_allclose(cell.moving_mean.asnumpy(), tracked.running_mean.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(cell.moving_variance.asnumpy(), tracked.running_var.numpy(), rtol=1e-5)


def test_leaky_relu_keeps_a_part_of_what_is_below_zero() -> None:
    assert nn.LeakyReLU(0.5)(Tensor([-2.0, 3.0])).tolist() == [-1.0, 3.0]
    assert nn.LeakyReLU()(Tensor([-10.0])).tolist() == [-2.0]


def test_a_cell_dict_holds_cells_under_names() -> None:
    held = nn.CellDict({"a": nn.Dense(2, 3)})
    held.update([("b", nn.ReLU())])
    assert list(held) == ["a", "b"]
    assert "a" in held
    assert [p.name for p in held.trainable_params()] == ["a.weight", "a.bias"]
    assert held["b"](held["a"](Tensor(draw(4, 2)))).shape == (4, 3)
    assert [name for name, _ in held.items()] == list(held.keys())
    assert held.pop("a") not in list(held.values())
    with pytest.raises(DTypeError, match="not int under 'c'"):
        held["c"] = 1
    with pytest.raises(CellAttributeError, match="has a dot"):
        held["c.d"] = nn.ReLU()


WHOLE, WEIGHT = draw(8, 3, 2, 2), draw(8, 3, 2, 2)


def of_batch(norm: nn.Cell, rank: int, ranks: int) -> list[Array]:
    """Normalize a rank's part of the batch; return it, the gradients by gamma and by x, and the moving statistics."""
    norm.set_train()
    mine = slice(rank * 8 // ranks, (rank + 1) * 8 // ranks)
    x, w = Tensor(WHOLE[mine]), Tensor(WEIGHT[mine])

    def loss(x: Tensor) -> tuple[Tensor, Tensor]:
        made = norm(x)
        return (made * made * w).sum(), made

    (_, made), (by_x, (by_gamma,)) = ms.value_and_grad(loss, 0, [norm.gamma], has_aux=True)(x)
    return [t.asnumpy() for t in (made, by_x, by_gamma, norm.moving_mean, norm.moving_variance)]


def test_sync_batch_norm_over_ranks_is_batch_norm_of_the_whole_batch() -> None:
    made, by_x, by_gamma, mean, variance = of_batch(nn.BatchNorm2d(3), 0, 1)

    def program() -> list[Array]:
        ms.communication.init()
        ms.set_auto_parallel_context(parallel_mode="data_parallel")
        return of_batch(nn.SyncBatchNorm(3), ms.communication.get_rank(), 4)

    every = run_threads(4, program)
    near: Any = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(np.concatenate([r[0] for r in every]), made, **near)
    np.testing.assert_allclose(np.concatenate([r[1] for r in every]), by_x, **near)
    np.testing.assert_allclose(sum(r[2] for r in every), by_gamma, **near)
    for _, _, _, own_mean, own_variance in every:
        np.testing.assert_allclose(own_mean, mean, **near)
        np.testing.assert_allclose(own_variance, variance, **near)
