"""Networks that take their rows from a queue: each rank its part, the numbers those of one device."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn, ops
from simpar import dataset as ds
from simpar.collectives import run_threads
from simpar.errors import ContextError, DatasetError, TrainingError

X = np.random.default_rng(0).standard_normal((24, 4)).astype(np.float32)
WAYS: dict[str, tuple[Any, int]] = {
    "full_batch": ("full_batch", 8),
    "data_parallel": ("data_parallel", 2),
    "cuts": (((2, 1), (2, 1)), 4),
}


def rows(part: int, parts: int, batch: int) -> Any:
    """Return a dataset of batches of 8 rows, or of a rank's part of each."""
    places = np.arange(24).reshape(3, parts, -1)[:, part].reshape(-1)
    return ds.NumpySlicesDataset({"x": X[places], "y": X[places, :2]}, shuffle=False).batch(batch)


def losses(n: int, way: str) -> list[float]:
    strategy, batch = WAYS[way]
    rank = 0
    if n > 1:
        ms.communication.init()
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", dataset_strategy=strategy)
        rank = ms.communication.get_rank()
    parts = 8 // batch if n > 1 else 1
    part = {"full_batch": 0, "data_parallel": rank, "cuts": rank % 2}[way]  # what repeats stands first
    ms.set_seed(4)
    net = nn.Dense(4, 2)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.SGD(net.trainable_params(), 0.1))
    dataset = rows(part, parts, batch if n > 1 else 8)
    helper = ms.DatasetHelper(dataset, dataset_sink_mode=True, epoch_num=2)
    fed = ms.connect_network_with_dataset(step, helper)
    return [fed(*nothing).item() for _ in range(2) for nothing in helper]


@pytest.mark.parametrize("way", WAYS)
def test_ranks_take_their_parts_and_train_as_one(way: str) -> None:
    alone = losses(1, "full_batch")
    assert len(alone) == 6
    for found in run_threads(4, losses, 4, way):
        np.testing.assert_allclose(found, alone, rtol=1e-5)


def test_each_run_takes_the_next_row_of_each_queue() -> None:
    queue = ds.NumpySlicesDataset({"x": X, "y": -X}, shuffle=False).device_que(queue_name="pairs")
    take = ops.GetNext([ms.float32] * 2, [[4], [4]], 2, "pairs")

    @ms.jit
    def twice(scale: Tensor) -> Any:
        (x, _), (_, later) = take(), take()
        return x * scale, later * scale

    assert queue.get_data_info() == ([ms.float32] * 2, [[4], [4]])
    queue.send(1)
    for k in range(0, 24, 2):
        first, later = twice(Tensor(2.0))
        np.testing.assert_array_equal(first.asnumpy(), 2 * X[k])
        np.testing.assert_array_equal(later.asnumpy(), -2 * X[k + 1])
    with pytest.raises(DatasetError, match="queue 'pairs' has no row left"):
        twice(Tensor(2.0))
    queue.send()
    assert [len(take()), take()[0].tolist()] == [2, X[1].tolist()]
    queue.stop_send()
    with pytest.raises(DatasetError, match="which no dataset fills"):
        take()


def test_rows_of_another_shape_or_type_are_refused() -> None:
    ds.NumpySlicesDataset({"x": X}, shuffle=False).device_que(queue_name="wide").send()
    for kind, shape in ((ms.float32, [3]), (ms.int32, [4])):
        take = ops.GetNext([kind], [shape], 1, "wide")
        with pytest.raises(DatasetError, match=r"column 0 of queue 'wide' has shape \(4,\) and type Float32"):
            ms.jit(lambda take=take: take()[0] * 1)()
    take = ops.GetNext([ms.float32] * 2, [[4]] * 2, 2, "wide")
    with pytest.raises(DatasetError, match="rows of 1 columns"):
        ms.jit(lambda: take()[1] * 1)()


def test_a_helper_without_a_queue_gives_the_rows() -> None:
    helper = ms.DatasetHelper(rows(0, 1, 8), dataset_sink_mode=False)
    assert [x.shape for x, _ in helper] == [(8, 4)] * 3
    with pytest.raises(TrainingError, match="needs a queue"):
        ms.connect_network_with_dataset(nn.Dense(4, 2), helper)
    with pytest.raises(ContextError, match="sink_size"):
        ms.DatasetHelper(rows(0, 1, 8), sink_size=0)
