"""``Described``: the half of a Parameter that is a description, its name, settings and flags."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from simpar import context
from simpar.context import current
from simpar.errors import DTypeError, ModeError
from simpar.parameter.naming import checked_name
from simpar.parameter.settings import Settings, check_server, is_worker
from simpar.parameter.source import check_bool, check_fusion, check_int
from simpar.tensor import Tensor

__all__ = ["Described"]


class Described(Tensor):
    """Is the part of ``Parameter`` that holds no values: what it is called and how training is to treat it."""

    _settings: Settings
    _name: str
    _key: int
    _is_init: object
    _sliced: object
    _unique: object
    _followed: "Described | None"
    _lost_axis: int | None

    def _describe(self, name: object, settings: Settings) -> None:
        self._name, self._settings = checked_name(name), settings
        self._key, self._is_init, self._sliced, self._unique = -1, False, False, False
        self.follow(None)

    def _set(self, **changes: Any) -> None:
        self._settings = replace(self._settings, **changes)

    # --- name ---

    @property
    def name(self) -> str:
        """Its name; ``Parameter`` until it is given one."""
        return self._name

    @name.setter
    def name(self, given: str | None) -> None:
        checked = checked_name(given)
        if self.cache_enable and is_worker() and self.ndim != 2:
            raise ModeError(f"Parameter {checked!r} has shape {self.shape}, but one that is cached has 2 axes.")
        self._name = checked

    def __repr__(self) -> str:
        return (
            f"Parameter (name={self.name}, shape={self.shape}, dtype={self.dtype}, requires_grad={self.requires_grad})"
        )

    def __str__(self) -> str:
        return repr(self)

    # --- an optimizer's state ---

    @property
    def state_of(self) -> str | None:
        """The name of the Parameter whose layout it takes, for an optimizer's state: of which it was cloned."""
        return None if self._followed is None else self._followed.name

    @property
    def lost_axis(self) -> int | None:
        """The axis of that Parameter which it does not have, for a state that keeps one number along it."""
        return self._lost_axis

    def follow(self, weight: "Described | None", lost_axis: int | None = None) -> None:
        """Take the layout of a Parameter from here on, of all its axes or of all but one; of none if None."""
        self._followed, self._lost_axis = weight, lost_axis

    # --- training ---

    @property
    def settings(self) -> Settings:
        """All settings as one frozen value, which is replaced when one of them changes."""
        return self._settings

    @property
    def requires_grad(self) -> bool:
        """Whether it is trained."""
        return self._settings.requires_grad

    @requires_grad.setter
    def requires_grad(self, given: bool) -> None:
        self._set(requires_grad=check_bool("requires_grad", given))

    @property
    def layerwise_parallel(self) -> bool:
        """Whether, in data and hybrid parallel mode, it is neither broadcast nor are its gradients reduced."""
        return self._settings.layerwise_parallel

    @layerwise_parallel.setter
    def layerwise_parallel(self, given: bool) -> None:
        self._set(layerwise_parallel=check_bool("layerwise_parallel", given))

    @property
    def parallel_optimizer(self) -> bool:
        """Whether the parallel optimizer, where ``set_auto_parallel_context`` enables it, may store it in slices."""
        return self._settings.parallel_optimizer

    @parallel_optimizer.setter
    def parallel_optimizer(self, given: bool) -> None:
        self._set(parallel_optimizer=check_bool("parallel_optimizer", given))

    @property
    def comm_fusion(self) -> int:
        """Which collectives of Parameters and gradients join one message: those of equal numbers; 0 joins none.

        Setting it raises DTypeError for what is no whole number, ParameterError below 0, and ModeError in
        ``PYNATIVE_MODE`` while the parallel mode is semi_auto or auto. MindSpore needs Ascend for it; simpar does not.
        """
        return self._settings.comm_fusion

    @comm_fusion.setter
    def comm_fusion(self, given: int) -> None:
        if current().mode == context.PYNATIVE_MODE and current().is_partitioned:
            raise ModeError(
                f"comm_fusion of Parameter {self.name!r} cannot be set in PYNATIVE_MODE while parallel_mode is "
                f"{current().parallel.parallel_mode!r}. Call set_context(mode=GRAPH_MODE) first."
            )
        self._set(comm_fusion=check_fusion(given))

    @property
    def parallel_optimizer_comm_recompute(self) -> bool:
        """Whether a weight that the parallel optimizer stores in slices is gathered again for the backward pass.

        MindSpore needs Ascend and graph mode for it; simpar does not.
        """
        return self._settings.comm_recompute

    @parallel_optimizer_comm_recompute.setter
    def parallel_optimizer_comm_recompute(self, given: bool) -> None:
        self._set(comm_recompute=check_bool("parallel_optimizer_comm_recompute", given))

    # --- flags ---

    @property
    def is_zero(self) -> bool:
        """Whether this rank holds nothing but zeros of it; False where it holds nothing."""
        if self._array is not None:
            return not self._array.any()
        first = tuple((0, 1) for _ in self._shape)
        return self.init is not None and not self.init.fill(self._shape, self.dtype, first).any()

    @property
    def is_init(self) -> Any:
        """A flag of MindSpore's GE backend: False unless it is set."""
        return self._is_init

    @is_init.setter
    def is_init(self, given: object) -> None:
        self._is_init = given

    @property
    def sliced(self) -> Any:
        """Whether it holds a slice of its value."""
        return self._sliced

    @sliced.setter
    def sliced(self, given: object) -> None:
        self._sliced = given

    @property
    def unique(self) -> Any:
        """Whether it is already unique; a mark for the caller."""
        return self._unique

    @unique.setter
    def unique(self, given: object) -> None:
        self._unique = given

    @property
    def key(self) -> int:
        """The number under which a server knows it; -1 for none."""
        return self._key

    @key.setter
    def key(self, given: int) -> None:
        self._key = check_int("key", given)

    # --- parameter servers ---

    @property
    def cache_enable(self) -> bool:
        """Whether a worker keeps only some rows of it, a cache of what the server holds."""
        return self._settings.cache_enable

    @cache_enable.setter
    def cache_enable(self, given: bool) -> None:
        self._set(cache_enable=check_bool("cache_enable", given))

    @property
    def cache_shape(self) -> list[int]:
        """The shape of the cache."""
        return list(self._settings.cache_shape)

    @cache_shape.setter
    def cache_shape(self, given: Sequence[int]) -> None:
        if not isinstance(given, list | tuple):
            raise DTypeError(f"cache_shape is {given!r}, a {type(given).__name__}; give a list or tuple of lengths.")
        self._set(cache_shape=tuple(cast("Sequence[int]", given)))

    @property
    def is_param_ps(self) -> bool:
        """Whether a parameter server updates it."""
        return self._settings.is_param_ps

    @property
    def init_in_server(self) -> bool:
        """Whether the parameter server fills it."""
        return self._settings.init_in_server

    @property
    def push_weight_to_server(self) -> bool:
        """Whether it is pushed to the server."""
        return self._settings.push_weight_to_server

    @property
    def pull_weight_from_server(self) -> bool:
        """Whether it is pulled from the server."""
        return self._settings.pull_weight_from_server

    @property
    def requires_aggr(self) -> bool:
        """Whether the server aggregates it."""
        return self._settings.requires_aggr

    @requires_aggr.setter
    def requires_aggr(self, given: bool) -> None:
        self._set(requires_aggr=check_bool("requires_aggr", given))

    def add_pipeline_stage(self, stage: int) -> None:
        """Take as MindSpore does; the stages that use a Parameter are found.

        Raises:
            DTypeError: ``stage`` is no whole number from 0 on.
        """
        if isinstance(stage, bool) or not isinstance(stage, int) or stage < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"stage is {stage!r}; give a whole number from 0 on.")

    def set_param_ps(self, init_in_server: bool = False) -> None:
        """Let a parameter server update it, and fill it if ``init_in_server``.

        Raises:
            DTypeError: ``init_in_server`` is no bool.
            ModeError: this process has no role in parameter server training, or ``init_in_server`` is True and the
                name does not end with ``embedding_table``.
        """
        check_server(self.name, check_bool("init_in_server", init_in_server))
        self._set(is_param_ps=True, init_in_server=init_in_server)

    def set_param_fl(
        self, push_to_server: bool = False, pull_from_server: bool = False, requires_aggr: bool = True
    ) -> None:
        """Say how it takes part in federated learning.

        As in MindSpore, a call only switches pushing and pulling on and aggregation off, never back.

        Args:
            push_to_server: whether it is pushed to the server.
            pull_from_server: whether it is pulled from the server.
            requires_aggr: whether the server aggregates it.
        """
        self._set(
            push_weight_to_server=self.push_weight_to_server or bool(push_to_server),
            pull_weight_from_server=self.pull_weight_from_server or bool(pull_from_server),
            requires_aggr=self.requires_aggr and bool(requires_aggr),
        )
