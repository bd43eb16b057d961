from typing import Any

import numpy as np
import pytest

from simpar import ops
from simpar.graph import lookup
from simpar.tensor import Tensor
from tests.ops.gradients import check_gradient

RNG = np.random.default_rng(6)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), ((2, 3), (1, 2), (1, 0))])
@pytest.mark.parametrize("kind", ["max", "avg", "avg without pads"])
def test_pooling_and_its_gradient_agree_with_pytorch(kind: str, kernel: Any, stride: Any, padding: Any) -> None:
    torch = pytest.importorskip("torch")
    x = RNG.integers(0, 3, (2, 3, 6, 7)).astype("f4")  # few values, so that windows have equal ones
    given = torch.tensor(x, requires_grad=True)
    options: dict[str, Any] = {} if kind == "max" else {"count_include_pad": kind == "avg"}
    theirs = torch.nn.functional.max_pool2d if kind == "max" else torch.nn.functional.avg_pool2d
    expected = theirs(given, kernel, stride, padding, **options)
    g = RNG.standard_normal(tuple(expected.shape)).astype("f4")
    expected.backward(torch.tensor(g))
    ours = ops.max_pool2d if kind == "max" else ops.avg_pool2d
    y = ours(Tensor(x), kernel, stride, padding, **options)
    np.testing.assert_allclose(y.asnumpy(), expected.detach(), rtol=1e-6)
    pads = (padding,) * 4 if isinstance(padding, int) else (padding[0], padding[0], padding[1], padding[1])
    size = (kernel, kernel) if isinstance(kernel, int) else kernel
    steps = (stride, stride) if isinstance(stride, int) else stride
    attrs: dict[str, Any] = {"kernel": size, "stride": steps, "pads": pads}
    if kind != "max":
        attrs["count_pads"] = kind == "avg"
    (dx,) = lookup("max_pool" if kind == "max" else "avg_pool").backward(Tensor(g), [Tensor(x)], y, attrs)
    np.testing.assert_allclose(dx.asnumpy(), given.grad, rtol=1e-5, atol=1e-6)


def test_gradient_of_avg_pool_has_a_gradient() -> None:
    attrs: dict[str, Any] = {"kernel": (2, 2), "stride": (1, 2), "pads": (1, 0, 0, 1), "count_pads": False}
    check_gradient("avg_pool_grad", [RNG.standard_normal((1, 2, 4, 2))], size=(4, 4), **attrs)


def test_average_in_mode_same_does_not_count_the_padding() -> None:
    x = Tensor(np.ones((1, 1, 3, 3), "f4"))
    assert ops.AvgPool(2, 2, "same")(x).tolist() == [[[[1, 1], [1, 1]]]]
    assert ops.MaxPool(2, 2, "valid")(x).tolist() == [[[[1]]]]
