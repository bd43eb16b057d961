"""Inputs of unknown length: a program is planned for lengths that fit its ops and strategies, found by trying.

Each unknown axis is a variable; axes that share a ``Symbol(unique=True)`` are one. All begin with a length that most
cuts divide. Where an op or a cut complains, its error says which lengths disagree (``errors.Misfit``), and the next
tries change one variable, or equal ones together, so that they might agree. The try that came furthest is continued
first, so that constraints are met one after the other, in the order of the program.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from math import gcd, lcm
from typing import Any, Protocol, TypeVar, runtime_checkable

from simpar.errors import LayoutError, Misfit, RuleError, SimparError, StrategyError
from simpar.graph import Trace
from simpar.tensor import Tensor

__all__ = ["divisors", "with_lengths"]

Made = TypeVar("Made")
Lengths = tuple[int, ...]
_Promise = tuple[bool, int, int, int]
"""What lengths are tried first, the least: whether they are a guess, and of the try from which they come less how many
ops were traced, how many lengths disagreed, and how many changes led there."""

_WORK = 20_000
"""How many ops are traced in search of lengths before the search gives up."""
_TRIES = 300
"""How many tries are made at most, however short the program."""
_NEAR = 8
"""Where a multiple is wanted, so many of them to each side are tried."""
_NONE: _Promise = (True, 1, 0, 0)
"""What comes behind all others."""
_USUAL = (1, 2, 4, 8, 16, 32, 128, 256)
"""Lengths to try where nothing else is known."""


@runtime_checkable
class _Described(Protocol):
    """A length of which something is known (``simpar.Symbol``)."""

    @property
    def unique(self) -> bool:
        """Whether all axes that are described by this object have the same length."""
        ...

    def fits(self, length: int) -> bool:
        """Return whether it may be this one."""
        ...


@dataclass(frozen=True, slots=True)
class _Variable:
    """The axes (input, axis) that have one unknown length, and what is known of it."""

    axes: tuple[tuple[int, int], ...]
    described: object

    def fits(self, length: int) -> bool:
        return length >= 1 and (not isinstance(self.described, _Described) or self.described.fits(length))


def with_lengths(make: Callable[[Trace, list[Tensor]], Made], tensors: list[Tensor], owner: object) -> Made:
    """Return what ``make`` makes of the inputs, with other lengths in place of unknown ones until all is well.

    Args:
        make: traces the program on Tensors of known shapes, and cuts it.
        tensors: the inputs; those made of a shape with ``None`` or a ``Symbol`` have unknown lengths.
        owner: the Cell, whose Parameters have the lengths that are likely to be meant.

    Raises:
        RuleError, LayoutError, StrategyError: no lengths were found; the error is that of the try that came furthest.
    """
    variables = _variables(tensors)
    if not variables:
        return make(Trace(), tensors)
    return _Search(make, tensors, variables, _known(tensors, owner)).run()


def divisors(tensor: Tensor) -> dict[int, int]:
    """Return the axes of unknown length, each with a number that is known to divide it."""
    described = tensor.unknown.items()
    return {axis: gcd(getattr(d, "divisor", 1), getattr(d, "remainder", 0)) for axis, d in described}


class _Search:
    """Tries lengths, the most promising ones first."""

    def __init__(
        self,
        make: Callable[[Trace, list[Tensor]], Any],
        tensors: list[Tensor],
        variables: Sequence[_Variable],
        known: Sequence[int],
    ) -> None:
        self.make, self.tensors, self.variables = make, tensors, variables
        self.likely = tuple(dict.fromkeys((1, *known, *_USUAL)))
        self.work = 0
        self.tried: set[Lengths] = set()
        self.waiting: list[tuple[_Promise, int, Lengths]] = []
        self.promised: dict[Lengths, _Promise] = {}
        self.order = count()

    def run(self) -> Any:
        """Return what is made of the first lengths that fit."""
        lengths = tuple(self.tensors[v.axes[0][0]].shape[v.axes[0][1]] for v in self.variables)
        best: tuple[tuple[int, int], SimparError] | None = None
        steps = 0
        while True:
            trace = Trace()
            self.tried.add(lengths)
            try:
                return self.make(trace, self._given(lengths))
            except (RuleError, LayoutError, StrategyError) as error:
                self.work += len(trace.nodes)
                rank = (-len(trace.nodes), len(error.misfits))  # a cut fails behind all ops
                best = min(best or (rank, error), (rank, error), key=lambda one: one[0])
                self._add(lengths, (*rank, steps + 1), error.misfits)
            while self.waiting and self.waiting[0][-1] in self.tried:
                heappop(self.waiting)
            if not self.waiting or len(self.tried) >= _TRIES or self.work > _WORK:
                raise best[1]
            (_, _, _, steps), _, lengths = heappop(self.waiting)

    def _given(self, lengths: Lengths) -> list[Tensor]:
        shapes = [list(t.shape) for t in self.tensors]
        for variable, length in zip(self.variables, lengths, strict=True):
            for i, axis in variable.axes:
                shapes[i][axis] = length
        return [_of_shape(t, s) if t.unknown else t for t, s in zip(self.tensors, shapes, strict=True)]

    def _add(self, lengths: Lengths, rank: tuple[int, int, int], misfits: Sequence[Misfit]) -> None:
        """Put what might do better than these lengths in the queue; what no misfit suggests only behind all others."""
        cures = [[n for misfit in misfits for n in _corrected(own, misfit)] for own in lengths]
        for is_guess, others in ((False, cures), (bool(misfits), [self.likely] * len(lengths))):
            for made in self._changes(lengths, others):
                promise = (is_guess, *rank)
                if made not in self.tried and promise < self.promised.get(made, _NONE):
                    self.promised[made] = promise
                    heappush(self.waiting, (promise, next(self.order), made))

    def _changes(self, lengths: Lengths, others: Sequence[Sequence[int]]) -> Iterator[Lengths]:
        """Give these lengths with one of them changed, then with all changed that are equal to it."""
        changes = [(i, n) for i, v in enumerate(self.variables) for n in others[i] if v.fits(n)]
        for i, length in changes:
            yield (*lengths[:i], length, *lengths[i + 1 :])
        for i, length in changes:
            pairs = zip(self.variables, lengths, strict=True)
            yield tuple(length if n == lengths[i] and v.fits(length) else n for v, n in pairs)


def _corrected(length: int, misfit: Misfit) -> Iterator[int]:
    """Give what an axis might have to be if that cures a misfit: in proportion, by difference, or the same.

    Of 512 that should be 128, and of 128 that should be 512:

    >>> list(_corrected(64, Misfit(512, 128)))
    [16, -320, 128, 256, 448, 512]
    """
    for is_one, should in _cures(misfit):
        if is_one and length * should % is_one == 0:
            yield length * should // is_one
        yield length + should - is_one
        yield should


def _cures(misfit: Misfit) -> Iterator[tuple[int, int]]:
    """Give pairs of a length as it is and as it should be."""
    n, wanted, is_multiple = misfit
    if not is_multiple:
        yield n, wanted
        yield wanted, n
    elif wanted > 0:
        yield n, lcm(n, wanted)
        near = (n // wanted + i for i in range(-_NEAR, _NEAR + 1))
        yield from ((n, k * wanted) for k in sorted(near, key=lambda k: abs(k * wanted - n)))


def _variables(tensors: Sequence[Tensor]) -> list[_Variable]:
    """Return the unknown lengths of all inputs."""
    axes: dict[object, list[tuple[int, int]]] = {}
    described: dict[object, object] = {}
    for i, tensor in enumerate(tensors):
        for axis, known in tensor.unknown.items():
            shared = isinstance(known, _Described) and known.unique
            key = id(known) if shared else (i, axis)
            axes.setdefault(key, []).append((i, axis))
            described[key] = known
    return [_Variable(tuple(places), described[key]) for key, places in axes.items()]


def _known(tensors: Sequence[Tensor], owner: object) -> list[int]:
    """Return the lengths of the program's other axes, those of the Parameters first, each once."""
    parameters: Sequence[Any] = list(getattr(owner, "get_parameters", list)())
    return list(dict.fromkeys(n for t in (*parameters, *tensors) for n in t.shape if n > 1))


def _of_shape(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    made = Tensor(shape=shape, dtype=tensor.dtype)
    made.unknown = tensor.unknown
    return made
