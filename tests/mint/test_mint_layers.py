"""``simpar.mint.nn``: layers made as PyTorch's are, with the same weights, against PyTorch's, forward and gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, mint
from simpar.errors import NotYetError

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(3)
ROWS, SEQUENCES, IMAGES, VOLUMES = (
    RNG.standard_normal(shape).astype("f4") for shape in ((4, 6), (2, 4, 9), (2, 4, 6, 7), (2, 4, 5, 4, 6))
)
ACTIVATIONS = [
    "ELU",
    "SELU",
    "ReLU6",
    "Hardtanh",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Mish",
    "LogSigmoid",
    "GELU",
    "SiLU",
    "Tanh",
]
LAYERS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "Linear": (lambda nn: nn.Linear(6, 3), ROWS),
    "Linear without bias": (lambda nn: nn.Linear(6, 3, bias=False), ROWS),
    "Conv1d": (lambda nn: nn.Conv1d(4, 6, 3, stride=2, padding=1), SEQUENCES),
    "Conv2d": (lambda nn: nn.Conv2d(4, 6, 3, 2, 1), IMAGES),
    "Conv2d in groups": (lambda nn: nn.Conv2d(4, 6, (3, 2), padding=(1, 0), groups=2, bias=False), IMAGES),
    "Conv2d same": (lambda nn: nn.Conv2d(4, 6, 3, padding="same"), IMAGES),
    "Conv3d": (lambda nn: nn.Conv3d(4, 2, 2, padding=1), VOLUMES),
    "LayerNorm": (lambda nn: nn.LayerNorm(6), ROWS),
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(6), ROWS),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(4, momentum=0.3), IMAGES),
    "BatchNorm3d": (lambda nn: nn.BatchNorm3d(4, track_running_stats=False), VOLUMES),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 4), IMAGES),
    "PReLU": (lambda nn: nn.PReLU(4), IMAGES),
    "Flatten": (lambda nn: nn.Flatten(), IMAGES),
    "MaxPool2d": (lambda nn: nn.MaxPool2d(2), IMAGES),
    "MaxPool2d padded": (lambda nn: nn.MaxPool2d(3, 2, 1), IMAGES),
    "AvgPool1d": (lambda nn: nn.AvgPool1d(3), SEQUENCES),
    "AvgPool2d": (lambda nn: nn.AvgPool2d(3, 2, padding=1, count_include_pad=False), IMAGES),
    "AvgPool3d": (lambda nn: nn.AvgPool3d(2), VOLUMES),
    "AdaptiveAvgPool1d": (lambda nn: nn.AdaptiveAvgPool1d(3), SEQUENCES),
    "AdaptiveAvgPool2d": (lambda nn: nn.AdaptiveAvgPool2d((3, 7)), IMAGES),
    "AdaptiveAvgPool3d": (lambda nn: nn.AdaptiveAvgPool3d(1), VOLUMES),
    "Softplus": (lambda nn: nn.Softplus(2.0), ROWS),
    "Softmax": (lambda nn: nn.Softmax(1), ROWS),
    **{name: (lambda nn, name=name: getattr(nn, name)(), ROWS) for name in ACTIVATIONS},
}
CLASSES, PARTS = np.array([2, 0, 5, 1]), (np.abs(ROWS) / 4).clip(0.01, 0.99)
LOSSES: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    "CrossEntropyLoss": (lambda nn: nn.CrossEntropyLoss(label_smoothing=0.1), ROWS, CLASSES),
    "NLLLoss": (lambda nn: nn.NLLLoss(reduction="sum"), ROWS, CLASSES),
    "KLDivLoss": (lambda nn: nn.KLDivLoss(reduction="sum", log_target=True), ROWS, -PARTS),
    "BCELoss": (lambda nn: nn.BCELoss(), PARTS, PARTS[::-1].copy()),
    "BCEWithLogitsLoss": (lambda nn: nn.BCEWithLogitsLoss(reduction="sum"), ROWS, PARTS),
    "SmoothL1Loss": (lambda nn: nn.SmoothL1Loss(beta=0.5), ROWS, PARTS),
}
NEAR: Any = {"rtol": 2e-4, "atol": 2e-5}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_that_of_torch(name: str) -> None:
    make, given = LAYERS[name]
    ours, theirs = make(mint.nn).set_train(), make(torch.nn)
    with torch.no_grad():
        for key, weight in theirs.named_parameters():
            value = RNG.standard_normal(weight.shape).astype("f4")
            weight.copy_(torch.tensor(value))
            getattr(ours, key).set_data(Tensor(value))
    weights = [getattr(ours, key) for key, _ in theirs.named_parameters()]
    x = torch.tensor(given, requires_grad=True)
    expected = theirs(x)
    (expected * expected).sum().backward()

    def loss(x: Tensor) -> Any:
        made = ours(x)
        return (made * made).sum(), made

    if weights:
        (_, made), (by_x, by_weights) = ms.value_and_grad(loss, 0, weights, has_aux=True)(Tensor(given))
    else:
        ((_, made), by_x), by_weights = ms.value_and_grad(loss, 0, has_aux=True)(Tensor(given)), ()
    np.testing.assert_allclose(made.asnumpy(), expected.detach(), **NEAR)
    for own, wanted in zip((by_x, *by_weights), (x.grad, *(w.grad for w in theirs.parameters())), strict=True):
        np.testing.assert_allclose(own.asnumpy(), wanted, rtol=1e-3, atol=1e-4 * max(1.0, float(wanted.abs().max())))
    for key, held in theirs.named_buffers():
        if held.ndim:
            np.testing.assert_allclose(getattr(ours, key).asnumpy(), held, **NEAR)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_that_of_torch(name: str) -> None:
    make, given, target = LOSSES[name]
    x = torch.tensor(given, requires_grad=True)
    expected = make(torch.nn)(x, torch.tensor(target))
    expected.backward()
    labels = Tensor(target.astype("i4") if target.dtype == np.int64 else target)
    value, slope = ms.value_and_grad(make(mint.nn))(Tensor(given), labels)
    np.testing.assert_allclose(value.asnumpy(), expected.item(), **NEAR)
    np.testing.assert_allclose(slope.asnumpy(), x.grad, **NEAR)


def test_a_table_is_looked_up_and_a_row_of_zeros_left_alone() -> None:
    ours, theirs = mint.nn.Embedding(5, 3, padding_idx=1), torch.nn.Embedding(5, 3, padding_idx=1)
    theirs.weight.data = torch.tensor(ours.weight.asnumpy().copy())
    numbers = np.array([[1, 4], [2, 1]])
    (theirs(torch.tensor(numbers)) ** 2).sum().backward()
    slope = ms.grad(lambda x: (ours(x) ** 2).sum(), None, [ours.weight])(Tensor(numbers, ms.int32))
    np.testing.assert_allclose(slope[0].asnumpy(), theirs.weight.grad, **NEAR)


def test_what_poolings_and_convolutions_cannot_do_is_refused() -> None:
    with pytest.raises(NotYetError, match="ceil_mode=True"):
        mint.nn.MaxPool2d(2, return_indices=True, ceil_mode=True)(Tensor(IMAGES))
    with pytest.raises(NotYetError, match="padding_mode is 'reflect'"):
        mint.nn.Conv2d(4, 2, 3, padding_mode="reflect")
