"""The stages of a dataset, one class each: what gives rows, and what is done to them.

A stage knows its columns, gives the rows of an epoch in blocks, and says how many there are. It knows nothing of the
stages after it, and nothing of Tensors.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from simpar.dataset.order import Epoch
from simpar.dataset.rows import BLOCK_ROWS, Block, Column, block_of, length, packed, recut, rows_of, taken
from simpar.dataset.transforms import Compose, TensorOperation
from simpar.errors import DatasetError

__all__ = [
    "Concatenated",
    "Filtered",
    "Mapped",
    "Names",
    "Projected",
    "Renamed",
    "Repeated",
    "Rows",
    "Shuffled",
    "Stage",
    "Window",
    "Zipped",
    "names_of",
    "split",
]

Names = str | Sequence[str]


def names_of(given: Names) -> tuple[str, ...]:
    """Return names of columns given as one string or several."""
    return (given,) if isinstance(given, str) else tuple(given)


class Rows:
    """Is the base of stages: rows of named columns.

    Args:
        columns: the names of the columns, in order.
    """

    batch_size = 1
    """How many rows were stacked to one."""
    repeats = 1
    """How often the rows are repeated."""
    classes = -1
    """How many classes the labels tell apart; -1 if nothing says so."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        twice = sorted({c for c in self.columns if self.columns.count(c) > 1})
        if twice:
            raise DatasetError(f"the columns are named {list(self.columns)}; {twice} is there twice. Rename one.")

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch, many at a time."""
        raise NotImplementedError

    def count(self) -> int:
        """Return how many rows an epoch has."""
        raise NotImplementedError

    def places(self, names: Sequence[str]) -> list[int]:
        """Return where columns stand.

        Raises:
            DatasetError: there is no such column.
        """
        missing = [n for n in names if n not in self.columns]
        if missing:
            raise DatasetError(f"there is no column {missing[0]!r}; the columns are {list(self.columns)}.")
        return [self.columns.index(n) for n in names]


class Stage(Rows):
    """Is the base of stages that get their rows from one other."""

    def __init__(self, source: Rows, columns: Sequence[str] | None = None) -> None:
        super().__init__(source.columns if columns is None else columns)
        self.source = source
        self.batch_size, self.repeats, self.classes = source.batch_size, source.repeats, source.classes

    def count(self) -> int:
        """Return how many rows an epoch has."""
        return self.source.count()


class Mapped(Stage):
    """Does operations to columns of each row; see ``Dataset.map``."""

    def __init__(
        self, source: Rows, operations: Any, input_columns: Names | None, output_columns: Names | None
    ) -> None:
        given = list(cast("Sequence[Any]", operations)) if isinstance(operations, list | tuple) else [operations]
        self._operations: list[Any] = []
        for one in given:
            self._operations.extend(one.transforms if isinstance(one, Compose) else [one])
        wrong = [o for o in self._operations if not callable(o)]
        if wrong or not given:
            raise DatasetError(f"map takes functions or transforms; it got {wrong[0] if wrong else 'none'!r}.")
        self._inputs = source.columns[:1] if input_columns is None else names_of(input_columns)
        self._outputs = self._inputs if output_columns is None else names_of(output_columns)
        self._places = source.places(self._inputs)
        super().__init__(source, self._columns_after(source.columns))

    def _columns_after(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns: each input replaced where it stands, or, if their number changes, the outputs first."""
        if len(self._inputs) == len(self._outputs):
            named = dict(zip(self._inputs, self._outputs, strict=True))
            return tuple(named.get(c, c) for c in columns)
        rest = [c for c in columns if c not in self._inputs]
        return (*self._outputs, *rest)

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        for number, block in enumerate(self.source.blocks(epoch.below())):
            made = [block[i] for i in self._places]
            for place, operation in enumerate(self._operations):
                draws = Epoch(epoch.number * 1_000_003 + number, epoch.seed, epoch.stage * 64 + place)
                made = _done(operation, made, draws)
            if len(made) != len(self._outputs):
                raise DatasetError(
                    f"map: the operations return {len(made)} columns, and output_columns names {len(self._outputs)}: "
                    f"{list(self._outputs)}. Name each of them."
                )
            yield self._placed(block, made)

    def _placed(self, block: Block, made: list[Column]) -> Block:
        by_name = dict(zip(self.source.columns, block, strict=True)) | dict(zip(self._outputs, made, strict=True))
        return tuple(by_name[c] for c in self.columns)


def _done(operation: Any, columns: list[Column], draws: Epoch) -> list[Column]:
    """Return what an operation makes of columns: at once where it can, else row by row."""
    if isinstance(operation, TensorOperation):
        whole = operation.done_to_all(columns, draws)
        if whole is not None:
            return whole
        rows = operation.done_by_row(columns, draws)
    else:
        rows = (operation(*row) for row in rows_of(tuple(columns)))
    results = [cast("tuple[Any, ...]", r) if isinstance(r, tuple) else (r,) for r in rows]
    widths = {len(r) for r in results}
    if len(widths) > 1:
        raise DatasetError(f"map: the operation returns {sorted(widths)} columns, another number for other rows.")
    return [packed([_array(value) for value in column]) for column in zip(*results, strict=True)]


def _array(value: Any) -> Any:
    """Return the array of what a user's function returned, which may be a Tensor."""
    return value.asnumpy() if hasattr(value, "asnumpy") else value


class Shuffled(Stage):
    """Gives rows in random order out of a buffer: each row that leaves makes room for the next that comes."""

    def __init__(self, source: Rows, buffer_size: int) -> None:
        if isinstance(buffer_size, bool) or buffer_size < 2:
            raise DatasetError(f"shuffle: buffer_size is {buffer_size}; give at least 2, better the number of rows.")
        super().__init__(source)
        self._buffer_size = buffer_size

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        buffers = recut(self.source.blocks(epoch.below()), self._buffer_size)
        buffer = next(buffers, None)
        if buffer is None:
            return
        held = length(buffer)
        for number, fresh in enumerate(recut((b for c in buffers for b in _small(c)), min(held, BLOCK_ROWS))):
            draws = Epoch(epoch.number * 1_000_003 + number + 1, epoch.seed, epoch.stage)
            leaving, staying = _exchanged(held, (draws.uniform(length(fresh)) * np.float32(held)).astype(int).tolist())
            both = _both(buffer, fresh)
            yield taken(both, leaving)
            buffer = taken(both, staying)
        order = Epoch(epoch.number * 1_000_003, epoch.seed, epoch.stage).permutation(held)
        yield taken(buffer, order)


def _small(block: Block) -> Iterator[Block]:
    for start in range(0, length(block), BLOCK_ROWS):
        yield taken(block, slice(start, start + BLOCK_ROWS))


def _both(one: Block, two: Block) -> Block:
    return next(recut([one, two], length(one) + length(two)))


def _exchanged(held: int, draws: list[int]) -> tuple[list[int], list[int]]:
    """Return which rows leave and which stay, when each fresh row takes the place that is drawn for it."""
    places = list(range(held))
    leaving: list[int] = []
    for number, place in enumerate(draws):
        place = min(place, held - 1)
        leaving.append(places[place])
        places[place] = held + number
    return leaving, places


class Repeated(Stage):
    """Gives the rows several times, each time in the order of an epoch of its own."""

    def __init__(self, source: Rows, count: int) -> None:
        if count == 0 or count < -1:
            raise DatasetError(f"repeat: count is {count}; give a positive number, or -1 for no end.")
        super().__init__(source)
        self._count = count
        self.repeats = count * source.repeats

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        for number in itertools.count() if self._count == -1 else range(self._count):
            inner = number if self._count == -1 else epoch.number * self._count + number
            empty = True
            for block in self.source.blocks(epoch.below(inner)):
                empty = False
                yield block
            if empty:
                return

    def count(self) -> int:
        """Return how many rows an epoch has; of one round if there is no end."""
        return self.source.count() * max(self._count, 1)


class Window(Stage):
    """Leaves out the first rows, or all but the first."""

    def __init__(self, source: Rows, skip: int, take: int | None) -> None:
        if skip < 0 or (take is not None and take < 1):
            raise DatasetError(f"{'skip' if skip < 0 else 'take'}: count is {skip or take}; give a positive number.")
        super().__init__(source)
        self._skip, self._take = skip, take

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        skip, left = self._skip, self._take
        for block in self.source.blocks(epoch.below()):
            start, stop = min(skip, length(block)), length(block)
            skip -= start
            if left is not None:
                stop = min(stop, start + left)
                left -= stop - start
            if start < stop:
                yield taken(block, slice(start, stop))
            if left == 0:
                return

    def count(self) -> int:
        """Return how many rows an epoch has."""
        rows = max(0, self.source.count() - self._skip)
        return rows if self._take is None else min(rows, self._take)


class Projected(Stage):
    """Keeps some columns, in this order."""

    def __init__(self, source: Rows, columns: Names) -> None:
        self._places = source.places(names_of(columns))
        super().__init__(source, names_of(columns))

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        for block in self.source.blocks(epoch.below()):
            yield tuple(block[i] for i in self._places)


class Renamed(Stage):
    """Gives the rows with some columns under other names."""

    def __init__(self, source: Rows, input_columns: Names, output_columns: Names) -> None:
        old, new = names_of(input_columns), names_of(output_columns)
        if len(old) != len(new):
            raise DatasetError(f"{len(old)} columns {list(old)} cannot be renamed to {len(new)} names {list(new)}.")
        source.places(old)
        named = dict(zip(old, new, strict=True))
        super().__init__(source, [named.get(c, c) for c in source.columns])

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        return self.source.blocks(epoch.below())


class Filtered(Stage):
    """Keeps the rows for which a function is true."""

    def __init__(self, source: Rows, predicate: Callable[..., Any], input_columns: Names | None) -> None:
        super().__init__(source)
        self._predicate = predicate
        self._places = source.places(source.columns if input_columns is None else names_of(input_columns))

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        for block in self.source.blocks(epoch.below()):
            kept = [i for i, row in enumerate(rows_of(block)) if self._predicate(*(row[p] for p in self._places))]
            if kept:
                yield taken(block, kept)

    def count(self) -> int:
        """Return how many rows the first epoch has; they are read to know it."""
        return sum(map(length, self.blocks(Epoch())))


class Zipped(Rows):
    """Puts the columns of several datasets side by side."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        super().__init__([c for part in parts for c in part.columns])
        self._parts = parts

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        sources = [
            itertools.chain.from_iterable(
                rows_of(b) for b in part.blocks(Epoch(epoch.number, epoch.seed, epoch.stage + 1 + 16 * i))
            )
            for i, part in enumerate(self._parts)
        ]
        rows = (tuple(v for row in together for v in row) for together in zip(*sources, strict=False))
        while some := list(itertools.islice(rows, BLOCK_ROWS)):
            yield block_of(some)

    def count(self) -> int:
        """Return how many rows an epoch has: those of the shortest part."""
        return min(part.count() for part in self._parts)


class Concatenated(Rows):
    """Gives the rows of one dataset after those of another."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        super().__init__(parts[0].columns)
        self._parts = parts
        odd = next((p for p in parts if p.columns != self.columns), None)
        if odd is not None:
            raise DatasetError(f"concat: columns {list(odd.columns)} do not follow columns {list(self.columns)}.")

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        """Give the rows of one epoch."""
        for number, part in enumerate(self._parts):
            yield from part.blocks(Epoch(epoch.number, epoch.seed, epoch.stage + 1 + 16 * number))

    def count(self) -> int:
        """Return how many rows an epoch has."""
        return sum(part.count() for part in self._parts)


class _Frozen(Stage):
    """Gives a window of the rows in one order that stays the same in every epoch."""

    def __init__(self, source: Rows, start: int, stop: int, randomize: bool) -> None:
        super().__init__(source)
        self._start, self._stop, self._randomize = start, stop, randomize

    def blocks(self, epoch: Epoch) -> Iterator[Block]:
        same = Epoch(0, epoch.seed, 0)
        rows = self.source.count()
        whole = next(recut(self.source.blocks(same.below()), rows))
        order = same.permutation(rows) if self._randomize else np.arange(rows)
        yield from _small(taken(whole, order[self._start : self._stop]))

    def count(self) -> int:
        return self._stop - self._start


def split(source: Rows, sizes: Sequence[int | float], randomize: bool) -> tuple[Rows, ...]:
    """Return disjoint parts of a dataset; see ``Dataset.split``."""
    rows = source.count()
    counts = [round(s * rows) if isinstance(s, float) else s for s in sizes]
    if any(isinstance(s, float) for s in sizes):
        counts[-1] += rows - sum(counts) if abs(sum(cast("Sequence[float]", sizes)) - 1) < 1e-6 else 0
    if sum(counts) != rows or min(counts, default=0) < 1:
        raise DatasetError(
            f"split: sizes {list(sizes)} make {counts} of {rows} rows; they must be positive and sum up."
        )
    edges = np.cumsum([0, *counts]).tolist()
    return tuple(_Frozen(source, a, b, randomize) for a, b in itertools.pairwise(edges))
