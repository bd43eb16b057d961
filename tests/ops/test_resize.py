"""Images in another size, and convolutions turned round, against PyTorch."""

from typing import Any

import numpy as np
import pytest

from simpar import ops
from simpar.errors import RuleError
from simpar.ops import operations as P
from simpar.tensor import Tensor
from tests.ops.test_against_torch import gradients_of, random, torch_gradients_of

torch = pytest.importorskip("torch")
F = torch.nn.functional


@pytest.mark.parametrize("size", [(7, 9), (3, 2), (5, 6)])
@pytest.mark.parametrize(
    "options", [{"mode": "nearest"}, {"mode": "bilinear"}, {"mode": "bilinear", "align_corners": True}]
)
def test_interpolate_equals_torch(size: tuple[int, int], options: dict[str, Any]) -> None:
    agree(
        lambda x: ops.interpolate(x, size, **options) ** 2,
        lambda x: F.interpolate(x, size, **options) ** 2,
        random((2, 3, 5, 6)),
    )


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1, "output_padding": 1}, {"stride": (2, 1), "dilation": 2, "groups": 2}],
)
def test_conv_transpose2d_equals_torch(options: dict[str, Any]) -> None:
    agree(
        lambda x, w: ops.conv_transpose2d(x, w, **options) ** 2,
        lambda x, w: F.conv_transpose2d(x, w, **options) ** 2,
        random((2, 4, 5, 6), (4, 3, 3, 2)),
    )


def test_the_object_turns_a_convolution_round() -> None:
    x, w = random((2, 4, 8, 8), (4, 3, 3, 3))
    made = P.Conv2DTranspose(4, 3, pad_mode="same", stride=2)(Tensor(x), Tensor(w), (2, 3, 16, 16))
    whole = F.conv_transpose2d(torch.tensor(x), torch.tensor(w), stride=2)  # (17, 17): "same" leaves the last out
    np.testing.assert_allclose(made.asnumpy(), whole[..., :16, :16].numpy(), rtol=1e-4, atol=1e-5)


def test_a_convolution_takes_the_arguments_of_torch() -> None:
    x, w, b = random((2, 4, 8, 8), (6, 2, 3, 3), (6,))
    made = P.Convolution()(Tensor(x), Tensor(w), Tensor(b), (2, 1), (1, 0), 1, False, 0, 2)
    expected = F.conv2d(*(torch.tensor(a) for a in (x, w, b)), (2, 1), (1, 0), 1, 2)
    np.testing.assert_allclose(made.asnumpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


def test_objects_that_resize() -> None:
    x = Tensor(np.arange(4.0, dtype=np.float32).reshape(1, 1, 1, 4))
    assert P.ResizeNearestNeighbor((1, 2))(x).tolist() == [[[[0, 2]]]]
    assert P.ResizeBilinearV2(align_corners=True)(x, (1, 7)).tolist() == [[[[0, 0.5, 1, 1.5, 2, 2.5, 3]]]]
    assert P.ResizeBilinear((1, 8))(x).asnumpy()[0, 0, 0, :4].tolist() == [0, 0.5, 1, 1.5]


def test_a_wrong_size_is_named() -> None:
    with pytest.raises(RuleError, match="size or scale_factor"):
        ops.interpolate(Tensor(np.ones((1, 1, 2, 2))))
    with pytest.raises(RuleError, match="kernel_size"):
        P.Conv2DTranspose(4, 3)(Tensor(np.ones((1, 4, 2, 2))), Tensor(np.ones((4, 1, 2, 2))), (1, 1, 3, 3))


def agree(ours: Any, theirs: Any, arrays: list[Any]) -> None:
    out, gradients = gradients_of(ours, arrays)
    expected, wanted = torch_gradients_of(theirs, arrays)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)
    for got, want in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
