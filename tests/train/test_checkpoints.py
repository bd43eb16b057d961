"""``ModelCheckpoint``: when it saves, what it keeps, and that a training goes on from it as if it had not stopped."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import dataset as ds
from simpar import nn, ops, train
from simpar.collectives import run_threads
from simpar.common.initializer import initializer
from simpar.communication import get_rank
from simpar.errors import ContextError, DTypeError
from simpar.parameter import Parameter
from simpar.tensor import Tensor

RNG = np.random.default_rng(0)
X = RNG.standard_normal((24, 8)).astype(np.float32)
Y = (RNG.standard_normal(24) > 0).astype(np.int32)


class Net(nn.Cell):
    def __init__(self, strategy: Any = None) -> None:
        super().__init__()
        self.w = Parameter(initializer("normal", (8, 2)), name="w")
        self.product = ops.MatMul() if strategy is None else ops.MatMul().shard(strategy)

    def construct(self, x: Tensor) -> Tensor:
        return self.product(x, self.w)


def made(strategy: Any = None) -> train.Model:
    ms.set_seed(5)
    net = Net(strategy)
    return train.Model(net, nn.CrossEntropyLoss(), nn.Adam(net.trainable_params(), 0.05))


def rows() -> ds.Dataset:
    return ds.NumpySlicesDataset({"data": X, "label": Y}, shuffle=False).batch(8)  # 3 steps an epoch


def saved(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


class Losses(train.Callback):
    def __init__(self) -> None:
        self.found: list[float] = []

    def step_end(self, run_context: train.RunContext) -> None:
        self.found.append(float(run_context.original_args().net_outputs.asnumpy()))


def test_every_step_is_saved_and_the_last_five_are_kept(tmp_path: Path) -> None:
    callback = train.ModelCheckpoint("net", str(tmp_path / "new"))
    made().train(3, rows(), callbacks=callback)
    assert saved(tmp_path / "new") == [f"net-{name}.ckpt" for name in ("2_2", "2_3", "3_1", "3_2", "3_3")]
    assert callback.latest_ckpt_file_name == str(tmp_path / "new" / "net-3_3.ckpt")


def test_steps_numbers_formats_and_the_last_step_are_as_configured(tmp_path: Path) -> None:
    config = train.CheckpointConfig(
        save_checkpoint_steps=4, keep_checkpoint_max=2, append_info=["epoch_num", "step_num", {"who": "I"}],
        format="safetensors",
    )  # fmt: skip
    made().train(3, rows(), callbacks=train.ModelCheckpoint(directory=str(tmp_path), config=config))
    assert saved(tmp_path) == ["CKP-3_2.safetensors", "CKP-3_3.safetensors"]  # steps 8, and 9 at the end
    found = ms.load_checkpoint(tmp_path / "CKP-3_3.safetensors")
    assert (found["epoch_num"].item(), found["step_num"].item(), found["who"]) == (3, 9, "I")
    assert {"w", "moment1.w", "moment2.w"} <= found.keys()


def test_files_of_another_training_are_left_alone(tmp_path: Path) -> None:
    config = train.CheckpointConfig(save_checkpoint_steps=3, keep_checkpoint_max=1)
    for _ in range(3):
        made().train(2, rows(), callbacks=train.ModelCheckpoint("a", str(tmp_path), config))
    assert saved(tmp_path) == ["a-2_3.ckpt", "a_1-2_3.ckpt", "a_2-2_3.ckpt"]


def test_names_and_folders_may_be_functions_and_only_the_network_be_saved(tmp_path: Path) -> None:
    model = made()
    config = train.CheckpointConfig(save_checkpoint_steps=3, saved_network=model.predict_network)
    callback = train.ModelCheckpoint(
        lambda state: f"step{state.cur_step_num}", lambda state: str(tmp_path / f"epoch{state.cur_epoch_num}"), config
    )
    model.train(1, rows(), callbacks=callback)
    assert list(ms.load_checkpoint(tmp_path / "epoch1" / "step3.ckpt")) == ["w"]


def test_an_error_leaves_a_breakpoint_if_it_is_wanted(tmp_path: Path) -> None:
    def fail(run_context: train.RunContext) -> None:
        if run_context.original_args().cur_step_num == 2:
            raise RuntimeError("stop")

    config = train.CheckpointConfig(save_checkpoint_steps=100, exception_save=True)
    callbacks = [train.ModelCheckpoint("a", str(tmp_path), config), train.LambdaCallback(on_train_step_end=fail)]
    with pytest.raises(RuntimeError, match="stop"):
        made().train(1, rows(), callbacks=callbacks)
    assert saved(tmp_path) == ["a-1_2_breakpoint.ckpt"]


@pytest.mark.parametrize("integrated", [True, False])
@pytest.mark.parametrize("zero", [True, False])
def test_four_ranks_that_stop_and_resume_train_as_if_they_had_not(tmp_path: Path, integrated: bool, zero: bool) -> None:
    def on_ranks(resume: bool, epochs: int) -> list[float]:
        ms.set_auto_parallel_context(
            parallel_mode="semi_auto_parallel", full_batch=True, enable_parallel_optimizer=zero,
            parallel_optimizer_config={"parallel_optimizer_threshold": 0},
        )  # fmt: skip
        model, losses = made(((2, 2), (2, 1))), Losses()
        folder = tmp_path / f"rank_{ms.communication.get_rank()}"
        if resume:
            model.infer_train_layout(rows())
            given = ms.load_checkpoint(folder / "net-2_3.ckpt")
            assert ms.load_param_into_net(model.train_network, given) == ([], [])
        config = train.CheckpointConfig(save_checkpoint_steps=3, integrated_save=integrated)
        callbacks = [losses, train.ModelCheckpoint("net", str(folder), config)]
        model.train(epochs, rows(), callbacks=callbacks, initial_epoch=2 if resume else 0)
        return losses.found

    stopped = run_threads(4, on_ranks, False, 2)[0]
    resumed = run_threads(4, on_ranks, True, 4)[0]
    for folder in tmp_path.iterdir():
        assert saved(folder) == ["net-1_3.ckpt", "net-2_3.ckpt", "net_1-3_3.ckpt", "net_1-4_3.ckpt"]
    assert stopped + resumed == run_threads(4, on_ranks, False, 4)[0]


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContextError, match="give steps, seconds, files or minutes"):
        train.CheckpointConfig(0, 0, 0, 0)
    with pytest.raises(ContextError, match="without '/'"):
        train.ModelCheckpoint("a/b", str(tmp_path))
    with pytest.raises(DTypeError, match="give a CheckpointConfig"):
        train.ModelCheckpoint("a", str(tmp_path), {})  # pyright: ignore[reportArgumentType]
    with pytest.raises(DTypeError, match="append_info has 'loss'"):
        train.CheckpointConfig(append_info=["loss"])


def test_a_training_that_is_asked_to_end_saves_and_goes_on_from_there(tmp_path: Path) -> None:
    told = tmp_path / "graceful_exit.json"

    def asks(run_context: train.RunContext) -> None:
        if run_context.original_args().cur_step_num == 2:
            told.write_text('{"GracefulExit": 1}', "utf-8")

    losses, rest, whole = Losses(), Losses(), Losses()
    callback = train.OnRequestExit(file_name="net", directory=str(tmp_path), config_file=str(told))
    made().train(3, rows(), callbacks=[train.LambdaCallback(on_train_step_end=asks), callback, losses])
    assert len(losses.found) == 2
    assert saved(tmp_path / "rank_0") == ["net_train.ckpt"]
    assert ms.load_checkpoint(tmp_path / "rank_0" / "net_train.ckpt")["step_num"].item() == 2
    told.write_text('{"GracefulExit": 0}', "utf-8")
    again = train.OnRequestExit(file_name="net", directory=str(tmp_path), config_file=str(told))
    made().train(1, rows(), callbacks=[again, rest])
    made().train(1, rows(), callbacks=whole)
    made_before = np.array(whole.found[:2])
    np.testing.assert_allclose(losses.found, made_before, rtol=1e-6)
    assert rest.found[0] < whole.found[0]  # it did not begin anew


def test_a_signal_to_one_rank_ends_the_training_of_all(tmp_path: Path) -> None:
    def on_ranks() -> int:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        callback, losses = train.OnRequestExit(directory=str(tmp_path)), Losses()

        def signal_arrives(run_context: train.RunContext) -> None:
            callback.exit = run_context.original_args().cur_step_num == 2 and get_rank() == 1

        callbacks = [train.LambdaCallback(on_train_step_end=signal_arrives), callback, losses]
        made().train(2, rows(), callbacks=callbacks)
        return len(losses.found)

    assert run_threads(2, on_ranks) == [2, 2]
    assert saved(tmp_path) == ["rank_0", "rank_1"]


def test_a_signal_that_nobody_can_catch_is_refused() -> None:
    with pytest.raises(ContextError, match="no process can catch SIGKILL"):
        train.OnRequestExit(sig=signal.SIGKILL)
