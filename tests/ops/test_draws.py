"""Random tensors: their distributions, what changes them, and how they are cut; and tensors made of their indices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simpar import Layout, Tensor, float64, int32, int64, jit, mint, ops, set_seed, uint8
from simpar.errors import RuleError

torch = pytest.importorskip("torch")

COUNT = 40000


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [
        (lambda: ops.UniformReal(1)((COUNT,)), 1 / 2, 1 / 12),
        (lambda: ops.StandardNormal(1)((COUNT,)), 0, 1),
        (lambda: ops.StandardLaplace(1)((COUNT,)), 0, 2),
        (lambda: ops.gamma((COUNT,), Tensor(3.0), Tensor(2.0), seed=1), 3 / 2, 3 / 4),
        (lambda: ops.UniformInt(1)((COUNT,), 0, 10), 4.5, 99 / 12),
        (lambda: ops.uniform((COUNT,), 2.0, 4.0, seed=1), 3, 4 / 12),
        (lambda: mint.normal(Tensor(np.full(COUNT, 5, np.float32)), 2.0), 5, 4),
        (lambda: ops.bernoulli(Tensor(np.zeros(COUNT, np.float32)), 0.3, seed=1), 0.3, 0.21),
    ],
)
def test_a_distribution_has_its_mean_and_variance(draw: Callable[[], Tensor], mean: float, variance: float) -> None:
    drawn = draw().asnumpy().astype(np.float64)
    error = 5 * (variance / COUNT) ** 0.5
    assert abs(drawn.mean() - mean) < error
    assert abs(drawn.var() - variance) < 0.05 * variance
    assert np.isfinite(drawn).all()


def test_two_draws_differ_and_a_seed_repeats_a_program() -> None:
    set_seed(5)
    first, second = ops.rand(4), ops.rand(4)
    assert first.tolist() != second.tolist()
    set_seed(5)
    assert ops.rand(4).tolist() == first.tolist()


def test_each_step_draws_anew() -> None:
    @jit
    def noisy(x: Tensor) -> Tensor:
        return x + ops.UniformReal()((4,))

    x = Tensor(np.zeros(4, np.float32))
    assert noisy(x).tolist() != noisy(x).tolist()


def test_orders_hold_every_number_once() -> None:
    drawn = ops.randperm(50, dtype=int32)
    assert drawn.dtype == int32
    assert sorted(drawn.tolist()) == list(range(50))
    assert drawn.tolist() != list(range(50))
    x = Tensor(np.arange(12).reshape(6, 2))
    assert sorted(ops.shuffle(x, 3).tolist()) == x.tolist()


def test_candidates_are_different_and_none_is_true() -> None:
    true = Tensor(np.array([[0, 1], [2, 3]]), int64)
    sampled, expected_true, expected = ops.UniformCandidateSampler(2, 6, True, 10, 1, True)(true)
    assert sorted(sampled.tolist()) == [4, 5, 6, 7, 8, 9]
    assert expected_true.shape == (2, 2)
    assert 0 < expected.tolist()[0] < 1
    _, each, _ = ops.uniform_candidate_sampler(true, 2, 5, False, 20)
    assert each.tolist() == [[0.25, 0.25], [0.25, 0.25]]


def test_more_different_candidates_than_there_are_are_refused() -> None:
    with pytest.raises(RuleError, match="6 different classes are drawn of 4"):
        ops.UniformCandidateSampler(1, 6, True, 4)(Tensor([[1]]))
    with pytest.raises(RuleError, match="of which 2 are excluded: 2 are left"):
        ops.UniformCandidateSampler(2, 3, True, 4, 1, True)(Tensor([[1, 2]]))


def test_places_are_chosen_where_a_mask_is_true() -> None:
    mask = np.zeros((4, 5), bool)
    mask[1, 2] = mask[3, 0] = True
    places, found = ops.RandomChoiceWithMask(3, 1)(Tensor(mask))
    assert sorted(places.tolist()) == [[0, 0], [1, 2], [3, 0]]
    assert found.tolist() == [True, True, False]


def test_a_mask_made_apart_is_dropped_by() -> None:
    x = Tensor(np.ones((50, 40), np.float32))
    mask = ops.DropoutGenMask(1, 2)(ops.Shape()(x), 0.75)
    assert (mask.shape, mask.dtype) == ((256,), uint8)  # 2000 bits, filled up to 2048
    made = ops.DropoutDoMask()(x, mask, Tensor(0.75)).asnumpy()
    assert set(np.unique(made)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((made != 0).mean() - 0.75) < 0.05


def test_whole_channels_are_dropped() -> None:
    made = ops.dropout2d(Tensor(np.ones((8, 8, 3, 3), np.float32)), 0.5).asnumpy().reshape(64, 9)
    assert set(made.min(axis=1)) == set(made.max(axis=1)) == {0.0, 2.0}
    with pytest.raises(RuleError, match="from 0 to 1"):
        ops.dropout2d(Tensor([[1.0]]), 1.5)


def test_a_strategy_cuts_the_result() -> None:
    assert ops.UniformReal().shard(((2, 4),)).in_strategy == ((), (2,), (4,))
    assert ops.LinSpace().shard(((4,),)).in_strategy == ((), (), (4,))
    layout = Layout((2, 4), ("dp", "mp"))("mp", "None")
    given = ops.Eye().shard((layout,)).in_strategy
    assert given is not None
    assert [lay.tensor_map for lay in given if not isinstance(lay, tuple)] == [(0,), (-1,)]
    assert ops.DropoutExt().shard(((2, 1),)).in_strategy == ((2, 1), (), ())


def test_a_seeded_dropout_drops_the_same_each_time() -> None:
    x = Tensor(np.ones((16, 16), np.float32))
    drop = ops.DropoutExt()
    made = [drop(x, 0.5, seed, offset)[0].asnumpy() for seed, offset in ((1, 2), (1, 2), (2, 2), (1, 3))]
    assert set(np.unique(made[0])) == {0.0, 2.0}
    assert (made[0] == made[1]).all()
    assert (made[0] != made[2]).any()
    assert (made[0] != made[3]).any()
    assert (drop(x, 0.5)[0].asnumpy() != drop(x, 0.5)[0].asnumpy()).any()


# --- made of indices ---

MADE: list[tuple[str, Any, Any]] = [
    ("arange", ops.Arange()(1, 9, 2), torch.arange(1, 9, 2)),
    ("arange of floats", ops.Arange()(1.0, 0.0, -0.25), torch.arange(1.0, 0.0, -0.25)),
    ("range", ops.range(Tensor(0, int32), Tensor(6, int32), Tensor(4, int32)), torch.tensor([0, 4], dtype=torch.int32)),
    ("linspace", ops.linspace(-1, 2, 7), torch.linspace(-1, 2, 7)),
    ("one number", ops.linspace(3, 9, 1), torch.linspace(3, 9, 1)),
    ("logspace", ops.logspace(0, 3, 4), torch.logspace(0, 3, 4)),
    ("eye", ops.eye(3, 4), torch.eye(3, 4)),
    ("tril", ops.tril(Tensor(np.ones((3, 4), np.float32)), -1), torch.tril(torch.ones(3, 4), -1)),
    ("triu", mint.triu(Tensor(np.ones((2, 3, 4), np.float32)), 1), torch.triu(torch.ones(2, 3, 4), 1)),
    ("fill", ops.fill(float64, (2, 3), 7), torch.full((2, 3), 7.0, dtype=torch.float64)),
    ("fills", ops.fills(Tensor([1, 2]), 5), torch.tensor([5, 5])),
    ("FillV2", ops.FillV2()((2,), Tensor(1.5)), torch.tensor([1.5, 1.5])),
    ("Zeros", ops.Zeros()((2,)), torch.zeros(2)),
]


@pytest.mark.parametrize(("made", "expected"), [m[1:] for m in MADE], ids=[m[0] for m in MADE])
def test_a_tensor_made_of_its_indices_is_torchs(made: Tensor, expected: Any) -> None:
    assert made.dtype.name == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_allclose(made.asnumpy(), expected.numpy(), rtol=1e-6)


def test_steps_that_lead_nowhere_are_refused() -> None:
    with pytest.raises(RuleError, match="from 0 to 4 in steps of -1 leads nowhere"):
        ops.range(0, 4, -1)
    with pytest.raises(RuleError, match="give 1 or more"):
        ops.linspace(0, 1, 0)
    with pytest.raises(RuleError, match=r"give bounds that are 1 to 2\*\*32 apart"):
        ops.randint(3, 3, (2,))


# --- what is asked of tensors ---


def test_shape_type_rank_and_size_are_plain_values() -> None:
    x = Tensor(np.ones((2, 3), np.float32))
    assert (ops.shape(x), ops.Shape()(x), ops.rank(x), ops.Rank()(x), ops.size(x)) == ((2, 3), (2, 3), 2, 2, 6)
    assert ops.dtype(x) is ops.DType()(x) is x.dtype
    assert ops.scalar_to_tensor(2, int32).dtype == int32
    assert ops.TupleToArray()((1, 2)).dtype == int64


def test_the_flag_of_overflow_is_never_set() -> None:
    flag = ops.NPUAllocFloatStatus()()
    assert ops.NPUGetFloatStatus()(ops.NPUClearFloatStatus()(flag)).sum().item() == 0
