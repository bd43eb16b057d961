"""A network for one device, cut over four: the program that every rank of the demo runs.

The ranks form a 2 x 2 device matrix ``(dp, mp)``. ``dp`` cuts the batch (data parallel), ``mp`` the hidden layer
(tensor parallel): ``hidden`` by the columns of its matrix, ``output`` by the rows of its own, so that nothing need move
between the two. Nothing else is said; who holds what, and what has to move, follows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.demo.digits import Digits, batches

__all__ = ["RANKS", "RESULT", "Network", "Result", "train"]

RANKS = 4
RESULT = "result.json"
"""The file in which rank 0 leaves the result."""
BATCH, PIXELS, HIDDEN, DIGITS = 128, 64, 256, 10

Progress = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Result:
    """Is what the demo compares: the loss of each step, and which part of the test images was read rightly."""

    losses: list[float]
    accuracy: float


class Network(nn.Cell):
    """Reads digits: two matrix products with a ReLU between them.

    Args:
        dp: into how many slices the batch is cut.
        mp: into how many slices the hidden layer is cut.
    """

    def __init__(self, dp: int, mp: int) -> None:
        super().__init__()
        self.hidden = nn.Dense(PIXELS, HIDDEN)
        self.output = nn.Dense(HIDDEN, DIGITS)
        self.relu = ops.ReLU().shard(((dp, mp),))
        # weights are stored transposed, as MindSpore does: (256, 64) and (10, 256)
        self.hidden.matmul.shard(((dp, 1), (mp, 1)))  # (b/dp, 64) @ (256/mp, 64).T -> (b/dp, 256/mp)
        self.hidden.bias_add.shard(((dp, mp), (mp,)))
        self.output.matmul.shard(((dp, mp), (1, mp)))  # (b/dp, 256/mp) @ (10, 256/mp).T -> (b/dp, 10), a term
        self.output.bias_add.shard(((dp, 1), (1,)))

    def construct(self, images: Tensor) -> Tensor:
        """Return a score for each digit, (b, 10), for images (b, 64)."""
        return self.output(self.relu(self.hidden(images)))


class CountRight(nn.Cell):
    """Counts the images that the network reads rightly."""

    def __init__(self, network: nn.Cell) -> None:
        super().__init__(auto_prefix=False)  # the parameters keep their names
        self.network = network

    def construct(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return how many of the labels (n,) have the highest score."""
        guesses = ops.argmax(self.network(images), 1)
        return (guesses == labels).astype(ms.int32).sum()


def train(
    ranks: int, digits: tuple[Digits, Digits], steps: int, seed: int, progress: Progress = lambda step, loss: None
) -> Result:
    """Train the network and test it, on this number of ranks.

    Args:
        ranks: 4, or 1 for the same program on one device.
        digits: to train with, and to test with.
        steps: of training.
        seed: of the first weights and of the order of the images.
        progress: told each step's number, from 1, and its loss.
    """
    dp, mp = (2, 2) if ranks == RANKS else (1, 1)
    ms.set_seed(seed)
    ms.set_auto_parallel_context(
        parallel_mode="semi_auto_parallel",
        full_batch=True,  # every rank is given the whole batch and takes its slice
        enable_parallel_optimizer=True,  # of what ranks hold alike, each keeps only its part
        parallel_optimizer_config={"parallel_optimizer_threshold": 0},  # however small it is
    )
    learn, test = digits
    network = Network(dp, mp)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    optimizer = nn.Momentum(network.trainable_params(), learning_rate=0.1, momentum=0.9)
    step = nn.TrainOneStepCell(nn.WithLossCell(network, loss), optimizer)
    losses: list[float] = []
    for images, labels in batches(learn, BATCH, steps, seed):
        losses.append(float(step(Tensor(images), Tensor(labels))))
        progress(len(losses), losses[-1])
    return Result(losses, _accuracy(network, test))


def _accuracy(network: Network, test: Digits) -> float:
    right = CountRight(network)(Tensor(test.images), Tensor(test.labels))
    return int(right) / len(test.labels)
