"""Initializers give the values of their definitions, lazily, slice by slice, and the same under every layout."""

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import simpar.common.initializer as door
import simpar.initializer as room
from simpar import dtype as types
from simpar.context import set_seed
from simpar.errors import DTypeError, LayoutError, ParameterError
from simpar.initializer import (
    Constant,
    Dirac,
    HeNormal,
    HeUniform,
    Identity,
    Initializer,
    Normal,
    One,
    Orthogonal,
    Sparse,
    TruncatedNormal,
    Uniform,
    VarianceScaling,
    XavierNormal,
    XavierUniform,
    Zero,
    initializer,
)
from simpar.tensor import Tensor

ALL: list[Initializer] = [
    Constant(2.5), Dirac(), HeNormal(), HeUniform(), Identity(), Normal(), One(), Orthogonal(), Sparse(0.4),
    TruncatedNormal(), Uniform(), VarianceScaling(), XavierNormal(), XavierUniform(), Zero(),
]  # fmt: skip
SHAPE = (200, 300)  # 60000 values; fan_in 300, fan_out 200
N = math.prod(SHAPE)


def drawn(init: object, shape: tuple[int, ...] = SHAPE) -> np.ndarray[Any, Any]:
    return initializer(init, shape, types.float64).init_data().asnumpy()


def near(measured: float, expected: float, sigma: float) -> bool:
    """Tell whether a statistic is within five of its standard errors."""
    return abs(measured - expected) < 5 * sigma


# --- slices ---


@pytest.mark.parametrize("init", ALL, ids=repr)
def test_slices_are_cut_out_of_the_whole(init: Initializer) -> None:
    shape = (6, 4, 3) if isinstance(init, Dirac) else (6, 10)
    made = initializer(init, shape)
    whole = made.init.fill(shape, types.float32, tuple((0, n) for n in shape))
    assert whole.dtype == np.float32
    for box in (((0, 3), (0, 2)), ((1, 6), (1, 4)), ((5, 6), (3, 4))):
        box = (*box, *((0, n) for n in shape[2:]))
        part = made.init.fill(shape, types.float32, box)
        assert np.array_equal(part, whole[tuple(slice(low, high) for low, high in box)])


@given(st.sampled_from([(1, 1), (2, 1), (1, 5), (3, 5), (6, 10)]))
def test_slices_by_number_are_the_blocks_of_the_whole(cuts: tuple[int, int]) -> None:
    init = initializer("normal", (6, 10)).init
    whole = init.fill_slice((6, 10), types.float32)
    part = (6 // cuts[0], 10 // cuts[1])
    rows = [
        np.hstack([init.fill_slice(part, types.float32, row * cuts[1] + column) for column in range(cuts[1])])
        for row in range(cuts[0])
    ]
    assert np.array_equal(np.vstack(rows), whole)


def test_slices_that_do_not_divide_the_whole_are_equal_for_equal_numbers() -> None:
    init = initializer("normal", (6, 10)).init
    one, again, other = (init.fill_slice((4, 4), types.float32, number) for number in (3, 3, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_slice_of_a_huge_tensor_needs_the_memory_of_the_slice() -> None:
    n = 1 << 20
    made = initializer("xavier_uniform", (n, n))
    tracemalloc.start()
    part = made.init.fill((n, n), types.float32, ((n - 512, n), (512, 1024)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < part.nbytes + (2 << 20)


# --- which values ---


def test_seed_repeats_the_values_from_the_start() -> None:
    set_seed(3)
    first = [drawn("normal", (4, 4)), drawn("normal", (4, 4))]
    set_seed(3)
    again = [drawn("normal", (4, 4)), drawn("normal", (4, 4))]
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], first[1])


def test_other_seed_gives_other_values() -> None:
    set_seed(3)
    first = drawn("uniform", (4, 4))
    set_seed(4)
    assert not np.array_equal(first, drawn("uniform", (4, 4)))


@pytest.mark.parametrize(("init", "mean", "sigma"), [(Normal(), 0, 0.01), (Normal(2.0, 5.0), 5, 2)])
def test_normal_has_its_mean_and_sigma(init: Initializer, mean: float, sigma: float) -> None:
    made = drawn(init)
    assert near(made.mean(), mean, sigma / math.sqrt(N))
    assert near(made.var(), sigma**2, sigma**2 * math.sqrt(2 / N))


def test_truncated_normal_stays_between_its_bounds_and_is_normal_there() -> None:
    made = drawn(TruncatedNormal(sigma=2.0, mean=1.0, a=-1.0, b=2.0))
    assert made.min() >= -1
    assert made.max() <= 5
    below = [0.5 * math.erfc(-z / math.sqrt(2)) for z in (-1.0, 0.0, 2.0)]
    share = (below[1] - below[0]) / (below[2] - below[0])
    assert near((made < 1).mean(), share, math.sqrt(share * (1 - share) / N))


UNIFORM = {
    Uniform(): 0.07,
    Uniform(scale=2.0): 2.0,
    XavierUniform(gain=2.0): 2 * math.sqrt(6 / 500),
    HeUniform(): math.sqrt(2) * math.sqrt(3 / 300),
    HeUniform(math.sqrt(5)): math.sqrt(1 / 300),  # the default of Dense
    HeUniform(mode="fan_out", nonlinearity="tanh"): 5 / 3 * math.sqrt(3 / 200),
    VarianceScaling(2.0, "fan_avg", "uniform"): math.sqrt(3 * 2 / 250),
}


@pytest.mark.parametrize(("init", "bound"), UNIFORM.items(), ids=repr)
def test_uniform_fills_its_interval_evenly(init: Initializer, bound: float) -> None:
    made = drawn(init)
    assert np.abs(made).max() <= bound
    assert np.abs(made).max() > 0.99 * bound
    assert near(made.mean(), 0, bound / math.sqrt(3 * N))
    assert near(made.var(), bound**2 / 3, bound**2 * math.sqrt(4 / 45 / N))


SCALED = {
    XavierNormal(): math.sqrt(2 / 500),
    HeNormal(): math.sqrt(2 / 300),
    HeNormal(negative_slope=1.0): math.sqrt(1 / 300),
    HeNormal(mode="fan_out", nonlinearity="relu"): math.sqrt(2 / 200),
    HeNormal(nonlinearity="sigmoid"): math.sqrt(1 / 300),
    VarianceScaling(): math.sqrt(1 / 300),
    VarianceScaling(3.0, "fan_out", "untruncated_normal"): math.sqrt(3 / 200),
}


@pytest.mark.parametrize(("init", "sigma"), SCALED.items(), ids=repr)
def test_scaled_normal_has_the_sigma_of_its_definition(init: Initializer, sigma: float) -> None:
    made = drawn(init)
    assert near(made.mean(), 0, sigma / math.sqrt(N))
    assert near(made.var(), sigma**2, sigma**2 * math.sqrt(2 / N))


def test_window_of_a_convolution_counts_into_fan_in() -> None:
    made = drawn(HeUniform(nonlinearity="linear"), (40, 30, 5, 5))
    assert 0.99 * math.sqrt(3 / 750) < np.abs(made).max() <= math.sqrt(3 / 750)


@pytest.mark.parametrize(
    "init", [XavierNormal(), XavierUniform(), HeNormal(), HeUniform(), VarianceScaling()], ids=repr
)
def test_fans_of_a_vector_are_refused(init: Initializer) -> None:
    with pytest.raises(ParameterError, match=r"shape \(5,\) cannot be told"):
        drawn(init, (5,))


def test_constants_fill_whole_tensors() -> None:
    assert drawn("zeros", (2, 2)).tolist() == [[0, 0], [0, 0]]
    assert drawn(One(), (2,)).tolist() == [1, 1]
    assert drawn(3.5, (2,)).tolist() == [3.5, 3.5]
    assert drawn(Constant([1, 2]), (2, 2)).tolist() == [[1, 2], [1, 2]]


def test_identity_is_one_on_the_diagonal() -> None:
    assert drawn("identity", (2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(ParameterError, match="Identity"):
        drawn("identity", (2, 3, 4))


def test_dirac_passes_each_channel_on() -> None:
    made = drawn(Dirac(groups=2), (4, 2, 3))
    expected = np.zeros((4, 2, 3))
    for group in (0, 2):
        expected[group, 0, 1] = expected[group + 1, 1, 1] = 1
    assert np.array_equal(made, expected)


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (6, 2, 3)])
def test_orthogonal_rows_or_columns_are_orthonormal(shape: tuple[int, ...]) -> None:
    made = drawn(Orthogonal(gain=2.0), shape).reshape(shape[0], -1)
    product = made @ made.T if made.shape[0] <= made.shape[1] else made.T @ made
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-9)


def test_sparse_sets_the_same_share_of_each_column_to_zero() -> None:
    made = drawn(Sparse(sparsity=0.25, sigma=1.0), (10, 40))
    assert ((made == 0).sum(axis=0) == 3).all()  # a quarter of ten, rounded up
    assert len(set(np.flatnonzero(made[:, 0] == 0)) ^ set(np.flatnonzero(made[:, 1] == 0))) > 0


def test_users_initializer_fills_the_whole_array() -> None:
    class Counted(Initializer):
        def _initialize(self, arr: np.ndarray[Any, Any]) -> None:
            arr[...] = np.arange(arr.size).reshape(arr.shape) + np.random.rand()

    init = initializer(Counted(), (4, 4)).init
    before = np.random.get_state()[1].tolist()  # pyright: ignore
    whole = init.fill_slice((4, 4), types.float32)
    assert np.array_equal(init.fill((4, 4), types.float32, ((2, 4), (0, 2))), whole[2:, :2])
    assert np.random.get_state()[1].tolist() == before  # pyright: ignore


# --- the function initializer ---


def test_tensor_has_shape_and_type_and_no_data() -> None:
    made = initializer("normal", [2, 3], types.float16)
    assert (made.shape, made.dtype, made.has_init) == ((2, 3), types.float16, True)


def test_init_data_fills_the_tensor_itself_once() -> None:
    made = initializer("ones", 3)
    assert made.init_data() is made
    assert not made.has_init
    with pytest.raises(DTypeError):
        made.init_data()


@pytest.mark.parametrize("alias", ["zeros", "Zero", "ones", "ONE", "normal", "truncatedNormal", "truncated_normal",
                                   "uniform", "xavier_uniform", "XavierNormal", "he_uniform", "heNormal", "HE_NORMAL",
                                   "varianceScaling", "orthogonal", "identity"])  # fmt: skip
def test_alias_is_found_in_any_case(alias: str) -> None:
    assert initializer(alias, (2, 2)).init_data().shape == (2, 2)


def test_unknown_alias_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'gauss' is no initializer; choose one of .*normal"):
        initializer("gauss", (2, 2))


@pytest.mark.parametrize("init", [Normal, None, [1, 2], 1j])
def test_init_of_another_kind_is_refused(init: object) -> None:
    with pytest.raises(TypeError, match="give an alias"):
        initializer(init, (2, 2))


def test_class_without_parentheses_is_told_to_call_it() -> None:
    with pytest.raises(DTypeError, match=r"Call it: Normal\(\)"):
        initializer(Normal, (2, 2))


def test_tensor_is_returned_as_it_is() -> None:
    given = Tensor([1.0, 2.0])
    assert initializer(given) is given
    assert initializer(given, (2,)) is given
    with pytest.raises(LayoutError, match=r"shape \(2,\), but shape is \(3,\)"):
        initializer(given, (3,))


@pytest.mark.parametrize("shape", [0, -1, (2, 0), (2, -1), 2.0, "2", (True, 2), {2}])
def test_shape_that_is_none_is_refused(shape: Any) -> None:
    with pytest.raises(ValueError, match="whole number of at least 1"):
        initializer("zeros", shape)


@pytest.mark.parametrize("dtype", ["float32", None, 7])
def test_type_that_is_none_is_refused(dtype: Any) -> None:
    with pytest.raises(TypeError):
        initializer("zeros", (2,), dtype)


@pytest.mark.parametrize("make", [
    lambda: HeNormal(mode="fan"), lambda: HeUniform(nonlinearity="gelu"), lambda: VarianceScaling(0.0),
    lambda: VarianceScaling(mode="fan"), lambda: VarianceScaling(distribution="normal"), lambda: Sparse(1.5),
    lambda: TruncatedNormal(a=2.0, b=-2.0), lambda: Dirac(0),
])  # fmt: skip
def test_setting_that_an_initializer_cannot_have_is_refused(make: Any) -> None:
    with pytest.raises(ParameterError):
        make()


def test_tensor_made_with_an_initializer_itself_can_be_filled() -> None:
    assert Tensor(shape=(2, 2), dtype=types.float32, init=One()).init_data().asnumpy().tolist() == [[1, 1], [1, 1]]


def test_public_door_offers_the_same_classes() -> None:
    assert all(getattr(door, name) is getattr(room, name) for name in door.__all__)
