"""Metrics: numbers that sum up an evaluation, batch by batch."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from simpar.errors import ContextError, ContextKeyError, DTypeError
from simpar.tensor import Tensor

__all__ = [
    "MAE",
    "MSE",
    "Accuracy",
    "Loss",
    "Metric",
    "Perplexity",
    "Top1CategoricalAccuracy",
    "Top5CategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "get_metric_fn",
    "get_metrics",
    "names",
]


def _array(value: Any) -> Any:
    return value.asnumpy() if isinstance(value, Tensor) else np.asarray(value)


class Metric:
    """Is the base of metrics: ``clear``, then ``update`` for each batch, then ``eval``."""

    def __init__(self) -> None:
        self._indexes: list[int] | None = None
        self.clear()

    @property
    def indexes(self) -> list[int] | None:
        """Which outputs of the network ``update`` takes; predictions and labels if None."""
        return self._indexes

    def set_indexes(self, indexes: list[int]) -> "Metric":
        """Say which outputs of the network ``update`` takes, and return the metric itself."""
        self._indexes = list(indexes)
        return self

    def clear(self) -> None:
        """Forget all batches."""
        raise NotImplementedError

    def update(self, *inputs: Any) -> None:
        """Take the outputs for one batch."""
        raise NotImplementedError

    def eval(self) -> Any:
        """Return the number for all batches."""
        raise NotImplementedError


class _Mean(Metric):
    """Is the mean over all elements of something that each batch gives."""

    def clear(self) -> None:
        """Forget all batches."""
        self._sum, self._count = 0.0, 0

    def _take(self, values: Any) -> None:
        self._sum += float(np.sum(values, dtype=np.float64))
        self._count += int(np.size(values))

    def eval(self) -> float:
        """Return the mean.

        Raises:
            ContextError: there was no batch.
        """
        if not self._count:
            raise ContextError(f"{type(self).__name__} was given no batch; call update first.")
        return self._sum / self._count


class Loss(_Mean):
    """Is the mean loss of all batches."""

    def update(self, *inputs: Any) -> None:
        """Take the loss of one batch."""
        self._take(np.mean(_array(inputs[0])))


class MAE(_Mean):
    """Is the mean of the absolute differences of predictions and labels."""

    def update(self, *inputs: Any) -> None:
        """Take predictions and labels, shaped alike."""
        self._take(np.abs(_array(inputs[0]) - _array(inputs[1]).reshape(_array(inputs[0]).shape)))


class MSE(_Mean):
    """Is the mean of the squared differences of predictions and labels."""

    def update(self, *inputs: Any) -> None:
        """Take predictions and labels, shaped alike."""
        self._take((_array(inputs[0]) - _array(inputs[1]).reshape(_array(inputs[0]).shape)) ** 2)


class Accuracy(_Mean):
    """Is the share of predictions that are right.

    Args:
        eval_type: ``"classification"`` (one class is right) or ``"multilabel"`` (each may be).
    """

    def __init__(self, eval_type: str = "classification") -> None:
        super().__init__()
        if eval_type not in ("classification", "multilabel"):
            raise ContextError(f"Accuracy's eval_type is {eval_type!r}; choose 'classification' or 'multilabel'.")
        self._is_multilabel = eval_type == "multilabel"

    def update(self, *inputs: Any) -> None:
        """Take predictions (n, c) and labels: classes (n,), or rows (n, c) with a one at each class that is right."""
        predictions, labels = _array(inputs[0]), _array(inputs[1])
        if self._is_multilabel:
            self._take((predictions.round() == labels).all(axis=-1))
            return
        wanted = labels.argmax(-1) if labels.ndim == predictions.ndim else labels
        self._take(predictions.argmax(-1) == wanted)


class TopKCategoricalAccuracy(_Mean):
    """Is the share of labels among the ``k`` classes with the highest predictions."""

    def __init__(self, k: int) -> None:
        super().__init__()
        if k < 1:
            raise ContextError(f"TopKCategoricalAccuracy: k is {k}; give at least 1.")
        self._k = k

    def update(self, *inputs: Any) -> None:
        """Take predictions (n, c) and labels, as ``Accuracy``."""
        predictions, labels = _array(inputs[0]), _array(inputs[1])
        wanted = labels.argmax(-1) if labels.ndim == predictions.ndim else labels
        best = np.argsort(-predictions, axis=-1)[..., : self._k]
        self._take((best == wanted[..., np.newaxis]).any(axis=-1))


class Top1CategoricalAccuracy(TopKCategoricalAccuracy):
    """Is the share of labels with the highest prediction."""

    def __init__(self) -> None:
        super().__init__(1)


class Top5CategoricalAccuracy(TopKCategoricalAccuracy):
    """Is the share of labels among the five highest predictions."""

    def __init__(self) -> None:
        super().__init__(5)


class Perplexity(_Mean):
    """Is the exponential of the mean negative logarithm of the probability given to each label.

    Args:
        ignore_label: a label that does not count.
    """

    def __init__(self, ignore_label: int | None = None) -> None:
        super().__init__()
        self._ignored = ignore_label

    def update(self, *inputs: Any) -> None:
        """Take probabilities (..., c) and labels (...)."""
        predictions, labels = _array(inputs[0]), _array(inputs[1]).astype(np.int64)
        flat, wanted = predictions.reshape(-1, predictions.shape[-1]), labels.reshape(-1)
        kept = wanted != self._ignored if self._ignored is not None else np.ones(len(wanted), bool)
        chosen = flat[np.arange(len(wanted)), wanted][kept]
        self._take(-np.log(np.maximum(chosen, 1e-10)))

    def eval(self) -> float:
        """Return the perplexity."""
        return float(np.exp(super().eval()))


_KINDS: Mapping[str, Any] = {
    "accuracy": Accuracy,
    "acc": Accuracy,
    "loss": Loss,
    "mae": MAE,
    "mse": MSE,
    "top_1_accuracy": Top1CategoricalAccuracy,
    "top_5_accuracy": Top5CategoricalAccuracy,
    "perplexity": Perplexity,
}


def names() -> list[str]:
    """Return the names under which metrics are known."""
    return list(_KINDS)


def get_metric_fn(name: str, *args: Any, **kwargs: Any) -> Metric:
    """Return a metric by its name.

    Raises:
        ContextKeyError: there is none of this name.
    """
    if name not in _KINDS:
        raise ContextKeyError(f"there is no metric {name!r}; there are {names()}.")
    return _KINDS[name](*args, **kwargs)


def get_metrics(given: Any) -> dict[str, Metric]:
    """Return metrics given as a dictionary, as names, or as None, by name.

    Raises:
        DTypeError: something is no metric.
        ContextError: there is none of a name.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        made = dict(cast("Mapping[str, Metric]", given))
        wrong = [m for m in made.values() if not isinstance(m, Metric)]  # pyright: ignore[reportUnnecessaryIsInstance]
        if wrong:
            raise DTypeError(f"metrics are objects of classes derived from Metric, not {wrong[0]!r}.")
        return made
    if isinstance(given, set | list | tuple):
        return {str(n): get_metric_fn(str(n)) for n in given}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    raise DTypeError(f"metrics are a dictionary of metrics by name, or a set of names, not {given!r}.")
