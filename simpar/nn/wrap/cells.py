"""WithLossCell, WithEvalCell, WithGradCell, ForwardValueAndGrad, TrainOneStepCell."""

from collections.abc import Callable, Sequence
from typing import Any

from simpar.autodiff import GradOperation, value_and_grad
from simpar.context import DATA_PARALLEL, HYBRID_PARALLEL, current
from simpar.dtype import float32
from simpar.errors import DTypeError
from simpar.jacobian import jvp, vjp
from simpar.nn.cell import Cell
from simpar.nn.optim import Optimizer
from simpar.nn.wrap.reducer import DistributedGradReducer
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["ForwardValueAndGrad", "Jvp", "TrainOneStepCell", "Vjp", "WithEvalCell", "WithGradCell", "WithLossCell"]


class WithLossCell(Cell):
    """Computes the loss of a network.

    Args:
        backbone: the network.
        loss_fn: a Cell of predictions and labels.
    """

    def __init__(self, backbone: Cell, loss_fn: Cell) -> None:
        super().__init__(auto_prefix=False)
        self._backbone = backbone
        self._loss_fn = loss_fn

    def construct(self, data: Any, label: Any) -> Any:
        """Return the loss of the network's predictions for ``data``."""
        return self._loss_fn(self._backbone(data), label)

    @property
    def backbone_network(self) -> Cell:
        """The network."""
        return self._backbone


class WithEvalCell(Cell):
    """Computes what metrics need: loss, predictions, labels.

    Args:
        network: the network.
        loss_fn: a Cell of predictions and labels.
        add_cast_fp32: whether to turn predictions and labels into float32 first.
    """

    def __init__(self, network: Cell, loss_fn: Cell, add_cast_fp32: bool = False) -> None:
        super().__init__(auto_prefix=False)
        self._network = network
        self._loss_fn = loss_fn
        self.add_cast_fp32 = add_cast_fp32

    def construct(self, data: Any, label: Any) -> tuple[Any, Any, Any]:
        """Return loss, predictions and labels."""
        outputs = self._network(data)
        if self.add_cast_fp32:
            outputs, label = outputs.astype(float32), label.astype(float32)
        return self._loss_fn(outputs, label), outputs, label


class WithGradCell(Cell):
    """Computes the gradients of a network's trainable Parameters.

    Args:
        network: the network.
        loss_fn: a Cell of predictions and labels; None if the network returns its loss.
        sens: what gradients are multiplied by; 1 if None.
    """

    def __init__(self, network: Cell, loss_fn: Cell | None = None, sens: float | None = None) -> None:
        super().__init__(auto_prefix=False)
        self.network = network if loss_fn is None else WithLossCell(network, loss_fn)
        self.sens = 1.0 if sens is None else sens

    def construct(self, *inputs: Any) -> tuple[Tensor, ...]:
        """Return the gradients for these inputs."""
        weights = tuple(self.network.trainable_params())
        return _kept(self, _ids(weights), lambda: loss_and_gradients(self.network, weights, self.sens))(*inputs)[1]


class ForwardValueAndGrad(Cell):
    """Computes a network's value and its gradients.

    Args:
        network: the network.
        weights: the Parameters to differentiate by, with ``get_by_list``.
        get_all: whether to differentiate by all inputs, else by the first.
        get_by_list: whether to differentiate by ``weights``.
        sens_param: whether the last input is the cotangent of the value, else ones.
    """

    def __init__(
        self,
        network: Cell,
        weights: Sequence[Parameter] | None = None,
        get_all: bool = False,
        get_by_list: bool = False,
        sens_param: bool = False,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.network = network
        self.weights = tuple(weights or ())
        self.get_all, self.get_by_list, self.sens_param = get_all, get_by_list, sens_param

    def construct(self, *inputs: Any) -> tuple[Any, Any]:
        """Return the value, and the gradients by inputs, by weights, or a pair of both."""
        weights = (self.weights or tuple(self.network.trainable_params())) if self.get_by_list else None
        count = len(inputs) - self.sens_param
        positions = tuple(range(count)) if self.get_all else None if weights is not None else 0
        key = (_ids(weights), positions)
        if not self.sens_param:
            return _kept(self, key, lambda: value_and_grad(self.network, positions, weights))(*inputs)

        def weighted(*args: Any) -> tuple[Any, Any]:
            value = self.network(*args[:-1])
            return (value * args[-1]).sum(), value

        run = _kept(self, key, lambda: value_and_grad(weighted, positions, weights, has_aux=True))
        (_, value), gradients = run(*inputs)
        return value, gradients


class TrainOneStepCell(Cell):
    """Takes one step of training: loss, gradients, their reduction over ranks where the mode asks for it, update.

    Args:
        network: a Cell that returns the loss.
        optimizer: updates its Parameters.
        sens: what gradients are multiplied by; an optimizer's ``loss_scale`` divides by it again.
        return_grad: whether to return the gradients, too.
    """

    def __init__(self, network: Cell, optimizer: Optimizer, sens: float = 1.0, return_grad: bool = False) -> None:
        super().__init__(auto_prefix=False)
        self.network = network
        self.network.set_grad()
        self.optimizer = optimizer
        self.sens, self.return_grad = sens, return_grad
        self.reducer_flag = current().parallel.parallel_mode in (DATA_PARALLEL, HYBRID_PARALLEL)
        self.grad_reducer: Callable[[Any], Any] = _as_they_are
        if self.reducer_flag:
            self.grad_reducer = DistributedGradReducer(optimizer.parameters)
        self.grad = GradOperation(get_by_list=True, sens_param=True)
        """For subclasses that differentiate themselves: ``self.grad(self.network, self.weights)(*inputs, sens)``."""

    @property
    def weights(self) -> tuple[Parameter, ...]:
        """The Parameters that are trained: those that the optimizer updates, or those that were set."""
        given: tuple[Parameter, ...] | None = vars(self).get("_given_weights")
        return tuple(self.optimizer.parameters) if given is None else given

    @weights.setter
    def weights(self, given: Sequence[Parameter]) -> None:
        vars(self)["_given_weights"] = tuple(given)

    def construct(self, *inputs: Any) -> Any:
        """Return the loss of the step, before the update; with ``return_grad`` and the gradients."""
        weights = self.weights
        run = _kept(self, _ids(weights), lambda: loss_and_gradients(self.network, weights, self.sens))
        loss, gradients = run(*inputs)
        gradients = self.grad_reducer(gradients)
        self.optimizer(gradients)
        return (loss, gradients) if self.return_grad else loss


def _as_they_are(gradients: Any) -> Any:
    return gradients


def _kept(cell: Cell, key: object, make: Callable[[], Any]) -> Any:
    """Return what ``make`` makes, the same function at every call with an equal key, so that it compiles once."""
    known = vars(cell).get("_simpar_gradients")
    if known is None or known[0] != key:
        known = vars(cell)["_simpar_gradients"] = (key, make())
    return known[1]


def _ids(weights: Sequence[Parameter] | None) -> tuple[int, ...]:
    return tuple(map(id, weights or ()))


def loss_and_gradients(network: Cell, weights: Sequence[Parameter], sens: float | Tensor) -> Any:
    """Return a function of the network's inputs that returns its loss and the gradients of ``sens * loss``."""
    if not isinstance(sens, Tensor) and sens == 1:
        return value_and_grad(network, None, tuple(weights))

    def scaled(*inputs: Any) -> tuple[Any, Any]:
        loss = network(*inputs)
        return loss * sens, loss

    def run(*inputs: Any) -> tuple[Any, tuple[Tensor, ...]]:
        (_, loss), gradients = value_and_grad(scaled, None, tuple(weights), has_aux=True)(*inputs)
        return loss, gradients

    return run


# --- products with the Jacobian ---


class Jvp(Cell):
    """Computes a network, and how fast its results change when its inputs change as the last argument says.

    Args:
        fn: a Cell, or a function of Tensors.

    >>> from simpar.tensor import Tensor
    >>> Jvp(lambda x: x * x)(Tensor([3.0]), Tensor([1.0]))[1].tolist()
    [6.0]
    """

    def __init__(self, fn: Any) -> None:
        super().__init__(auto_prefix=False)
        self.fn = fn

    def construct(self, *args: Any) -> tuple[Any, Any]:
        """Return the results, and their changes.

        Args:
            args: the inputs; then the change of the only one, or a tuple with that of each.

        Raises:
            DTypeError: the changes do not fit the inputs.
        """
        *inputs, v = args
        if isinstance(inputs[0], tuple):
            raise DTypeError("Jvp takes its inputs one after the other, not in a tuple.")
        made, changes = jvp(self.fn, inputs[0] if len(inputs) == 1 else tuple(inputs), v)
        return made, changes


class Vjp(Cell):
    """Computes a network, and the gradients of its inputs for the cotangents that the last argument gives.

    Args:
        fn: a Cell, or a function of Tensors.
    """

    def __init__(self, fn: Any) -> None:
        super().__init__(auto_prefix=False)
        self.fn = fn

    def construct(self, *args: Any) -> tuple[Any, Any]:
        """Return the results, and the gradient of the only input, or a tuple with that of each.

        Args:
            args: the inputs; then the cotangent of the only result, or a tuple with that of each.

        Raises:
            DTypeError: the cotangents do not fit the results.
        """
        *inputs, v = args
        made, pulled_back = vjp(self.fn, *inputs)
        if isinstance(v, tuple) != isinstance(made, tuple):
            raise DTypeError("Vjp takes a Tensor for one result, and a tuple of Tensors for a tuple of them.")
        return made, pulled_back(*v) if isinstance(v, tuple) else pulled_back(v)
