"""What MindSpore's scripts tell a Cell that its compiler needs and simpar's does not, or only reads back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import wraps
from typing import Any, Self, cast

from simpar.autodiff import with_own_gradient
from simpar.context import current
from simpar.dtype import DType, bfloat16, float16, float32
from simpar.errors import ContextError, NotYetError
from simpar.parameter import CastParameter, Parameter
from simpar.tensor import Tensor, branched

__all__ = ["CellHints"]

_FLOATS = (float16, bfloat16, float32)


class CellHints(ABC):
    """Is the part of a Cell that keeps hints."""

    _inputs: tuple[Any, ...] | None = None
    _flags: dict[str, Any] | None = None
    _computes_in: DType | None = None
    _is_computing = False

    construct: Callable[..., Any]
    bprop: Callable[..., Any] | None = None
    """A subclass may define ``bprop(self, *inputs, out, dout)``: the gradients of the inputs, as a tuple, in place of
    those that follow from ``construct``."""

    @abstractmethod
    def cells(self) -> Iterable[Any]:
        """Return the Cells that are attributes of this one."""

    def set_inputs(self, *inputs: Any, **named: Any) -> None:
        """Keep how the inputs look, with None or a ``Symbol`` for lengths that are not known; ``get_inputs`` gives it.

        A program is compiled for the lengths that come; those that are not known are planned as one that fits.
        """
        self._inputs = (*inputs, *named.values())

    def get_inputs(self) -> tuple[Any, ...] | None:
        """Return what ``set_inputs`` was given, or None."""
        return self._inputs

    def add_flags(self, **flags: Any) -> Self:
        """Keep flags of MindSpore's compiler, which are attributes too.

        With ``skip_auto_parallel_compile=True`` each rank runs the Cell for itself in every mode, as a hand-written
        collective needs it; the others change nothing.
        """
        self._flags = {**(self._flags or {}), **flags}
        vars(self).update(flags)
        return self

    def add_flags_recursive(self, **flags: Any) -> Self:
        """Keep flags on this Cell and on all below."""
        for cell in self.cells():
            cell.add_flags_recursive(**flags)
        return self.add_flags(**flags)

    def get_flags(self) -> dict[str, Any]:
        """Return the flags that were added."""
        return dict(self._flags or {})

    def to_float(self, dst_type: DType) -> Self:
        """Let this Cell and those below compute in float16, bfloat16 or float32: floats that enter are cast.

        Parameters keep their own type, in which gradients arrive and optimizers update; ``construct`` sees casts of
        them.

        Raises:
            ContextError: it is another type.
        """
        if dst_type not in _FLOATS:
            raise ContextError(f"to_float takes {' or '.join(map(str, _FLOATS))}, not {dst_type}.")
        self._computes_in = dst_type
        for cell in self.cells():
            cell.to_float(dst_type)
        return self

    def _cast(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the inputs in the type that ``to_float`` set."""
        wanted = self._computes_in
        if wanted is None:
            return args
        return tuple(
            a.astype(wanted) if isinstance(a, Tensor) and a.dtype.is_float and a.dtype != wanted else a for a in args
        )

    def _entry(self) -> Callable[..., Any]:
        """Return ``construct``, always the same function; with ``to_float`` it sees Parameters in that type."""
        if self._computes_in is None:
            return self.construct
        made = vars(self).get("_simpar_entry")
        if made is None:

            @wraps(self.construct)
            def construct(*args: Any, **named: Any) -> Any:
                with self._parameters_cast():
                    return self.construct(*args, **named)

            made = vars(self)["_simpar_entry"] = construct
        return made

    def _run_traced(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Run ``construct`` while it is traced, whatever its conditions, with the gradient of ``bprop`` if there is."""
        entry, bprop, names = self._entry(), self.bprop, tuple(named)
        if bprop is None:
            return branched(lambda: entry(*args, **named))

        def called(*given: Any) -> Any:
            return entry(*given[: len(args)], **dict(zip(names, given[len(args) :], strict=True)))

        return with_own_gradient(called, bprop, (*args, *named.values()))

    @contextmanager
    def _parameters_cast(self) -> Generator[None]:
        """Let attributes that are Parameters, or lists of them, be casts in a ``with`` block."""
        own, before, trace = vars(self), self._is_computing, current().trace
        if trace is not None:
            trace.guards.append(lambda: self._computes_in)
        lists = {name: own[name] for name in own["_lists"] if not before}
        own["_is_computing"] = True
        own.update({name: tuple(map(self._seen, held)) for name, held in lists.items()})
        try:
            yield
        finally:
            own["_is_computing"] = before
            own.update(lists)

    def _seen(self, parameter: Parameter) -> Tensor:
        """Return a Parameter as ``construct`` sees it."""
        wanted = self._computes_in
        if wanted is None or not parameter.dtype.is_float or parameter.dtype == wanted:
            return parameter
        return CastParameter.of(parameter, wanted)

    def set_data_parallel(self) -> Self:
        """Keep the wish to cut only batches below this Cell, where MindSpore would search."""
        return self.add_flags_recursive(strategy_gen_mode="data_parallel")

    def set_jit_config(self, jit_config: object) -> None:
        """Keep options of MindSpore's compiler; they change nothing."""
        self.add_flags(jit_config=jit_config)

    def _get_attr_from_cell(self, network: object) -> None:
        """Take over the options of MindSpore's compiler that a Cell within keeps; Cells that wrap one call it."""
        kept = network.get_flags() if isinstance(network, CellHints) else {}
        if "jit_config" in kept:
            self.set_jit_config(kept["jit_config"])

    def place(self, role: str, rank_id: int) -> Self:
        """Refuse: all ranks run every Cell.

        Raises:
            NotYetError: always.
        """
        raise NotYetError(
            f"{type(self).__name__}.place({role!r}, {rank_id!r}): simpar does not put Cells on single processes. Put "
            "them on stages of a pipeline with pipeline_stage, or cut their ops over all ranks with shard."
        )

    def set_boost(self, boost_type: str) -> Self:
        """Take a level of MindSpore's network acceleration; it changes nothing."""
        return self

    def set_broadcast_flag(self, mode: bool = True) -> Self:
        """Take a flag of MindSpore's data parallel broadcast; ``parameter_broadcast`` of the context decides here."""
        return self

    def offload(self, backward_prefetch: object = "Auto") -> None:
        """Keep the wish to have activations in the host's memory, where all are anyway."""
        self.add_flags(offload=backward_prefetch)

    def apply(self, fn: Callable[[Any], object]) -> Self:
        """Call ``fn`` with every Cell below and with this one, inner ones first."""
        for cell in self.cells():
            cell.apply(fn)
        fn(self)
        return self

    @property
    def cls_name(self) -> str:
        """The name of the Cell's class."""
        return type(self).__name__

    def compile_and_run(self, *args: Any) -> Any:
        """Compile the Cell and run it."""
        return cast("Callable[..., Any]", self)(*args)
