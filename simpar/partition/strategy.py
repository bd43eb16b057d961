"""What the user chose: how many devices, how inputs arrive, how each op is cut, how state is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from simpar.errors import StrategyError
from simpar.graph import Node, ParameterSpec, Value, lookup
from simpar.layout import (
    Assignment,
    Layout,
    Rule,
    assign_by_strategy,
    axis_size,
    cut_first_axis,
    follow,
)
from simpar.partition.gathering import gathering
from simpar.partition.restrictions import mindspore_default

__all__ = [
    "FOLLOWERS",
    "JOINED",
    "BucketOptions",
    "OptimizerSharding",
    "PartitionOptions",
    "chosen_assignment",
    "default_assignment",
    "storage_layout",
]

FOLLOWERS = frozenset(
    {
        "dump",
        "dump_gradient",
        "depend",
        "reshape",
        "send",
        "receive",
        "share",
        "channel_mean",
        "channel_spread",
        "follow_statistic",
    }
)
"""Ops that without a strategy keep the cut of their operand, as MindSpore's Reshape does."""
JOINED = frozenset({"argmax", "argmin"})
"""Ops whose strategy may cut what they need whole: it is joined first."""


@dataclass(frozen=True, slots=True)
class OptimizerSharding:
    """When a parameter is stored with one more cut (MindSpore's ``parallel_optimizer_config``).

    Args:
        threshold_bytes: parameters smaller than this, counted whole, stay as they are.
        shard_size: over how many ranks at most; -1 for all that repeat the slice.
        gathers_again: whether the backward pass gathers every parameter again (MindSpore's level 3), not only those
            with ``parallel_optimizer_comm_recompute``.
        shards_totals: whether gradients that add up over micro-batches are cut as their parameters are (level 2).
    """

    threshold_bytes: int = 64 << 10
    shard_size: int = -1
    gathers_again: bool = False
    shards_totals: bool = False


@dataclass(frozen=True, slots=True)
class BucketOptions:
    """When a bucket of fused collectives closes (MindSpore's ``comm_fusion``).

    Args:
        limit_bytes: at this size; None for never.
        starts: positions in the list of gradients where a new bucket begins.
        is_open: False fuses nothing.
    """

    limit_bytes: int | None = 64 << 20
    starts: tuple[int, ...] = ()
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class PartitionOptions:
    """What the passes must know of the context.

    Args:
        device_num: how many devices share the program, or a stage of it.
        is_partitioned: whether one program is cut over them (``semi_auto_parallel``); else each runs its own.
        dataset_strategy: ``"full_batch"``, ``"data_parallel"``, or for each argument its cuts or its layout.
        sharding: how the parallel optimizer stores parameters; None for not at all.
        buckets: how collectives are fused, by kind.
        mindspore: whether ops without a strategy are cut exactly as MindSpore's compiler does it, even where an operand
            must move for that.
        stages: how many stages of a pipeline there are, each with devices of its own.
        scheduler: of the pipeline, ``"1f1b"`` or ``"gpipe"``.
        interleave: whether a stage may have several chunks of the network.
        search: how strategies are found for ops without one (``"sharding_propagation"``); empty for the default ones.
        uses_all: whether these have to cut an op into as many parts as there are devices, if any can.
        wide_gradients: whether 16-bit gradients are summed over ranks as float32.
        wide_sums: whether all 16-bit sums over ranks are.
    """

    device_num: int = 1
    is_partitioned: bool = True
    dataset_strategy: str | tuple[tuple[int, ...] | Layout, ...] = "full_batch"
    sharding: OptimizerSharding | None = None
    buckets: tuple[tuple[str, BucketOptions], ...] = ()
    mindspore: bool = False
    stages: int = 1
    scheduler: str = "1f1b"
    interleave: bool = False
    search: str = ""
    uses_all: bool = False
    wide_gradients: bool = False
    wide_sums: bool = False

    def bucket(self, kind: str) -> BucketOptions:
        """Return how collectives of one kind are fused."""
        return dict(self.buckets).get(kind, BucketOptions())

    @property
    def shards_totals(self) -> bool:
        """Whether the parallel optimizer cuts gradients that add up over micro-batches."""
        return self.sharding is not None and self.sharding.shards_totals

    @property
    def whole(self) -> tuple[int, ...]:
        """The device matrix of values that no op has cut."""
        return (self.device_num,)


def chosen_assignment(node: Node, rule: Rule, device_num: int) -> Assignment:
    """Return the assignment that the user's strategy for a node means.

    Raises:
        StrategyError: the strategy does not fit the op or the devices.
    """
    gathered = gathering(node, rule, device_num)
    if gathered is not None:
        return gathered.assignment
    given = node.strategy
    assert given is not None, "only nodes with a strategy have a chosen assignment"
    scalars = sum(not v.shape for v in node.inputs)
    if len(given) < len(node.inputs) <= len(given) + scalars:
        left = iter(given)
        given = tuple(() if not v.shape else next(left, ()) for v in node.inputs)
    if any(isinstance(entry, Layout) for entry in given):
        return _by_layouts(node, rule, given, device_num)
    numbers = [e for e in given if not isinstance(e, Layout)]
    if node.op in FOLLOWERS:  # of a scalar there is nothing to cut, whatever the numbers
        numbers = [e if v.shape else () for e, v in zip(numbers, node.inputs, strict=False)]
    free = replace(rule, whole=frozenset()) if node.op in JOINED else rule
    return assign_by_strategy(free, numbers, device_num, loose=node.op in FOLLOWERS | JOINED)


def _by_layouts(node: Node, rule: Rule, given: Sequence[tuple[int, ...] | Layout], device_num: int) -> Assignment:
    layouts = [entry for entry in given if isinstance(entry, Layout)]
    first = layouts[0]
    missing = [i for i, v in enumerate(node.inputs[: len(given)]) if v.shape and not isinstance(given[i], Layout)]
    if len(given) != len(node.inputs) or missing:
        raise StrategyError(
            f"the strategy gives {len(layouts)} Layouts for {len(node.inputs)} inputs. Give one Layout for each input, "
            f"all of one device matrix; numbers and Layouts cannot be mixed."
        )
    for i, (entry, v) in enumerate(zip(given, node.inputs, strict=True)):
        if isinstance(entry, Layout) and len(entry.tensor_map) != len(v.shape):
            raise StrategyError(
                f"the Layout of input {i} has {len(entry.tensor_map)} entries, but its shape is {v.shape}. Give one "
                "for each axis."
            )
    if any((lay.dev_mat, lay.rank_list) != (first.dev_mat, first.rank_list) for lay in layouts):
        raise StrategyError(f"the Layouts have the device matrices {[lay.dev_mat for lay in layouts]}; use one.")
    if first.size != device_num:
        raise StrategyError(
            f"the Layouts are for {first.size} devices (dev_mat {first.dev_mat}), but there are {device_num}. "
            f"Make the product of the device matrix {device_num}."
        )
    operands = [e if isinstance(e, Layout) else None for e in given]
    axes = dict(follow(rule, operands, device_num).axes)
    wanted = node.out_strategy[0] if node.out_strategy else None
    if isinstance(wanted, Layout) and wanted.size == device_num:  # it alone can tell the cut of what no operand has
        taken = {f for op_axes in rule.operands for axis in op_axes for f in axis}
        made = follow(rule, operands, device_num, wanted)
        axes.update((f, a) for f, a in made.axes.items() if f not in taken and made.dev_mat == first.dev_mat)
    assignment = Assignment(first.dev_mat, axes, first.rank_list)
    for i, entry in enumerate(given):
        if isinstance(entry, Layout):
            made = assignment.operand(rule, i)
            told = replace(entry, lengths=made.lengths) if made.cuts == entry.cuts else entry  # the op's own fields
            told.slice_shape(node.inputs[i].shape)
            if not made.same_slices(told):
                raise StrategyError(
                    f"input {i} is given as {entry}, but rule '{rule}' and the other inputs make it "
                    f"{made}. Cut each index of the rule alike, and those that must be whole "
                    "not."
                )
    return assignment


def default_assignment(
    node: Node,
    rule: Rule,
    known: Sequence[Layout | None],
    options: PartitionOptions,
    wanted: Layout | None = None,
    divisors: Mapping[str, int] | None = None,
) -> Assignment:
    """Return how a node without a strategy is cut.

    A forward op is cut along its first axis as far as that divides, as MindSpore does it; a reshape, and everything
    that autodiff or an optimizer made, follows its operands, and the layout in which its result is wanted.
    """
    definition = lookup(node.op)
    if node.phase == "forward" and (node.op not in FOLLOWERS or not known or known[0] is None):
        there = [None] * len(known) if options.mindspore else known
        own = mindspore_default(node, rule, options.device_num) if options.mindspore else None
        if own is not None:
            return own
        made = cut_first_axis(rule, there, options.device_num, definition.batch, divisors)
        looks_up = definition.offsets and made.cut(definition.offsets) > 1  # rows by number: each rank needs them all
        return Assignment((options.device_num,), {}) if looks_up else made
    return follow(rule, known, options.device_num, wanted)


def storage_layout(compute: Layout, value: Value, spec: ParameterSpec, sharding: OptimizerSharding | None) -> Layout:
    """Return the layout in which a parameter is stored that an op takes in layout ``compute``.

    With the parallel optimizer it is cut once more along axis 0, over the innermost device axes that repeat it, unless
    it is excluded, too small, cut into unequal slices, or does not divide.

    >>> from simpar.dtype import float32
    >>> storage_layout(Layout((2, 2), (-1, 0)), Value(0, (4, 6), float32), ParameterSpec("w"), OptimizerSharding(0))
    Layout(dev_mat=(2, 2), tensor_map=(1, 0), rank_list=None, partial=(), combine='sum')
    """
    layout = compute.resolved()
    replicas = prod(axis_size(layout.dev_mat, a) for a in layout.repeated_axes)
    nbytes = prod(value.shape) * value.dtype.itemsize
    if sharding is None or not spec.parallel_optimizer or not value.shape or nbytes < sharding.threshold_bytes:
        return layout
    wanted = replicas if sharding.shard_size == -1 else min(sharding.shard_size, replicas)
    if wanted == 1 or layout.lengths or replicas % wanted or layout.slice_shape(value.shape)[0] % wanted:
        return layout
    split = _split_repeats(layout, wanted)
    if split is None:
        return layout
    finer, axes = split
    return replace(finer, tensor_map=((*finer.cutting_axes[0], *axes), *finer.cutting_axes[1:]))


def _split_repeats(layout: Layout, wanted: int) -> tuple[Layout, tuple[int, ...]] | None:
    """Return the layout and the innermost of its repeated device axes that hold ``wanted`` ranks; one may be split."""
    axes: tuple[int, ...] = ()
    left = wanted
    for a in reversed(layout.repeated_axes):
        size = axis_size(layout.dev_mat, a)
        if left == 1:
            break
        if left % size == 0:
            axes, left = (a, *axes), left // size
        elif size % left == 0:
            place = len(layout.dev_mat) - 1 - a
            finer = (*layout.dev_mat[:place], size // left, left, *layout.dev_mat[place + 1 :])
            return layout.refined(finer), (a, *axes)  # the inner part keeps the axis's number
        else:
            return None
    return (layout, axes) if left == 1 else None
