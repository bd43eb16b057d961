"""``Primitive``: an op as an object that can be told how to cut it, MindSpore's face of an op record."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, Protocol, Self, cast, runtime_checkable

from simpar.context import current
from simpar.errors import DTypeError, LayoutError, NotYetError, StrategyError
from simpar.graph import Node, Recompute, Strategy, Trace, lookup, user_line
from simpar.layout import Layout, follow
from simpar.tensor import Tensor, as_tensor, call

__all__ = ["Primitive", "primitive_names"]


@runtime_checkable
class _HasLayout(Protocol):
    """A face of a layout, e.g. ``simpar.parallel.Layout``."""

    def to_layout(self) -> Layout:
        """Return the layout itself."""
        ...


class Primitive:
    """An op as an object. Subclasses name the op's record, take its attributes and call ``apply``.

    Args:
        attrs: attributes of the op that stay the same from call to call.

    >>> class Double(Primitive, op="add"):
    ...     def __call__(self, x: Tensor) -> Tensor:
    ...         return self.apply_one(x, x)
    >>> Double().shard(((2,), (2,)))(Tensor([1.0, 2.0])).tolist()
    [2.0, 4.0]
    """

    op_name = ""
    """The name of the record in ``graph.OPS``."""

    cut_attrs: tuple[str, ...] = ()
    """What ``add_prim_attr`` may set that says how the op is cut."""

    def __init_subclass__(cls, op: str = "", **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.op_name = op or cls.op_name

    def __init__(self, **attrs: Any) -> None:
        self.name = type(self).__name__
        self.attrs: dict[str, Any] = {}
        """What ``add_prim_attr`` set."""
        self.in_strategy: Strategy | None = None
        self.out_strategy: Strategy | None = None
        self._attrs = attrs

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> Self:
        """Say how the op is cut, in semi_auto_parallel and auto_parallel; return the op itself.

        Args:
            in_strategy: for each operand into how many slices each axis is cut, or its layout:
                ``((2, 4), (4, 1))`` or a tuple of ``Layout``.
            out_strategy: the same for each result.

        Raises:
            DTypeError: a strategy is not a tuple of tuples of ints or of layouts.
            LayoutError: ``out_strategy`` is given without ``in_strategy``.
        """
        if in_strategy is None and out_strategy is not None:
            raise LayoutError(
                f"{self.name}.shard was given out_strategy {out_strategy} alone. Give in_strategy as well."
            )
        self.in_strategy = _strategy(self.name, "in_strategy", in_strategy)
        self.out_strategy = _strategy(self.name, "out_strategy", out_strategy)
        return self

    def apply(self, *operands: object, **attrs: Any) -> Tensor | tuple[Tensor, ...]:
        """Apply the op to operands, numbers included; attributes given here win over those of the constructor."""
        like = next((x for x in operands if isinstance(x, Tensor)), None)
        tensors = [as_tensor(x, like) for x in operands]
        merged = {**self._attrs, **{k: self.attrs[k] for k in self.cut_attrs if k in self.attrs}, **attrs}
        with self._recorded():
            if self._is_self_defined():
                return self._resharded(tensors, merged)
            return call(self.op_name, *tensors, strategy=self.in_strategy, out_strategy=self.out_strategy, **merged)

    def _is_self_defined(self) -> bool:
        asked = self.attrs.get("self_define_shard", False)
        if not isinstance(asked, bool):
            raise StrategyError(f"{self.name}: self_define_shard is {asked!r}; give True or False.")
        return asked and self.out_strategy is not None

    def _resharded(self, tensors: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor | tuple[Tensor, ...]:
        """Apply the op between the layouts that the user defined himself, and bring its results into them.

        Operands move into theirs. Where the op cannot compute on them as they are cut, it takes them as it needs them
        then, and computes what one device computes.
        """
        wanted, given = self.out_strategy or (), self.in_strategy
        layouts = [entry for entry in given or () if isinstance(entry, Layout)]
        if len(layouts) == len(tensors) == len(given or ()) and not _fits(self.op_name, tensors, layouts, attrs):
            tensors = [as_tensor(call("identity", t, strategy=(w,))) for t, w in zip(tensors, layouts, strict=True)]
            given = None
        made = call(self.op_name, *tensors, strategy=given, **attrs)
        results = made if isinstance(made, tuple) else (made,)
        if len(wanted) != len(results) or not all(isinstance(w, Layout) for w in wanted):
            raise StrategyError(
                f"{self.name}: self_define_shard needs a Layout for each of its {len(results)} results, but "
                f"out_strategy is {wanted}."
            )
        moved = tuple(as_tensor(call("identity", r, strategy=(w,))) for r, w in zip(results, wanted, strict=True))
        return moved if isinstance(made, tuple) else moved[0]

    def refused(self, why: str) -> StrategyError:
        """Return the error of a call that cannot be cut so; it cites the user's line, as errors of the passes do."""
        trace: Trace | None = current().trace
        scope = "" if trace is None else ".".join(trace.scope)
        return StrategyError(f"{Node(self.op_name, (), (), scope=scope, line=user_line()).cited}: {why}")

    def _recorded(self) -> AbstractContextManager[None]:
        """Record the op on its stage, and as one that the backward pass repeats, if it was told so."""
        trace: Trace | None = current().trace
        if trace is None or not self.attrs.keys() & {"stage", "recompute"}:
            return nullcontext()
        marks: dict[str, Any] = {"stage": self.attrs["stage"]} if "stage" in self.attrs else {}
        if "recompute" in self.attrs:
            within = trace.marks.recompute
            alone = within and replace(within, keeps=True)
            marks["recompute"] = Recompute() if self.attrs["recompute"] else alone
        return trace.marked(**marks)

    def apply_one(self, *operands: object, **attrs: Any) -> Tensor:
        """Apply the op, which has one result."""
        made = self.apply(*operands, **attrs)
        assert isinstance(made, Tensor), f"op {self.op_name} has one result"
        return made

    def add_prim_attr(self, name: str, value: Any) -> Self:
        """Keep an attribute, and return the op itself; of most the op knows nothing, those of ``cut_attrs`` cut it."""
        self.attrs[name] = value
        return self

    def del_prim_attr(self, name: str) -> Self:
        """Forget an attribute, and return the op itself."""
        self.attrs.pop(name, None)
        return self

    def get_attr_dict(self) -> Mapping[str, Any]:
        """Return the attributes: those that the op computes with, then those that were added."""
        return {**self._attrs, **self.attrs}

    def set_prim_instance_name(self, name: str) -> Self:
        """Give the op a name for messages, and return the op itself."""
        self.name = self.instance_name = name
        return self

    def set_stage(self, stage: int) -> Self:
        """Say which stage of a pipeline runs the op, and return the op itself."""
        return self.add_prim_attr("stage", stage)

    def set_device(self, device_target: str) -> Self:
        """Keep the device that MindSpore would run the op on, and return the op itself."""
        return self.add_prim_attr("primitive_target", device_target)

    def recompute(self, mode: bool = True) -> Self:
        """Let the backward pass compute the result again, so that it need not be kept; return the op itself.

        Args:
            mode: False keeps the result, also inside of a Cell that is recomputed.
        """
        return self.add_prim_attr("recompute", mode)

    def place(self, role: str, rank_id: int) -> Self:
        """Refuse: all ranks run every op.

        Raises:
            NotYetError: always.
        """
        raise NotYetError(
            f"{self.name}.place({role!r}, {rank_id!r}): simpar does not put ops on single processes. Cut them over "
            "all ranks with shard, or put Cells on ranks of their own with pipeline_stage."
        )

    def __repr__(self) -> str:
        given = ", ".join(f"{k}={v!r}" for k, v in self._attrs.items())
        return f"{self.name}({given})"


def _fits(op: str, tensors: Sequence[Tensor], layouts: Sequence[Layout], attrs: Mapping[str, Any]) -> bool:
    """Return whether an op computes on operands that are cut so."""
    rule = lookup(op).bind([t.shape for t in tensors], attrs)
    made = follow(rule, layouts, layouts[0].size)
    return all(made.operand(rule, i).same_slices(layout) for i, layout in enumerate(layouts))


def primitive_names() -> dict[str, str]:
    """Return, for the name of each record, that of its class: where there are several the one named alike, else the
    shortest.

    >>> from simpar import ops
    >>> primitive_names()["matmul"], primitive_names()["relu"]
    ('MatMul', 'ReLU')
    """
    found: dict[str, str] = {}
    for kind in sorted(_kinds(Primitive), key=lambda k: (-len(k.__name__), k.__name__)):
        if kind.op_name and kind.__module__.startswith("simpar."):
            known, plain = found.get(kind.op_name, ""), kind.op_name.replace("_", "")
            if known.lower() != plain:
                found[kind.op_name] = kind.__name__
    return found


def _kinds(base: type[Primitive]) -> Iterator[type[Primitive]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _strategy(op: str, what: str, given: object) -> Strategy | None:
    """Return a strategy as ``graph`` keeps it, or say what is wrong with it."""
    if given is None:
        return None
    if not isinstance(given, tuple):
        raise DTypeError(
            f"{op}.shard: {what} is a tuple with one entry for each tensor, e.g. ((2, 4), (4, 1)), "
            f"not the {type(given).__name__} {given!r}."
        )
    entries = tuple(_members(cast("tuple[object, ...]", given)))
    layouts = [_is_layout(e) for e in entries]
    if any(layouts) and not all(layouts):
        raise DTypeError(
            f"{op}.shard: {what} {entries!r} mixes layouts and numbers. Give all tensors the one or the other."
        )
    return tuple(_entry(op, what, e) for e in entries)


def _members(entries: tuple[object, ...]) -> Iterator[object]:
    """Give the entry of each tensor, also of those that an op takes in a list: ``(((2, 1), (2, 1)),)``."""
    for entry in entries:
        members = cast("tuple[object, ...]", entry) if isinstance(entry, tuple) else ()
        if members and all(isinstance(m, tuple) or _is_layout(m) for m in members):
            yield from members
        else:
            yield entry


def _is_layout(entry: object) -> bool:
    return isinstance(entry, Layout | _HasLayout)


def _entry(op: str, what: str, entry: object) -> tuple[int, ...] | Layout:
    if isinstance(entry, Layout):
        return entry
    if isinstance(entry, _HasLayout):
        return entry.to_layout()
    if not isinstance(entry, tuple):
        raise DTypeError(
            f"{op}.shard: an entry of {what} is a tuple of ints, one for each axis, or a Layout, "
            f"not the {type(entry).__name__} {entry!r}."
        )
    numbers = cast("tuple[object, ...]", entry)
    return tuple(_cut(op, what, n) for n in numbers)


def _cut(op: str, what: str, number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise DTypeError(f"{op}.shard: {what} counts slices in ints, not by the {type(number).__name__} {number!r}.")
    return number
