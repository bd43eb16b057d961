"""Runs an op as ranks would: every rank on its slices, the results put together by their layouts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.dtype import as_dtype
from simpar.graph import Example, Local, OpDef
from simpar.layout import Assignment, Box, Halo, Layout, Rule, halo_of, spans_of

Array = NDArray[Any]
Shape = tuple[int, ...]
DEV_MATS = ((2,), (3,), (4,), (2, 2), (2, 3))
TOLERANCE = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-12}
JOINS = {"sum": np.add, "max": np.maximum, "min": np.minimum, "prod": np.multiply}


@dataclass(frozen=True, slots=True)
class Uncut:
    """An op, its operands and its results on one device."""

    op: OpDef
    attrs: Mapping[str, Any]
    rule: Rule
    operands: tuple[Array, ...]
    results: tuple[Array, ...]

    @property
    def is_exact(self) -> bool:
        """Whether no cut can change the order of a sum, so that results are equal to the last bit."""
        return (
            not self.rule.whole
            and not self.rule.reaches
            and not any(self.rule.missing(i) for i in range(len(self.results)))
        )


def uncut(op: OpDef, example: Example) -> Uncut:
    """Run an op on one device, in the types that its record tells."""
    operands = operands_of(example)
    rule = op.bind([a.shape for a in operands], example.attrs)
    return Uncut(op, example.attrs, rule, operands, results_of(op, operands, example.attrs))


def operands_of(example: Example, floats: str = "float32") -> tuple[Array, ...]:
    """Return repeatable random operands; those that are float32 get the type ``floats``."""
    rng = np.random.default_rng(7)
    wide = {"complex64": "complex128"} if floats == "float64" else {}
    types = example.dtypes or ("float32",) * len(example.shapes)
    return tuple(_random(rng, example, i, floats if t == "float32" else wide.get(t, t)) for i, t in enumerate(types))


def _random(rng: np.random.Generator, example: Example, place: int, dtype: str) -> Array:
    low, high = (b[place] if isinstance(b, tuple) else b for b in (example.low, example.high))
    if dtype == "bool":
        return np.asarray(rng.random(example.shapes[place]) < 0.5)
    if dtype.startswith("float"):
        return np.asarray(rng.uniform(low, high, example.shapes[place]), dtype)
    if dtype.startswith("complex"):
        parts = rng.uniform(low, high, (2, *example.shapes[place]))
        return np.asarray(parts[0] + 1j * parts[1], dtype)
    return np.asarray(rng.integers(int(low), int(high), example.shapes[place]), dtype)


def results_of(op: OpDef, operands: Sequence[Array], attrs: Mapping[str, Any]) -> tuple[Array, ...]:
    """Return the op's results, whose shapes must be those that the record tells."""
    assert op.kernel is not None
    _, inferred = op.infer([a.shape for a in operands], [as_dtype(a.dtype) for a in operands], attrs)
    made = op.kernel(*operands, **attrs)
    results = made if isinstance(made, tuple) else (made,)
    for result, (shape, _) in zip(results, inferred, strict=True):
        assert np.shape(result) == shape, f"the kernel made {np.shape(result)}, the rule says {shape}"
    return tuple(np.asarray(r, t.numpy) for r, (_, t) in zip(results, inferred, strict=True))


# --- the cuts ---


def legal_assignments(rule: Rule, dev_mat: Shape) -> Iterator[Assignment]:
    """Give every way in which the device axes may cut the rule's factors; a device axis may also repeat the work."""
    last = len(dev_mat) - 1
    for choice in product((None, *rule.order), repeat=len(dev_mat)):
        axes: dict[str, Shape] = {}
        for place, f in enumerate(choice):
            if f is not None:
                axes[f] = (*axes.get(f, ()), last - place)
        if is_legal(rule, Assignment(dev_mat, axes)):
            yield Assignment(dev_mat, axes)
            if any(len(used) > 1 for used in axes.values()):  # the same axes, minor one first
                yield Assignment(dev_mat, {f: used[::-1] for f, used in axes.items()})


def is_legal(rule: Rule, assignment: Assignment) -> bool:
    """Tell whether factors divide, whole ones are not cut, and minor ones only where the major ones are fully cut."""
    if any(f in rule.whole or rule.sizes[f] % assignment.cut(f) for f in assignment.axes):
        return False
    if any(rule.refusal(f, assignment.cut(f)) for f in assignment.axes):
        return False
    for axis in (axis for axes in rule.operands + rule.results for axis in axes):
        for major, minor in pairwise(axis):
            if assignment.cut(minor) > 1 and assignment.cut(major) != rule.sizes[major]:
                return False
    return True


@dataclass(frozen=True, slots=True)
class Cut:
    """One way to cut an op: the layouts of operands, results and factors, and slice shapes, made once for all ranks."""

    taken: tuple[Layout, ...]
    left: tuple[Layout, ...]
    factors: Mapping[str, Layout]
    halos: tuple[Halo | None, ...]
    rule: Rule

    def taken_box(self, place: int, shape: Shape, rank: int) -> Box:
        """Return what a rank takes of an operand."""
        return _box(self.halos[place], self.taken[place], shape, rank)

    def left_box(self, place: int, shape: Shape, rank: int) -> Box:
        """Return what a rank leaves of a result."""
        return _box(self.halos[len(self.taken) + place], self.left[place], shape, rank)


def _box(halo: Halo | None, layout: Layout, shape: Shape, rank: int) -> Box:
    return layout.box(shape, rank) if halo is None else halo.box(layout, shape, rank)


def _lengths(box: Box) -> Shape:
    return tuple(stop - start for start, stop in box)


def cut_by(given: Uncut, assignment: Assignment) -> Cut:
    """Return the layouts that an assignment means."""
    taken = tuple(assignment.operand(given.rule, i) for i in range(len(given.operands)))
    left = tuple(assignment.result(given.rule, i) for i in range(len(given.results)))
    return Cut(
        taken,
        left,
        {f: Layout(assignment.dev_mat, (axes,)) for f, axes in assignment.axes.items()},
        tuple(halo_of(given.rule, slot, lay) for slot, lay in enumerate((*taken, *left))),
        given.rule,
    )


def cut_results(given: Uncut, assignment: Assignment) -> tuple[Array, ...]:
    """Return the op's results, computed slice by slice and joined."""
    cut = cut_by(given, assignment)
    parts = [_run_rank(given, cut, rank) for rank in cut.left[0].ranks]
    return tuple(_result(given, cut, i, [p[i] for p in parts]) for i in range(len(given.results)))


def _result(given: Uncut, cut: Cut, place: int, parts: Sequence[Array]) -> Array:
    """Return a result; terms of a halo are added to the slices that they belong to first."""
    layout, whole = cut.left[place], given.results[place]
    if cut.halos[len(cut.taken) + place] is not None:
        parts = [_with_terms(layout, whole, cut, place, parts, rank) for rank in layout.ranks]
    return join(layout, whole, parts, given.rule.combine)


def _with_terms(layout: Layout, whole: Array, cut: Cut, place: int, parts: Sequence[Array], rank: int) -> Array:
    """Return the slice of one rank, the sum of what the ranks along its image axes hold of it."""
    own, axes = layout.box(whole.shape, rank), _device_axes(layout, cut, place)
    total = np.zeros_like(whole)
    for peer in layout.group(rank, axes):
        total[_slices(cut.left_box(place, whole.shape, peer))] += parts[peer]
    return np.ascontiguousarray(total[_slices(own)])


def _device_axes(layout: Layout, cut: Cut, place: int) -> Shape:
    halo = cut.halos[len(cut.taken) + place]
    assert halo is not None
    return tuple(a for axis in halo.axes for a in layout.cutting_axes[axis])


def _run_rank(given: Uncut, cut: Cut, rank: int) -> tuple[Array, ...]:
    """Run the kernel on one rank's slices."""
    local = local_of(given, cut, rank)
    slices = [
        np.ascontiguousarray(x[_slices(cut.taken_box(i, x.shape, rank))]).reshape(local.operands[i])
        for i, x in enumerate(given.operands)
    ]
    out = tuple(garbage(shape, w.dtype) for shape, w in zip(local.results, given.results, strict=True))
    run_into(given.op, slices, out, given.op.local_attrs(given.attrs, local))
    return out


def run_into(op: OpDef, operands: Sequence[Array], out: tuple[Array, ...], attrs: Mapping[str, Any]) -> None:
    """Run a kernel that writes into ``out``, which is one array for one result, as executors call it."""
    assert op.kernel is not None
    first, *others = out
    op.kernel(*operands, out=out if others else first, **attrs)


def local_of(given: Uncut, cut: Cut, rank: int) -> Local:
    """Return one rank's part of the op."""
    sizes = given.rule.sizes
    return Local(
        operands=tuple(_lengths(cut.taken_box(i, x.shape, rank)) for i, x in enumerate(given.operands)),
        results=tuple(_lengths(cut.left_box(i, w.shape, rank)) for i, w in enumerate(given.results)),
        starts={f: lay.box((sizes[f],), rank)[0][0] for f, lay in cut.factors.items()},
        boxes=tuple(cut.left_box(i, w.shape, rank) for i, w in enumerate(given.results)),
        shapes=tuple(w.shape for w in given.results),
        sizes=sizes,
        spans=spans_of(given.rule, (*cut.taken, *cut.left), rank),
    )


def _slices(box: Box) -> tuple[slice, ...]:
    return tuple(slice(*bounds) for bounds in box)


def garbage(shape: Shape, dtype: Any) -> Array:
    """Return a buffer whose old contents would be noticed."""
    return np.full(shape, np.nan if np.dtype(dtype).kind in "fc" else 1, dtype)


# --- together again ---


def join(layout: Layout, whole: Array, parts: Sequence[Array], combine: str) -> Array:
    """Return the value that the ranks hold together; ranks that repeat must hold the same bits."""
    terms: dict[tuple[tuple[int, int], ...], dict[Shape, Array]] = {}
    partial = Layout(layout.dev_mat, layout.partial)
    for rank, part in enumerate(parts):
        term = partial.blocks(rank)
        held = terms.setdefault(layout.box(whole.shape, rank), {})
        if term in held:
            np.testing.assert_array_equal(held[term], part, err_msg="ranks that repeat the work differ")
        held[term] = part
    made = np.empty_like(whole)
    for bounds, held in terms.items():
        total, *others = held.values()
        for other in others:
            total = JOINS[combine](total, other)
        made[_slices(bounds)] = total
    return made


# --- the comparison ---


def check_every_cut(op: OpDef, example: Example, dev_mats: Sequence[Shape] = DEV_MATS) -> int:
    """Compare all legal cuts with the uncut op; return how many there are."""
    given = uncut(op, example)
    tried = 0
    for dev_mat in dev_mats:
        for assignment in legal_assignments(given.rule, dev_mat):
            tried += 1
            made = cut_results(given, assignment)
            for got, expected in zip(made, given.results, strict=True):
                compare(given, got, expected, f"{given.rule} over {dev_mat} cut {dict(assignment.axes)}")
    return tried


def compare(given: Uncut, got: Array, expected: Array, says: str) -> None:
    """Compare one result: to the last bit where no sum can change its order."""
    if given.is_exact or expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(got, expected, err_msg=says)
    else:
        near = TOLERANCE[np.real(expected).dtype.name]
        np.testing.assert_allclose(got, expected, rtol=near, atol=near, err_msg=says)
