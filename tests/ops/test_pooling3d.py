"""Pooling of volumes, against PyTorch."""

import numpy as np
import pytest

from simpar.errors import NotYetError
from simpar.ops import operations as P
from simpar.tensor import Tensor
from tests.ops.test_against_torch import gradients_of, random, torch_gradients_of

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("kind", ["max", "avg"])
def test_values_and_gradients_equal_torch(kind: str) -> None:
    options = ((3, 2, 2), (2, 1, 2))
    ours = (P.MaxPool3D if kind == "max" else P.AvgPool3D)(*options, "pad", (1, 1, 1, 1, 0, 0))
    theirs = getattr(torch.nn.functional, f"{kind}_pool3d")
    arrays = random((2, 3, 5, 4, 6))
    out, (g,) = gradients_of(lambda x: ours(x) ** 2, arrays)
    expected, (wanted,) = torch_gradients_of(lambda x: theirs(x, *options, (1, 1, 0)) ** 2, arrays)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(g, wanted, rtol=1e-4, atol=1e-6)


def test_same_padding_gives_as_many_windows_as_places_by_stride() -> None:
    assert P.MaxPool3D(3, 2, "same")(Tensor(np.ones((1, 1, 5, 4, 3)))).shape == (1, 1, 3, 2, 2)
    with pytest.raises(NotYetError, match="ceil_mode"):
        P.MaxPool3D(3, 2, ceil_mode=True)
