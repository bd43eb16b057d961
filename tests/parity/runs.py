"""Runs a program on ranks that are threads, and puts together what they hold."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import simpar as ms
from simpar import Parameter, Tensor, nn
from simpar.collectives import run_threads
from simpar.compile import compile_function
from simpar.layout import Layout
from tests.parity.models import BATCH, GPT, SEQUENCE, VOCABULARY, Shape
from tests.parity.strategies import Way

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """One rank's slice of a value, and the layout that says where it belongs."""

    array: Array
    layout: Layout | None
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What training left on one rank."""

    losses: tuple[float, ...]
    first: Mapping[str, Piece]
    gradients: Mapping[str, Piece]
    last: Mapping[str, Piece]


def tokens(steps: int) -> Array:
    """Return repeatable token numbers (steps, batch, sequence + 1) that have something to learn in them."""
    rng = np.random.default_rng(11)
    starts = rng.integers(0, VOCABULARY, (steps, BATCH, 1))
    jumps = rng.integers(1, 4, (steps, BATCH, SEQUENCE + 1))
    return np.asarray((starts + np.cumsum(jumps, axis=2)) % VOCABULARY, np.int32)


def piece(given: Tensor, of: Parameter | None = None) -> Piece:
    layout = given.layout
    shape = given.full_shape_of_slice if layout is not None else None
    return Piece(given.asnumpy().copy(), layout if shape is not None else None, shape or given.shape)


def held(parameters: Sequence[Parameter]) -> dict[str, Piece]:
    return {p.name: Piece(np.array(p.asnumpy()), p.layout, p.full_shape) for p in parameters}


def together(pieces: Sequence[Piece]) -> Array:
    """Return the whole value; ranks that hold the same part must hold the same bits."""
    first = pieces[0]
    if first.layout is None:
        for p in pieces:
            np.testing.assert_array_equal(p.array, first.array)
        return first.array
    whole = np.empty(first.shape, first.array.dtype)
    boxes: dict[Any, Array] = {}
    for rank, p in enumerate(pieces):
        assert p.layout is not None
        box = p.layout.box(p.shape, rank)
        np.testing.assert_array_equal(
            boxes.setdefault(box, p.array), p.array, err_msg="ranks that repeat a slice differ"
        )
        whole[tuple(slice(*b) for b in box)] = p.array
    return whole


def set_up(way: Way) -> None:
    """Set mode and options of a rank's program."""
    ms.set_seed(3)
    if way.n > 1:
        given = {"full_batch": True, **way.options}
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", **given)


def share(way: Way, data: Array, rank: int) -> Tensor:
    """Return the part of the batch that the dataset strategy gives a rank."""
    dataset = "full_batch" if way.options.get("full_batch", True) else way.options["dataset_strategy"]
    if dataset == "full_batch" or way.n == 1:
        return Tensor(data)
    cut = way.n if dataset == "data_parallel" else dataset[0][0]
    part = rank // (way.n // cut) if dataset == "data_parallel" else rank % cut  # the repeat axis comes first
    rows = len(data) // cut
    return Tensor(np.ascontiguousarray(data[part * rows : (part + 1) * rows]))


def train_gpt(way: Way, steps: int, keep_gradients: bool) -> Run:
    """Train on one rank and note losses, the first parameters and gradients, and the last parameters."""
    set_up(way)
    net = GPT(way.cuts, way.shape)
    net.set_train()
    weights = net.trainable_params()
    for i, p in enumerate(weights):
        p.comm_fusion = {"equal": 1, "none": 0, "different": 1 + i % 3}[way.fusion]
    optimizer = nn.Adam(weights, 0.01)
    with_gradients = ms.value_and_grad(net, None, weights)
    rank = ms.context.current().rank

    @ms.jit
    def step(x: Tensor, y: Tensor) -> Any:
        loss, gradients = with_gradients(x, y)
        optimizer(gradients)
        return (loss, gradients) if keep_gradients else (loss, ())

    data = [(share(way, t[:, :-1], rank), share(way, t[:, 1:], rank)) for t in tokens(steps)]
    compile_function(inspect.unwrap(step), data[0], step)  # which places the parameters
    first = held(weights)
    losses, found = list[float](), dict[str, Piece]()
    for x, y in data:
        loss, gradients = step(x, y)
        found = found or {p.name: piece(g) for p, g in zip(weights, gradients, strict=keep_gradients)}
        losses.append(loss.item())
    return Run(tuple(losses), first, found, held(weights))


def run_gpt(way: Way, steps: int, keep_gradients: bool = True) -> list[Run]:
    return run_threads(way.n, train_gpt, way, steps, keep_gradients)


@cache
def one_device(shape: Shape, steps: int, keep_gradients: bool = True) -> Run:
    """Return the same program's run on one device."""
    return run_gpt(Way(1, shape=shape), steps, keep_gradients)[0]


def assert_equal_to_one_device(runs: Sequence[Run], alone: Run, first: bool = True) -> None:
    """Check first parameters to the bit, gradients and losses to float32's rounding."""
    for name in alone.first if first else ():
        np.testing.assert_array_equal(together([r.first[name] for r in runs]), alone.first[name].array, err_msg=name)
    for name, wanted in ((name, g.array) for name, g in alone.gradients.items()):
        got = together([r.gradients[name] for r in runs])
        atol = 1e-5 * float(np.abs(wanted).max())
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=atol, err_msg=f"gradient of {name}")
    for run in runs:
        np.testing.assert_allclose(run.losses, alone.losses, rtol=1e-4)
