"""Batch normalization: against PyTorch, and cut over ranks against one."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import nn
from simpar.collectives import run_threads
from simpar.context import PYNATIVE_MODE, Context
from simpar.errors import ContextError, LayoutError, RuleError
from simpar.tensor import Tensor

RNG = np.random.default_rng(5)
CELLS = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}


def torch_norm(axes: int, *args: Any, **options: Any) -> Any:
    torch = pytest.importorskip("torch")
    return getattr(torch.nn, {2: "BatchNorm1d", 3: "BatchNorm1d", 4: "BatchNorm2d", 5: "BatchNorm3d"}[axes])(
        *args, **options
    )


@pytest.mark.parametrize("shape", [(8, 3), (4, 3, 5), (4, 3, 2, 5), (2, 3, 2, 3, 2)], ids=str)
def test_training_and_evaluation_give_what_pytorch_gives(shape: tuple[int, ...], own_context: Context) -> None:
    torch = pytest.importorskip("torch")
    own_context.mode = PYNATIVE_MODE
    ours, theirs = CELLS[len(shape)](3, eps=1e-3, momentum=0.8), torch_norm(len(shape), 3, eps=1e-3, momentum=0.2)
    gamma, beta = RNG.standard_normal((2, 3)).astype(np.float32)
    ours.gamma.set_data(Tensor(gamma))
    ours.beta.set_data(Tensor(beta))
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(gamma))
        theirs.bias.copy_(torch.tensor(beta))
    ours.set_train()
    for _ in range(3):
        x = (RNG.standard_normal(shape) * 2 + 1).astype(np.float32)
        np.testing.assert_allclose(ours(Tensor(x)).asnumpy(), theirs(torch.tensor(x)).detach(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.moving_mean.asnumpy(), theirs.running_mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.moving_variance.asnumpy(), theirs.running_var, rtol=1e-5)
    ours.set_train(False)
    theirs.eval()
    x = RNG.standard_normal(shape).astype(np.float32)
    np.testing.assert_allclose(ours(Tensor(x)).asnumpy(), theirs(torch.tensor(x)).detach(), rtol=1e-4, atol=1e-5)


class Net(nn.Cell):
    def __init__(self, cuts: tuple[int, int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        n, c = cuts
        self.conv.conv2d.shard(((n, 1, 1, 1), (c, 1, 1, 1)))
        self.bn.bn_train.shard(((n, c, 1, 1), (c,), (c,), (c,), (c,)))

    def construct(self, x: Tensor) -> Tensor:
        y = self.bn(self.conv(x))
        return (y * y * y).mean()


@pytest.mark.parametrize("cuts", [(4, 1), (2, 2), (1, 4), (2, 1)], ids=str)
def test_a_cut_batch_is_normalized_as_a_whole_one(cuts: tuple[int, int]) -> None:
    def train(cuts: tuple[int, int]) -> list[Any]:
        ms.set_seed(1)
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        net = Net(cuts)
        step = nn.TrainOneStepCell(net, nn.Momentum(net.trainable_params(), 0.05, 0.9))
        step.set_train()
        x = Tensor(np.random.default_rng(0).standard_normal((8, 2, 4, 4)).astype(np.float32))
        losses = [float(step(x)) for _ in range(4)]
        return [np.array(losses), *(ms.parallel.full_tensor(p).asnumpy() for p in net.get_parameters())]

    for whole, cut in zip(train((1, 1)), run_threads(4, train, cuts)[0], strict=True):
        np.testing.assert_allclose(cut, whole, rtol=2e-4, atol=1e-5)


def test_parameters_have_mindspores_order_and_only_two_are_trained() -> None:
    cell = nn.BatchNorm2d(3)
    assert [p.name for p in cell.get_parameters()] == ["mean", "variance", "gamma", "beta"]
    assert [p.name for p in cell.trainable_params()] == ["gamma", "beta"]
    assert not nn.BatchNorm2d(3, affine=False).trainable_params()


def test_what_does_not_fit_is_refused_in_words() -> None:
    with pytest.raises(LayoutError, match=r"takes an input with \(4,\) axes"):
        nn.BatchNorm2d(3)(Tensor(np.zeros((2, 3), np.float32)))
    with pytest.raises(RuleError, match="one element for each of the channels"):
        nn.BatchNorm2d(3)(Tensor(np.zeros((2, 4, 5, 5), np.float32)))
    with pytest.raises(ContextError, match="momentum lies from 0 to 1"):
        nn.BatchNorm2d(3, momentum=2.0)
