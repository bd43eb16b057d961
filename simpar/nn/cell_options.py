"""The options of a Cell that reach the Parameters below it."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, Self

from simpar.errors import ContextError, DTypeError
from simpar.graph import Recompute, Trace
from simpar.parameter import Parameter

__all__ = ["CellOptions"]


class CellOptions(ABC):
    """What can be set on a Cell for all Parameters below it."""

    _scope: str = ""
    _pipeline_stage: int | None = None
    _repeats_moves: bool | None = None
    """What the last ``recompute`` said of movements; None if it was never called."""

    @abstractmethod
    def trainable_params(self, recurse: bool = True) -> list[Parameter]:
        """Return the Parameters that require a gradient."""

    @abstractmethod
    def get_parameters(self, expand: bool = True) -> Iterable[Parameter]:
        """Give all Parameters."""

    def set_comm_fusion(self, fusion_type: int, recurse: bool = True) -> Self:
        """Set ``comm_fusion`` of the trainable Parameters: equal numbers share their messages, 0 never does.

        Raises:
            DTypeError: the number is no int.
            ContextError: it is negative.
        """
        _check_count("fusion_type", fusion_type)
        for parameter in self.trainable_params(recurse):
            parameter.comm_fusion = fusion_type
        return self

    def recompute(self, **options: Any) -> Self:
        """Let the backward pass compute the results inside this Cell again, so that they need not be kept.

        What the Cell hands on is kept, as the next Cell begins with it.

        Args:
            options: ``mp_comm_recompute`` (True if left out): whether collectives between activations are repeated, or
                their results kept. ``parallel_optimizer_comm_recompute`` sets that flag of the Parameters below: their
                all-gather is repeated. ``recompute_slice_activation`` is taken and changes nothing.

        Raises:
            DTypeError: an option that does not exist, or one that is no bool.
        """
        known = ("mp_comm_recompute", "parallel_optimizer_comm_recompute", "recompute_slice_activation")
        for name, value in options.items():
            if name not in known or not isinstance(value, bool):
                raise DTypeError(f"recompute({name}={value!r}): give True or False for {', '.join(known)}.")
        if "parallel_optimizer_comm_recompute" in options:
            for parameter in self.trainable_params():
                parameter.parallel_optimizer_comm_recompute = options["parallel_optimizer_comm_recompute"]
        self._repeats_moves = options.get("mp_comm_recompute", True)
        return self

    @contextmanager
    def _recorded(self, trace: Trace) -> Generator[None]:
        """Record what follows as part of this Cell, on its stage; of Cells in each other the outermost recomputes."""
        marks: dict[str, Any] = {}
        if self._pipeline_stage is not None:
            marks["stage"] = self._pipeline_stage
        if self._repeats_moves is not None and trace.marks.recompute is None:
            marks["recompute"] = Recompute(trace.made + 1, self._repeats_moves)
        with trace.inside(self._scope), trace.marked(**marks):
            yield

    @property
    def pipeline_stage(self) -> int | None:
        """The stage of the pipeline that runs this Cell, or None."""
        return self._pipeline_stage

    @pipeline_stage.setter
    def pipeline_stage(self, value: int) -> None:
        _check_count("pipeline_stage", value)
        self._pipeline_stage = value

    def init_parameters_data(self, auto_parallel_mode: bool = False) -> dict[Parameter, Parameter]:
        """Fill the Parameters that have an initializer and no values yet.

        Args:
            auto_parallel_mode: whether to fill only the slices of this rank. Those that no program was compiled for
                stay without values: their layouts are not known.

        Returns:
            The Parameters that were replaced by others: none, they are filled in place.
        """
        for parameter in self.get_parameters():
            if not auto_parallel_mode:
                parameter.init_data()
        return {}

    def set_param_ps(self, recurse: bool = True, init_in_server: bool = False) -> None:
        """Let a parameter server update the trainable Parameters; see ``Parameter.set_param_ps``."""
        for parameter in self.trainable_params(recurse):
            parameter.set_param_ps(init_in_server)

    def set_param_fl(
        self, push_to_server: bool = False, pull_from_server: bool = False, requires_aggr: bool = True
    ) -> None:
        """Set how the trainable Parameters meet the server of federated learning; see ``Parameter.set_param_fl``."""
        for parameter in self.trainable_params():
            parameter.set_param_fl(push_to_server, pull_from_server, requires_aggr)


def _check_count(name: str, given: object) -> None:
    if isinstance(given, bool) or not isinstance(given, int):
        raise DTypeError(f"{name} is {given!r}, a {type(given).__name__}; give a whole number of at least 0.")
    if given < 0:
        raise ContextError(f"{name} is {given}; give a whole number of at least 0.")
