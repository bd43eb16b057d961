"""Networks of these ops, cut over ranks that are threads, compute what one device computes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simpar import ops
from simpar.autodiff import grad, value_and_grad
from simpar.collectives import run_threads
from simpar.communication import create_group, get_rank, init
from simpar.compile import jit
from simpar.context import set_auto_parallel_context, set_context
from simpar.layout import Layout
from simpar.ops.operations import SplitWithSize
from simpar.parallel import Layout as Face
from simpar.parameter import Parameter
from simpar.tensor import Tensor

Array = NDArray[Any]
Made = tuple[float, list[tuple[Array, Layout | None]]]
RNG = np.random.default_rng(8)


def floats(*shape: int) -> Array:
    return RNG.standard_normal(shape).astype("f4")


def check_equal_to_one_device(program: Callable[[Any], Made], strategies: Any) -> None:
    """Compare the loss, and the slice of each gradient that each of 4 ranks holds."""
    value, gradients = program(None)

    def cut() -> Made:
        init()
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        return program(strategies)

    for rank, (loss, made) in enumerate(run_threads(4, cut)):
        np.testing.assert_allclose(loss, value, rtol=1e-5)
        for (ours, layout), (whole, _) in zip(made, gradients, strict=True):
            box = () if layout is None else layout.box(whole.shape, rank)
            expected = whole[tuple(slice(low, high) for low, high in box)]
            np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


def results(value: Tensor, gradients: tuple[Tensor, ...]) -> Made:
    return value.item(), [(g.asnumpy().copy(), g.layout) for g in gradients]


TABLE, WEIGHT = floats(16, 8), floats(8, 16)
IDS, LABELS = (RNG.integers(0, 16, (8, 4)).astype("i4") for _ in range(2))


def sequence_model(table_cut: Any) -> Made:
    """Look up, normalize, drop out, and compare with labels."""
    table, weight = Parameter(Tensor(TABLE), name="table"), Parameter(Tensor(WEIGHT), name="weight")
    gamma = Parameter(Tensor(np.ones(8, "f4")), name="gamma")
    beta = Parameter(Tensor(np.zeros(8, "f4")), name="beta")
    look_up, norm, drop = ops.Gather(), ops.LayerNorm(2, 2, 1e-5), ops.Dropout(0.8)
    if table_cut is not None:
        look_up.shard(table_cut)
        norm.shard(((2, 2, 1), (1,), (1,)))
        drop.shard(((2, 2, 1),))

    def loss(ids: Tensor, labels: Tensor) -> Tensor:
        h, _ = drop(norm(look_up(table, ids, 0), gamma, beta)[0])
        return ops.cross_entropy((h @ weight).reshape(-1, 16), labels.reshape(-1))

    weights = [table, weight, gamma, beta]
    return results(*value_and_grad(loss, None, weights)(Tensor(IDS), Tensor(LABELS)))


@pytest.mark.parametrize(
    "table_cut", [((4, 1), (1, 1)), ((2, 2), (1, 1)), ((2, 1), (2, 1)), ((1, 1), (2, 2)), ((1, 4), (1, 1))]
)
def test_a_sequence_model_is_the_same_under_every_cut_of_its_table(table_cut: Any) -> None:
    check_equal_to_one_device(sequence_model, table_cut)


IMAGES, KERNELS, GROUPED = floats(8, 4, 8, 8), floats(8, 4, 3, 3), floats(4, 4, 3, 3)


def image_model(cuts: Any) -> Made:
    """Convolve, pool, convolve in groups, pool."""
    kernels, grouped = Parameter(Tensor(KERNELS), name="kernels"), Parameter(Tensor(GROUPED), name="grouped")
    first, largest = ops.Conv2D(8, 3, pad_mode="same"), ops.MaxPool(2, 2)
    second, mean = ops.Conv2D(4, 3, pad_mode="pad", pad=1, stride=2, group=2), ops.AvgPool(2, 2)
    if cuts is not None:
        for op, cut in zip((first, largest, second), cuts, strict=True):
            op.shard(cut)

    def loss(x: Tensor) -> Tensor:
        return ops.square(mean(second(largest(first(x, kernels)), grouped))).mean()

    value, (by_input, by_weight) = value_and_grad(loss, 0, [kernels, grouped])(Tensor(IMAGES))
    return results(value, (by_input, *by_weight))


@pytest.mark.parametrize(
    "cuts",
    [
        (((4, 1, 1, 1), (1, 1, 1, 1)), ((4, 1, 1, 1),), ((4, 1, 1, 1), (1, 1, 1, 1))),
        (((2, 2, 1, 1), (1, 2, 1, 1)), ((4, 1, 1, 1),), ((2, 2, 1, 1), (2, 1, 1, 1))),
        (((1, 2, 1, 1), (2, 2, 1, 1)), ((1, 4, 1, 1),), ((1, 2, 1, 1), (2, 1, 1, 1))),
    ],
)
def test_an_image_model_is_the_same_under_every_cut_of_images_and_channels(cuts: Any) -> None:
    check_equal_to_one_device(image_model, cuts)


@pytest.mark.parametrize("mode", [0, 1])
def test_collectives_written_by_the_user_move_what_they_say(mode: int) -> None:
    slices = [np.arange(8, dtype="f4").reshape(4, 2) + 100 * rank for rank in range(4)]

    def moved() -> tuple[list[Array], list[Array]]:
        init()
        set_context(mode=mode)
        set_auto_parallel_context(parallel_mode="hybrid_parallel")
        collectives = (
            ops.AllReduce(),
            ops.AllReduce(ops.ReduceOp.MAX),
            ops.AllGather(),
            ops.ReduceScatter(),
            ops.AlltoAll(4, 0, 1),
        )
        x = Tensor(slices[get_rank()])
        values = [op(x).asnumpy() for op in collectives]
        return values, [grad(lambda x, op=op: (op(x) * op(x)).sum())(x).asnumpy() for op in collectives]

    total, gathered = np.add.reduce(slices), np.concatenate(slices)
    for rank, (values, gradients) in enumerate(run_threads(4, moved)):
        exchanged = np.concatenate([s[rank : rank + 1] for s in slices], axis=1)
        for ours, expected in zip(values, (total, slices[3], gathered, total[rank : rank + 1], exchanged), strict=True):
            assert np.array_equal(ours, expected)
        largest = 8 * slices[3] * (rank == 3)
        for ours, expected in zip(
            gradients, (8 * total, largest, 8 * slices[rank], 2 * total, 2 * slices[rank]), strict=True
        ):
            np.testing.assert_allclose(ours, expected)


def test_collectives_stay_within_their_group() -> None:
    def moved() -> tuple[float, float]:
        init()
        for group, ranks in (("even", [0, 2]), ("odd", [1, 3])):
            create_group(group, ranks)
        mine = "odd" if get_rank() % 2 else "even"
        x = Tensor([float(get_rank())])
        root = ops.Broadcast(get_rank() % 2 + 2, mine)
        return ops.AllReduce(group=mine)(x).item(), root((x,))[0].item()

    assert run_threads(4, moved) == [(2, 2), (4, 3), (2, 2), (4, 3)]


def vocabulary_model(cut: Any) -> Made:
    """Compare logits of a vocabulary that is cut: a largest and a sum over the ranks, and each rank's one-hot rows."""
    weight = Parameter(Tensor(WEIGHT), name="weight")
    product, hot = ops.MatMul(), ops.OneHot()
    if cut is not None:
        product.shard(((1, 1), (1, cut)))
        hot.shard(((1, cut), (), ()))

    def loss(h: Tensor, labels: Tensor) -> Tensor:
        logits = product(h, weight)
        top = ops.stop_gradient(logits.max(axis=-1, keepdims=True))
        total = ops.log(ops.exp(logits - top).sum(axis=-1)) + top.reshape(-1)
        return (total - (hot(labels, 16) * logits).sum(axis=-1)).mean()

    return results(*value_and_grad(loss, None, [weight])(Tensor(TABLE), Tensor(np.arange(16)[::-1].copy())))


def test_cross_entropy_of_a_cut_vocabulary_is_that_of_the_whole() -> None:
    expected = ops.cross_entropy(Tensor(TABLE @ WEIGHT), Tensor(np.arange(16)[::-1].copy()))
    np.testing.assert_allclose(vocabulary_model(None)[0], expected.item(), rtol=1e-5)
    check_equal_to_one_device(vocabulary_model, 4)


ROWS, SCALE = floats(8, 16), floats(16)


def gated_model(cut: Any) -> Made:
    """Normalize rows, add noise, gate by channels, and compare with the largest element."""
    weight, gamma = Parameter(Tensor(ROWS), name="weight"), Parameter(Tensor(SCALE), name="gamma")
    slopes = Parameter(Tensor(np.full(16, 0.25, "f4")), name="slopes")
    norm, noise, gate, top = ops.RmsNorm(), ops.UniformReal(3), ops.PReLU(), ops.ArgMaxWithValue(1)
    if cut is not None:
        norm.shard(cut)
        noise.shard(((2, 2),))
        gate.shard(((1, 4), (4,)))
        top.shard(((2, 2),))

    def loss(x: Tensor) -> Tensor:
        h = gate(norm(x * weight, gamma)[0] + noise((8, 16)), slopes)
        return (top(h)[1] + h.mean(1)).sum()

    return results(*value_and_grad(loss, None, [weight, gamma, slopes])(Tensor(ROWS)))


LAYOUT = Face((2, 2), ("dp", "mp"))
CUTS = {"rows": ((4, 1), (1,)), "inside of rows": (LAYOUT("dp", "mp"), LAYOUT("mp"))}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS.keys())
def test_norms_noise_and_gates_cut_anywhere_equal_one_device(cut: Any) -> None:
    check_equal_to_one_device(gated_model, cut)


PLACES = np.array([0, 1, 2, 1, 0, 2, 2, 1], "i4")


def attention_and_numbers(cuts: Any) -> Made:
    """Attend, sum segments, add rows to a table, take elements and the largest."""
    weight = Parameter(Tensor(TABLE[:8].repeat(2, 1)[:, :12]), name="weight")
    table = Parameter(Tensor(np.zeros((8, 12), "f4")), name="rows", requires_grad=False)
    attend, add, segments = ops.FlashAttentionScore(4, sparse_mode=2), ops.ScatterAdd(), ops.UnsortedSegmentSum()
    take, largest = ops.GatherD(), ops.TopK()
    if cuts is not None:
        for op, cut in zip((attend, add, segments, take, largest), cuts, strict=True):
            op.shard(cut)

    def loss(x: Tensor, ids: Tensor) -> Tensor:
        q = x @ weight
        y = attend(q, q, q)[3].reshape(8, 12)
        written = add(table, ids[:2], y[:2])
        made = (segments(y, ids, 3), written, take(y, 0, ops.stack((ids,) * 12, 1)), largest(y, 3)[0])
        return ops.addn([(m**2).sum() for m in made])

    return results(*value_and_grad(loss, None, (weight,))(Tensor(TABLE.reshape(4, 4, 8)[:2]), Tensor(PLACES)))


@pytest.mark.parametrize(
    "cuts",
    [
        (((1, 2, 2), (1, 1, 2), (1, 1, 2)), ((2, 1), (1,), (1, 1)), ((2, 2), (2,)), ((2, 2), (1, 2)), ((4, 1),)),
        (((2, 1, 2), (2, 1, 2), (2, 1, 2)), ((1, 4), (1,), (1, 4)), ((4, 1), (4,)), ((1, 2), (1, 2)), ((2, 1),)),
    ],
)
def test_attention_and_ops_by_number_cut_as_they_may_be_equal_one_device(cuts: Any) -> None:
    check_equal_to_one_device(attention_and_numbers, cuts)


@pytest.mark.parametrize("name", ["Argmax", "Argmin"])
@pytest.mark.parametrize("cut", [(2, 1, 2), (1, 2, 2), (1, 1, 4)])
def test_the_axis_that_is_searched_may_be_cut_for_it_is_joined_first(name: str, cut: tuple[int, ...]) -> None:
    x = floats(4, 6, 8)

    def found() -> tuple[Array, Layout | None]:
        init()
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        op = getattr(ops, name)(axis=-1).shard((cut,))
        made = jit(lambda given: op(given))(Tensor(x))
        return made.asnumpy(), made.layout

    whole = getattr(np, name.lower())(x, axis=-1)
    for rank, (made, layout) in enumerate(run_threads(4, found)):
        box = () if layout is None else layout.box(whole.shape, rank)
        np.testing.assert_array_equal(made, whole[tuple(slice(low, high) for low, high in box)])


def test_with_skip_redistribution_each_rank_splits_its_own_slice() -> None:
    x = floats(8, 4)

    def pieces() -> list[Array]:
        init()
        set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        op = SplitWithSize().shard(((2, 1),)).add_prim_attr("skip_redistribution", True)
        wide = ops.ReLU().shard(((1, 1),))
        return [y.asnumpy() for y in jit(lambda given: tuple(wide(p) for p in op(given, [6, 2], 0)))(Tensor(x))]

    for made in run_threads(4, pieces):
        np.testing.assert_array_equal(made[0], np.maximum(x[[0, 1, 2, 4, 5, 6]], 0))
        np.testing.assert_array_equal(made[1], np.maximum(x[[3, 7]], 0))
