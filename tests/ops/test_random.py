import numpy as np
import pytest

from simpar import ops
from simpar.context import Context, entered, set_seed
from simpar.graph import Trace, lookup, tracing
from simpar.tensor import Tensor
from tests.ops.gradients import check_gradient


def test_dropout_keeps_a_part_and_divides_it_by_its_probability() -> None:
    y = ops.dropout(Tensor(np.ones((200, 100), "f4")), p=0.25).asnumpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 0.01


def test_dropout_outside_of_training_changes_nothing() -> None:
    x = Tensor([1.0, 2.0])
    assert ops.dropout(x, training=False) is x


def test_masks_of_slices_are_slices_of_the_mask() -> None:
    kernel = lookup("dropout").kernel
    assert kernel is not None
    attrs = {"seed": 3, "stream": 5, "keep_prob": 0.5}
    x, step = np.ones((6, 8), "f4"), np.asarray(9)
    whole = kernel(x, step, **attrs)
    part = kernel(x[2:4, 4:], step, box=((2, 4), (4, 8)), shape=(6, 8), **attrs)
    for ours, full in zip(part, whole, strict=True):
        assert np.array_equal(ours, full[2:4, 4:])


def test_each_step_and_each_dropout_has_a_mask_of_its_own() -> None:
    kernel = lookup("dropout").kernel
    assert kernel is not None
    masks = [
        kernel(np.ones(64, "f4"), np.asarray(step), seed=0, stream=stream, keep_prob=0.5)[1].tobytes()
        for step in (0, 1)
        for stream in (0, 1)
    ]
    assert len(set(masks)) == 4


def test_equal_seeds_give_equal_masks() -> None:
    made: list[list[float]] = []
    for _ in range(2):
        with entered(Context()):
            set_seed(11)
            made.append(ops.dropout(Tensor(np.ones(64, "f4"))).tolist())
    assert made[0] == made[1]


def test_gradient_of_dropout_agrees_with_differences() -> None:
    rng = np.random.default_rng(0)
    check_gradient("dropout", [rng.standard_normal((3, 4)), np.asarray(2)], seed=1, stream=0, keep_prob=0.5)


def test_a_traced_dropout_reads_the_step() -> None:
    trace = Trace()
    with tracing(trace):
        x = Tensor.wrap(trace.argument((4,), Tensor([0.0]).dtype, "x"))
        y, mask = ops.Dropout(keep_prob=0.9)(x)
    assert [a.name for a in trace.graph([]).arguments] == ["x", "step"]
    assert y.shape == mask.shape == (4,)


def test_strategy_of_dropout_is_for_its_input() -> None:
    assert ops.Dropout().shard(((2, 1),)).in_strategy == ((2, 1), ())


def test_dropout_of_more_than_all_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        ops.dropout(Tensor([1.0]), p=1.5)
