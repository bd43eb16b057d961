"""Callbacks: what is told of a training while it runs, and may end it."""

from collections.abc import Callable, Sequence
from time import perf_counter
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from simpar.errors import ContextError, DTypeError, TrainingError
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = [
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "LossMonitor",
    "RunContext",
    "TimeMonitor",
    "callback_list",
    "loss_of",
]


class RunContext:
    """Is what callbacks are given: the state of the training, and the means to end it.

    Args:
        original_args: the state, as attributes: ``cur_epoch_num``, ``cur_step_num``, ``epoch_num``, ``batch_num``,
            ``net_outputs``, ``network``, ``train_network``, ``optimizer``, ``loss_fn``, ``eval_results`` …

    Raises:
        DTypeError: that is no object with such attributes.
    """

    def __init__(self, original_args: SimpleNamespace) -> None:
        if not isinstance(original_args, SimpleNamespace | dict):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"RunContext takes the state of a training, as attributes, not {original_args!r}.")
        self._args = original_args
        self._stops = False

    def original_args(self) -> SimpleNamespace:
        """Return the state."""
        return self._args

    def request_stop(self) -> None:
        """Ask for the training to end after this step; all ranks end when one asks."""
        self._stops = True

    def get_stop_requested(self) -> bool:
        """Return whether a callback asked for the end."""
        return self._stops


class Callback:
    """Is the base of callbacks: override what you want to be told of.

    ``on_train_…`` and ``on_eval_…`` are called in training and in evaluation; each calls the method without a prefix,
    so that a callback that overrides ``epoch_end``, say, is told of both.
    """

    def __enter__(self) -> "Callback":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def begin(self, run_context: RunContext) -> None:
        """Be told that it begins."""

    def epoch_begin(self, run_context: RunContext) -> None:
        """Be told that an epoch begins."""

    def epoch_end(self, run_context: RunContext) -> None:
        """Be told that an epoch is over."""

    def step_begin(self, run_context: RunContext) -> None:
        """Be told that a step begins."""

    def step_end(self, run_context: RunContext) -> None:
        """Be told that a step is over."""

    def end(self, run_context: RunContext) -> None:
        """Be told that it is over."""

    def on_train_begin(self, run_context: RunContext) -> None:
        """Be told that the training begins."""
        self.begin(run_context)

    def on_train_epoch_begin(self, run_context: RunContext) -> None:
        """Be told that an epoch of training begins."""
        self.epoch_begin(run_context)

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        """Be told that an epoch of training is over."""
        self.epoch_end(run_context)

    def on_train_step_begin(self, run_context: RunContext) -> None:
        """Be told that a step of training begins."""
        self.step_begin(run_context)

    def on_train_step_end(self, run_context: RunContext) -> None:
        """Be told that a step of training is over."""
        self.step_end(run_context)

    def on_train_end(self, run_context: RunContext) -> None:
        """Be told that the training is over."""
        self.end(run_context)

    def on_eval_begin(self, run_context: RunContext) -> None:
        """Be told that the evaluation begins."""
        self.begin(run_context)

    def on_eval_epoch_begin(self, run_context: RunContext) -> None:
        """Be told that the epoch of the evaluation begins."""
        self.epoch_begin(run_context)

    def on_eval_epoch_end(self, run_context: RunContext) -> None:
        """Be told that the epoch of the evaluation is over."""
        self.epoch_end(run_context)

    def on_eval_step_begin(self, run_context: RunContext) -> None:
        """Be told that a step of the evaluation begins."""
        self.step_begin(run_context)

    def on_eval_step_end(self, run_context: RunContext) -> None:
        """Be told that a step of the evaluation is over."""
        self.step_end(run_context)

    def on_eval_end(self, run_context: RunContext) -> None:
        """Be told that the evaluation is over."""
        self.end(run_context)


def callback_list(given: Any) -> list[Callback]:
    """Return callbacks given as none, one, or a list, as a list.

    Raises:
        DTypeError: one is no callback.
    """
    listed: list[Any] = (
        [] if given is None else list(cast("Sequence[Any]", given)) if isinstance(given, list | tuple) else [given]
    )
    wrong = [c for c in listed if not isinstance(c, Callback)]
    if wrong:
        raise DTypeError(f"callbacks are objects of classes derived from Callback, not {wrong[0]!r}.")
    return listed


def loss_of(outputs: Any) -> float:
    """Return the loss that a training network returned: its result, or the first of its results."""
    first = cast("Sequence[Any]", outputs)[0] if isinstance(outputs, tuple | list) else outputs
    return float(np.mean(first.asnumpy())) if isinstance(first, Tensor) else float(first)


# --- callbacks that come along ---


class LossMonitor(Callback):
    """Prints the loss every so many steps.

    Args:
        per_print_times: every how many steps; never if 0.

    Raises:
        TrainingError: the loss is no number any more.
    """

    def __init__(self, per_print_times: int = 1) -> None:
        if isinstance(per_print_times, bool) or per_print_times < 0:
            raise ContextError(f"LossMonitor prints every so many steps: at least 0, not {per_print_times!r}.")
        self._every, self._last = per_print_times, 0

    def step_end(self, run_context: RunContext) -> None:
        """Print the loss, if it is time to."""
        state = run_context.original_args()
        loss = loss_of(state.net_outputs)
        step = (state.cur_step_num - 1) % state.batch_num + 1
        if not np.isfinite(loss):
            raise TrainingError(
                f"epoch {state.cur_epoch_num}, step {step}: the loss is {loss}. Training cannot go on from here: lower "
                "the learning rate, or look for a division by zero or a logarithm of zero."
            )
        if self._every and state.cur_step_num - self._last >= self._every:
            self._last = state.cur_step_num
            print(f"epoch: {state.cur_epoch_num} step: {step}, loss is {loss}", flush=True)

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        """Print the loss of the evaluation that followed the epoch, if there was one."""
        state = run_context.original_args()
        found = getattr(state, "eval_results", None)
        if found:
            print(f"Eval result: epoch {state.cur_epoch_num}, metrics: {found}", flush=True)


class TimeMonitor(Callback):
    """Prints how long each epoch and each of its steps took.

    Args:
        data_size: how many steps an epoch has; what the dataset says if None.
        data_time: taken; the time for data is part of the epoch's.
    """

    def __init__(self, data_size: int | None = None, data_time: bool = False) -> None:
        self._data_size, self._start = data_size, 0.0

    def epoch_begin(self, run_context: RunContext) -> None:
        """Look at the clock."""
        self._start = perf_counter()

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        """Print the times of an epoch of training."""
        self._tell("Train", run_context)

    def on_eval_epoch_end(self, run_context: RunContext) -> None:
        """Print the times of an evaluation."""
        self._tell("Eval", run_context)

    def _tell(self, what: str, run_context: RunContext) -> None:
        milliseconds = (perf_counter() - self._start) * 1e3
        steps = self._data_size or run_context.original_args().batch_num or 1
        print(f"{what} epoch time: {milliseconds:.3f} ms, per step time: {milliseconds / steps:.3f} ms", flush=True)


class LambdaCallback(Callback):
    """Calls functions of the run context; each may be None."""

    def __init__(
        self,
        on_train_epoch_begin: Callable[[RunContext], object] | None = None,
        on_train_epoch_end: Callable[[RunContext], object] | None = None,
        on_train_step_begin: Callable[[RunContext], object] | None = None,
        on_train_step_end: Callable[[RunContext], object] | None = None,
        on_train_begin: Callable[[RunContext], object] | None = None,
        on_train_end: Callable[[RunContext], object] | None = None,
        on_eval_epoch_begin: Callable[[RunContext], object] | None = None,
        on_eval_epoch_end: Callable[[RunContext], object] | None = None,
        on_eval_step_begin: Callable[[RunContext], object] | None = None,
        on_eval_step_end: Callable[[RunContext], object] | None = None,
        on_eval_begin: Callable[[RunContext], object] | None = None,
        on_eval_end: Callable[[RunContext], object] | None = None,
    ) -> None:
        given = dict(locals())
        for name in (n for n in given if n.startswith("on_") and given[n] is not None):
            setattr(self, name, given[name])


class LearningRateScheduler(Callback):
    """Sets the learning rate of the optimizer after each step.

    Args:
        learning_rate_function: takes the present rate and the number of the step, and returns the rate.
    """

    def __init__(self, learning_rate_function: Callable[[float, int], float]) -> None:
        self._function = learning_rate_function

    def step_end(self, run_context: RunContext) -> None:
        """Set the rate."""
        state = run_context.original_args()
        rate = state.optimizer.learning_rate
        if not isinstance(rate, Parameter) or rate.size != 1:
            raise ContextError("LearningRateScheduler sets a rate that is one number; the optimizer has a schedule.")
        rate.set_data(Tensor(self._function(float(rate.asnumpy()), state.cur_step_num), rate.dtype))


class History(Callback):
    """Keeps what each epoch ended with, one number per epoch: in ``history``, and in ``epoch`` with its number."""

    def __init__(self) -> None:
        self.epoch: dict[str, list[Any]] = {}

    @property
    def history(self) -> dict[str, list[Any]]:
        """The losses, as ``net_output``, and the metrics."""
        return {name: values for name, values in self.epoch.items() if name != "epoch"}

    def begin(self, run_context: RunContext) -> None:
        """Forget."""
        self.epoch = {}

    def epoch_end(self, run_context: RunContext) -> None:
        """Keep the loss, and the metrics of the evaluation if there was one."""
        state = run_context.original_args()
        judged: dict[str, Any] = getattr(state, "eval_results", None) or {}
        found = {"net_output": loss_of(state.net_outputs), **judged}
        self.epoch.setdefault("epoch", []).append(state.cur_epoch_num)
        for name, value in found.items():
            self.epoch.setdefault(name, []).append(value)


class EarlyStopping(Callback):
    """Ends the training when a number has not become better for some epochs.

    Args:
        monitor: the name of a metric of the evaluation; ``"eval_loss"`` also finds ``"loss"``.
        min_delta: by how much it must become better to count.
        patience: how many epochs without count before the end.
        verbose: whether to print when it ends.
        mode: ``"min"``, ``"max"``, or ``"auto"``: the name decides (losses and errors fall, all others rise).
        baseline: what it must be better than at first.
        restore_best_weights: taken; refused if true.
    """

    def __init__(
        self,
        monitor: str = "eval_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: bool = False,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
    ) -> None:
        if mode not in ("auto", "min", "max") or patience < 0:
            raise ContextError(f"EarlyStopping(mode={mode!r}, patience={patience}): mode is auto, min or max.")
        if restore_best_weights:
            raise ContextError("EarlyStopping: restore_best_weights=True is not done here; keep checkpoints instead.")
        falls = mode == "min" or (mode == "auto" and any(w in monitor for w in ("loss", "error", "mae", "mse")))
        self._monitor, self._sign = monitor, -1.0 if falls else 1.0
        self._delta, self._patience, self._verbose = abs(min_delta), patience, verbose
        self._best = -np.inf if baseline is None else baseline * self._sign
        self._waited = 0

    def epoch_end(self, run_context: RunContext) -> None:
        """Look at the number, and ask for the end if it is time."""
        state = run_context.original_args()
        found: dict[str, Any] = getattr(state, "eval_results", None) or {}
        value = found.get(self._monitor, found.get(self._monitor.removeprefix("eval_")))
        if value is None:
            raise ContextError(f"EarlyStopping: there is no metric {self._monitor!r}; there is {sorted(found)}.")
        now = float(value) * self._sign
        if now - self._delta > self._best:
            self._best, self._waited = now, 0
            return
        self._waited += 1
        if self._waited > self._patience:
            if self._verbose:
                print(f"Epoch {state.cur_epoch_num}: {self._monitor} stays {value}; the training ends.", flush=True)
            run_context.request_stop()
