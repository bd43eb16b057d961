"""``Model``: trains, evaluates and applies a network over datasets, and tells callbacks of it."""

from collections.abc import Sequence
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from simpar.context import current
from simpar.errors import ContextError, DTypeError, ModeError, TrainingError
from simpar.nn import Cell, Optimizer, WithEvalCell
from simpar.train.amp import build_train_network
from simpar.train.callbacks import Callback, RunContext, callback_list
from simpar.train.metrics import Loss, Metric, get_metrics
from simpar.train.rows import Rows

__all__ = ["Model"]


class Model:
    """Is a network with what it is trained and judged by.

    Args:
        network: computes predictions; or the loss, if there is no ``loss_fn``; or takes whole steps of training, if
            there is no ``optimizer`` either.
        loss_fn: a Cell of predictions and labels.
        optimizer: updates the network's Parameters.
        metrics: a dictionary of metrics, or a set of their names.
        eval_network: returns loss, predictions and labels; made of network and ``loss_fn`` if None.
        eval_indexes: where loss, predictions and labels stand in what ``eval_network`` returns.
        amp_level: see ``amp.auto_mixed_precision``.
        boost_level: taken; changes nothing.
        **options: ``loss_scale_manager``; others of MindSpore's are taken and change nothing.

    Raises:
        DTypeError: something is not what it should be.
    """

    def __init__(
        self,
        network: Cell,
        loss_fn: Any = None,
        optimizer: Optimizer | None = None,
        metrics: Any = None,
        eval_network: Cell | None = None,
        eval_indexes: Sequence[int] | None = None,
        amp_level: str = "O0",
        boost_level: str = "O0",
        **options: Any,
    ) -> None:
        if not isinstance(network, Cell):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"Model takes a Cell as network, not {network!r}.")
        self._network, self._loss_fn, self._optimizer = network, loss_fn, optimizer
        self._metrics: dict[str, Metric] = get_metrics(metrics)
        self._eval_indexes = None if eval_indexes is None else list(eval_indexes)
        manager = options.get("loss_scale_manager")
        self._train_network = network
        if optimizer is not None:
            self._train_network = build_train_network(
                network, optimizer, loss_fn, amp_level, loss_scale_manager=manager
            )
        self._only_evaluates = loss_fn is not None and optimizer is None
        self._eval_network = eval_network
        if eval_network is None and loss_fn is not None:
            self._eval_network = WithEvalCell(network, loss_fn, amp_level in ("O2", "O3", "auto"))
        self._predict_network = network

    @property
    def train_network(self) -> Cell:
        """The Cell that takes one step of training."""
        return self._train_network

    @property
    def eval_network(self) -> Cell | None:
        """The Cell whose outputs metrics judge."""
        return self._eval_network

    @property
    def predict_network(self) -> Cell:
        """The network itself."""
        return self._predict_network

    # --- training ---

    def train(
        self,
        epoch: int,
        train_dataset: Any,
        callbacks: Any = None,
        dataset_sink_mode: bool = False,
        sink_size: int = -1,
        initial_epoch: int = 0,
    ) -> None:
        """Train for some epochs.

        Args:
            epoch: how many, counted from the first.
            train_dataset: gives batches: inputs of the training network.
            callbacks: one or more callbacks.
            dataset_sink_mode: whether callbacks are told of steps only at the end of each ``sink_size`` steps, as
                MindSpore does where a device runs them on its own.
            sink_size: steps of an epoch in that mode; -1 for all of the dataset.
            initial_epoch: how many epochs are already over.

        Raises:
            ContextError: a number is out of range.
            TrainingError: the dataset has no rows.
        """
        self._train(epoch, train_dataset, callback_list(callbacks), dataset_sink_mode, sink_size, initial_epoch)

    def fit(
        self,
        epoch: int,
        train_dataset: Any,
        valid_dataset: Any = None,
        valid_frequency: int | Sequence[int] = 1,
        callbacks: Any = None,
        dataset_sink_mode: bool = False,
        valid_dataset_sink_mode: bool = False,
        sink_size: int = -1,
        initial_epoch: int = 0,
    ) -> None:
        """Train, and evaluate after some epochs; callbacks find the metrics in ``eval_results``.

        Args:
            epoch: how many epochs, counted from the first.
            train_dataset: gives batches.
            valid_dataset: gives batches to evaluate; none if None.
            valid_frequency: after every how many epochs, or after which.
            callbacks: one or more callbacks.
            dataset_sink_mode: as of ``train``.
            valid_dataset_sink_mode: taken; changes nothing.
            sink_size: as of ``train``.
            initial_epoch: how many epochs are already over.
        """
        listed = callback_list(callbacks)

        def is_due(number: int) -> bool:
            if isinstance(valid_frequency, int):
                return number % valid_frequency == 0
            return number in valid_frequency

        def evaluate(number: int) -> dict[str, Any]:
            return self.eval(valid_dataset) if valid_dataset is not None and is_due(number) else {}

        self._train(epoch, train_dataset, listed, dataset_sink_mode, sink_size, initial_epoch, evaluate)

    def _train(
        self,
        epoch: int,
        dataset: Any,
        callbacks: list[Callback],
        sinks: bool,
        sink_size: int,
        initial_epoch: int,
        evaluate: Any = None,
    ) -> None:
        if self._only_evaluates:
            raise ContextError("Model was given loss_fn and no optimizer; to train, give both, or a network of all.")
        if not isinstance(sinks, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"train(dataset_sink_mode={sinks!r}): give True or False.")
        if isinstance(epoch, bool) or epoch < 1 or not 0 <= initial_epoch < epoch or sink_size < -1 or not sink_size:
            raise ContextError(
                f"train(epoch={epoch}, sink_size={sink_size}, initial_epoch={initial_epoch}): epochs count from 1, "
                "sink_size is -1 or at least 1, initial_epoch is below epoch."
            )
        batches = sink_size if sinks and sink_size > 0 else _size(dataset)
        state = self._state(dataset, callbacks, epoch, batches, "train", initial_epoch * batches)
        rows = Rows(dataset, batches, goes_on=sinks and sink_size > 0)
        self._train_network.set_train()
        run_context = RunContext(state)
        with ExitStack() as stack:
            told = [stack.enter_context(c) for c in callbacks]
            _tell(told, "on_train_begin", run_context)
            for number in range(initial_epoch + 1, epoch + 1):
                state.cur_epoch_num = number
                self._train_epoch(rows, run_context, told, sinks)
                if evaluate is not None:
                    state.eval_results = evaluate(number)
                    self._train_network.set_train()
                _tell(told, "on_train_epoch_end", run_context)
                if _all_stop(run_context, told):
                    break
            _tell(told, "on_train_end", run_context)

    def _train_epoch(self, rows: "Rows", run_context: RunContext, told: list[Callback], sinks: bool) -> None:
        state = run_context.original_args()
        _tell(told, "on_train_epoch_begin", run_context)
        if sinks:
            _tell(told, "on_train_step_begin", run_context)
        for row in rows.epoch():
            if not sinks:
                state.train_dataset_element = row
                _tell(told, "on_train_step_begin", run_context)
            state.cur_step_num += 1
            state.net_outputs = self._train_network(*self._checked(row))
            if not sinks:
                _tell(told, "on_train_step_end", run_context)
                if _all_stop(run_context, told):
                    return
        if sinks:
            _tell(told, "on_train_step_end", run_context)

    def _checked(self, row: Sequence[Any]) -> Sequence[Any]:
        if self._loss_fn is not None and len(row) != 2:
            raise TrainingError(
                f"with a loss_fn, Model trains with rows of two columns, data and label; the dataset gives {len(row)}. "
                "Choose two with project, or give a network that computes its loss."
            )
        return row

    def build(
        self,
        train_dataset: Any = None,
        valid_dataset: Any = None,
        sink_size: int = -1,
        epoch: int = 1,
        sink_mode: bool = True,
    ) -> None:
        """Compile the networks for the shapes of datasets, before they are used."""
        if train_dataset is not None:
            self._train_network.set_train()
            self._train_network.compile(*next(iter(Rows(train_dataset, 1).epoch())))
        if valid_dataset is not None and self._eval_network is not None:
            self._eval_network.set_train(False)
            self._eval_network.compile(*next(iter(Rows(valid_dataset, 1).epoch())))

    def infer_train_layout(self, train_dataset: Any, dataset_sink_mode: bool = True, sink_size: int = -1) -> Any:
        """Compile the training network, and return the layout of each Parameter by name."""
        self.build(train_dataset)
        return self._train_network.parameter_layout_dict

    # --- evaluation ---

    def eval(self, valid_dataset: Any, callbacks: Any = None, dataset_sink_mode: bool = False) -> dict[str, Any]:
        """Return the metrics of the network on a dataset, by name.

        Raises:
            ContextError: the Model has no metrics, or nothing to evaluate with.
        """
        if not self._metrics:
            raise ContextError("Model.eval needs metrics; give Model(..., metrics={'accuracy'}), for example.")
        network = self._eval_network
        if network is None:
            raise ContextError("Model.eval needs a loss_fn or an eval_network; give one of them.")
        told = callback_list(callbacks)
        state = self._state(valid_dataset, told, 1, _size(valid_dataset), "eval", 0)
        run_context = RunContext(state)
        for metric in self._metrics.values():
            metric.clear()
        network.set_train(False)
        _tell(told, "on_eval_begin", run_context)
        _tell(told, "on_eval_epoch_begin", run_context)
        for row in Rows(valid_dataset, None).epoch():
            state.cur_step_num += 1
            _tell(told, "on_eval_step_begin", run_context)
            state.net_outputs = network(*row)
            self._judge(state.net_outputs)
            _tell(told, "on_eval_step_end", run_context)
        state.metrics = state.eval_results = {name: metric.eval() for name, metric in self._metrics.items()}
        _tell(told, "on_eval_epoch_end", run_context)
        _tell(told, "on_eval_end", run_context)
        return state.eval_results

    def _judge(self, outputs: Any) -> None:
        listed = tuple(cast("Sequence[Any]", outputs)) if isinstance(outputs, tuple | list) else (outputs,)
        loss, *rest = (0, 1, 2) if self._eval_indexes is None else self._eval_indexes
        for metric in self._metrics.values():
            if metric.indexes is not None:
                metric.update(*(listed[i] for i in metric.indexes))
            elif isinstance(metric, Loss):
                metric.update(listed[loss])
            else:
                metric.update(*(listed[i] for i in rest))

    # --- prediction ---

    def predict(self, *predict_data: Any, backend: str | None = None) -> Any:
        """Return what the network computes of the data.

        Args:
            predict_data: the inputs of the network.
            backend: None; MindSpore's ``"lite"`` is another program.

        Raises:
            ContextError: there is no such backend.
        """
        if backend is not None:
            raise ContextError(f"predict(backend={backend!r}): simpar has no other backend; leave it out.")
        self._predict_network.set_train(False)
        return self._predict_network(*predict_data)

    def infer_predict_layout(self, *predict_data: Any, skip_backend_compile: bool = False) -> Any:
        """Compile the network for the data, and return the layout of each Parameter by name.

        Raises:
            ModeError: the mode is not ``semi_auto_parallel`` or ``auto_parallel``, in which Parameters are cut.
        """
        brings_its_own = hasattr(self._predict_network, "dataset_strategy")  # AutoParallel has a mode of its own
        if not current().is_partitioned and not brings_its_own:
            raise ModeError(
                f"infer_predict_layout tells how Parameters are cut, which {current().parallel.parallel_mode} mode "
                "does not do. Set semi_auto_parallel or auto_parallel mode."
            )
        self._predict_network.set_train(False)
        self._predict_network.compile(*predict_data)
        return self._predict_network.parameter_layout_dict

    # --- what callbacks are told ---

    def _state(
        self, dataset: Any, callbacks: list[Callback], epochs: int, batches: int, mode: str, steps: int
    ) -> SimpleNamespace:
        context = current()
        return SimpleNamespace(
            mode=mode,
            network=self._network,
            train_network=self._train_network,
            eval_network=self._eval_network,
            loss_fn=self._loss_fn,
            optimizer=self._optimizer or getattr(self._network, "optimizer", None),
            epoch_num=epochs,
            batch_num=batches,
            cur_epoch_num=0,
            cur_step_num=steps,
            net_outputs=None,
            train_dataset=dataset,
            valid_dataset=dataset,
            train_dataset_element=None,
            list_callback=callbacks,
            parallel_mode=context.parallel.parallel_mode,
            device_number=context.device_num,
            metrics=None,
            eval_results={},
        )


def _tell(told: list[Callback], what: str, run_context: RunContext) -> None:
    for callback in told:
        getattr(callback, what)(run_context)


def _all_stop(run_context: RunContext, told: list[Callback]) -> bool:
    """Return whether a callback of any rank asked for the end, so that all end together."""
    world = current().world
    if world is None or world.size == 1 or not told:
        return run_context.get_stop_requested()
    asked = np.array([run_context.get_stop_requested()], np.int32)
    world.communicator.all_reduce(asked, "max")
    return bool(asked[0])


def _size(dataset: Any) -> int:
    """Return how many rows an epoch of a dataset has.

    Raises:
        DTypeError: it is no dataset.
        TrainingError: it has none.
    """
    if not hasattr(dataset, "get_dataset_size"):
        raise DTypeError(f"Model takes a dataset with get_dataset_size and an iterator, not {type(dataset).__name__}.")
    size = int(dataset.get_dataset_size())
    if size < 1:
        raise TrainingError("the dataset has no rows; with drop_remainder=True, the batch may be larger than it.")
    return size
