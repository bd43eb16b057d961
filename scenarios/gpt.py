"""A GPT on real text: data parallel x tensor parallel, a whole transformer cut by one strategy per op.

The text is the manual that every Python brings with it (``pydoc_data.topics``), letter by letter. The n ranks form a
device matrix (dp, mp).

What it teaches:

- ``dp`` cuts the batch everywhere. ``mp`` cuts the heads of the attention and the hidden units of the perceptron: query,
  key, value and the first product by columns, the products that follow them by rows (Megatron-LM, Shoeybi et al. 2019).
- An axis made of heads and their width may be cut where the heads are: a reshape (b, t, d) -> (b, t, heads, d/heads)
  moves nothing.
- Of a layer only two all-reduces over ``mp`` are left on the way forward and two on the way back; the gradients are
  all-reduced over ``dp``. `simpar show last` lists them after `simpar run`.

    mpirun -n 8 python scenarios/gpt.py
    simpar run scenarios/gpt.py -n 4 -- --steps 200

Final loss with the default steps and seed, on 1, 2, 4 and 8 ranks: 0.0000
"""

import argparse
from pydoc_data import topics

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import Normal, initializer
from simpar.communication import get_group_size, get_rank, init

BATCH, LENGTH, WIDTH, HEADS, LAYERS = 16, 32, 64, 8, 2

parser = argparse.ArgumentParser(description="A small GPT, cut in two ways.")
parser.add_argument("--steps", type=int, default=100)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

init()
rank, n = get_rank(), get_group_size()
dp, mp = {1: (1, 1), 2: (1, 2), 4: (2, 2), 8: (2, 4)}[n]
ms.set_seed(options.seed)
ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)

text = "\n".join(topics.topics[name] for name in sorted(topics.topics))
letters = sorted(set(text) & {chr(code) for code in range(128)})
code_of = {letter: code for code, letter in enumerate(letters)}
codes = np.array([code_of[letter] for letter in text if letter in code_of], np.int32)
MASK = np.triu(np.full((LENGTH, LENGTH), -1e9, np.float32), 1)  # a letter sees itself and what is before it


def normal(*shape: int) -> Tensor:
    """Return first weights of a shape."""
    return initializer(Normal(0.5 / shape[0] ** 0.5), shape)


class Attention(nn.Cell):
    """Lets each letter look at those before it; a rank computes heads/mp of the heads."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (Parameter(normal(WIDTH, WIDTH)) for _ in range(3))
        self.out = Parameter(normal(WIDTH, WIDTH))
        self.by_columns = ops.MatMul().shard(((dp, 1, 1), (1, mp)))
        self.by_rows = ops.MatMul().shard(((dp, 1, mp), (mp, 1)))
        self.heads_first = ops.Transpose().shard(((dp, 1, mp, 1),))
        self.scores = ops.BatchMatMul(transpose_b=True).shard(((dp, mp, 1, 1), (dp, mp, 1, 1)))
        self.mask = ops.Add().shard(((dp, mp, 1, 1), (1, 1)))
        self.softmax = ops.Softmax().shard(((dp, mp, 1, 1),))
        self.mix = ops.BatchMatMul().shard(((dp, mp, 1, 1), (dp, mp, 1, 1)))
        self.heads_back = ops.Transpose().shard(((dp, mp, 1, 1),))

    def heads(self, x: Tensor, weight: Parameter) -> Tensor:
        """Return one vector of width/heads for each letter and head."""
        x = self.by_columns(x, weight)  # (b/dp, t, d) @ (d, d/mp)
        x = x.reshape(BATCH, LENGTH, HEADS, WIDTH // HEADS)  # (b/dp, t, heads/mp, d/heads)
        return self.heads_first(x, (0, 2, 1, 3))  # (b/dp, heads/mp, t, d/heads)

    def construct(self, x: Tensor) -> Tensor:
        """Return (b, t, d) for x of that shape."""
        query, key, value = (self.heads(x, w) for w in (self.query, self.key, self.value))
        scores = self.scores(query * (HEADS / WIDTH) ** 0.5, key)  # (b/dp, heads/mp, t, t)
        weights = self.softmax(self.mask(scores, Tensor(MASK)))
        x = self.heads_back(self.mix(weights, value), (0, 2, 1, 3))  # (b/dp, t, heads/mp, d/heads)
        return self.by_rows(x.reshape(BATCH, LENGTH, WIDTH), self.out)  # (b/dp, t, d/mp) @ (d/mp, d), all-reduced


class Block(nn.Cell):
    """One layer: attention, then a perceptron of which a rank computes 4d/mp hidden units."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm((WIDTH,)), nn.LayerNorm((WIDTH,))
        self.attention = Attention()
        self.first, self.second = Parameter(normal(WIDTH, 4 * WIDTH)), Parameter(normal(4 * WIDTH, WIDTH))
        self.by_columns = ops.MatMul().shard(((dp, 1, 1), (1, mp)))
        self.gelu = ops.GeLU().shard(((dp, 1, mp),))
        self.by_rows = ops.MatMul().shard(((dp, 1, mp), (mp, 1)))

    def construct(self, x: Tensor) -> Tensor:
        """Return (b, t, d) for x of that shape."""
        x = x + self.attention(self.norm1(x))
        hidden = self.gelu(self.by_columns(self.norm2(x), self.first))  # (b/dp, t, d) @ (d, 4d/mp)
        return x + self.by_rows(hidden, self.second)  # (b/dp, t, 4d/mp) @ (4d/mp, d), all-reduced


class Gpt(nn.Cell):
    """Guesses the next letter after each, and returns the loss of the guesses."""

    def __init__(self) -> None:
        super().__init__()
        self.letters, self.places = nn.Embedding(len(letters), WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.letters.gather.shard(((1, 1), (dp, 1)))
        self.blocks = nn.SequentialCell(*(Block() for _ in range(LAYERS)))
        self.norm, self.head = nn.LayerNorm((WIDTH,)), nn.Dense(WIDTH, len(letters), has_bias=False)
        self.head.matmul.shard(((dp, 1), (1, 1)))
        self.loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")

    def construct(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss for letters x (b, t) and those that follow them, y (b, t)."""
        h = self.letters(x) + self.places(Tensor(np.arange(LENGTH, dtype=np.int32)))  # (b/dp, t, d)
        h = self.norm(self.blocks(h)).reshape(BATCH * LENGTH, WIDTH)  # (b/dp * t, d)
        return self.loss(self.head(h), y.reshape(BATCH * LENGTH))


network = Gpt()
optimizer = nn.Adam(network.trainable_params(), learning_rate=0.003)
step = nn.TrainOneStepCell(network, optimizer)
numbers = np.random.default_rng(options.seed)
loss = 0.0
for i in range(1, options.steps + 1):
    starts = numbers.integers(0, len(codes) - LENGTH - 1, BATCH)
    rows = np.stack([codes[start : start + LENGTH + 1] for start in starts])
    loss = float(step(Tensor(rows[:, :-1].copy()), Tensor(rows[:, 1:].copy())))
    if rank == 0 and i % max(1, options.steps // 10) == 0:
        print(f"step {i:3d}: loss {loss:.4f}", flush=True)

if rank == 0:
    held = sum(p.asnumpy().nbytes for p in network.trainable_params())
    print(f"{n} ranks as (dp, mp) = ({dp}, {mp}); rank 0 holds {held} bytes of weights")
    print(f"final loss {loss:.6f}")
