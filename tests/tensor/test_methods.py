"""Functions of ops as methods of Tensors."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, ops

X: Any = Tensor([[1.0, -2.0], [3.0, 4.0]])
COMPLEX: Any = Tensor([1 + 2j])


def test_a_method_is_the_function_of_its_name() -> None:
    for name in ("erf", "ceil", "tril", "neg", "trunc", "sinh", "isnan", "real"):
        np.testing.assert_array_equal(getattr(X, name)().asnumpy(), getattr(ops, name)(X).asnumpy())
    assert X.add(1.0).tolist() == [[2, -1], [4, 5]]
    assert X.where(X > 0, 0.0).tolist() == [[1, 0], [3, 4]]
    assert X.gather(Tensor([1]), 0).tolist() == [[3, 4]]
    assert [t.tolist() for t in X.unbind()] == [[1, -2], [3, 4]]
    assert (X.long().dtype, X.half().dtype, X.double().dtype) == (ms.int64, ms.float16, ms.float64)
    assert (COMPLEX.imag().tolist(), X.is_complex()) == ([2.0], False)


def test_every_method_hides_none_that_tensors_have_themselves() -> None:
    assert not set(ops.TENSOR_METHODS) & {name for kind in Parameter.__mro__ for name in vars(kind)}


def test_methods_are_traced_and_work_on_parameters() -> None:
    weight: Any = Parameter(X, name="w")
    traced = ms.jit(lambda x: (x.tril() * weight.sin()).norm())
    expected = np.linalg.norm(np.tril(X.asnumpy()) * np.sin(X.asnumpy()))
    assert traced(X).item() == pytest.approx(expected, rel=1e-5)


def test_what_no_tensor_has_is_said_and_copies_work() -> None:
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'errf'"):
        X.errf()
    assert copy.deepcopy(X).tolist() == pickle.loads(pickle.dumps(X)).tolist() == X.tolist()
