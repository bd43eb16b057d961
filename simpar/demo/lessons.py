"""Records the numbers of the dashboard's lessons on four ranks: ``simpar run simpar/demo/lessons.py -n 4 -- FILE``.

Every lesson is a function that works on a ``Tape``: tiny tensors of whole numbers, slices cut by layouts, collectives
of the ranks themselves. What it writes is shipped with the front end; a test records it again on threads.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from simpar import communication
from simpar.collectives import World
from simpar.context import current
from simpar.demo.tape import Array, Part, Tape
from simpar.layout import Layout, Slice, Step, plan_redistribution

__all__ = ["LESSONS", "RANKS", "record"]

RANKS = 4
_ITEM = 4  # bytes of a float32
_WHOLE = Layout((RANKS,), (-1, -1))
_ROWS = Layout((RANKS,), (0, -1))
_COLUMNS = Layout((RANKS,), (-1, 0))
_TERMS = Layout((RANKS,), (-1, -1), partial=(0,))


def _counted(*shape: int, start: int = 1) -> Array:
    return np.arange(start, start + int(np.prod(shape)), dtype=np.float32).reshape(shape)


# --- who holds what ---


def slices(tape: Tape) -> None:
    """Cut one tensor by rows, by columns and by both."""
    w = _counted(4, 4)
    layouts = {"rows": _ROWS, "columns": _COLUMNS, "both": Layout((2, 2), (1, 0))}
    tape.frame("whole", [tape.part("w", w, w.shape, _WHOLE)] if tape.rank == 0 else [])
    for name, layout in layouts.items():
        tape.frame(name, [tape.part("w", tape.cut(w, layout), w.shape, layout)])


def copies(tape: Tape) -> None:
    """Repeat a tensor over the device axes that do not cut it."""
    w = _counted(4, 4)
    axes = {"repeated": (-1, -1), "axis0": (0, -1), "axis1": (1, -1), "none": (1, 0)}
    for name, tensor_map in axes.items():
        layout = Layout((2, 2), tensor_map)
        tape.frame(name, [tape.part("w", tape.cut(w, layout), w.shape, layout)])


def partial_sums(tape: Tape) -> None:
    """Cut the axis that a product sums over: each rank has a term."""
    x, w = _counted(2, 4), np.array([[1, 0], [0, 1], [2, 0], [0, 3]], np.float32)
    mine, theirs = tape.cut(x, _COLUMNS), tape.cut(w, _ROWS)
    operands = [tape.part("x", mine, x.shape, _COLUMNS), tape.part("w", theirs, w.shape, _ROWS)]
    tape.frame("operands", operands)
    y = np.ascontiguousarray(mine @ theirs)  # (2, 1) @ (1, 2): a term of the whole result
    tape.frame("terms", [*operands, tape.part("y", y, y.shape, _TERMS)])
    tape.all.all_reduce(y)
    summed = [*operands, tape.part("y", y, y.shape, _WHOLE)]
    tape.frame("summed", summed, "all_reduce", tape.all.ranks, _all_reduced(y))


# --- what moves ---


def collectives(tape: Tape) -> None:
    """Do each collective once, from the same numbers."""
    n, group, everyone = RANKS, tape.all, tape.all.ranks
    own = (10 * (tape.rank + 1) + np.arange(n, dtype=np.float32)).reshape(1, n)
    one = own[:, :1].copy()

    def show(kind: str, before: Array, after: Array, column: int, signs: tuple[str, str], sent: int) -> None:
        parts = [
            tape.held("before", before, [(0, 1), (0, before.shape[1])], (1, n), signs[0]),
            tape.held("after", after, [(0, 1), (column, column + after.shape[1])], (1, n), signs[1]),
        ]
        tape.frame(kind, parts, kind, everyone, sent)

    tape.frame("start", [tape.held("before", own, [(0, 1), (0, n)], (1, n), "slice")])
    y = own.copy()
    group.all_reduce(y)
    show("all_reduce", own, y, 0, ("term", "copy"), _all_reduced(y))
    y = np.empty((1, 1), np.float32)
    group.reduce_scatter(own, y)
    show("reduce_scatter", own, y, tape.rank, ("term", "slice"), own.nbytes * (n - 1) // n)
    y = np.empty((1, n), np.float32)
    group.all_gather(one, y)
    show("all_gather", one, y, 0, ("slice", "copy"), one.nbytes * (n - 1))
    y = np.empty((1, n), np.float32)
    group.all_to_all(own, y)
    show("all_to_all", own, y, 0, ("slice", "slice"), own.nbytes * (n - 1) // n)
    y = own.copy()
    group.broadcast(y, root=0)
    show("broadcast", own, y, 0, ("slice", "copy"), own.nbytes)
    y = np.empty((1, n), np.float32)
    request = group.start_receive(y, (tape.rank - 1) % n)
    group.send(own, (tape.rank + 1) % n)
    request.wait()
    show("send", own, y, 0, ("slice", "slice"), own.nbytes)


def matmul(tape: Tape) -> None:
    """Multiply the same matrices cut in four ways."""
    x, w = _counted(4, 4) % 4, _counted(4, 4) % 3
    ways = {
        "rows": (_ROWS, _WHOLE, _ROWS),
        "columns": (_WHOLE, _COLUMNS, _COLUMNS),
        "inner": (_COLUMNS, _ROWS, _TERMS),
        "both": (Layout((2, 2), (1, -1)), Layout((2, 2), (-1, 0)), Layout((2, 2), (1, 0))),
    }
    for name, (of_x, of_w, of_y) in ways.items():
        mine, theirs = tape.cut(x, of_x), tape.cut(w, of_w)
        y = np.ascontiguousarray(mine @ theirs)
        operands = [tape.part("x", mine, x.shape, of_x), tape.part("w", theirs, w.shape, of_w)]
        tape.frame(name, [*operands, tape.part("y", y, x.shape, of_y)])
        if of_y.is_partial:
            tape.all.all_reduce(y)
            summed = [*operands, tape.part("y", y, x.shape, _WHOLE)]
            tape.frame("summed", summed, "all_reduce", tape.all.ranks, _all_reduced(y))


def redistribution(tape: Tape) -> None:
    """Take a tensor to another layout in the steps that simpar finds, and in those one would think of first."""
    whole = _counted(4, 4)
    source, target = Layout((2, 2), ((1, 0), -1)), Layout((2, 2), (-1, 0))
    found = plan_redistribution(source, target, whole.shape, _ITEM).steps
    repeated = Layout((2, 2), (-1, -1))
    naive = (
        *plan_redistribution(source, repeated, whole.shape, _ITEM).steps,
        *plan_redistribution(repeated, target, whole.shape, _ITEM).steps,
    )
    for way, steps in (("first", naive), ("found", found)):
        held = tape.cut(whole, source)
        tape.frame(f"{way} 0", [tape.part("w", held, whole.shape, source)])
        for i, step in enumerate(steps):
            held = _take(tape, step, held, whole.shape)
            parts = [tape.part("w", held, whole.shape, step.after)]
            sent = step.volume_bytes(whole.shape, _ITEM)
            tape.frame(f"{way} {i + 1}", parts, step.kind, step.group(tape.rank) if sent else (), sent)


def _take(tape: Tape, step: Step, held: Array, shape: tuple[int, ...]) -> Array:
    """Return what this rank holds after a step that sums nothing."""
    if isinstance(step, Slice):
        return held[tuple(slice(*ends) for ends in step.box(shape, tape.rank))].copy()
    group = tape.world.group(step.group(tape.rank))
    target = np.empty(step.after.slice_shape(shape), np.float32)
    sent, got = (dict(moves) for moves in step.transfers(shape, tape.rank))
    boxes = [[tuple(slice(*ends) for ends in of[r]) if r in of else None for r in group.ranks] for of in (sent, got)]
    group.prepare_exchange(held, boxes[0], target, boxes[1]).run()
    return target


# --- training ---


def fusion(tape: Tape) -> None:
    """Sum three gradients of a step in three messages, or in one."""
    x = np.eye(2, dtype=np.float32)[[tape.rank % 2]] * (tape.rank + 1)  # (1, 2): this rank's row of the batch
    w1, w2 = np.array([[1, 2], [0, 1]], np.float32), np.array([[1, 0], [1, 1]], np.float32)
    hidden = x @ w1  # (1, 2)
    back = np.ones((1, 2), np.float32)  # the loss is the sum of hidden @ w2
    through = back @ w2.T
    gradients = {"w1": x.T @ through, "b1": through, "w2": hidden.T @ back}
    shapes = {name: g.shape for name, g in gradients.items()}

    def parts(of: dict[str, Array], layout: Layout) -> list[Part]:
        return [tape.part(f"d{name}", g, shapes[name], layout) for name, g in of.items()]

    tape.frame("gradients", parts(gradients, _TERMS))
    alone = {name: np.ascontiguousarray(g) for name, g in gradients.items()}
    for name, g in alone.items():
        alone[name] = g = g.copy()
        tape.all.all_reduce(g)
        shown = [tape.part(f"d{k}", v, shapes[k], _WHOLE if list(alone).index(k) <= list(alone).index(name) else _TERMS)
                 for k, v in alone.items()]  # fmt: skip
        tape.frame(f"{name} alone", shown, "all_reduce", tape.all.ranks, _all_reduced(g))
    flat = np.concatenate([g.reshape(-1) for g in gradients.values()]).reshape(1, -1)
    tape.frame("bucket", [tape.part("bucket", flat, flat.shape, _TERMS)])
    tape.all.all_reduce(flat)
    tape.frame(
        "joined", [tape.part("bucket", flat, flat.shape, _WHOLE)], "all_reduce", tape.all.ranks, _all_reduced(flat)
    )


def optimizer(tape: Tape) -> None:
    """Store a weight and its moment cut over the ranks that would repeat them, and train one step."""
    w, moment = _counted(4, 4), np.zeros((4, 4), np.float32)
    stored, kept = tape.cut(w, _ROWS), tape.cut(moment, _ROWS)

    def own(name: str, held: Array) -> Part:
        return tape.part(name, held, w.shape, _ROWS)

    repeated = [tape.part("w", w, w.shape, _WHOLE), tape.part("m", moment, w.shape, _WHOLE)]
    tape.frame("repeated", repeated)
    tape.frame("stored", [own("w", stored), own("m", kept)])
    full = np.empty((4, 4), np.float32)
    tape.all.all_gather(stored, full)
    whole = tape.part("w", full, w.shape, _WHOLE)
    tape.frame("gathered", [whole, own("m", kept)], "all_gather", tape.all.ranks, stored.nbytes * (RANKS - 1))
    term = np.full((4, 4), float(tape.rank + 1), np.float32)
    tape.frame("gradient", [tape.part("dw", term, w.shape, _TERMS), own("m", kept)])
    slice_ = np.empty((1, 4), np.float32)
    tape.all.reduce_scatter(term, slice_)
    sent = term.nbytes * (RANKS - 1) // RANKS
    tape.frame("scattered", [own("dw", slice_), own("m", kept)], "reduce_scatter", tape.all.ranks, sent)
    kept += slice_
    stored -= np.float32(0.1) * kept
    tape.frame("updated", [own("w", stored), own("m", kept)])


def _all_reduced(buffer: Array) -> int:
    """Return what a rank sends when all ranks sum a buffer: its part of the sums, and then the sums."""
    return 2 * buffer.nbytes * (RANKS - 1) // RANKS


def timeline(world: World) -> list[list[dict[str, Any]]]:
    """Return what each rank did in two steps, in seconds from their begin.

    A pause stands for work, so that ranks that share cores do not slow each other; that of rank 2 is twice as long.
    """
    total = np.ones(4096, np.float32)
    pause_s = 0.04 if world.rank == 2 else 0.02
    world.communicator.all_reduce(total)
    world.communicator.barrier()
    begin = time.perf_counter()
    spans: list[dict[str, Any]] = []
    for step in range(2):
        for what, work in (
            ("compute", lambda: time.sleep(pause_s)),
            ("all_reduce", lambda: world.communicator.all_reduce(total)),
        ):
            start = time.perf_counter()
            work()
            ends = [round(t - begin, 6) for t in (start, time.perf_counter())]
            spans.append({"step": step, "kind": what, "start_s": ends[0], "end_s": ends[1]})
    return world.communicator.gather_objects(spans)


LESSONS: dict[str, Callable[[Tape], None]] = {
    "slices": slices,
    "copies": copies,
    "partial": partial_sums,
    "collectives": collectives,
    "matmul": matmul,
    "redistribution": redistribution,
    "fusion": fusion,
    "optimizer": optimizer,
}


def record(world: World) -> dict[str, Any]:
    """Return the frames of every lesson, alike on each of the four ranks, and the timeline."""
    found: dict[str, Any] = {}
    for name, lesson in LESSONS.items():
        tape = Tape(world)
        lesson(tape)
        found[name] = tape.frames()
    return {"ranks": world.size, "frames": found, "timeline": timeline(world)}


def _write(file: Path) -> None:
    communication.init()
    world = current().world
    found = record(world)
    if world.rank == 0:
        file.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
        print(f"{len(found['frames'])} lessons in {file}")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
