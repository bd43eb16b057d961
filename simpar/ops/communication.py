"""Collectives as ops, for programs that hold their own slices (data and hybrid parallel).

They have no kernel and no rule: on one device they mean nothing, and ``execute`` maps them to a group of ranks. Their
gradients are collectives again, as MindSpore defines them.

In the modes in which simpar cuts the whole program itself, ``AllReduce`` and ``Broadcast`` may be given values that all
ranks hold alike: then each rank knows the result. A value that is cut is refused.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.context import current
from simpar.errors import AxisError, DTypeError, NotYetError, RuleError, WorldError
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.primitive import Primitive
from simpar.ops.support import one
from simpar.tensor import Tensor

__all__ = [
    "WORLD_GROUPS",
    "AllGather",
    "AllReduce",
    "AlltoAll",
    "Broadcast",
    "ReduceOp",
    "ReduceScatter",
    "ranks_of_group",
]

Array = NDArray[Any]
Attrs = Mapping[str, Any]
Shape = tuple[int, ...]

WORLD_GROUPS = ("hccl_world_group", "nccl_world_group", "mccl_world_group")
"""MindSpore's names of the group of all ranks."""


class ReduceOp:
    """How ranks combine their values, as MindSpore names it."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"
    PROD = "prod"


def ranks_of_group(group: object) -> tuple[int, ...] | None:
    """Return the ranks of a group made by ``create_group``, None for all ranks.

    Raises:
        DTypeError: the name is not text.
        WorldError: there is no such group.

    >>> ranks_of_group("hccl_world_group") is None
    True
    """
    if not isinstance(group, str):
        raise DTypeError(f"group is {group!r}; give the name of a group, as text.")
    if group in WORLD_GROUPS:
        return None
    groups: dict[str, tuple[int, ...]] = current().others.get("groups", {})
    if group not in groups:
        known = ", ".join(repr(g) for g in (*groups, WORLD_GROUPS[0]))
        raise WorldError(f"there is no group {group!r}; make it with create_group first. Known groups: {known}.")
    return groups[group]


# --- shapes ---


def _group_size(attrs: Attrs) -> int:
    """Return how many ranks the group of a collective has; ``group`` is None for all."""
    group = attrs.get("group")
    return len(group) if group is not None else attrs.get("group_size") or current().device_num


def _same(shapes: Sequence[Shape], attrs: Attrs) -> tuple[Shape, ...]:
    return (shapes[0],)


def _gathered(shapes: Sequence[Shape], attrs: Attrs) -> tuple[Shape, ...]:
    (shape,) = shapes
    if not shape:
        raise RuleError("all_gather joins slices along axis 0, but this Tensor has no axes. Reshape it to (1,).")
    return ((shape[0] * _group_size(attrs), *shape[1:]),)


def _scattered(shapes: Sequence[Shape], attrs: Attrs) -> tuple[Shape, ...]:
    (shape,), size = shapes, _group_size(attrs)
    if not shape or shape[0] % size:
        raise RuleError(
            f"reduce_scatter cuts axis 0 of shape {shape} among {size} ranks, which does not divide. "
            f"Pad the axis to a multiple of {size}."
        )
    return ((shape[0] // size, *shape[1:]),)


def _exchanged(shapes: Sequence[Shape], attrs: Attrs) -> tuple[Shape, ...]:
    shape, count, size = list(shapes[0]), attrs["split_count"], _group_size(attrs)
    if count != size:
        raise RuleError(f"all_to_all with split_count {count} in a group of {size} ranks; give one piece per rank.")
    split, joined = attrs["split_dim"], attrs["concat_dim"]
    if not (0 <= split < len(shape) and 0 <= joined < len(shape)):
        raise AxisError(
            f"all_to_all with split_dim {split} and concat_dim {joined} of a shape with {len(shape)} axes; "
            f"give axes from 0 to {len(shape) - 1}."
        )
    if shape[split] % count:
        raise RuleError(f"all_to_all cannot cut axis {split} of shape {tuple(shape)} into {count} pieces. Pad it.")
    shape[split] //= count
    shape[joined] *= count
    return (tuple(shape),)


# --- gradients ---


def _all_reduce_bprop(
    g: Tensor, x: Tensor, *, out: Tensor, op: str, group: Any = None, group_size: int = 0, fusion: int = 0
) -> Tensor:
    """Sum the cotangents of all ranks; where the largest or smallest was taken, for the elements that were it."""
    if op == "prod":
        raise NotYetError("AllReduce with ReduceOp.PROD has no gradient, as in MindSpore. Sum logarithms instead.")
    total = one("all_reduce", g, op="sum", group=group, group_size=group_size, fusion=fusion)
    return total if op == "sum" else total * one("equal", x, out).astype(g.dtype)


def _all_gather_bprop(g: Tensor, x: Tensor, *, group: Any = None, group_size: int = 0, fusion: int = 0) -> Tensor:
    return one("reduce_scatter", g, op="sum", group=group, group_size=group_size, fusion=fusion)


def _reduce_scatter_bprop(
    g: Tensor, x: Tensor, *, op: str, group: Any = None, group_size: int = 0, fusion: int = 0
) -> Tensor:
    if op != "sum":
        raise NotYetError(f"ReduceScatter with op {op!r} has no gradient, as in MindSpore. Use ReduceOp.SUM.")
    return one("all_gather", g, group=group, group_size=group_size, fusion=fusion)


def _broadcast_bprop(g: Tensor, x: Tensor) -> Tensor:
    """Return the cotangent as it is, on every rank, as MindSpore does; sum it with AllReduce if the root needs all."""
    return g


def _all_to_all_bprop(
    g: Tensor, x: Tensor, *, split_count: int, split_dim: int, concat_dim: int, group: Any = None, group_size: int = 0
) -> Tensor:
    back = {"split_count": split_count, "split_dim": concat_dim, "concat_dim": split_dim}
    return one("all_to_all", g, group=group, group_size=group_size, **back)


op("all_reduce", infer_shape=_same, bprop=_all_reduce_bprop)
op("all_gather", infer_shape=_gathered, bprop=_all_gather_bprop)
op("reduce_scatter", infer_shape=_scattered, bprop=_reduce_scatter_bprop)
op("broadcast", infer_shape=_same, bprop=_broadcast_bprop)
op("all_to_all", infer_shape=_exchanged, bprop=_all_to_all_bprop)


# --- values that all ranks hold alike ---


def _alike_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    axes = tuple(f"a{i}" for i in range(len(shapes[0])))
    return parse_rule(f"{' '.join(axes)} -> {' '.join(axes)}", shapes, whole=axes)


def _alike(x: Array, *, op: str, times: int, out: Array | None = None) -> Array:
    """Return what ``times`` ranks make of the value that each of them holds."""
    if op == "sum":
        return np.multiply(x, x.dtype.type(times), out=out)
    return np.power(x, times if op == "prod" else 1, out=out)


def _alike_bprop(g: Tensor, x: Tensor, *, op: str, times: int) -> Tensor:
    if op == "prod":
        raise NotYetError("AllReduce with ReduceOp.PROD has no gradient, as in MindSpore. Sum logarithms instead.")
    return g * times if op == "sum" else g


op(
    "among_alike",
    rule=_alike_rule,
    kernel=_alike,
    bprop=_alike_bprop,
    examples=tuple(
        Example(((4, 6),), {"op": kind, "times": 3}, grad=kind != "prod") for kind in ("sum", "prod", "max")
    ),
)


# --- faces ---


class _Collective(Primitive):
    """A collective in a named group; ``add_prim_attr("fusion", n)`` lets those of one number share a message."""

    def __init__(self, group: object, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.group = group
        self._ranks = ranks_of_group(group)

    def _where(self) -> dict[str, Any]:
        size = current().device_num if self._ranks is None else len(self._ranks)
        return {"group": self._ranks, "group_size": size}

    def _combined(self, x: Tensor, op: str) -> Tensor | None:
        """Return the result, where the program is cut and values are whole; None in the other modes."""
        context = current()
        if context.trace is None or not context.is_partitioned:
            return None
        return one("among_alike", x, op=op, times=self._where()["group_size"])

    def _fusable(self) -> dict[str, Any]:
        return {**self._where(), "fusion": int(self.attrs.get("fusion", 0))}


def _checked_op(given: object) -> str:
    if given not in ("sum", "max", "min", "prod"):
        kind = RuleError if isinstance(given, str) else DTypeError
        raise kind(f"op is {given!r}; choose ReduceOp.SUM, MAX, MIN or PROD.")
    return str(given)


def _checked_rank(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise DTypeError(f"root_rank is {given!r}; give the number of a rank.")
    return given


class AllReduce(_Collective, op="all_reduce"):
    """Combines the Tensors of all ranks of a group, element by element; every rank gets the result.

    Args:
        op: ``ReduceOp.SUM``, ``MAX``, ``MIN`` or ``PROD``.
        group: the name of the group.

    Raises:
        DTypeError: ``op`` or ``group`` is not text.
        WorldError: there is no such group.
    """

    def __init__(self, op: str = ReduceOp.SUM, group: str = WORLD_GROUPS[0]) -> None:
        super().__init__(group, op=_checked_op(op))

    def __call__(self, input_x: Tensor) -> Tensor:
        """Return the combined Tensor, of the same shape."""
        made = self._combined(input_x, str(self.get_attr_dict()["op"]))
        return self.apply_one(input_x, **self._fusable()) if made is None else made


class AllGather(_Collective, op="all_gather"):
    """Joins the Tensors of all ranks of a group along axis 0; every rank gets the whole.

    Args:
        group: the name of the group.
    """

    def __init__(self, group: str = WORLD_GROUPS[0]) -> None:
        super().__init__(group)

    def __call__(self, input_x: Tensor) -> Tensor:
        """Return the joined Tensor; axis 0 is as many times longer as the group has ranks."""
        return self.apply_one(input_x, **self._fusable())


class ReduceScatter(_Collective, op="reduce_scatter"):
    """Combines the Tensors of all ranks of a group, and leaves each rank its part of axis 0.

    Args:
        op: ``ReduceOp.SUM``, ``MAX``, ``MIN`` or ``PROD``.
        group: the name of the group.
    """

    def __init__(self, op: str = ReduceOp.SUM, group: str = WORLD_GROUPS[0]) -> None:
        super().__init__(group, op=_checked_op(op))

    def __call__(self, input_x: Tensor) -> Tensor:
        """Return this rank's part; the length of axis 0 is divided by the number of ranks."""
        return self.apply_one(input_x, **self._fusable())


class Broadcast(_Collective, op="broadcast"):
    """Gives every rank of a group the Tensors of one of them.

    Args:
        root_rank: the rank, in the world, whose Tensors all get.
        group: the name of the group.
    """

    def __init__(self, root_rank: int, group: str = WORLD_GROUPS[0]) -> None:
        super().__init__(group, root=_checked_rank(root_rank))

    def __call__(self, input_x: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the root's Tensors, in a tuple as they are given."""
        if isinstance(input_x, Tensor):
            raise DTypeError("Broadcast takes a tuple of Tensors: write broadcast((x,)) for one.")
        made = [self._combined(x, "max") for x in input_x]
        return tuple(self.apply_one(x, **self._where()) if m is None else m for x, m in zip(input_x, made, strict=True))


class AlltoAll(_Collective, op="all_to_all"):
    """Cuts each rank's Tensor along one axis, sends piece i to rank i, and joins what comes along another axis.

    Args:
        split_count: how many pieces; as many as the group has ranks.
        split_dim: the axis that is cut; below 0 from the last one.
        concat_dim: the axis along which pieces are joined; likewise.
        group: the name of the group.

    Raises:
        DTypeError: one of the numbers is none.
    """

    def __init__(self, split_count: int, split_dim: int, concat_dim: int, group: str = WORLD_GROUPS[0]) -> None:
        given = {"split_count": split_count, "split_dim": split_dim, "concat_dim": concat_dim}
        for name, number in given.items():
            if type(number) is not int:
                raise DTypeError(f"AlltoAll was given {name}={number!r}; give a whole number.")
        super().__init__(group, **given)

    def __call__(self, input_x: Tensor) -> Tensor:
        """Return the joined pieces."""
        axes = {name: self._attrs[name] for name in ("split_dim", "concat_dim")}
        counted = {name: axis + input_x.ndim for name, axis in axes.items() if -input_x.ndim <= axis < 0}
        return self.apply_one(input_x, **self._where(), **counted)
