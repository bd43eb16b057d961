"""Dense, Embedding, Flatten, Dropout and that of channels, Identity, ClipByNorm, L1Regularizer."""

from math import isfinite, sqrt
from typing import Any

from simpar import ops
from simpar.dtype import DType, bool_, float32
from simpar.errors import ContextError, DTypeError, LayoutError
from simpar.initializer import HeUniform, Uniform, initializer
from simpar.nn.cell import Cell
from simpar.nn.layers.rectifiers import get_activation
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = [
    "ClipByNorm",
    "Dense",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "Embedding",
    "Flatten",
    "Identity",
    "L1Regularizer",
]


def check_length(layer: str, name: str, length: object) -> None:
    """Check that a number of channels is one.

    Raises:
        ContextError: it is no positive int.
    """
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise ContextError(f"{layer}({name}={length!r}): give a whole number of at least 1.")


def initial(init: Any, shape: tuple[int, ...], dtype: DType, what: str) -> Tensor:
    """Return the data of a new Parameter; a given Tensor must have its shape.

    Raises:
        LayoutError: a Tensor of another shape is given.
    """
    if isinstance(init, Tensor) and init.shape != shape:
        raise LayoutError(f"{what} has shape {shape}, but was given a Tensor of shape {init.shape}.")
    return initializer(init, shape, dtype)


class Dense(Cell):
    """Computes ``activation(x @ weight.T + bias)``.

    The ops are ``dense.matmul`` and ``dense.bias_add``; give them strategies with ``shard``. Where the strategy of
    ``matmul`` speaks of two axes and x has more, x is reshaped to two, as MindSpore does.

    Args:
        in_channels: length d of the last axis of x.
        out_channels: length h of the last axis of the result.
        weight_init: what fills ``weight`` (h, d): an initializer, its alias, a number or a Tensor; HeUniform if None.
        bias_init: what fills ``bias`` (h,); Uniform between ±1/sqrt(d) if None.
        has_bias: whether there is a bias.
        activation: a name, a Cell or an op; None for none.
        dtype: the element type of the Parameters.

    Raises:
        ContextError: a length is no positive int, or there is no activation of this name.
        LayoutError: a given Tensor has another shape.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        weight_init: Any = None,
        bias_init: Any = None,
        has_bias: bool = True,
        activation: Any = None,
        dtype: DType = float32,
    ) -> None:
        super().__init__()
        check_length("Dense", "in_channels", in_channels)
        check_length("Dense", "out_channels", out_channels)
        self.in_channels, self.out_channels, self.has_bias = in_channels, out_channels, has_bias
        weight = HeUniform(sqrt(5)) if weight_init is None else weight_init
        self.weight = Parameter(initial(weight, (out_channels, in_channels), dtype, "the weight of Dense"))
        self.bias: Parameter | None = None
        if has_bias:
            bias = Uniform(1 / sqrt(in_channels)) if bias_init is None else bias_init
            self.bias = Parameter(initial(bias, (out_channels,), dtype, "the bias of Dense"))
        self.matmul = ops.MatMul(transpose_b=True)
        self.bias_add = ops.BiasAdd("NHWC")  # the last axis, however many there are
        self.activation = get_activation(activation)

    def construct(self, x: Tensor) -> Tensor:
        """Return the result of shape (..., h) for x of shape (..., d)."""
        lead = x.shape[:-1]
        flat = len(lead) != 1 and _axes_of(self.matmul) == 2
        if flat:
            x = x.reshape(-1, self.in_channels)
        x = self.matmul(x, self.weight)  # (..., d) @ (h, d).T
        if self.bias is not None:
            x = self.bias_add(x, self.bias)
        if self.activation is not None:
            x = self.activation(x)
        return x.reshape(*lead, self.out_channels) if flat else x

    def extend_repr(self) -> str:
        """Return the layer's numbers."""
        return f"input_channels={self.in_channels}, output_channels={self.out_channels}, has_bias={self.has_bias}"


def _axes_of(primitive: ops.Primitive) -> int | None:
    """Return how many axes the strategy of an op gives its first operand, None without one."""
    strategy = primitive.in_strategy
    if not strategy:
        return None
    first = strategy[0]
    return len(first) if isinstance(first, tuple) else len(first.tensor_map)


class Embedding(Cell):
    """Looks up rows of a table by their numbers.

    Args:
        vocab_size: rows v of the table.
        embedding_size: length d of a row.
        use_one_hot: whether to multiply by a one-hot matrix instead of gathering.
        embedding_table: what fills ``embedding_table`` (v, d).
        dtype: the element type of the table.
        padding_idx: a row that starts as zeros.

    Raises:
        ContextError: a length is no positive int, or ``padding_idx`` is no row.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        use_one_hot: bool = False,
        embedding_table: Any = "normal",
        dtype: DType = float32,
        padding_idx: int | None = None,
    ) -> None:
        super().__init__()
        check_length("Embedding", "vocab_size", vocab_size)
        check_length("Embedding", "embedding_size", embedding_size)
        self.vocab_size, self.embedding_size, self.use_one_hot = vocab_size, embedding_size, use_one_hot
        table = initial(embedding_table, (vocab_size, embedding_size), dtype, "the table of Embedding")
        if padding_idx is not None:
            if not 0 <= padding_idx < vocab_size:
                raise ContextError(f"padding_idx is {padding_idx}; give a row from 0 to {vocab_size - 1}.")
            table = table.init_data() if table.has_init else table.copy()
            table.asnumpy()[padding_idx] = 0
        self.embedding_table = Parameter(table)
        self.gather, self.one_hot, self.array_mul = ops.Gather(), ops.OneHot(), ops.MatMul()
        self.reshape_flat, self.reshape = ops.Reshape(), ops.Reshape()
        self.expand = ops.ExpandDims()  # has no use in MindSpore's either, but scripts give it a strategy

    def construct(self, ids: Tensor) -> Tensor:
        """Return the rows, of shape (*ids.shape, d)."""
        if self.use_one_hot:
            on, off = Tensor(1.0, self.embedding_table.dtype), Tensor(0.0, self.embedding_table.dtype)
            return self.array_mul(self.one_hot(ids, self.vocab_size, on, off), self.embedding_table)
        strategy = self.gather.in_strategy
        if strategy and isinstance(strategy[1], tuple) and len(strategy[1]) == 1 and ids.ndim > 1:
            rows = self.gather(self.embedding_table, self.reshape_flat(ids, (-1,)), 0)
            return self.reshape(rows, (*ids.shape, self.embedding_size))
        return self.gather(self.embedding_table, ids, 0)

    def extend_repr(self) -> str:
        """Return the layer's numbers."""
        return f"vocab_size={self.vocab_size}, embedding_size={self.embedding_size}"


class Flatten(Cell):
    """Joins all axes after the first."""

    def construct(self, x: Tensor) -> Tensor:
        """Return x of shape (b, ...) as (b, n)."""
        return x.reshape(x.shape[0], -1)


class Identity(Cell):
    """Returns its input."""

    def construct(self, x: Any) -> Any:
        """Return ``x``."""
        return x


class Dropout(Cell):
    """Sets elements to zero at random in training, and scales the others so that the mean stays.

    The mask depends on the seed, the step and the place of an element in the whole tensor, so every way to cut the
    tensor drops the same elements.

    Args:
        keep_prob: how likely an element stays.
        p: how likely it is dropped; instead of ``keep_prob``.
        dtype: taken as MindSpore does; the result has the type of the input.

    Raises:
        ContextError: the probability is out of range.
    """

    def __init__(self, keep_prob: float = 0.5, p: float | None = None, dtype: DType = float32) -> None:
        super().__init__()
        keep = keep_prob if p is None else 1.0 - p
        if not 0 < keep <= 1:
            raise ContextError(f"Dropout keeps elements with probability {keep}; give one above 0 and at most 1.")
        self.keep_prob = keep
        self.dropout = ops.Dropout(keep)

    def construct(self, x: Tensor) -> Tensor:
        """Return x with elements dropped in training, else x itself."""
        if not self.training or self.keep_prob == 1:
            return x
        return self.dropout(x)[0]

    def extend_repr(self) -> str:
        """Return the probability."""
        return f"keep_prob={self.keep_prob}"


class _ChannelDropout(Cell):
    """Sets whole channels to zero at random in training, and scales the others so that the mean stays.

    Args:
        p: how likely a channel is dropped.

    Raises:
        DTypeError: it is no float.
        ContextError: it is not from 0 to 1.
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        name = type(self).__name__
        if not isinstance(p, float):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"{name}(p={p!r}): give a float from 0 to 1.")
        if not 0 <= p <= 1:
            raise ContextError(f"{name}(p={p}): give a float from 0 to 1.")
        self.p = p

    def construct(self, x: Tensor) -> Tensor:
        """Return x with channels dropped in training, else x itself."""
        return self._drop(x) if self.training and self.p else x

    def _drop(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def extend_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}"


class Dropout1d(_ChannelDropout):
    """Drops channels of sequences, (n, c, l) or (c, l)."""

    def _drop(self, x: Tensor) -> Tensor:
        return ops.dropout1d(x, self.p)


class Dropout2d(_ChannelDropout):
    """Drops channels of images, (n, c, h, w)."""

    def _drop(self, x: Tensor) -> Tensor:
        return ops.dropout2d(x, self.p)


class Dropout3d(_ChannelDropout):
    """Drops channels of volumes, (n, c, d, h, w)."""

    def _drop(self, x: Tensor) -> Tensor:
        return ops.dropout3d(x, self.p)


class ClipByNorm(Cell):
    """Makes a tensor shorter, if its norm is larger than a number.

    Args:
        axis: along which axes the norm is taken; along all if None.
    """

    def __init__(self, axis: int | tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.axis = axis

    def construct(self, x: Tensor, clip_norm: Tensor | float) -> Tensor:
        """Return ``x * clip_norm / max(norm, clip_norm)``."""
        norm = ops.sqrt(ops.reduce_sum(ops.square(x), () if self.axis is None else self.axis, True))
        return x * (clip_norm / ops.maximum(norm, clip_norm))


class L1Regularizer(Cell):
    """Computes ``scale * sum(abs(weights))``.

    Raises:
        DTypeError: ``scale`` is no number.
        ContextError: it is not above 0 and finite.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        if isinstance(scale, bool) or not isinstance(scale, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"L1Regularizer(scale={scale!r}): give a number.")
        if not (scale > 0 and isfinite(scale)):
            raise ContextError(f"L1Regularizer(scale={scale}): give a finite number above 0.")
        self.scale = scale
        self.abs, self.reduce_sum = ops.Abs(), ops.ReduceSum()

    def construct(self, weights: Tensor) -> Tensor:
        """Return the sum, a scalar.

        Raises:
            DTypeError: ``weights`` is no tensor of numbers.
        """
        if not isinstance(weights, Tensor) or weights.dtype == bool_:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"L1Regularizer takes a Tensor of numbers, not {weights!r}.")
        return self.scale * self.reduce_sum(self.abs(weights))
