"""The networks of the benchmarks, written as a user would write them."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

import simpar as ms
from benchmarks.gpt_by_hand import Sizes
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import initializer
from simpar.compile import Program, compile_function

__all__ = ["GPT", "MLP", "compile_step", "training_step"]


class MLP(nn.Cell):
    """784-2048-2048-10 with ReLU."""

    def __init__(self, sizes: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.layer0 = nn.Dense(sizes[0], sizes[1], activation="relu")
        self.layer1 = nn.Dense(sizes[1], sizes[2], activation="relu")
        self.layer2 = nn.Dense(sizes[2], sizes[3])
        self.loss = nn.CrossEntropyLoss()

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean loss."""
        return self.loss(self.layer2(self.layer1(self.layer0(x))), y)


class Block(nn.Cell):
    """Attention and two products with GELU between, each after a layer norm and beside a residual.

    Args:
        s: lengths.
        dp, tp: ranks that cut the batch, and the heads and hidden columns (Megatron's way); 1 and 1 for none.
    """

    def __init__(self, s: Sizes, dp: int, tp: int) -> None:
        super().__init__()
        self.s, inner = s, s.heads * s.head
        self.norm1, self.norm2 = (nn.LayerNorm((s.width,), epsilon=1e-5) for _ in range(2))
        self.q, self.k, self.v = (nn.Dense(s.width, inner) for _ in range(3))
        self.scores, self.softmax, self.mix = ops.BatchMatMul(transpose_b=True), ops.Softmax(), ops.BatchMatMul()
        self.proj = nn.Dense(inner, s.width)
        self.up, self.down, self.gelu = nn.Dense(s.width, s.hidden), nn.Dense(s.hidden, s.width), ops.GeLU()
        self.deals, self.merge = [ops.Transpose() for _ in range(3)], ops.Transpose()
        self.add1, self.add2, self.scale, self.add_mask = ops.Add(), ops.Add(), ops.Mul(), ops.Add()
        if dp * tp > 1:
            self.cut(dp, tp)

    def cut(self, dp: int, tp: int) -> None:
        """Give every op its strategy."""
        for norm in (self.norm1, self.norm2):
            norm.layer_norm.shard(((dp, 1), (1,), (1,)))
        for column in (self.q, self.k, self.v, self.up):
            column.matmul.shard(((dp, 1), (tp, 1)))
            column.bias_add.shard(((dp, tp), (tp,)))
        for row in (self.proj, self.down):
            row.matmul.shard(((dp, tp), (1, tp)))
            row.bias_add.shard(((dp, 1), (1,)))
        self.gelu.shard(((dp, tp),))
        for deal in self.deals:
            deal.shard(((dp, 1, tp, 1),))
        self.merge.shard(((dp, tp, 1, 1),))
        for product in (self.scores, self.mix):
            product.shard(((dp, tp, 1, 1), (dp, tp, 1, 1)))
        self.scale.shard(((dp, tp, 1, 1), ()))
        self.add_mask.shard(((dp, tp, 1, 1), (1, 1)))
        self.softmax.shard(((dp, tp, 1, 1),))
        for add in (self.add1, self.add2):
            add.shard(((dp, 1), (dp, 1)))

    def construct(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return x (rows, width) with what the block adds."""
        y = self.norm1(x)
        q, k, v = (self.heads(deal, f(y)) for deal, f in zip(self.deals, (self.q, self.k, self.v), strict=True))
        p = self.softmax(self.add_mask(self.scale(self.scores(q, k), 1 / sqrt(self.s.head)), mask))
        mixed = self.merge(self.mix(p, v), (0, 2, 1, 3)).reshape(x.shape[0], self.s.heads * self.s.head)
        x = self.add1(x, self.proj(mixed))
        return self.add2(x, self.down(self.gelu(self.up(self.norm2(x)))))

    def heads(self, deal: ops.Transpose, y: Tensor) -> Tensor:
        """Return rows as (b, heads, s, d)."""
        return deal(y.reshape(-1, self.s.sequence, self.s.heads, self.s.head), (0, 2, 1, 3))


class GPT(nn.Cell):
    """Takes token numbers (b, s) and the next ones, and returns the mean cross entropy."""

    def __init__(self, s: Sizes, dp: int = 1, tp: int = 1) -> None:
        super().__init__()
        self.embed = nn.Embedding(s.vocabulary, s.width)
        self.places = Parameter(initializer("normal", (s.sequence, s.width), ms.float32), name="places")
        self.blocks = nn.CellList([Block(s, dp, tp) for _ in range(s.layers)])
        self.norm = nn.LayerNorm((s.width,), epsilon=1e-5)
        self.head = nn.Dense(s.width, s.vocabulary, has_bias=False)
        self.loss = nn.CrossEntropyLoss()
        self.place = ops.Add()
        if dp * tp > 1:
            self.embed.gather.shard(((1, 1), (dp, 1)))
            self.place.shard(((dp, 1, 1), (1, 1)))
            self.norm.layer_norm.shard(((dp, 1), (1,), (1,)))
            self.head.matmul.shard(((dp, 1), (1, 1)))
        self.mask = np.triu(np.full((s.sequence, s.sequence), -1e9, np.float32), 1)

    def construct(self, tokens: Tensor, following: Tensor) -> Tensor:
        """Return the mean loss."""
        x = self.place(self.embed(tokens), self.places)
        x = x.reshape(-1, x.shape[-1])
        for block in self.blocks:
            x = block(x, Tensor(self.mask))
        return self.loss(self.head(self.norm(x)), following.reshape(-1))


# --- training ---


def training_step(net: nn.Cell, optimizer: Any) -> Any:
    """Return the compiled step of a network that returns its loss."""
    with_gradients = ms.value_and_grad(net, None, net.trainable_params())

    @ms.jit
    def step(*given: Tensor) -> Any:
        loss, gradients = with_gradients(*given)
        optimizer(gradients)
        return loss

    return step


def compile_step(step: Any, given: Sequence[Tensor]) -> Program:
    """Compile a step without running it, which makes the values of its Parameters."""
    return compile_function(step.__wrapped__, given, step)
