"""``data_sink``: functions that take their rows from a dataset themselves."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn
from simpar import dataset as ds
from simpar.collectives import run_threads
from simpar.errors import ContextError, DTypeError

X = np.random.default_rng(0).standard_normal((24, 4)).astype(np.float32)


def rows(batch: int = 8) -> Any:
    return ds.NumpySlicesDataset({"x": X, "y": X[:, :2]}, shuffle=False).batch(batch)


def test_each_call_takes_the_next_rows_and_the_dataset_begins_anew() -> None:
    seen: list[float] = []
    process = ms.data_sink(lambda x, _: seen.append(x[0, 0].item()), rows(), sink_size=2)
    process()
    process()
    np.testing.assert_array_equal(seen, X[[0, 8, 16, 0], 0])


def trained(n: int) -> tuple[list[float], list[float]]:
    """Return losses of steps that a sink feeds, and of the same steps by hand."""
    if n > 1:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)

    def step() -> nn.TrainOneStepCell:
        ms.set_seed(4)
        net = nn.Dense(4, 2)
        return nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.SGD(net.trainable_params(), 0.1))

    process = ms.data_sink(step(), rows(), 3, jit_config=ms.JitConfig(jit_level="O1"))
    by_hand = step()
    last = [[float(by_hand(Tensor(x), Tensor(x[:, :2]))) for x in np.split(X, 3)][-1] for _ in range(2)]
    return [float(process()) for _ in range(2)], last


@pytest.mark.parametrize("n", [1, 2])
def test_a_step_that_a_sink_feeds_trains_as_one_fed_by_hand(n: int) -> None:
    for sunk, by_hand in run_threads(n, trained, n):
        np.testing.assert_allclose(sunk, by_hand, rtol=1e-6)


def test_rows_that_differ_from_their_signature_are_refused() -> None:
    process = ms.data_sink(lambda x, y: x, rows(), input_signature=[Tensor(X[:8]), Tensor(X[:8])])
    with pytest.raises(DTypeError, match=r"column 2 of the dataset has shape \(8, 2\)"):
        process()


@pytest.mark.parametrize(("size", "kind"), [(0, ContextError), (1.5, DTypeError)])
def test_a_sink_takes_at_least_one_row(size: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="above 0"):
        ms.data_sink(print, rows(), size)
