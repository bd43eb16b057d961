"""Runs to look at, written through the recorder without a training: ``python -m tests.dashboard.runs FOLDER``.

A network of blocks ``x + relu(x @ w1) @ w2`` over a device matrix (dp, tp): dp cuts the batch, tp the hidden axis. The
result of each second product is partial over tp and all-reduced; its gradient is partial over dp and all-reduced in a
bucket for two blocks. w1 of the first block is stored cut over dp (the parallel optimizer) and gathered before its use.
Between blocks one value is asked for in another layout: a redistribution that comes from a mismatch.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.layout import Layout
from simpar.recorder import (
    OPTIMIZER_STATE,
    CollectiveSpec,
    Event,
    GraphNode,
    GraphValue,
    MemoryMeasured,
    ParameterPlaced,
    ProgramCompiled,
    RankStarted,
    RunFinished,
    RunStarted,
    RunWriter,
    Scalar,
    StepFinished,
    measure_values,
)

__all__ = [
    "BATCH", "HIDDEN", "PROGRAM", "STEP_S", "WALL_S", "WIDTH", "Described", "describe", "told_values", "write_run",
]  # fmt: skip

PROGRAM = "train-0"
WALL_S = 1_790_000_000.0
STEP_S = 0.02
BATCH, WIDTH, HIDDEN = 4096, 1024, 4096
ITEM = 4


@dataclass
class Described:
    """What is told of a program: filled block by block."""

    dev_mat: tuple[int, int]
    parameters: list[ParameterPlaced] = field(default_factory=list[ParameterPlaced])
    values: dict[str, GraphValue] = field(default_factory=dict[str, GraphValue])
    nodes: list[GraphNode] = field(default_factory=list[GraphNode])
    moves: list[tuple[str, Layout, tuple[int, ...], int, str, int, tuple[str, ...], str]] = field(default_factory=list)

    def layout(self, *tensor_map: int, partial: tuple[int, ...] = ()) -> Layout:
        return Layout(self.dev_mat, tensor_map, partial=partial)

    def value(self, name: str, shape: tuple[int, ...], layout: Layout) -> str:
        self.values[name] = GraphValue(name, shape, "float32", layout)
        return name

    def parameter(self, name: str, shape: tuple[int, ...], storage: Layout, compute: Layout, fusion: int) -> str:
        flags = ("requires_grad", "parallel_optimizer")
        self.parameters.append(ParameterPlaced(name, shape, "float32", storage, compute, "parameter", fusion, flags))
        self.parameters.append(
            ParameterPlaced(f"moments.{name}", shape, "float32", storage, storage, OPTIMIZER_STATE, 0, ())
        )
        return self.value(f"%{len(self.values)} {name}", shape, storage)

    def node(
        self, op: str, inputs: Sequence[str], outputs: Sequence[str], where: str, phase: str, cut: str = ""
    ) -> None:
        number = str(len(self.nodes))
        self.nodes.append(GraphNode(number, op, tuple(inputs), tuple(outputs), where, phase, cut, "net.py:12"))

    def move(
        self, kind: str, names: Sequence[str], to: Layout, over: tuple[int, ...], why: str, where: str, phase: str,
        fusion: int = 0, parameters: tuple[str, ...] = (),
    ) -> list[str]:  # fmt: skip
        """Move values by one collective over device axes, and return the names of the results."""
        given = [self.values[n] for n in names]
        made = [self.value(f"%{len(self.values) + i}", v.shape, to) for i, v in enumerate(given)]
        self.node(kind, names, made, where, phase)
        message = sum(prod(v.layout.slice_shape(v.shape)) * ITEM for v in given if v.layout is not None)
        assert given[0].layout is not None
        self.moves.append((kind, given[0].layout, over, message, why, fusion, parameters, phase))
        return made

    def collectives(self, rank: int) -> tuple[CollectiveSpec, ...]:
        return tuple(
            CollectiveSpec(i, kind, layout.group(rank, over), message, why, fusion, parameters, phase)
            for i, (kind, layout, over, message, why, fusion, parameters, phase) in enumerate(self.moves)
        )


def describe(dev_mat: tuple[int, int] = (2, 4), blocks: int = 2) -> Described:
    """Describe a program over a device matrix (dp, tp)."""
    net = Described(dev_mat)
    x = net.value("%0", (BATCH, WIDTH), net.layout(1, -1))
    waiting: list[tuple[str, str]] = []  # gradients, and whose they are
    for b in range(blocks):
        x = _forward(net, x, b)
        waiting += [(_gradient(net, b, which, shape), f"blocks.{b}.{which}") for which, shape in _SHAPES]
        if b % 2 or b == blocks - 1:
            _update(net, waiting)
            waiting = []
    return net


_SHAPES = (("w1", (WIDTH, HIDDEN)), ("w2", (HIDDEN, WIDTH)))


def _forward(net: Described, x: str, b: int) -> str:
    where, cut = f"blocks.{b}", f"({net.dev_mat[0]}, 1), (1, {net.dev_mat[1]})"
    whole, stored = net.layout(-1, 0), net.layout(1, 0)
    w1 = net.parameter(f"{where}.w1", (WIDTH, HIDDEN), whole if b else stored, whole, 1 + b // 2)
    w2 = net.parameter(f"{where}.w2", (HIDDEN, WIDTH), net.layout(0, -1), net.layout(0, -1), 1 + b // 2)
    if not b:
        why = f"parallel optimizer: {where}.w1 is stored cut"
        (w1,) = net.move("all_gather", [w1], whole, (1,), why, where, "forward", 0, (f"{where}.w1",))
    y = net.value(f"%{len(net.values)}", (BATCH, HIDDEN), net.layout(1, 0))
    net.node("matmul", [x, w1], [y], where, "forward", cut)
    z = net.value(f"%{len(net.values)}", (BATCH, WIDTH), net.layout(1, -1, partial=(0,)))
    net.node("matmul", [y, w2], [z], where, "forward", cut)
    why = f"result of matmul in {where} (net.py:12) is partial: a factor that it lacks was cut"
    (z,) = net.move("all_reduce", [z], net.layout(1, -1), (0,), why, where, "forward")
    if b == 0:
        here, there = net.layout(1, -1), net.layout(-1, 1)
        why = f"operand of norm in {where} (net.py:14): {here} -> {there}"
        (z,) = net.move("all_to_all", [z], there, (1,), why, where, "forward")
        n = net.value(f"%{len(net.values)}", (BATCH, WIDTH), there)
        net.node("norm", [z], [n], where, "forward")
        why = f"operand of matmul in {where} (net.py:15): {there} -> {here}"
        (z,) = net.move("all_to_all", [n], here, (1,), why, where, "forward")
    return z


def _gradient(net: Described, b: int, which: str, shape: tuple[int, int]) -> str:
    cut = net.layout(-1, 0, partial=(1,)) if which == "w1" else net.layout(0, -1, partial=(1,))
    g = net.value(f"%{len(net.values)}", shape, cut)
    net.node("matmul", [], [g], f"blocks.{b}", "backward")
    return g


def _update(net: Described, waiting: list[tuple[str, str]]) -> None:
    for which, to in (("w1", net.layout(-1, 0)), ("w2", net.layout(0, -1))):
        mine = [(g, name) for g, name in waiting if name.endswith(which)]
        names = tuple(name for _, name in mine)
        why = f"gradients of {len(names)} parameters" if len(names) > 1 else f"gradient of {mine[0][1]}"
        net.move("all_reduce", [g for g, _ in mine], to, (1,), why, "", "backward", len(net.nodes), names)


def _events(net: Described, rank: int, steps: int) -> Iterator[Event]:
    clock = 1000.0 * (rank // 8)  # eight ranks share a machine and its clock
    yield RankStarted(rank, f"host{rank // 8}", 4000 + rank, WALL_S, clock)
    if rank == 0:
        yield from net.parameters
    is_first = rank == 0
    yield ProgramCompiled(
        PROGRAM,
        "%0: float32 = argument x0\n" if is_first else "",
        "d1ge57",
        net.collectives(rank),
        sum(p.slice_bytes for p in net.parameters) + (8 << 20) + rank,
        tuple(net.values.values()) if is_first else (),
        tuple(net.nodes) if is_first else (),
    )
    noise = np.random.default_rng(rank)
    for number in range(1, steps + 1):
        start = clock + 0.5 + STEP_S * number
        count = len(net.moves)
        length = 0.8 * STEP_S / max(1, count)
        order = np.arange(count, dtype=np.float64)
        times = np.empty((count, 2))
        times[:, 0] = start + length * order + noise.uniform(0, 0.3 * length, count)
        times[:, 1] = start + length * (order + 0.7)
        yield StepFinished(PROGRAM, number, start, start + 0.9 * STEP_S, 2.5 / number**0.5, times)
    yield Scalar("learning rate", 1, 0.1)
    if steps:
        yield MemoryMeasured(rank, steps, (90 << 20) + (rank << 12), 60 << 20, 8 << 20)


def told_values(
    placed: ParameterPlaced, whole: NDArray[Any], step: int, program: str = PROGRAM, cells: int = 1024
) -> list[tuple[int, Event]]:
    """Return what every rank tells of its slice of a tensor after a step."""
    return [
        (rank, measure_values(rank, program, placed.name, step, whole[_of(placed, rank)], cells))
        for rank in placed.storage.ranks
    ]


def _of(placed: ParameterPlaced, rank: int) -> tuple[slice, ...]:
    return tuple(slice(a, b) for a, b in placed.storage.box(placed.shape, rank))


def write_run(
    folder: Path,
    name: str = "2026-01-02-030405-net",
    dev_mat: tuple[int, int] = (2, 4),
    *,
    blocks: int = 2,
    steps: int = 20,
    world: int | None = None,
    ends: bool = True,
    more: Sequence[tuple[int, Event]] = (),
    script: str = "net.py",
) -> Path:
    """Write a run into a folder of runs and return its store.

    Args:
        world: ranks that ran; all of the device matrix by default, fewer for imagined devices.
        ends: whether it came to its end.
        more: further events, each with its rank.
    """
    devices = prod(dev_mat)
    world = devices if world is None else world
    net = describe(dev_mat, blocks)
    path = folder / name / "run.sqlite"
    path.parent.mkdir(parents=True)
    writer = RunWriter(path)
    try:
        options = {"parallel_mode": "semi_auto_parallel", "full_batch": True}
        what = (name, script, ("--steps", str(steps)), WALL_S, "semi_auto_parallel", devices, world)
        writer.write([(0, RunStarted(*what, {"numpy": "2.4"}, options))])
        writer.write((rank, event) for rank in range(world) for event in _events(net, rank, steps))
        writer.write(more)
        if ends:
            writer.write([(0, RunFinished(WALL_S + 60))])
    finally:
        writer.close()
    return path


def main(folder: Path) -> None:
    """Write runs of 1, 8, 64 and 1024 ranks, and one for 1024 imagined devices."""
    write_run(folder, "2026-01-01-000000-one-rank", (1, 1))
    write_run(folder, "2026-01-02-000000-eight-ranks", (2, 4), blocks=6, steps=200)
    write_run(folder, "2026-01-03-000000-many-ranks", (8, 8), blocks=4, steps=50)
    write_run(folder, "2026-01-04-000000-1024-ranks", (32, 32), steps=8)
    write_run(folder, "2026-01-05-000000-1024-imagined", (32, 32), blocks=24, steps=0, world=1)
    write_run(folder, "2026-01-06-000000-stopped", (2, 2), steps=7, ends=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
