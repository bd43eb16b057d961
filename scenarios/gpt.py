"""A GPT on real text: data parallel x tensor parallel, a whole transformer cut by one strategy per op.

The text is the manual that every Python brings with it (``pydoc_data.topics``), letter by letter. What it teaches:

- The n ranks form a device matrix (dp, mp). ``dp`` cuts the batch everywhere. ``mp`` cuts the heads of the attention
  and the hidden units of the perceptron: query, key, value and the first product by columns, the products that follow
  them by rows (Megatron-LM, Shoeybi et al. 2019). Nothing need move between a column cut and a row cut.
- A layer's only moves over ``mp`` are two all-reduces forward and two backward; gradients are all-reduced over ``dp``.

    simpar run scenarios/gpt.py -n 4 -- --steps 200

Final loss with the default steps and seed, on 1, 2, 4 and 8 ranks: 3.1 (the manual differs a little between Pythons)
"""

import argparse
from pydoc_data import topics

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import Normal, initializer
from simpar.communication import get_group_size, get_rank, init

BATCH, LENGTH, WIDTH, HEADS, LAYERS, LETTERS = 16, 32, 64, 8, 2, 128

parser = argparse.ArgumentParser(description="A small GPT, cut in two ways.")
parser.add_argument("--steps", type=int, default=60)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

init()
rank, n = get_rank(), get_group_size()
dp, mp = {1: (1, 1), 2: (1, 2), 4: (2, 2), 8: (2, 4)}[n]
ms.set_seed(options.seed)
ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)

by_columns = ops.MatMul().shard(((dp, 1, 1), (1, mp)))  # (b/dp, t, d) @ (d, h/mp)
by_rows = ops.MatMul().shard(((dp, 1, mp), (mp, 1)))  # (b/dp, t, h/mp) @ (h/mp, d), all-reduced


def weight(*shape: int) -> Parameter:
    """Return a Parameter, named by the Cell that gets it."""
    return Parameter(initializer(Normal(0.5 / shape[0] ** 0.5), shape))


class Attention(nn.Cell):
    """Lets each letter look at those before it; a rank computes heads/mp of the heads."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (weight(WIDTH, WIDTH) for _ in range(4))
        self.heads_first = ops.Transpose().shard(((dp, 1, mp, 1),))
        self.scale = ops.Mul().shard(((dp, mp, 1, 1), ()))
        self.scores = ops.BatchMatMul(transpose_b=True).shard(((dp, mp, 1, 1), (dp, mp, 1, 1)))
        self.add = ops.Add().shard(((dp, mp, 1, 1), (1, 1)))
        self.softmax = ops.Softmax().shard(((dp, mp, 1, 1),))
        self.mix = ops.BatchMatMul().shard(((dp, mp, 1, 1), (dp, mp, 1, 1)))
        self.heads_back = ops.Transpose().shard(((dp, mp, 1, 1),))
        self.mask = Tensor(np.triu(np.full((LENGTH, LENGTH), -1e9, np.float32), 1))  # hides what comes after

    def heads(self, x: Tensor, matrix: Parameter) -> Tensor:
        """Return a vector for each letter and head, (b, heads, t, d/heads)."""
        x = by_columns(x, matrix).reshape(BATCH, LENGTH, HEADS, WIDTH // HEADS)  # (b/dp, t, heads/mp, d/heads)
        return self.heads_first(x, (0, 2, 1, 3))  # (b/dp, heads/mp, t, d/heads)

    def construct(self, x: Tensor) -> Tensor:
        """Return (b, t, d) for x of that shape."""
        query, key, value = (self.heads(x, matrix) for matrix in (self.query, self.key, self.value))
        scores = self.scores(self.scale(query, (HEADS / WIDTH) ** 0.5), key)  # (b/dp, heads/mp, t, t)
        mixed = self.mix(self.softmax(self.add(scores, self.mask)), value)  # (b/dp, heads/mp, t, d/heads)
        return by_rows(self.heads_back(mixed, (0, 2, 1, 3)).reshape(BATCH, LENGTH, WIDTH), self.out)


class Block(nn.Cell):
    """One layer: attention, then a perceptron of which a rank computes 4d/mp hidden units."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2, self.attention = nn.LayerNorm((WIDTH,)), nn.LayerNorm((WIDTH,)), Attention()
        self.first, self.second = weight(WIDTH, 4 * WIDTH), weight(4 * WIDTH, WIDTH)
        self.gelu = ops.GeLU().shard(((dp, 1, mp),))

    def construct(self, x: Tensor) -> Tensor:
        """Return (b, t, d) for x of that shape."""
        x = x + self.attention(self.norm1(x))
        return x + by_rows(self.gelu(by_columns(self.norm2(x), self.first)), self.second)  # hidden: (b/dp, t, 4d/mp)


class Gpt(nn.Cell):
    """Guesses the next letter after each, and returns the loss of the guesses."""

    def __init__(self) -> None:
        super().__init__()
        self.letters, self.places = nn.Embedding(LETTERS, WIDTH), weight(LENGTH, WIDTH)
        self.letters.gather.shard(((1, 1), (dp, 1)))
        self.blocks = nn.SequentialCell(*(Block() for _ in range(LAYERS)))
        self.norm, self.head = nn.LayerNorm((WIDTH,)), nn.Dense(WIDTH, LETTERS, has_bias=False)
        self.head.matmul.shard(((dp, 1), (1, 1)))
        self.loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss for letters x (b, t) and those that follow them, y (b, t)."""
        h = self.letters(x) + self.places  # (b/dp, t, d) + (t, d)
        h = self.norm(self.blocks(h)).reshape(BATCH * LENGTH, WIDTH)  # (b/dp * t, d)
        return self.loss(self.head(h), y.reshape(BATCH * LENGTH))


codes = np.frombuffer("".join(topics.topics.values()).encode("ascii", "ignore"), np.uint8).astype(np.int32)
network = Gpt()
step = nn.TrainOneStepCell(network, nn.Adam(network.trainable_params(), learning_rate=0.003))
numbers, loss = np.random.default_rng(options.seed), 0.0
for i in range(1, options.steps + 1):
    rows = codes[numbers.integers(0, len(codes) - LENGTH, (BATCH, 1)) + np.arange(LENGTH + 1)]  # (b, t + 1)
    loss = float(step(Tensor(rows[:, :-1]), Tensor(rows[:, 1:])))
    if rank == 0 and i % max(1, options.steps // 6) == 0:
        print(f"step {i:3d}: loss {loss:.4f}", flush=True)
if rank == 0:
    print(f"{n} ranks as (dp, mp) = ({dp}, {mp}); rank 0 holds {sum(p.nbytes for p in step.weights)} bytes of weights")
    print(f"final loss {loss:.6f}")
