"""Batch normalization: against PyTorch, and cut over ranks against one."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import nn
from simpar.collectives import run_threads
from simpar.context import PYNATIVE_MODE, Context
from simpar.errors import ContextError, LayoutError, NotYetError, RuleError
from simpar.parallel import full_tensor
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


def normalized_by_groups(size: int, parts: int) -> list[Any]:
    """Return result, gradients and moving statistics of a BatchNorm over groups of so many ranks."""
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    norm = nn.BatchNorm2d(3, momentum=0.5).set_train()
    norm.bn_train.add_prim_attr("group_size", size)
    norm.bn_train.shard(((parts, 1, 1, 1), (1,), (1,), (1,), (1,)))

    def loss(x: Tensor, w: Tensor) -> Any:
        made = norm(x)
        return (made * w).sum(), made

    step = ms.jit(ms.value_and_grad(loss, 0, [norm.gamma, norm.beta], has_aux=True))
    (_, made), (by_x, (by_gamma, by_beta)) = step(Tensor(IMAGES), Tensor(WEIGHTS))
    return [full_tensor(t).asnumpy() for t in (made, by_x, by_gamma, by_beta, norm.moving_mean, norm.moving_variance)]


IMAGES, WEIGHTS = (np.random.default_rng(k).standard_normal((8, 3, 2, 2)).astype("f4") for k in (4, 5))


@pytest.mark.parametrize(("size", "parts", "groups"), [(2, 4, 2), (1, 4, 4), (4, 4, 1), (2, 2, 2), (1, 2, 2)])
def test_group_size_says_over_how_many_ranks_statistics_are(size: int, parts: int, groups: int) -> None:
    torch = pytest.importorskip("torch")
    norms = [torch.nn.BatchNorm2d(3, momentum=0.5) for _ in range(groups)]
    x = torch.tensor(IMAGES, requires_grad=True)
    made = torch.cat([norm(rows) for norm, rows in zip(norms, x.chunk(groups), strict=True)])
    (made * torch.tensor(WEIGHTS)).sum().backward()
    moving = [sum(getattr(norm, name) for norm in norms) / groups for name in ("running_mean", "running_var")]
    by_gamma, by_beta = (sum(getattr(norm, of).grad for norm in norms) for of in ("weight", "bias"))
    expected = [torch.as_tensor(t).detach().numpy() for t in (made, x.grad, by_gamma, by_beta, *moving)]
    for found in run_threads(4, normalized_by_groups, size, parts):
        for own, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(own, wanted, rtol=1e-4, atol=1e-5)


def test_the_groups_of_a_sync_batch_norm_are_kept_where_one_program_is_cut() -> None:
    def program(groups: list[list[int]]) -> Any:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        norm = nn.SyncBatchNorm(3, process_groups=groups).set_train()
        assert norm.is_global
        assert norm.group_name is not None
        return full_tensor(norm(Tensor(IMAGES))).asnumpy()

    halves = [nn.BatchNorm2d(3).set_train()(Tensor(rows)).asnumpy() for rows in (IMAGES[:4], IMAGES[4:])]
    for made in run_threads(4, program, [[0, 1], [2, 3]]):
        np.testing.assert_allclose(made, np.concatenate(halves), rtol=1e-4, atol=1e-5)
    with pytest.raises(NotYetError, match="of ranks in succession"):
        run_threads(4, program, [[0, 2], [1, 3]])


def test_a_rank_is_in_one_group_of_a_sync_batch_norm() -> None:
    with pytest.raises(ContextError, match=r"\[0\] stand there twice"):
        nn.SyncBatchNorm(3, process_groups=[[0], [0]])
    alone = nn.SyncBatchNorm(3)
    assert (alone.is_global, alone.group_name) == (False, None)
