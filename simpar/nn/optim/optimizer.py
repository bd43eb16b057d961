"""``Optimizer``: what all optimizers share: groups of Parameters, learning rates, weight decay, the step's number.

Calling one with the gradients records the update of each Parameter as nodes of the phase ``update``, or updates at once
where nothing is traced. States (velocities, moments) are clones of their Parameters and take their layouts.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from simpar import ops
from simpar.context import DATA_PARALLEL, current
from simpar.dtype import float32, int32
from simpar.errors import ContextError, DTypeError, ModeError, NotYetError, TrainingError, WorldError
from simpar.nn.cell import Cell
from simpar.nn.containers import CellList
from simpar.nn.optim.accumulators import check_accumulators
from simpar.nn.optim.groups import Group, Groups, Rate, read_groups, read_learning_rate, together
from simpar.nn.optim.schedules import ListedRates, check_number
from simpar.parameter import Parameter, ParameterTuple
from simpar.tensor import Tensor

__all__ = ["Optimizer", "update_phase"]


_DEALT = ("Lamb", "AdamWeightDecay", "AdaFactor")
"""The optimizers whose Parameters MindSpore deals to ranks in data_parallel mode."""


@contextmanager
def update_phase() -> Generator[None]:
    """Record what follows as the update of the step."""
    trace = current().trace
    if trace is None:
        yield
        return
    with trace.during("update"):
        yield


class Optimizer(Cell):
    """Is what optimizers share; a subclass defines ``_update`` for one Parameter, or ``construct`` for all.

    Args:
        learning_rate: a number, a list with one for each step, or a ``LearningRateSchedule``.
        parameters: Parameters, or groups: dictionaries with ``params`` and perhaps ``lr`` and ``weight_decay``; one
            more, with ``order_params`` alone, says in which order their gradients come.
        weight_decay: how much of each Parameter is added to its gradient, or a Cell that gives it for a step. Outside
            of groups, Parameters whose names contain ``beta`` or ``gamma`` do not decay.
        loss_scale: what gradients are divided by.

    Raises:
        DTypeError: something cannot be what it should be.
        ContextError: a number is out of range, or a Parameter is given twice.
    """

    _decays_norms = False
    _decays_apart = False
    """Whether the decay is no part of the gradient, so that the op of the update needs it as a number."""

    def __init__(self, learning_rate: Any, parameters: Any, weight_decay: Any = 0.0, loss_scale: float = 1.0) -> None:
        super().__init__(auto_prefix=False)
        check_number(type(self).__name__, "loss_scale", loss_scale, above=True)
        given = read_groups(parameters)
        self.is_group, self.is_group_params_ordered = given.are_named, given.are_ordered
        self.is_group_lr = any(group.learning_rate is not None for group in given.groups)
        self.loss_scale = float(loss_scale)
        self.parameters = ParameterTuple(given.order)
        self.global_step = Parameter(Tensor(np.zeros(1, np.int32), int32), name="global_step", requires_grad=False)
        self._rates = self._rates_of(given, read_learning_rate(learning_rate, "learning_rate"))
        self._weight_decay = self._checked_decay(weight_decay)
        self._decays: dict[int, float] = {}
        self._decay_schedules: dict[int, Cell] = {}
        for group in given.groups:
            decay = weight_decay if group.weight_decay is None else self._checked_decay(group.weight_decay)
            self._note_decay(group, decay)
        self._check_mindspore()

    def _rates_of(self, given: Groups, default: Rate) -> dict[int, Rate]:
        """Return the rate of each Parameter, and hold them all: one, or one for each Parameter."""
        rates = [default] * len(given.groups)
        for number, group in enumerate(given.groups):
            if group.learning_rate is not None:
                rates[number] = read_learning_rate(group.learning_rate, f"learning_rate_group_{number}")
        found = {
            id(p): rate for group, rate in zip(given.groups, together(rates), strict=True) for p in group.parameters
        }
        if not self.is_group_lr:
            self.learning_rate: Any = default
        else:
            each = [found[id(p)] for p in self.parameters]
            alike = isinstance(each[0], Parameter)
            self.learning_rate = ParameterTuple(cast("Any", each)) if alike else CellList(each, auto_prefix=False)
        self.dynamic_lr = not all(isinstance(rate, Parameter) for rate in found.values())
        return found

    def _checked_decay(self, decay: Any) -> Any:
        """Return a decay that is a number, or a Cell that gives one for a step."""
        if not isinstance(decay, Cell):
            check_number(type(self).__name__, "weight_decay", decay)
        elif self._decays_apart:
            raise NotYetError(f"{type(self).__name__} takes a weight_decay that is a number, not {decay!r}.")
        return decay

    def _note_decay(self, group: Group, decay: float | Cell) -> None:
        for p in group.parameters:
            here = self._decays_here(p)
            self._decays[id(p)] = float(decay) if here and not isinstance(decay, Cell) else 0.0
            if here and isinstance(decay, Cell):
                self._decay_schedules[id(p)] = decay

    @property
    def weight_decay(self) -> Any:
        """The weight decay as a Tensor, or the Cell that gives it; of groups, a tuple with one for each Parameter."""
        if not self.is_group:
            return self._weight_decay if isinstance(self._weight_decay, Cell) else Tensor(self._weight_decay, float32)
        return tuple(self._decay_schedules.get(id(p), Tensor(self._decays[id(p)], float32)) for p in self.parameters)

    @property
    def decay_flags(self) -> tuple[bool, ...]:
        """Whether each Parameter decays."""
        return tuple(id(p) in self._decay_schedules or self._decays[id(p)] > 0 for p in self.parameters)

    def _decays_here(self, parameter: Parameter) -> bool:
        norm = "beta" in parameter.name or "gamma" in parameter.name
        return self._decays_norms or self.is_group or not norm

    def _check_mindspore(self) -> None:
        """Check what MindSpore wants of the parallel optimizer, under its names.

        Raises:
            ModeError: it does not have it in this mode, or for this optimizer or device.
            WorldError: there are more ranks than Parameters.
        """
        context = current()
        if not context.mindspore or not context.parallel.enable_parallel_optimizer or context.is_partitioned:
            return
        mode, name = context.parallel.parallel_mode, type(self).__name__
        if mode != DATA_PARALLEL:
            raise ModeError(
                f"enable_parallel_optimizer is set, but in {mode} mode no optimizer is shared out. Leave it out, or "
                "set data_parallel, semi_auto_parallel or auto_parallel mode."
            )
        is_known = any(kind.__name__ in _DEALT for kind in type(self).__mro__)
        if not is_known or context.others.get("device_target") == "GPU":
            raise ModeError(
                f"in data_parallel mode MindSpore's parallel optimizer has {', '.join(_DEALT)}, on Ascend, not {name} "
                f"on {context.others.get('device_target', 'this device')}. Choose one of them, or leave "
                "enable_parallel_optimizer out. simpar itself deals those of any optimizer: run the script without "
                "the alias."
            )
        self._owners()

    # --- for subclasses ---

    def states(self, prefix: str, init: Any = "zeros") -> ParameterTuple:
        """Return a state for each Parameter, named ``prefix.NAME``, of its shape, type and layout."""
        made = self.parameters.clone(prefix, init)
        for state in made:
            state.requires_grad = False
        return made

    def get_lr(self) -> tuple[Tensor, ...]:
        """Return the learning rate of each Parameter at this step, each without axes."""
        made: dict[int, Tensor] = {}
        for p in self.parameters:
            rate = self._rates[id(p)]
            if id(rate) not in made:
                made[id(rate)] = self._rate_now(rate)
        return tuple(made[id(self._rates[id(p)])] for p in self.parameters)

    def _rate_now(self, rate: Rate) -> Tensor:
        if isinstance(rate, Parameter):
            return rate
        now = rate(self.global_step)
        return now.reshape(()) if now.ndim else now

    def get_weight_decay(self) -> tuple[float, ...]:
        """Return the weight decay of each Parameter."""
        return tuple(self._decays[id(p)] for p in self.parameters)

    def get_lr_parameter(self, param: Parameter | Sequence[Parameter]) -> Any:
        """Return the learning rate of a Parameter, as the Parameter or schedule that it is; a list of them for a list.

        Raises:
            DTypeError: ``param`` is neither.
            ContextError: the optimizer does not have this Parameter.
        """
        if isinstance(param, list | tuple):
            return [self.get_lr_parameter(p) for p in param]
        if not isinstance(param, Parameter):
            raise DTypeError(f"get_lr_parameter takes a Parameter or a list of them, not {param!r}.")
        if id(param) not in self._rates:
            raise ContextError(f"Parameter {param.name!r} is not among those of this {type(self).__name__}.")
        rate = self._rates[id(param)]
        return rate.learning_rate if isinstance(rate, ListedRates) else rate

    def decay_weight(self, gradients: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the gradients with each Parameter's decay added."""
        pairs = zip(self.parameters, gradients, self.get_weight_decay(), strict=True)
        return self._decayed(tuple(g + p * decay if decay else g for p, g, decay in pairs))

    def _decayed(self, gradients: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the gradients with those decays added that are given for a step."""
        now = {id(cell): cell(self.global_step).reshape(()) for cell in self._decay_schedules.values()}
        given = (self._decay_schedules.get(id(p)) for p in self.parameters)
        trios = zip(self.parameters, gradients, given, strict=True)
        return tuple(g if cell is None else g + p * now[id(cell)].astype(p.dtype) for p, g, cell in trios)

    def scale_grad(self, gradients: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the gradients divided by ``loss_scale``."""
        return tuple(gradients if self.loss_scale == 1 else (g * (1 / self.loss_scale) for g in gradients))

    # --- for an optimizer around this one ---

    def take_over_decay(self) -> tuple[float, ...]:
        """Return the weight decay of each Parameter, and do none from now on."""
        taken = self.get_weight_decay()
        self._decays = dict.fromkeys(self._decays, 0.0)
        return taken

    @contextmanager
    def unscaled(self) -> Generator[None]:
        """Take gradients in a ``with`` block as they are, not divided by ``loss_scale``."""
        kept, self.loss_scale = self.loss_scale, 1.0
        try:
            yield
        finally:
            self.loss_scale = kept

    # --- the update ---

    def __call__(self, gradients: Any, *args: Any, **kwargs: Any) -> Any:
        """Update each Parameter by its gradient; see ``construct``.

        Raises:
            ModeError: the gradients are accumulators in which nothing was added up.
        """
        check_accumulators(gradients)
        return super().__call__(gradients, *args, **kwargs)

    def construct(self, gradients: Sequence[Tensor]) -> bool:
        """Update each Parameter by its gradient.

        Args:
            gradients: in the order of the Parameters.

        Returns:
            True.

        Raises:
            TrainingError: there are more or fewer gradients than Parameters.
        """
        if len(gradients) != len(self.parameters):
            raise TrainingError(
                f"{type(self).__name__} has {len(self.parameters)} Parameters, but got {len(gradients)} gradients; "
                "give one each, in the order of the Parameters."
            )
        with update_phase():
            rates = self.get_lr()
            self._begin_step()
            own, owners = current().rank, self._owners()
            scaled = self._decayed(self.scale_grad(gradients))
            given = [g.astype(p.dtype) for p, g in zip(self.parameters, scaled, strict=True)]
            for place, gradient in enumerate(given):
                if owners[place] in (None, own):
                    self._update(place, gradient, rates[place])
            for p, gradient, owner in zip(self.parameters, given, owners, strict=True):
                if owner is not None:  # the others' gradient only makes room, and keeps its sum in their programs
                    p.assign_value(ops.Broadcast(owner)((p if owner == own else gradient,))[0])
            self.global_step.assign_value(self.global_step + 1)
        return True

    def _owners(self) -> list[int | None]:
        """Return the rank that updates each Parameter and sends it to the others; None if every rank does.

        That is the parallel optimizer in data_parallel mode, which deals whole Parameters to ranks in turn.

        Raises:
            WorldError: there are more ranks than Parameters.
        """
        context, count = current(), len(self.parameters)
        parallel = context.parallel
        if parallel.parallel_mode != DATA_PARALLEL or not parallel.enable_parallel_optimizer:
            return [None] * count
        shared = [p for p in self.parameters if not p.layerwise_parallel]
        if context.device_num > len(shared):
            raise WorldError(
                f"enable_parallel_optimizer in data_parallel mode deals {len(shared)} Parameters to "
                f"{context.device_num} ranks, so that some have none. Use at most {len(shared)} ranks, or "
                "semi_auto_parallel mode, which cuts each Parameter."
            )
        place = {id(p): i for i, p in enumerate(shared)}
        return [place[id(p)] % context.device_num if id(p) in place else None for p in self.parameters]

    def _begin_step(self) -> None:
        """Do what the step needs once."""

    def _update(self, place: int, gradient: Tensor, rate: Tensor) -> None:
        """Update the Parameter at ``place`` in the order."""
        raise ContextError(f"{type(self).__name__} defines neither _update nor construct; define one of them.")
