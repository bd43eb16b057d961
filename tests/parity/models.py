"""The networks that the parity tests train: each op can be given a cut under the name of its role."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import initializer
from simpar.tensor import call

Array = NDArray[Any]
Cuts = Mapping[str, tuple[Any, ...]]
"""For the role of an op its ``in_strategy``, or ``(in_strategy, out_strategy)`` in a list's place: see ``cut``."""

BATCH, SEQUENCE, WIDTH, HEADS, VOCABULARY, HIDDEN = 8, 16, 32, 4, 64, 64
ROWS = BATCH * SEQUENCE


@dataclass(frozen=True, slots=True)
class Out:
    """A strategy that also says in which layout the result is wanted."""

    operands: tuple[Any, ...]
    result: tuple[Any, ...]


def cut(made: Any, role: str, cuts: Mapping[str, Any]) -> Any:
    """Return an op, cut as its role says; without an entry it is left to the default."""
    given = cuts.get(role)
    if isinstance(given, Out):
        return made.shard(given.operands, given.result)
    return made if given is None else made.shard(given)


def weight(name: str, *shape: int, init: Any = "normal") -> Parameter:
    return Parameter(initializer(init, shape, ms.float32), name=name)


class MLP(nn.Cell):
    """Two products with a bias and a tanh between them, squared errors."""

    def __init__(self, cuts: Mapping[str, Any], sizes: tuple[int, int, int] = (8, 16, 8)) -> None:
        super().__init__()
        d, h, o = sizes
        self.up, self.down = weight("up", d, h, init="xavier_uniform"), weight("down", h, o, init="xavier_uniform")
        self.bias = weight("bias", h, init="ones")
        self.first, self.second = cut(ops.MatMul(), "up", cuts), cut(ops.MatMul(), "down", cuts)
        self.add, self.tanh = cut(ops.Add(), "bias", cuts), cut(ops.Tanh(), "tanh", cuts)
        self.error = cut(ops.Sub(), "error", cuts)

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        hidden = self.tanh(self.add(self.first(x, self.up), self.bias))
        error = self.error(self.second(hidden, self.down), y)
        return (error * error).mean()


@dataclass(frozen=True, slots=True)
class Shape:
    """What a GPT is made of, beside its sizes."""

    layers: int = 1
    tied: bool = False
    keep_prob: float = 1.0
    spelled_loss: bool = False
    """Whether the loss is written in ops whose class axis may be cut, as vocabulary-parallel losses are."""


class Block(nn.Cell):
    """Attention and a gelu network of two products, each after a layer norm and beside a residual."""

    def __init__(self, cuts: Mapping[str, Any], shape: Shape) -> None:
        super().__init__()
        self.gain1, self.shift1 = weight("gain1", WIDTH, init="ones"), weight("shift1", WIDTH, init="zeros")
        self.gain2, self.shift2 = weight("gain2", WIDTH, init="ones"), weight("shift2", WIDTH, init="zeros")
        self.wq, self.wk, self.wv = (weight(n, WIDTH, WIDTH, init="xavier_uniform") for n in ("wq", "wk", "wv"))
        self.wo = weight("wo", WIDTH, WIDTH, init="xavier_uniform")
        self.up, self.up_bias = (
            weight("up", WIDTH, HIDDEN, init="xavier_uniform"),
            weight("up_bias", HIDDEN, init="zeros"),
        )
        self.down = weight("down", HIDDEN, WIDTH, init="xavier_uniform")
        self.norm1, self.norm2 = (cut(ops.LayerNorm(epsilon=1e-5), "norm", cuts) for _ in range(2))
        self.q, self.k, self.v = (cut(ops.MatMul(), "qkv", cuts) for _ in range(3))
        self.deal = cut(ops.Transpose(), "deal", cuts)
        self.scores = cut(ops.BatchMatMul(transpose_b=True), "scores", cuts)
        self.scale = cut(ops.Mul(), "scale", cuts)
        self.mask, self.softmax = cut(ops.Add(), "mask", cuts), cut(ops.Softmax(), "softmax", cuts)
        self.mix = cut(ops.BatchMatMul(), "mix", cuts)
        self.merge = cut(ops.Transpose(), "merge", cuts)
        self.o = cut(ops.MatMul(), "proj", cuts)
        self.residual1, self.residual2 = (cut(ops.Add(), "residual", cuts) for _ in range(2))
        self.first, self.second = cut(ops.MatMul(), "up", cuts), cut(ops.MatMul(), "down", cuts)
        self.add, self.gelu = cut(ops.Add(), "up_bias", cuts), cut(ops.GeLU(), "gelu", cuts)
        self.dropout = nn.Dropout(p=1 - shape.keep_prob)

    def construct(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.norm1(x, self.gain1, self.shift1)[0]
        x = self.residual1(x, self.attend(y, mask))
        y = self.norm2(x, self.gain2, self.shift2)[0]
        y = self.gelu(self.add(self.first(y, self.up), self.up_bias))
        return self.residual2(x, self.dropout(self.second(y, self.down)))

    def attend(self, y: Tensor, mask: Tensor) -> Tensor:
        q, k, v = (
            self.heads(product(y, w)) for product, w in ((self.q, self.wq), (self.k, self.wk), (self.v, self.wv))
        )
        scores = self.scale(self.scores(q, k), (HEADS / WIDTH) ** 0.5)
        mixed = self.mix(self.softmax(self.mask(scores, mask)), v)
        return self.o(self.merge(mixed, (0, 2, 1, 3)).reshape(ROWS, WIDTH), self.wo)

    def heads(self, y: Tensor) -> Tensor:
        """Deal the columns of (b s, d) to heads: (b, heads, s, d/heads)."""
        return self.deal(y.reshape(BATCH, SEQUENCE, HEADS, WIDTH // HEADS), (0, 2, 1, 3))


class GPT(nn.Cell):
    """Takes token numbers (b, s) and the next ones, gives the mean cross entropy."""

    def __init__(self, cuts: Mapping[str, Any], shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        self.table = weight("table", VOCABULARY, WIDTH)
        self.places = weight("places", SEQUENCE, WIDTH)
        self.blocks = nn.CellList([Block(cuts, shape) for _ in range(shape.layers)])
        self.gain, self.shift = weight("gain", WIDTH, init="ones"), weight("shift", WIDTH, init="zeros")
        self.look_up, self.add_places = cut(ops.Gather(), "embed", cuts), cut(ops.Add(), "place", cuts)
        self.norm = cut(ops.LayerNorm(epsilon=1e-5), "norm", cuts)
        self.head = cut(ops.MatMul(transpose_b=shape.tied), "tied_head" if shape.tied else "head", cuts)
        if not shape.tied:
            self.out = weight("out", WIDTH, VOCABULARY, init="xavier_uniform")
        self.loss = SpelledLoss(cuts) if shape.spelled_loss else Loss(cuts)

    def construct(self, tokens: Tensor, following: Tensor) -> Tensor:
        x = self.add_places(self.look_up(self.table, tokens, 0), self.places).reshape(ROWS, WIDTH)
        mask = Tensor(np.triu(np.full((SEQUENCE, SEQUENCE), -1e9, np.float32), 1))
        for block in self.blocks:
            x = block(x, mask)
        x = self.norm(x, self.gain, self.shift)[0]
        logits = self.head(x, self.table if self.shape.tied else self.out)
        return self.loss(logits, following.reshape(ROWS))


class Loss(nn.Cell):
    """Cross entropy as one op."""

    def __init__(self, cuts: Mapping[str, Any]) -> None:
        super().__init__()

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        made = call("sparse_softmax_cross_entropy", logits, labels, ignore_index=-100)
        return made[0].mean()  # type: ignore[union-attr]


class SpelledLoss(nn.Cell):
    """Cross entropy of logits whose classes are cut: a maximum and two sums over the ranks."""

    def __init__(self, cuts: Mapping[str, Any]) -> None:
        super().__init__()
        self.maximum = cut(ops.ReduceMax(keep_dims=True), "classes", cuts)
        self.sum, self.picked = (cut(ops.ReduceSum(), "classes", cuts) for _ in range(2))
        self.sub, self.exp = cut(ops.Sub(), "spread", cuts), cut(ops.Exp(), "classes", cuts)
        self.one_hot, self.mul = cut(ops.OneHot(), "one_hot", cuts), cut(ops.Mul(), "both", cuts)
        self.stop = ops.StopGradient()

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        shifted = self.sub(logits, self.stop(self.maximum(logits, 1)))
        hot = self.one_hot(labels, VOCABULARY, Tensor(1.0, ms.float32), Tensor(0.0, ms.float32))
        return (ops.log(self.sum(self.exp(shifted), 1)) - self.picked(self.mul(shifted, hot), 1)).mean()
