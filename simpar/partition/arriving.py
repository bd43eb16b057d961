"""How inputs arrive: whole, or in the pieces that a dataset strategy tells."""

from collections.abc import Mapping, Sequence
from math import prod

from simpar.errors import StrategyError
from simpar.graph import NESTED, NEXT, Argument, Value
from simpar.layout import NOT_CUT, Layout, repeated
from simpar.partition.restrictions import MINDSPORE_ONLY
from simpar.partition.strategy import PartitionOptions

__all__ = ["argument_cuts", "argument_layout", "argument_shape", "check_dataset_strategy", "dataset_entries"]


def dataset_entries(arguments: Sequence[Argument]) -> Mapping[Value, int]:
    """Return which entry of a dataset strategy tells of each input: those of the caller and of a queue in their order.

    An input that says itself how it is cut, the counter of steps and what came in a list or a tuple have none.
    """
    fed = [a for a in arguments if a.layout is None and a.name != "step" and not a.name.startswith(NESTED)]
    queued = [a for a in fed if a.name.startswith(NEXT)]
    given = [a for a in fed if not a.name.startswith(NEXT)]
    return {a.value: i for group in (given, queued) for i, a in enumerate(group)}


def argument_layout(argument: Argument, index: int | None, options: PartitionOptions) -> Layout:
    """Return the layout in which an argument arrives.

    Args:
        argument: with the shape of the whole.
        index: its place in a ``dataset_strategy`` of tuples; None for one that is no part of the dataset.
        options: device number and dataset strategy.

    Raises:
        StrategyError: the dataset strategy does not fit the argument.
    """
    shape, n = argument.value.shape, options.device_num
    whole = repeated(options.whole, len(shape))
    if argument.layout is not None:
        return argument.layout
    if not options.is_partitioned or options.dataset_strategy == "full_batch" or not shape or n == 1 or index is None:
        return whole
    if options.dataset_strategy == "data_parallel":
        return Layout(options.whole, (0,) + (NOT_CUT,) * (len(shape) - 1))
    given = options.dataset_strategy
    if isinstance(given, str) or index >= len(given) or len(_cuts_of(given[index])) != len(shape):
        raise StrategyError(
            f"dataset_strategy {given!r} has no entry that fits argument {index} ({argument.name}) of shape {shape}. "
            f"Give one tuple for each input, with one number for each axis."
        )
    entry = given[index]
    if isinstance(entry, Layout):
        return entry
    cuts = entry
    if prod(cuts) == 1:
        return whole
    if n % prod(cuts):
        raise StrategyError(f"dataset_strategy {cuts} of argument {index} does not divide the {n} devices evenly.")
    dev_mat = (n // prod(cuts), *cuts)  # unlike an op's, what is repeated is the first device axis, as in MindSpore
    return Layout(dev_mat, tuple(len(cuts) - 1 - i if cut > 1 else NOT_CUT for i, cut in enumerate(cuts)))


def _cuts_of(entry: tuple[int, ...] | Layout) -> tuple[int, ...]:
    return entry.cuts if isinstance(entry, Layout) else entry


def check_dataset_strategy(arguments: Sequence[Argument], options: PartitionOptions) -> None:
    """Check that a dataset strategy is one that MindSpore takes: one entry for each input, cut alike.

    Raises:
        StrategyError: it is not.
    """
    given = options.dataset_strategy
    if not options.mindspore or isinstance(given, str):
        return
    wanted = 1 + max(dataset_entries(arguments).values(), default=-1)
    if len(given) != wanted:
        raise StrategyError(
            f"dataset_strategy {given} has {len(given)} entries for {wanted} inputs. Give one tuple for each input."
        )
    cuts = [[n for n in entry if n > 1] for entry in given if not isinstance(entry, Layout)]
    if any(len(c) > 1 for c in cuts) or len({n for c in cuts for n in c}) > 1:
        raise StrategyError(
            f"dataset_strategy {given} cuts an input on two axes, or two inputs into unequal parts. MindSpore cuts "
            f"each input on one axis or on none, and all into as many parts; give Layouts for more. {MINDSPORE_ONLY}"
        )


def argument_shape(shape: tuple[int, ...], index: int, options: PartitionOptions) -> tuple[int, ...]:
    """Return the global shape of an argument of which each rank is given a piece, as the dataset strategy says.

    >>> argument_shape((4, 8), 0, PartitionOptions(device_num=2, dataset_strategy="data_parallel"))
    (8, 8)
    """
    cuts = argument_cuts(index, options, len(shape))
    return tuple(n * c for n, c in zip(shape, cuts, strict=True))


def argument_cuts(index: int, options: PartitionOptions, axes: int) -> tuple[int, ...]:
    """Return into how many pieces the dataset strategy cuts each axis of an argument."""
    given = options.dataset_strategy
    whole = (1,) * axes
    if not options.is_partitioned or given == "full_batch" or not axes:
        return whole
    if given == "data_parallel":
        return (options.device_num, *whole[1:])
    cuts = _cuts_of(given[index]) if index < len(given) and not isinstance(given, str) else ()
    return cuts if len(cuts) == axes else whole
