"""Random tensors as objects, under MindSpore's class names; equal under every layout, new at each step."""

from collections.abc import Sequence
from math import prod

import numpy as np

from simpar.dtype import DType, float32, int32, int64, uint8
from simpar.errors import RuleError
from simpar.graph import Strategy
from simpar.layout import Layout
from simpar.ops._made import Made, lengths, places
from simpar.ops.draws import check_candidates
from simpar.ops.primitive import Primitive
from simpar.ops.random import draw_attrs, seeded, step_tensor
from simpar.ops.support import one
from simpar.tensor import Tensor, as_tensor, call

__all__ = [
    "Dropout2D",
    "DropoutDoMask",
    "DropoutExt",
    "DropoutGenMask",
    "Gamma",
    "RandomChoiceWithMask",
    "StandardLaplace",
    "StandardNormal",
    "UniformCandidateSampler",
    "UniformInt",
    "UniformReal",
    "seed_of",
]

Shape = Sequence[int] | Tensor


def seed_of(first: int, second: int) -> int | None:
    """Return the seed that two numbers make together; both 0 mean the program's own."""
    return None if first == second == 0 else first << 32 | second


class _Draw(Made, op="draw"):
    """Draws a tensor.

    Args:
        seed, seed2: choose the numbers together; both 0 means the program's seed.
    """

    def __init__(self, seed: int = 0, seed2: int = 0) -> None:
        super().__init__()
        self._seed = seed_of(seed, seed2)

    def _drawn(self, shape: Shape, kind: str, dtype: DType = float32, low: int = 0, high: int = 1) -> Tensor:
        attrs = {**seeded(self._seed), "kind": kind, "dtype": dtype.name, "low": low, "high": high}
        return self.apply_one(step_tensor(), *places(lengths(shape)), **attrs)


class UniformReal(_Draw):
    """Draws float32 evenly from [0, 1).

    >>> UniformReal(seed=1).shard(((2, 1),))((2, 3)).shape
    (2, 3)
    """

    def __call__(self, shape: Shape) -> Tensor:
        """Return the numbers."""
        return self._drawn(shape, "uniform")


class StandardNormal(_Draw):
    """Draws float32 of mean 0 and variance 1, normally distributed."""

    def __call__(self, shape: Shape) -> Tensor:
        """Return the numbers."""
        return self._drawn(shape, "normal")


class StandardLaplace(_Draw):
    """Draws float32 of Laplace's distribution: mean 0, mean distance 1."""

    def __call__(self, shape: Shape) -> Tensor:
        """Return the numbers."""
        centred = self._drawn(shape, "uniform") - (0.5 - 2.0**-25)  # between -1/2 and 1/2, and neither
        return -(one("sign", centred) * one("log1p", -2.0 * centred.abs()))


class UniformInt(_Draw):
    """Draws whole numbers evenly."""

    def __call__(self, shape: Shape, minval: int | Tensor, maxval: int | Tensor, dtype: DType = int32) -> Tensor:
        """Return numbers from ``minval`` to below ``maxval``."""
        low, high = (int(n.item()) if isinstance(n, Tensor) else n for n in (minval, maxval))
        if not low < high <= low + 2**32:
            raise RuleError(f"whole numbers from {low} to below {high}: give bounds that are 1 to 2**32 apart.")
        return self._drawn(shape, "integers", dtype, low, high)


class Gamma(_Draw):
    """Draws float32 of the gamma distribution, by its quantile."""

    def __call__(self, shape: Shape, alpha: Tensor, beta: Tensor) -> Tensor:
        """Return numbers of shape parameters ``alpha`` and rates ``beta``, which broadcast with ``shape``."""
        return one("igamma_quantile", alpha, self._drawn(shape, "uniform")) / beta


class RandomChoiceWithMask(Primitive, op="random_choice_with_mask"):
    """Chooses places where a mask is true.

    Args:
        count: how many.
        seed, seed2: as of ``UniformReal``.
    """

    def __init__(self, count: int = 256, seed: int = 0, seed2: int = 0) -> None:
        super().__init__(count=count)
        self._seed = seed_of(seed, seed2)

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "RandomChoiceWithMask":
        """Say how the mask is cut, which is not at all; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        if self.in_strategy:
            self.in_strategy = ((), *self.in_strategy)
        return self

    def __call__(self, input_x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the places, (count, axes), and for each whether it is one: there may be fewer than ``count``."""
        made = self.apply(step_tensor(), input_x, **seeded(self._seed))
        assert isinstance(made, tuple), "random_choice_with_mask has two results"
        return made[0], made[1]


class UniformCandidateSampler(Primitive, op="uniform_candidates"):
    """Draws classes evenly, for losses that look at few of many classes.

    Args:
        num_true: how many true classes each row has.
        num_sampled: how many classes are drawn; the same for all rows.
        unique: whether they must differ.
        range_max: classes are numbered from 0 to below it.
        seed: the program's own if 0.
        remove_accidental_hits: whether true classes must not be drawn.
    """

    def __init__(
        self,
        num_true: int,
        num_sampled: int,
        unique: bool,
        range_max: int,
        seed: int = 0,
        remove_accidental_hits: bool = False,
    ) -> None:
        super().__init__(count=num_sampled, limit=range_max, unique=unique)
        self.num_true, self.remove_accidental_hits = num_true, remove_accidental_hits
        self._seed = seed_of(seed, 0)
        self._cut: Strategy | None = None

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "UniformCandidateSampler":
        """Say how the true classes are cut; not at all where they must not be drawn. See ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        self._cut = self.in_strategy
        if self.in_strategy:
            self.in_strategy = ((), *self.in_strategy) if self.remove_accidental_hits else None
        return self

    def __call__(self, true_classes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the drawn classes, (num_sampled,), and how often each true and each drawn one is expected.

        Raises:
            RuleError: the rows do not have ``num_true`` classes, or more are wanted than there are.
        """
        if true_classes.shape[-1] != self.num_true:
            raise RuleError(f"true_classes of shape {true_classes.shape} must have {self.num_true} (num_true) columns.")
        apart = (true_classes,) if self.remove_accidental_hits else ()
        check_candidates(**self._attrs, excluded=0)
        made = self.apply(step_tensor(), *apart, **seeded(self._seed), dtype=true_classes.dtype.name)
        assert isinstance(made, tuple), "uniform_candidates has two results"
        sampled, expected = made
        ones = call("full_like", true_classes.astype(float32), strategy=self._cut, value=1)
        assert isinstance(ones, Tensor), "full_like has one result"
        return sampled, ones * expected[:1], expected


# --- dropout in other words ---


class DropoutExt(Primitive, op="dropout_ext"):
    """Makes a random part of the elements 0 and divides the others by the part that is kept."""

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "DropoutExt":
        """Say how the input is cut; seed and offset need no entries. See ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        if self.in_strategy:
            first = self.in_strategy[0]
            number = Layout(first.dev_mat, (), first.rank_list) if isinstance(first, Layout) else ()
            self.in_strategy = (first, number, number)
        return self

    def __call__(
        self, x: Tensor, p: float, seed: Tensor | int | None = None, offset: Tensor | int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the result and the mask of what was kept.

        Args:
            x: of any shape.
            p: which part of the elements becomes 0.
            seed, offset: choose the mask: with the same two it is the same each time. Without a seed it is one of the
                program's, without an offset it is the number of the step.

        Raises:
            RuleError: ``p`` is out of range.
        """
        drawn = draw_attrs(p)
        own = drawn["seed"] + (drawn["stream"] << 32)  # no other dropout of the program has it
        start = Tensor(np.int64(own)) if seed is None else as_tensor(seed).astype(int64)
        step = step_tensor() if offset is None else as_tensor(offset).astype(int64)
        made = self.apply(x, start, step, keep_prob=drawn["keep_prob"])
        assert isinstance(made, tuple), "dropout_ext has two results"
        return made[0], made[1]


_BITS = 128
"""MindSpore's masks of bits have a length that this divides."""


class DropoutGenMask(_Draw):
    """Draws which elements a dropout keeps, as bits.

    Args:
        Seed0, Seed1: choose the mask together; both 0 means the program's seed.
    """

    def __init__(self, Seed0: int = 0, Seed1: int = 0) -> None:
        super().__init__(Seed0, Seed1)

    def __call__(self, shape: Shape, keep_prob: float | Tensor) -> Tensor:
        """Return the mask, eight elements in a byte and filled up to 128: each bit 1 with probability ``keep_prob``.

        ``shard`` cuts nothing here; ``DropoutDoMask`` is cut as its input is.
        """
        self.in_strategy = None
        kept = one("less", self._drawn(shape, "uniform"), as_tensor(keep_prob).astype(float32)).reshape(-1)
        missing = -prod(lengths(shape)) % _BITS
        bits = one("pad", kept, paddings=((0, missing),)) if missing else kept
        return one("pack_bits", bits.reshape(-1, 8))


class DropoutDoMask(Primitive, op="dropout_grad"):
    """Makes what a mask does not keep 0, and divides the rest by ``keep_prob``."""

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "DropoutDoMask":
        """Say how the input is cut, and the mask with it; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        if self.in_strategy:
            self.in_strategy = (self.in_strategy[0],) * 2
        return self

    def __call__(self, x: Tensor, mask: Tensor, keep_prob: float | Tensor) -> Tensor:
        """Return the result; the mask is one of bits, or of a truth value for each element."""
        kept = keep_prob.item() if isinstance(keep_prob, Tensor) else keep_prob
        if mask.dtype == uint8:
            mask = one("unpack_bits", mask).reshape(-1)[: x.size].reshape(x.shape)
        return self.apply_one(x, mask, keep_prob=float(kept))


class Dropout2D(_Draw):
    """Makes a random part of the channels 0, and divides the others by ``keep_prob``; x is (n, c, …)."""

    def __init__(self, keep_prob: float = 0.5) -> None:
        super().__init__()
        self.keep_prob = keep_prob

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the result, and the mask in the shape of x."""
        drawn = self._drawn((*x.shape[:2], *(1,) * (x.ndim - 2)), "uniform")
        mask = one("less", drawn, Tensor(self.keep_prob, float32)).broadcast_to(x.shape)
        return one("dropout_grad", x, mask, keep_prob=self.keep_prob), mask
