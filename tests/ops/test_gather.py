import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpar import ops
from simpar.dtype import float16, int32
from simpar.graph import lookup
from simpar.layout import assign_by_strategy
from simpar.tensor import Tensor
from tests.ops.gradients import check_gradient

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather_takes_slices_by_number(axis: int) -> None:
    table, ids = RNG.standard_normal((3, 4, 5)).astype("f4"), np.array([[0, 2], [1, 0]])
    assert np.array_equal(ops.gather(Tensor(table), Tensor(ids), axis).asnumpy(), np.take(table, ids, axis))


def test_gather_of_numbers_out_of_range_gives_zeros() -> None:
    table = np.ones((3, 2), "f4")
    assert ops.gather(Tensor(table), Tensor([-1, 3, 2])).tolist() == [[0, 0], [0, 0], [1, 1]]


def test_slices_of_a_table_answer_for_their_own_rows_and_add_up() -> None:
    table, ids = RNG.standard_normal((6, 4)).astype("f4"), np.array([5, 0, 3, 3])
    kernel = lookup("gather").kernel
    assert kernel is not None
    parts = [kernel(table[start : start + 2], ids, axis=0, offset=start) for start in (0, 2, 4)]
    assert np.array_equal(sum(parts), table[ids])


def test_device_matrix_of_gather_has_the_cuts_of_ids_first() -> None:
    rule = lookup("gather").bind(((8, 6), (4,)), {"axis": 0})
    made = assign_by_strategy(rule, ((2, 3), (2,)), 12)
    assert made.dev_mat == (2, 2, 3)
    assert made.operand(rule, 1).tensor_map == (2,)
    assert made.result(rule, 0).partial == (1,)


def test_gather_refuses_numbers_that_are_not_whole() -> None:
    with pytest.raises(TypeError, match="whole numbers"):
        ops.gather(Tensor([[1.0]]), Tensor([0.0]))


def test_gradient_of_gather_agrees_with_differences() -> None:
    check_gradient("gather", [RNG.standard_normal((4, 3)), np.array([[0, 3, 3], [7, -1, 3]])], axis=0)
    check_gradient("gather", [RNG.standard_normal((2, 4)), np.array([3, 1, 3])], axis=1)
    check_gradient("gather_grad", [RNG.standard_normal((3, 2)), np.array([1, 5, 1])], axis=0, rows=4)


@given(
    st.lists(st.integers(-2, 8), max_size=60),
    st.integers(0, 3),
)
def test_gather_grad_adds_every_mention_of_a_row(ids: list[int], offset: int) -> None:
    g = np.random.default_rng(len(ids)).standard_normal((len(ids), 3))
    expected = np.zeros((5, 3))
    for row, number in zip(g, ids, strict=True):
        if 0 <= number - offset < 5:
            expected[number - offset] += row
    kernel = lookup("gather_grad").kernel
    assert kernel is not None
    made = kernel(g, np.array(ids, "i4"), rows=5, axis=0, offset=offset)
    np.testing.assert_allclose(made, expected, atol=1e-12)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_one_hot_marks_the_class_of_each_number(axis: int) -> None:
    ids = np.array([[0, 2, 1], [2, 5, -1]])
    expected = np.moveaxis(np.where(ids[..., None] == np.arange(3), 1.0, 0.0), -1, axis)
    assert np.array_equal(ops.one_hot(Tensor(ids), 3, axis=axis).asnumpy(), expected)


def test_one_hot_has_the_values_and_type_it_is_given() -> None:
    made = ops.OneHot()(Tensor([1], int32), 2, Tensor(5.0, float16), Tensor(-1.0, float16))
    assert made.dtype == float16
    assert made.tolist() == [[-1, 5]]


def test_strategy_of_one_hot_cuts_indices_and_classes() -> None:
    op = ops.OneHot(axis=0).shard(((3, 2), (), ()))
    assert op.in_strategy == ((2,), (3,))
