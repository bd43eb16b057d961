"""Taking, putting, ordering and slicing by number, against PyTorch, numpy and small examples."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simpar import Parameter, ops
from simpar.dtype import int64
from simpar.errors import RuleError
from simpar.ops import operations as P
from simpar.tensor import Tensor
from tests.ops.test_against_torch import gradients_of, random, torch_gradients_of

torch = pytest.importorskip("torch")

IDS = np.array([[2, 0], [1, 1], [0, 2], [2, 2]])
ROWS = np.array([[1], [0], [1]])
t = torch.tensor

CASES: list[tuple[str, Callable[..., Any], Callable[..., Any], list[Any]]] = [
    (
        "gather along an axis",
        lambda x: ops.gather_d(x, 1, Tensor(IDS)) ** 2,
        lambda x: torch.gather(x, 1, t(IDS)) ** 2,
        random((4, 3)),
    ),
    (
        "scatter along an axis",
        lambda x, y: ops.tensor_scatter_elements(x, Tensor(IDS[:, :1]), y, 1),
        lambda x, y: torch.scatter(x, 1, t(IDS[:, :1]), y),
        random((4, 3), (4, 1)),
    ),
    (
        "index_add",
        lambda x, y: ops.index_add(x, Tensor([1, 0, 1]), y, 0) ** 2,
        lambda x, y: torch.index_add(x, 0, t([1, 0, 1]), y) ** 2,
        random((2, 3), (3, 3)),
    ),
    (
        "tensor_scatter_add",
        lambda x, y: ops.tensor_scatter_add(x, Tensor(ROWS), y) ** 2,
        lambda x, y: torch.index_add(x, 0, t(ROWS[:, 0]), y) ** 2,
        random((2, 3), (3, 3)),
    ),
    (
        "tensor_scatter_max",
        lambda x, y: ops.tensor_scatter_max(x, Tensor(ROWS), y) ** 2,
        lambda x, y: torch.maximum(x, torch.stack((y[1], torch.maximum(y[0], y[2])))) ** 2,
        random((2, 3), (3, 3)),
    ),
    (
        "segment sum",
        lambda x: ops.unsorted_segment_sum(x, Tensor([1, 0, 1]), 2) ** 2,
        lambda x: torch.zeros(2, 3).index_add(0, t([1, 0, 1]), x) ** 2,
        random((3, 3)),
    ),
    (
        "masked_fill",
        lambda x: ops.masked_fill(x * x, x > 0, 3.0),
        lambda x: torch.masked_fill(x * x, x > 0, 3.0),
        random((4, 3)),
    ),
    (
        "embedding with a padding row",
        lambda w: ops.embedding(Tensor(IDS), w, padding_idx=1) ** 2,
        lambda w: torch.nn.functional.embedding(t(IDS), w, padding_idx=1) ** 2,
        random((3, 5)),
    ),
    ("topk", lambda x: ops.topk(x, 2, 0)[0] ** 2, lambda x: torch.topk(x, 2, 0)[0] ** 2, random((4, 3))),
    ("sort", lambda x: ops.sort(x, 0, True)[0] ** 2, lambda x: torch.sort(x, 0, True)[0] ** 2, random((4, 3))),
    ("flip", lambda x: ops.flip(x, (0, 1))[:2] ** 2, lambda x: torch.flip(x, (0, 1))[:2] ** 2, random((4, 3))),
    ("roll", lambda x: ops.roll(x, 2)[1:] ** 2, lambda x: torch.roll(x, 2)[1:] ** 2, random((4, 3))),
    (
        "repeat_interleave",
        lambda x: ops.repeat_interleave(x, [1, 2, 0, 3], 0) ** 2,
        lambda x: torch.repeat_interleave(x, t([1, 2, 0, 3]), 0) ** 2,
        random((4, 3)),
    ),
    (
        "tensor_split",
        lambda x: ops.tensor_split(x, 3)[0] ** 2,
        lambda x: torch.tensor_split(x, 3)[0] ** 2,
        random((7, 3)),
    ),
    ("unstack", lambda x: ops.unstack(x, 1)[2] ** 2, lambda x: torch.unbind(x, 1)[2] ** 2, random((4, 3))),
    (
        "pad",
        lambda x: ops.pad(x, (2, 1, 1, 2), value=3) ** 2,
        lambda x: torch.nn.functional.pad(x, (2, 1, 1, 2), value=3) ** 2,
        random((1, 4, 5)),
    ),
    *(
        (
            f"pad {mode}",
            lambda x, mode=mode: ops.pad(x, (2, 1), mode) ** 2,
            lambda x, mode=mode: torch.nn.functional.pad(x, (2, 1), mode) ** 2,
            random((1, 4, 5)),
        )
        for mode in ("reflect", "replicate", "circular")
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "arrays"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_values_and_gradients_equal_torch(ours: Any, theirs: Any, arrays: list[Any]) -> None:
    out, gradients = gradients_of(ours, arrays)
    expected, wanted = torch_gradients_of(theirs, arrays)
    np.testing.assert_allclose(out, expected, rtol=1e-6)
    for got, want in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_gather_of_many_tables_takes_rows_of_each() -> None:
    table, ids = np.arange(24.0, dtype=np.float32).reshape(2, 4, 3), np.array([[3, 0], [1, 9]])
    made = P.Gather(batch_dims=1)(Tensor(table), Tensor(ids), 1).asnumpy()
    np.testing.assert_array_equal(made, [[table[0, 3], table[0, 0]], [table[1, 1], np.zeros(3)]])


def test_segments_without_elements_hold_what_changes_nothing() -> None:
    x, ids = Tensor([2.0, 3.0]), Tensor([0, -1])
    assert ops.unsorted_segment_sum(x, ids, 2).tolist() == [2, 0]
    assert ops.unsorted_segment_prod(x, ids, 2).tolist() == [2, 1]
    assert ops.unsorted_segment_min(x, ids, 2).asnumpy()[1] == np.finfo(np.float32).max


def test_product_of_a_segment_with_zeros_has_the_gradient_of_the_others() -> None:
    ids = Tensor([0, 0, 1, 1, 1])
    _, (g,) = gradients_of(lambda x: ops.unsorted_segment_prod(x, ids, 2), [np.array([0, 3, 0, 0, 2], np.float32)])
    np.testing.assert_array_equal(g, [3, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (P.ScatterUpdate, [1, 6, 4]),
        (P.ScatterAdd, [1, 13, 4]),
        (P.ScatterSub, [1, -9, 4]),
        (P.ScatterMul, [1, 60, 4]),
        (P.ScatterDiv, [1, 2 / 30, 4]),
        (P.ScatterMax, [1, 6, 4]),
        (P.ScatterMin, [1, 2, 4]),
    ],
)
def test_rows_of_a_parameter_are_written_with_all_repeats(way: Any, expected: list[float]) -> None:
    held = Parameter(Tensor([1.0, 2.0, 4.0]), name="w")
    way()(held, Tensor([1, 1]), Tensor([5.0, 6.0]))
    np.testing.assert_allclose(held.asnumpy(), expected, rtol=1e-6)


def test_elements_of_a_parameter_are_written_where_the_last_axis_tells() -> None:
    held = Parameter(Tensor([[1.0, 2.0], [3.0, 4.0]]), name="w")
    ops.scatter_nd_add(held, Tensor([[0, 1]]), Tensor([5.0]))
    assert held.asnumpy().tolist() == [[1, 7], [3, 4]]
    assert P.InplaceSub((1,))(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[1.0, 1.0]])).tolist() == [[1, 2], [2, 3]]


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        ({}, (2, 1, 2)),
        ({"begin_mask": 2}, (2, 2, 2)),
        ({"end_mask": 3}, (3, 3, 2)),
        ({"shrink_axis_mask": 2}, (2, 2)),
        ({"new_axis_mask": 1}, (1, 1, 2, 5)),
        ({"ellipsis_mask": 1}, (3, 1, 2)),
    ],
)
def test_the_masks_of_a_strided_slice(masks: dict[str, int], expected: tuple[int, ...]) -> None:
    x = Tensor(np.arange(60.0, dtype=np.float32).reshape(3, 4, 5))
    made = P.StridedSlice(**masks)(x, (0, 1, 0), (2, 2, 2), (1, 1, 1))
    assert made.shape == expected


def test_slices_and_pieces_as_objects() -> None:
    x = Tensor(np.arange(12.0).reshape(3, 4))
    assert P.Slice()(x, (1, 0), (-1, 2)).tolist() == [[4, 5], [8, 9]]
    assert P.SliceExt()(x, 1, 0, 4, 2).shape == (3, 2)
    assert [p.shape for p in P.SplitV((1, -1), 1, 2)(x)] == [(3, 1), (3, 3)]
    assert [p.shape for p in P.SplitTensor()(x, 3, 1)] == [(3, 3), (3, 1)]
    assert P.PadV3()(x, (0, 1), 9.0).asnumpy()[0].tolist() == [0, 1, 2, 3, 9]
    assert P.Unstack(axis=1)(x)[3].tolist() == [3, 7, 11]


def test_results_whose_size_values_tell_where_there_are_values() -> None:
    values, numbers = P.Unique()(Tensor([5, 2, 5, 1]))
    assert (values.tolist(), numbers.tolist(), numbers.dtype) == ([5, 2, 1], [0, 1, 0, 2], int64)
    assert ops.unique(Tensor([[5.0, 2.0], [5.0, 1.0]]))[1].tolist() == [[0, 1], [0, 2]]
    assert P.NonZero()(Tensor([[0, 2], [5, 0]])).tolist() == [[0, 1], [1, 0]]
    assert [t.tolist() for t in ops.nonzero(Tensor([0, 3, 4]), as_tuple=True)] == [[1, 2]]
    x = Tensor(np.arange(6).reshape(2, 3))
    assert P.MaskedSelect()(x, Tensor([True, False, True])).tolist() == [0, 2, 3, 5]
    assert ops.masked_select(x, x > 9).shape == (0,)


def test_padding_with_more_than_there_is_names_the_numbers() -> None:
    with pytest.raises(RuleError, match="length 2 by 0 and 2"):
        ops.pad(Tensor([1.0, 2.0]), (0, 2), "reflect")
