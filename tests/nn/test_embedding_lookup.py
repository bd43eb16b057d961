"""Tables of features, slopes and norms: against PyTorch or the definition, and cut over ranks against one."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import nn, ops
from simpar.collectives import run_threads
from simpar.common.initializer import initializer
from simpar.compile import compile_function
from simpar.errors import ContextError, LayoutError, StrategyError
from simpar.tensor import Tensor

RNG = np.random.default_rng(0)
TABLE = RNG.standard_normal((16, 8)).astype(np.float32)
NUMBERS = RNG.integers(0, 16, (8, 5)).astype(np.int32)
WEIGHTS = RNG.random((8, 5)).astype(np.float32)
WEIGHTS[:, 3:] *= RNG.integers(0, 2, (8, 2))  # padding
FIELDS = RNG.integers(0, 3, (8, 5)).astype(np.int32)


def by_field(operator: str) -> Any:
    out = np.zeros((8, 4, 8), np.float32)
    for n in range(8):
        for f in range(4):
            rows = (TABLE[NUMBERS[n]] * WEIGHTS[n][:, None])[FIELDS[n] == f]
            weights = WEIGHTS[n][FIELDS[n] == f]
            if weights.any():
                mean = rows.sum(axis=0) / weights.sum()
                out[n, f] = {"SUM": rows.sum(axis=0), "MEAN": mean, "MAX": rows[weights > 0].max(axis=0)}[operator]
    return out


def multi(operator: str, mode: str = "batch_slice") -> nn.Cell:
    return nn.MultiFieldEmbeddingLookup(16, 8, 4, Tensor(TABLE), slice_mode=mode, operator=operator)


@pytest.mark.parametrize("operator", ["SUM", "MEAN", "MAX"])
def test_rows_are_joined_field_by_field(operator: str) -> None:
    made = multi(operator)(Tensor(NUMBERS), Tensor(WEIGHTS), Tensor(FIELDS))
    np.testing.assert_allclose(made.asnumpy(), by_field(operator), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["batch_slice", "table_row_slice", "table_column_slice"])
def test_every_slice_mode_trains_as_one_device(mode: str) -> None:
    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.lookup = multi("SUM", mode)

        def construct(self, numbers: Tensor, weights: Tensor, fields: Tensor) -> Tensor:
            y = self.lookup(numbers, weights, fields)
            return (y * y).mean()

    def train(partitioned: bool) -> Any:
        kind = "semi_auto_parallel" if partitioned else "stand_alone"
        ms.set_auto_parallel_context(parallel_mode=kind, full_batch=partitioned)
        net = Net()
        step = nn.TrainOneStepCell(net, nn.Adam(net.trainable_params(), 0.1))
        losses = [float(step(Tensor(NUMBERS), Tensor(WEIGHTS), Tensor(FIELDS))) for _ in range(3)]
        return losses, net.lookup.embedding_table.shape, ms.parallel.full_tensor(net.lookup.embedding_table).asnumpy()

    losses, _, whole = train(False)
    found = run_threads(4, train, True)[0]
    np.testing.assert_allclose(found[0], losses, rtol=1e-4)
    np.testing.assert_allclose(found[2], whole, rtol=1e-4, atol=1e-5)
    assert found[1] == {"batch_slice": (16, 8), "table_row_slice": (4, 8), "table_column_slice": (16, 2)}[mode]


def test_fields_are_looked_up_where_their_rows_are() -> None:
    numbers = np.stack([RNG.integers(4 * f, 4 * f + 4, 8) for f in range(4)], axis=1).astype(np.int32)

    def train(ranks: int) -> Any:
        kind = "semi_auto_parallel" if ranks > 1 else "stand_alone"
        ms.set_auto_parallel_context(parallel_mode=kind, full_batch=ranks > 1)
        net = nn.EmbeddingLookup(16, 8, Tensor(TABLE), slice_mode="field_slice", manual_shapes=(4, 4, 4, 4))
        optimizer = nn.SGD(net.trainable_params(), 0.1)
        gradients_of = ms.value_and_grad(lambda x: ops.mean(ops.square(net(x))), None, net.trainable_params())

        @ms.jit
        def step(x: Tensor) -> Tensor:
            loss, gradients = gradients_of(x)
            optimizer(gradients)
            return loss

        losses = [float(step(Tensor(numbers))) for _ in range(3)]
        plan: Any = compile_function(net.construct, (Tensor(numbers),), net).plan
        moved = [i.op for i in plan.instructions if i.collective]
        return losses, np.array(net.embedding_table.asnumpy()), moved

    ((losses, whole, _),) = run_threads(1, train, 1)
    ranks = run_threads(4, train, 4)
    np.testing.assert_allclose(ranks[0][0], losses, rtol=1e-5)
    np.testing.assert_allclose(np.concatenate([table for _, table, _ in ranks]), whole, rtol=1e-5)
    assert ranks[0][2] == ["all_gather"]  # the result, for the caller


UNEQUAL = (10, 20, 30, 4)
STARTS = np.cumsum((0, *UNEQUAL[:-1]))
OF_FIELDS = np.stack([RNG.integers(s, s + n, (6, 2)) for s, n in zip(STARTS, UNEQUAL, strict=True)], axis=1)
BY_FIELD = OF_FIELDS.reshape(6, 8).astype(np.int32)
SHARDS = {"enable_parallel_optimizer": True, "parallel_optimizer_config": {"parallel_optimizer_threshold": 0}}


class Lookup(nn.Cell):
    """Looks up rows of fields that have 10, 20, 30 and 4 rows."""

    def __init__(self, strategy: Any) -> None:
        super().__init__()
        self.table = ms.Parameter(initializer("normal", (64, 8), ms.float32), name="table")
        self.gather = ops.Gather()
        if strategy is not None:
            self.gather.shard(strategy).add_prim_attr("manual_split", UNEQUAL)

    def construct(self, numbers: Tensor) -> Tensor:
        return ops.mean(ops.square(self.gather(self.table, numbers, 0)))


def train_lookup(strategy: Any = None, options: Any = None) -> Any:
    ms.set_seed(1)
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, **(options or {}))
    net = Lookup(strategy)
    optimizer = nn.Adam(net.trainable_params(), 0.1)
    gradients_of = ms.value_and_grad(net, None, net.trainable_params())

    @ms.jit
    def step(numbers: Tensor) -> Tensor:
        loss, gradients = gradients_of(numbers)
        optimizer(ops.clip_by_global_norm(gradients, 0.5))
        return loss

    losses = [float(step(Tensor(BY_FIELD))) for _ in range(3)]
    held = net.table.asnumpy().shape, optimizer.moment1[0].asnumpy().shape
    return losses, held, ms.parallel.full_tensor(net.table).asnumpy()


@pytest.mark.parametrize(
    ("ranks", "strategy", "options", "rows"),
    [
        (4, ((4, 1), (1, 4)), {}, UNEQUAL),
        (8, ((4, 2), (1, 4)), {}, UNEQUAL),
        (8, ((4, 1), (2, 4)), {}, UNEQUAL),
        (8, ((4, 1), (2, 4)), SHARDS, UNEQUAL),
        (2, ((2, 1), (1, 2)), {}, (30, 34)),
    ],
)
def test_fields_need_not_be_equally_long(ranks: int, strategy: Any, options: Any, rows: Any) -> None:
    ((losses, _, whole),) = run_threads(1, train_lookup)
    found = run_threads(ranks, train_lookup, strategy, options)
    np.testing.assert_allclose(found[0][0], losses, rtol=1e-5)
    np.testing.assert_allclose(found[-1][2], whole, rtol=1e-4, atol=1e-6)
    columns, each = 8 // strategy[0][1], ranks // len(rows)
    assert [held for _, held, _ in found] == [((rows[r // each], columns),) * 2 for r in range(ranks)]


def test_fields_may_be_cut_by_layouts() -> None:
    layout = ms.Layout((4, 2), ("field", "column"))
    strategy = layout("field", "column"), layout("None", "field")
    ((losses, _, whole),) = run_threads(1, train_lookup)
    found = run_threads(8, train_lookup, strategy)
    np.testing.assert_allclose(found[0][0], losses, rtol=1e-5)
    np.testing.assert_allclose(found[-1][2], whole, rtol=1e-4, atol=1e-6)
    assert [held[0] for _, held, _ in found[::2]] == [(n, 4) for n in UNEQUAL]


def test_a_table_of_unequal_fields_begins_with_the_bits_of_one_device() -> None:
    def begin(strategy: Any) -> Any:
        ms.set_seed(1)
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        net = Lookup(strategy)
        net.compile(Tensor(BY_FIELD))
        return net.table.asnumpy()

    (whole,) = run_threads(1, begin, None)
    np.testing.assert_array_equal(np.concatenate(run_threads(4, begin, ((4, 1), (1, 4)))), whole)


def test_a_plan_of_unequal_fields_has_the_bytes_of_each_rank() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=4, global_rank=2, full_batch=True)
    net = Lookup(((4, 1), (1, 4)))
    plan: Any = compile_function(net.construct, (Tensor(BY_FIELD),), net).plan
    assert [(p.value.slice_shape, p.value.nbytes) for p in plan.parameters] == [((30, 8), 960)]
    assert net.parameter_layout_dict["table"][:5] == ([4], [0, -1], [30, 8], 0, False)


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        ((4, 4), StrategyError, "make up the 16 rows"),
        (((8, 0), (8, 4)), StrategyError, "follow each other"),
        ("all", StrategyError, "manual_split is 'all'"),
    ],
)
def test_fields_that_do_not_fit_are_refused(rows: Any, error: type[Exception], words: str) -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=2, full_batch=True)
    gather = ops.Gather().shard(((2, 1), (1, 2))).add_prim_attr("manual_split", rows)
    with pytest.raises(error, match=words):
        compile_function(lambda t, n: gather(t, n, 0), (Tensor(TABLE), Tensor(NUMBERS[:, :4])), None)


def test_rows_longer_than_the_largest_norm_are_made_shorter() -> None:
    made = nn.EmbeddingLookup(16, 8, Tensor(TABLE), max_norm=2.0)(Tensor(NUMBERS)).asnumpy()
    norm = np.linalg.norm(TABLE[NUMBERS], axis=-1, keepdims=True)
    np.testing.assert_allclose(made, TABLE[NUMBERS] * np.minimum(1, 2.0 / norm), rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_prelu_has_the_slopes_of_pytorch(channels: int) -> None:
    torch = pytest.importorskip("torch")
    x = RNG.standard_normal((4, 3, 5)).astype(np.float32)
    slopes = np.linspace(0.1, 0.5, channels, dtype=np.float32)
    cell = nn.PReLU(channels, Tensor(slopes))
    expected = torch.nn.functional.prelu(torch.tensor(x), torch.tensor(slopes))
    np.testing.assert_allclose(cell(Tensor(x)).asnumpy(), expected, rtol=1e-6)
    assert [p.name for p in cell.trainable_params()] == ["a"]


@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_a_clipped_tensor_is_no_longer_than_asked(axis: Any) -> None:
    norm = np.sqrt((TABLE**2).sum(axis=axis, keepdims=True))
    made = nn.ClipByNorm(axis)(Tensor(TABLE), Tensor(3.0)).asnumpy()
    np.testing.assert_allclose(made, TABLE * np.minimum(1, 3.0 / norm), rtol=1e-5)


def test_what_does_not_fit_is_refused_in_words() -> None:
    with pytest.raises(ContextError, match="field_slice needs manual_shapes"):
        nn.EmbeddingLookup(16, 8, slice_mode="field_slice")
    with pytest.raises(ContextError, match="slice_mode is 'rows'"):
        nn.EmbeddingLookup(16, 8, slice_mode="rows")
    with pytest.raises(ContextError, match="choose SUM, MEAN or MAX"):
        multi("MIN")
    with pytest.raises(LayoutError, match="of one shape"):
        multi("SUM")(Tensor(NUMBERS), Tensor(WEIGHTS[:4]), Tensor(FIELDS))
    with pytest.raises(ContextError, match="one slope"):
        nn.PReLU(0)
