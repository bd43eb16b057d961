"""What a Cell is told that only reads back, and the type it computes in."""

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.errors import ContextError, NotYetError


def network() -> nn.SequentialCell:
    return nn.SequentialCell(nn.ReLU(), nn.SequentialCell(nn.ReLU()))


def test_flags_read_back_and_reach_cells_below() -> None:
    net = network()
    net.add_flags_recursive(fp16=True)
    net.add_flags(own=1)
    assert net.get_flags() == {"fp16": True, "own": 1}
    assert net[1][0].get_flags() == {"fp16": True}  # pyright: ignore


def test_inputs_read_back() -> None:
    net, described = network(), Tensor(shape=[None, 16])
    net.set_inputs(described)
    assert net.get_inputs() == (described,)


class TypeOf(nn.Cell):
    def construct(self, x: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
        return ops.relu(x), ops.relu(n)


def test_to_float_casts_floats_that_come_in_and_nothing_else() -> None:
    floats, numbers = TypeOf().to_float(ms.float16)(Tensor([1.0]), Tensor([1]))
    assert (floats.dtype, numbers.dtype) == (ms.float16, ms.int64)


def test_to_float_takes_no_other_type() -> None:
    with pytest.raises(ContextError, match="Float16 or Float32, not Int32"):
        network().to_float(ms.int32)


def test_apply_calls_inner_cells_first() -> None:
    seen: list[str] = []
    network().apply(lambda cell: seen.append(cell.cls_name))
    assert seen == ["ReLU", "ReLU", "SequentialCell", "SequentialCell"]


class Weighted(nn.Cell):
    """Multiplies by a Parameter and by members of a list, and counts its calls in another."""

    def __init__(self) -> None:
        super().__init__()
        self.w = ms.Parameter(Tensor([[1.0], [1 / 3]]), name="w")
        self.rows = ms.ParameterTuple([ms.Parameter(Tensor([0.1]), name="row")])
        self.calls = ms.Parameter(Tensor(0.0), name="calls", requires_grad=False)
        self.types: list[ms.DType] = []

    def construct(self, x: Tensor) -> Tensor:
        self.types = [self.w.dtype, self.rows[0].dtype, self.calls.dtype]
        ops.assign_add(self.calls, 1.0)
        return ops.matmul(x, self.w) + self.rows[0]


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
def test_to_float_lets_construct_see_parameters_in_that_type(mode: int) -> None:
    ms.set_context(mode=mode)
    net = Weighted().to_float(ms.float16)
    x = np.array([[0.7, 0.9]], np.float32)
    made = net(Tensor(x))
    assert (made.dtype, net.types) == (ms.float16, [ms.float16] * 3)
    weights = [np.array(v, np.float16) for v in ([[1.0], [1 / 3]], [0.1])]
    np.testing.assert_allclose(made.asnumpy(), x.astype(np.float16) @ weights[0] + weights[1], rtol=1e-3)
    assert (net.w.dtype, net.rows[0].dtype, net.calls.item()) == (ms.float32, ms.float32, 1.0)


def test_gradients_of_a_net_in_float16_arrive_in_the_type_of_the_parameters() -> None:
    net = Weighted().to_float(ms.float16)
    gradients = ms.grad(lambda x: net(x).sum(), None, net.trainable_params())(Tensor([[0.5, 2.0]]))
    assert [g.dtype for g in gradients] == [ms.float32, ms.float32]
    assert [g.tolist() for g in gradients] == [[[0.5], [2.0]], [1.0]]


def test_a_cell_below_may_compute_in_another_type() -> None:
    net = nn.SequentialCell(nn.Dense(2, 3), nn.Dense(3, 1)).to_float(ms.float16)
    net[1].to_float(ms.float32)
    assert net(Tensor([[1.0, 2.0]])).dtype == ms.float32


def test_running_statistics_stay_in_float32() -> None:
    net = nn.BatchNorm1d(2, momentum=0.5).to_float(ms.float16).set_train()
    assert net(Tensor([[1.0, 2.0], [3.0, 6.0]])).dtype == ms.float16
    assert net.moving_mean.dtype == ms.float32
    assert net.moving_mean.tolist() == [1.0, 2.0]


def test_a_program_is_made_anew_when_the_type_changes() -> None:
    table = nn.Embedding(4, 2).to_float(ms.float16)
    step = ms.jit(lambda ids: table(ids))
    assert step(Tensor([1, 2])).dtype == ms.float16
    table.to_float(ms.float32)
    assert step(Tensor([1, 2])).dtype == ms.float32


def train_half(n: int) -> list[float]:
    ms.set_seed(2)
    if n > 1:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    net = nn.Dense(8, 4, weight_init="normal").to_float(ms.float16)
    net.matmul.shard(((2, 2), (1, 2)) if n > 1 else None)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.SGD(net.trainable_params(), 0.1))
    x = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    return [float(step(Tensor(x), Tensor(x[:, :4]))) for _ in range(3)]


def test_a_net_in_float16_trains_cut_as_whole() -> None:
    (alone,) = run_threads(1, train_half, 1)
    for losses in run_threads(4, train_half, 4):
        np.testing.assert_allclose(losses, alone, rtol=2e-3)  # float16 has 11 bits


def test_placing_a_cell_or_an_op_on_a_process_is_refused() -> None:
    with pytest.raises(NotYetError, match=r"ReLU\.place\('MS_WORKER', 1\).*pipeline_stage"):
        nn.ReLU().place("MS_WORKER", 1)
    with pytest.raises(NotYetError, match=r"MatMul\.place.*shard"):
        ops.MatMul().place("MS_WORKER", 0)
