"""``Model``: trains as the loop it stands for, tells callbacks in order, judges by metrics; all ranks end together."""

from typing import Any, cast

import numpy as np
import pytest

import simpar as ms
from simpar import dataset as ds
from simpar import nn, ops, train
from simpar.collectives import run_threads
from simpar.errors import ContextError, ContextKeyError, DTypeError, ModeError, TrainingError
from simpar.parameter import Parameter
from simpar.tensor import Tensor

RNG = np.random.default_rng(0)
X = RNG.standard_normal((24, 4)).astype(np.float32)
Y = (X @ np.array([1.0, -2.0, 0.5, 3.0], np.float32) > 0).astype(np.int32)


def rows(**options: Any) -> ds.Dataset:
    return ds.NumpySlicesDataset({"data": X, "label": Y}, shuffle=False, **options)


class Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.linspace(-1, 1, 8, dtype=np.float32).reshape(4, 2)), name="w")
        self.product = ops.MatMul()

    def construct(self, x: Tensor) -> Tensor:
        return self.product(x, self.w)


def made(rate: float = 0.2, **options: Any) -> tuple[Net, train.Model]:
    net = Net()
    return net, train.Model(net, nn.CrossEntropyLoss(), nn.Momentum(net.trainable_params(), rate, 0.9), **options)


def by_hand(epochs: int) -> Any:
    net = Net()
    step = nn.TrainOneStepCell(
        nn.WithLossCell(net, nn.CrossEntropyLoss()), nn.Momentum(net.trainable_params(), 0.2, 0.9)
    )
    for _ in range(epochs):
        for start in range(0, 24, 8):
            step(Tensor(X[start : start + 8]), Tensor(Y[start : start + 8]))
    return net.w.asnumpy()


@pytest.mark.parametrize("sinks", [False, True])
def test_training_is_the_loop_it_stands_for(sinks: bool) -> None:
    net, model = made()
    model.train(3, rows().batch(8), dataset_sink_mode=sinks)
    np.testing.assert_array_equal(net.w.asnumpy(), by_hand(3))


def test_epochs_of_a_sink_size_go_on_where_the_last_ended() -> None:
    net, model = made()
    model.train(3, rows().batch(8), dataset_sink_mode=True, sink_size=2)  # 6 steps: two times the dataset
    np.testing.assert_array_equal(net.w.asnumpy(), by_hand(2))


@pytest.mark.parametrize("mode", ["semi_auto_parallel", "data_parallel"])
def test_four_ranks_train_as_one(mode: str) -> None:
    def on_ranks(mode: str) -> Any:
        ms.set_auto_parallel_context(parallel_mode=mode, full_batch=mode != "data_parallel", gradients_mean=True)
        net, model = made()
        if mode == "data_parallel":
            rank = ms.communication.get_rank()
            parts = [X.reshape(3, 4, 2, 4)[:, rank].reshape(6, 4), Y.reshape(3, 4, 2)[:, rank].reshape(6)]
            data = ds.NumpySlicesDataset({"data": parts[0], "label": parts[1]}, shuffle=False).batch(2)
        else:
            data = rows().batch(8)
        model.train(3, data)
        return ms.parallel.full_tensor(net.w).asnumpy()

    for w in run_threads(4, on_ranks, mode):
        np.testing.assert_allclose(w, by_hand(3), rtol=1e-5, atol=1e-6)


class Diary(train.Callback):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, run_context: train.RunContext) -> None:
        self.lines.append("begin")

    def epoch_begin(self, run_context: train.RunContext) -> None:
        self.lines.append(f"epoch {run_context.original_args().cur_epoch_num}")

    def step_end(self, run_context: train.RunContext) -> None:
        self.lines.append(f"step {run_context.original_args().cur_step_num}")

    def epoch_end(self, run_context: train.RunContext) -> None:
        self.lines.append("over")

    def end(self, run_context: train.RunContext) -> None:
        self.lines.append("end")


def test_callbacks_are_told_in_order() -> None:
    diary = Diary()
    made()[1].train(2, rows().batch(12), callbacks=diary)
    assert diary.lines == ["begin", "epoch 1", "step 1", "step 2", "over", "epoch 2", "step 3", "step 4", "over", "end"]
    sunk = Diary()
    made()[1].train(1, rows().batch(12), callbacks=[sunk], dataset_sink_mode=True)
    assert sunk.lines == ["begin", "epoch 1", "step 2", "over", "end"]


def test_all_ranks_end_when_one_asks() -> None:
    def on_ranks() -> int:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        rank = ms.communication.get_rank()

        def ask(run_context: train.RunContext) -> None:
            if rank == 2 and run_context.original_args().cur_step_num == 4:
                run_context.request_stop()

        steps: list[int] = []
        tell = train.LambdaCallback(
            on_train_step_end=lambda c: (steps.append(c.original_args().cur_step_num), ask(c)),
        )
        made()[1].train(5, rows().batch(8), callbacks=tell)
        return steps[-1]

    assert run_threads(4, on_ranks) == [4, 4, 4, 4]


def test_monitors_print_as_mindspore_does(capsys: pytest.CaptureFixture[str]) -> None:
    made()[1].train(2, rows().batch(8), callbacks=[train.LossMonitor(2), train.TimeMonitor()])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines if "loss" in line] == [
        "epoch: 1 step: 2",
        "epoch: 2 step: 1",
        "epoch: 2 step: 3",
    ]
    assert sum(line.startswith("Train epoch time:") for line in lines) == 2


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    net, model = made()
    net.w.set_data(Tensor(np.full((4, 2), np.nan, np.float32)))
    with pytest.raises(TrainingError, match="epoch 1, step 1: the loss is nan"):
        model.train(1, rows().batch(8), callbacks=train.LossMonitor())


def test_metrics_are_those_of_the_whole_dataset() -> None:
    net, model = made(metrics={"accuracy", "loss"})
    found = model.eval(rows().batch(8))
    logits = X @ net.w.asnumpy()
    assert found["accuracy"] == pytest.approx(float((logits.argmax(1) == Y).mean()))
    log_sum = np.log(np.exp(logits).sum(1))
    assert found["loss"] == pytest.approx(float((log_sum - logits[np.arange(24), Y]).mean()), rel=1e-5)


def test_fit_evaluates_and_early_stopping_ends_it() -> None:
    history = train.History()
    _, model = made(rate=0.0, metrics={"accuracy"})
    model.fit(9, rows().batch(8), rows().batch(8), callbacks=[train.EarlyStopping("accuracy", patience=1), history])
    assert history.epoch["epoch"] == [1, 2, 3]
    assert len(history.epoch["accuracy"]) == 3
    assert list(history.history) == [name for name in history.epoch if name != "epoch"]


def test_a_scheduler_sets_the_rate() -> None:
    _, model = made()
    model.train(1, rows().batch(8), callbacks=train.LearningRateScheduler(lambda rate, step: rate / 2))
    assert float(model.train_network.optimizer.learning_rate.asnumpy()) == pytest.approx(0.2 / 8)


def test_predictions_are_the_networks() -> None:
    net, model = made()
    np.testing.assert_allclose(model.predict(Tensor(X)).asnumpy(), X @ net.w.asnumpy(), rtol=1e-5)


def test_a_loss_scale_manager_changes_no_result() -> None:
    net, model = made(loss_scale_manager=train.DynamicLossScaleManager(256.0, 2, 2))
    model.train(3, rows().batch(8))
    np.testing.assert_allclose(net.w.asnumpy(), by_hand(3), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: made()[1].train(0, rows().batch(8)), ContextError, "epochs count from 1"),
        (lambda: made()[1].train(1, rows().project("data").batch(8)), TrainingError, "the dataset gives 1"),
        (lambda: made()[1].train(1, rows().batch(25, drop_remainder=True)), TrainingError, "no rows"),
        (lambda: made()[1].train(1, [1]), DTypeError, "takes a dataset"),
        (lambda: made()[1].train(1, rows().batch(8), callbacks=print), DTypeError, "derived from Callback"),
        (lambda: made()[1].eval(rows().batch(8)), ContextError, "needs metrics"),
        (lambda: made(metrics={"nonsense"}), ContextKeyError, "there is no metric 'nonsense'"),
        (lambda: train.Model(Net(), nn.CrossEntropyLoss()).train(1, rows().batch(8)), ContextError, "no optimizer"),
        (lambda: made()[1].train(1, rows().batch(8), dataset_sink_mode=cast("Any", 1)), DTypeError, "sink_mode=1"),
        (lambda: made()[1].predict(Tensor(X), backend="gpu"), ContextError, "no other backend"),
        (lambda: train.Model(cast("Any", print)), DTypeError, "takes a Cell"),
        (lambda: made()[1].infer_predict_layout(Tensor(X)), ModeError, "Set semi_auto_parallel or auto_parallel"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_a_model_without_an_optimizer_evaluates() -> None:
    net, model = made(metrics={"accuracy"})
    alone = train.Model(net, nn.CrossEntropyLoss(), metrics={"accuracy"})
    assert alone.eval(rows().batch(8)) == model.eval(rows().batch(8))


class Bare:
    """A dataset of one's own whose rows are single Tensors."""

    def __init__(self) -> None:
        self.left = 2

    def __iter__(self) -> "Bare":
        return self

    def __next__(self) -> Tensor:
        if not self.left:
            raise StopIteration
        self.left -= 1
        return Tensor(X[:8])

    def create_tuple_iterator(self, **options: object) -> "Bare":
        return self

    def get_dataset_size(self) -> int:
        return 2


def test_a_row_that_is_one_tensor_is_one_input() -> None:
    network = nn.SequentialCell(Net(), nn.ReLU())
    optimizer = nn.Momentum(network.trainable_params(), 0.1, 0.9)
    before = network.trainable_params()[0].asnumpy().copy()
    train.Model(network, optimizer=optimizer).train(1, Bare(), dataset_sink_mode=False)
    assert not np.array_equal(before, network.trainable_params()[0].asnumpy())
