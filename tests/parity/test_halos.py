"""Convolutions, poolings and resizes whose rows and columns are cut over ranks compute what PyTorch computes whole.

Shapes, strides, padding, dilations and strategies are drawn at random; values, and gradients by image and weight.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import simpar as ms
from simpar import Tensor, ops
from simpar.collectives import run_threads
from simpar.context import current
from simpar.layout import Reach, parse_rule
from simpar.recorder import MemoryRecorder, ProgramCompiled

torch = pytest.importorskip("torch")
F = torch.nn.functional

Array = NDArray[Any]
Cuts = tuple[int, ...]
DEVICES = 4
CUTS = [(1, 1, 4, 1), (1, 1, 1, 4), (1, 1, 2, 2), (2, 1, 2, 1), (1, 2, 1, 2), (1, 1, 2, 1), (1, 1, 1, 2)]


@dataclass(frozen=True)
class Along:
    """Windows along one axis of an image: its length, and how they move; ``made`` of them."""

    length: int
    kernel: int
    stride: int
    dilation: int
    pad: int

    @property
    def made(self) -> int:
        return (self.length + 2 * self.pad - self.dilation * (self.kernel - 1) - 1) // self.stride + 1

    def can_be_cut(self, parts: int) -> bool:
        reach = Reach(self.stride, -self.pad, self.dilation * (self.kernel - 1) + 1)
        sizes = {"h": self.made}
        return self.made > 0 and not parse_rule(
            "h~ -> h", ((self.length,),), sizes=sizes, reaches={"h": reach}
        ).refusal("h", parts)


EVERY = [Along(*each) for each in product((4, 6, 8, 12), (1, 2, 3, 4), (1, 2, 3), (1, 2), (0, 1, 2))]
LEGAL = {parts: [a for a in EVERY if a.can_be_cut(parts)] for parts in (1, 2, 4)}


@st.composite
def cut_windows(draw: Any, pooled: bool = False) -> tuple[Cuts, tuple[Along, Along]]:
    """Return a strategy for images, and windows along rows and columns that can be cut so."""
    cuts = draw(st.sampled_from(CUTS))
    each = ([a for a in LEGAL[n] if not pooled or (a.dilation == 1 and 2 * a.pad <= a.kernel)] for n in cuts[2:])
    rows, columns = (draw(st.sampled_from(legal)) for legal in each)
    return cuts, (rows, columns)


def both(along: tuple[Along, Along], name: str) -> tuple[int, int]:
    return getattr(along[0], name), getattr(along[1], name)


def pads(along: tuple[Along, Along]) -> tuple[int, ...]:
    return (along[0].pad, along[0].pad, along[1].pad, along[1].pad)


def draw(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def on_ranks(function: Callable[..., Tensor], arrays: list[Array]) -> list[Array]:
    """Return the value of a function, and the gradients of the sum of its squares, whole."""

    def program() -> list[Array]:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        every = tuple(range(len(arrays)))

        def loss(*given: Tensor) -> tuple[Tensor, Tensor]:
            made = function(*given)
            return ops.reduce_sum(ops.square(made)), made

        (_, made), gradients = ms.value_and_grad(loss, every, has_aux=True)(*map(Tensor, arrays))
        return [made.asnumpy(), *(g.asnumpy() for g in gradients)]

    return run_threads(DEVICES, program)[DEVICES - 1]


def in_torch(function: Callable[..., Any], arrays: list[Array]) -> list[Array]:
    given = [torch.tensor(a, requires_grad=True) for a in arrays]
    made = function(*given)
    (made**2).sum().backward()
    return [made.detach().numpy(), *(x.grad.numpy() for x in given)]


def agree(ours: Callable[..., Tensor], theirs: Callable[..., Any], arrays: list[Array]) -> None:
    for got, wanted in zip(on_ranks(ours, arrays), in_torch(theirs, arrays), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4 * max(1.0, float(np.abs(wanted).max())))


@settings(max_examples=12, deadline=None)
@given(cut_windows(), st.sampled_from([1, 2]))
def test_a_convolution_cut_along_rows_and_columns_equals_torch(
    given_cuts: tuple[Cuts, tuple[Along, Along]], group: int
) -> None:
    cuts, along = given_cuts
    group = group if cuts[1] == 1 else 1
    kernel, stride, dilation = (both(along, name) for name in ("kernel", "stride", "dilation"))
    conv = ops.Conv2D(4, kernel, 1, "pad", pads(along), stride, dilation, group).shard((cuts, (1, cuts[1], 1, 1)))
    arrays = [draw(2, 4, *both(along, "length")), draw(4, 4 // group, *kernel)]
    agree(conv, lambda x, w: F.conv2d(x, w, None, stride, both(along, "pad"), dilation, group), arrays)


@settings(max_examples=10, deadline=None)
@given(cut_windows())
def test_a_convolution_turned_round_equals_torch(given_cuts: tuple[Cuts, tuple[Along, Along]]) -> None:
    cuts, along = given_cuts
    kernel, stride, dilation, size = (both(along, name) for name in ("kernel", "stride", "dilation", "length"))
    kind = ops.operations.Conv2DTranspose
    turned = kind(4, kernel, "pad", pads(along), stride=stride, dilation=dilation).shard((cuts, (cuts[1], 1, 1, 1)))
    fewest = (
        (m - 1) * s + d * (k - 1) + 1 - 2 * p
        for m, s, d, k, p in zip(both(along, "made"), stride, dilation, kernel, both(along, "pad"), strict=True)
    )
    more = tuple(n - least for n, least in zip(size, fewest, strict=True))
    agree(
        lambda g, w: turned(g, w, (2, 2, *size)),
        lambda g, w: F.pad(F.conv_transpose2d(g, w, None, stride, 0, 0, 1, dilation), wide(along, more)),
        [draw(2, 4, *both(along, "made")), draw(4, 2, *kernel)],
    )


def wide(along: tuple[Along, Along], more: tuple[int, ...]) -> list[int]:
    """Return what PyTorch's pad puts round the images that a convolution without padding would come from."""
    rows, columns = along
    return [-columns.pad, more[1] - columns.pad, -rows.pad, more[0] - rows.pad]


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["max", "avg"]), cut_windows(pooled=True))
def test_a_pooling_equals_torch(kind: str, given_cuts: tuple[Cuts, tuple[Along, Along]]) -> None:
    cuts, along = given_cuts
    kernel, stride, pad = ((n, *both(along, name)) for n, name in ((1, "kernel"), (1, "stride"), (0, "pad")))
    primitive = ops.operations.MaxPool3D if kind == "max" else ops.operations.AvgPool3D
    pool = primitive(kernel, stride, "pad", (0, 0, *pads(along))).shard(((*cuts[:2], 1, *cuts[2:]),))
    theirs = F.max_pool3d if kind == "max" else F.avg_pool3d
    agree(pool, lambda x: theirs(x, kernel, stride, pad), [draw(2, 2, 2, *both(along, "length"))])


@pytest.mark.parametrize("cuts", [(1, 1, 4, 1), (1, 1, 2, 2), (2, 1, 1, 2)])
@pytest.mark.parametrize(("size", "made"), [((4, 4), (8, 12)), ((8, 8), (4, 4)), ((8, 4), (12, 4))])
@pytest.mark.parametrize("how", ["nearest", "bilinear", "corners"])
def test_a_resize_equals_torch(how: str, size: tuple[int, int], made: tuple[int, int], cuts: Cuts) -> None:
    if how == "nearest":
        resize, options = ops.operations.ResizeNearestNeighborV2(), {"mode": "nearest"}
    else:
        resize = ops.operations.ResizeBilinearV2(how == "corners", how == "bilinear")
        options = {"mode": "bilinear", "align_corners": how == "corners"}
    resize.shard((cuts,))
    agree(lambda x: resize(x, made), lambda x: F.interpolate(x, made, **options), [draw(2, 2, *size)])


def test_a_convolution_between_others_is_cut_all_the_way_and_its_halos_are_recorded() -> None:
    """A small network: its images stay cut by rows; each rank sends its neighbours one row, and gets terms back."""
    arrays, cuts = [draw(2, 3, 8, 8), draw(4, 3, 3, 3), draw(2, 4, 3, 3)], (1, 1, 4, 1)

    def network(x: Tensor, w: Tensor, v: Tensor) -> Tensor:
        first = ops.Conv2D(4, 3, pad_mode="same").shard((cuts, (1, 1, 1, 1)))
        second = ops.Conv2D(2, 3, pad_mode="same", stride=2).shard((cuts, (1, 1, 1, 1)))
        return second(ops.ReLU().shard((cuts,))(first(x, w)), v)

    def program() -> list[tuple[str, int]]:
        recorder = current().recorder = MemoryRecorder()
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        step = ms.value_and_grad(lambda *g: ops.reduce_sum(network(*g)), (0, 1, 2))
        step(*map(Tensor, arrays))
        told = next(e for e in recorder.events if isinstance(e, ProgramCompiled))
        return [(c.kind, c.message_bytes) for c in told.collectives if c.kind.startswith("halo")]

    agree(network, torch_network, arrays)
    row, inner = 2 * 3 * 8 * 4, 2 * 4 * 8 * 4  # bytes of a row of x, and of a row after the first convolution
    first, second = run_threads(DEVICES, program)[:2]
    assert first == [
        ("halo_exchange", row),
        ("halo_exchange", 0),
        ("halo_reduce", inner),
        ("halo_reduce", row),
    ]
    assert second[0] == ("halo_exchange", 2 * row)


def torch_network(x: Any, w: Any, v: Any) -> Any:
    hidden = F.relu(F.conv2d(x, w, None, 1, 1))
    return F.conv2d(F.pad(hidden, (0, 1, 0, 1)), v, None, 2)
