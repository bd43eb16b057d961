"""Strategy files as MindSpore writes them: how each operator with a Parameter is cut, and how each Parameter is.

There are two forms of the same content: JSON, and a *strategy checkpoint* in protocol buffers
(``strategy_ckpt_config``, ``AutoParallel.save_param_strategy_file``). Operators go by their type and the name of their
Parameter, ``MatMul_dense1.weight``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from simpar.errors import StrategyError
from simpar.layout.layout import Layout
from simpar.layout.strategy_wire import Fields, message_field, number_field, numbers_field, parse, signed

__all__ = ["OperatorStrategy", "ParameterStrategy", "StrategyFile", "read_strategy_file", "write_strategy_file"]

Entry = int | tuple[int, ...]

_MOST_AXES = 64
_MOST_RANKS = 1 << 31


@dataclass(frozen=True, slots=True)
class OperatorStrategy:
    """How one operator is cut: for each operand into how many slices each axis is, and the stage that it runs in."""

    strategy: tuple[tuple[int, ...], ...]
    stage: int = 0


@dataclass(frozen=True, slots=True)
class ParameterStrategy:
    """How one Parameter is cut.

    Args:
        dev_mat: ranks along each device axis, major first.
        tensor_map: for each tensor axis the device axis that cuts it, counted from the right; -1 for none.
        shape: of the whole Parameter; None where the file does not say.
        field: MindSpore's size of a slice of an embedding table that is cut by fields; 0 for others.
        optimizer_step: how far apart ranks stand that share the optimizer's slices; 0 where they do not.
        optimizer_size: among how many ranks the optimizer's slices are shared; -1 for all that repeat the Parameter.
        rows: of each field of an embedding table with a ``manual_split``, which MindSpore calls ``param_split_shape``.
    """

    dev_mat: tuple[int, ...]
    tensor_map: tuple[Entry, ...]
    shape: tuple[int, ...] | None = None
    field: int = 0
    optimizer_step: int = 0
    optimizer_size: int = 0
    rows: tuple[int, ...] = ()

    @property
    def layout(self) -> Layout:
        """The layout in which operators use the Parameter.

        Raises:
            LayoutError: the numbers are not those of a layout.
        """
        lengths = (self.rows, *((),) * (len(self.tensor_map) - 1)) if self.rows else ()
        return Layout(self.dev_mat, self.tensor_map, lengths=lengths)


@dataclass(frozen=True, slots=True)
class StrategyFile:
    """Everything that a strategy file says, by the names it uses."""

    operators: Mapping[str, OperatorStrategy] = field(default_factory=dict[str, OperatorStrategy])
    parameters: Mapping[str, ParameterStrategy] = field(default_factory=dict[str, ParameterStrategy])
    stage: int = 1
    """MindSpore's count of how often the strategies were saved."""


def read_strategy_file(data: bytes) -> StrategyFile:
    """Return what a strategy file says; JSON and protocol buffers are told apart by the first byte.

    The bytes are not trusted: sizes and types of all numbers are checked.

    Raises:
        StrategyError: the file is neither, or holds what no strategy can.

    >>> read_strategy_file(b'{"parallel_strategy_item": {"MatMul_w": {"parallel_strategy": [[2, 1], [1, 4]]}}}')
    ... # doctest: +ELLIPSIS
    StrategyFile(operators={'MatMul_w': OperatorStrategy(strategy=((2, 1), (1, 4)), stage=0)}, ...)
    """
    if not data.strip():
        raise StrategyError("the strategy file is empty. Choose the file that MindSpore, or simpar, saved.")
    return _from_json(data) if data.lstrip().startswith((b"{", b"\xef\xbb\xbf{")) else _from_wire(data)


def write_strategy_file(strategies: StrategyFile, *, is_json: bool = True) -> bytes:
    """Return the bytes of a strategy file: JSON, as for names that end in ``.json``, or protocol buffers.

    >>> found = StrategyFile(parameters={"w": ParameterStrategy((2, 4), (-1, 0), (8, 16))})
    >>> read_strategy_file(write_strategy_file(found)) == found
    True
    """
    return _as_json(strategies) if is_json else _as_wire(strategies)


# --- JSON ---


def _from_json(data: bytes) -> StrategyFile:
    try:
        whole = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise StrategyError(f"the strategy file begins like JSON but is none: {str(error)[:200]}.") from None
    content = _object(whole, "the strategy file")
    operators = {
        name: _operator(name, _object(item, f"the strategy of {name!r}"))
        for name, item in _object(content.get("parallel_strategy_item") or {}, "parallel_strategy_item").items()
    }
    parameters = {
        name: _parameter(name, _object(item, f"the layout of {name!r}"))
        for name, item in _object(content.get("parallel_layout_item") or {}, "parallel_layout_item").items()
    }
    if "parallel_strategy_item" not in content and "parallel_layout_item" not in content:
        raise StrategyError(
            "the JSON has neither parallel_strategy_item nor parallel_layout_item, so it is not a strategy file. "
            "Choose the file that MindSpore, or simpar, saved."
        )
    return StrategyFile(operators, parameters, _number(content.get("current_stage", 1), "current_stage"))


def _operator(name: str, item: Mapping[str, Any]) -> OperatorStrategy:
    what = f"the strategy of {name!r}"
    rows = _list(item.get("parallel_strategy", []), what)
    cuts = tuple(tuple(_number(n, what, least=1) for n in _list(row, what)) for row in rows)
    return OperatorStrategy(cuts, _number(item.get("stage", 0), what))


def _parameter(name: str, item: Mapping[str, Any]) -> ParameterStrategy:
    what = f"the layout of {name!r}"

    def numbers(key: str, least: int) -> tuple[int, ...]:
        return tuple(_number(n, what, least) for n in _list(item.get(key, []), what))

    entries = tuple(
        _number(e, what, -1) if isinstance(e, int) else tuple(_number(n, what, -1) for n in _list(e, what))
        for e in _list(item.get("tensor_map", []), what)
    )
    rows = numbers("param_split_shape", 1)
    shape = numbers("tensor_shape", 0) if item.get("tensor_shape") is not None else None
    return ParameterStrategy(
        numbers("dev_matrix", 1),
        tuple(_entry(e) for e in entries),
        (sum(rows), *shape[1:]) if shape and rows else shape,  # MindSpore writes another length beside fields
        _number(item.get("field", 0), what, -_MOST_RANKS),
        _number(item.get("opt_weight_shard_step", 0), what, -1),
        _number(item.get("opt_weight_shard_size", 0), what, -1),
        rows,
    )


def _as_json(strategies: StrategyFile) -> bytes:
    content = {
        "current_stage": strategies.stage,
        "parallel_layout_item": {
            name: {
                "dev_matrix": p.dev_mat,
                "field": p.field,
                "opt_weight_shard_size": p.optimizer_size,
                "opt_weight_shard_step": p.optimizer_step,
                "tensor_map": p.tensor_map,
                **({} if p.shape is None else {"tensor_shape": p.shape}),
                **({"indices_offset": _starts(p.rows), "param_split_shape": p.rows} if p.rows else {}),
            }
            for name, p in strategies.parameters.items()
        },
        "parallel_strategy_item": {
            name: {"parallel_strategy": o.strategy, "stage": o.stage} for name, o in strategies.operators.items()
        },
    }
    return json.dumps(content, indent=2).encode() + b"\n"


# --- protocol buffers: fields as numbered in MindSpore's node_strategy.proto ---


def _from_wire(data: bytes) -> StrategyFile:
    top = parse(data)
    operators = dict(_operator_of(m) for m in _messages(top, 2))
    parameters = dict(_parameter_of(m) for m in _messages(top, 3))
    if not top.keys() <= {1, 2, 3} or 1 not in top:
        raise StrategyError(
            "the file is neither JSON nor a strategy checkpoint: its fields are others. Choose the file that "
            "MindSpore, or simpar, saved."
        )
    return StrategyFile(operators, parameters, _first(top, 1))


def _operator_of(item: Fields) -> tuple[str, OperatorStrategy]:
    name, strategies = _text(item, 1), _only(item, 2)
    cuts = tuple(_numbers(m, 1, "the strategy of " + repr(name), 1) for m in _messages(strategies, 2))
    return name, OperatorStrategy(cuts, _first(strategies, 1))


def _parameter_of(item: Fields) -> tuple[str, ParameterStrategy]:
    name, layouts = _text(item, 1), _only(item, 2)
    what = f"the layout of {name!r}"
    maps = [_numbers(m, 1, what, -1) for m in _messages(layouts, 2)]
    # one message for all axes; or, where several device axes cut one, a message for each axis
    entries = tuple(_entry(m) for m in maps if m) if len(maps) > 1 else tuple(n for m in maps for n in m)
    dev_mat = tuple(n for m in _messages(layouts, 1) for n in _numbers(m, 1, what, 1))
    numbers = (_first(layouts, 5), _first(layouts, 6, least=-1), _first(layouts, 7, least=-1))
    rows = tuple(n for m in _messages(layouts, 3) for n in _numbers(m, 1, what, 1))
    return name, ParameterStrategy(dev_mat, entries, None, *numbers, rows)


def _messages(of: Fields, number: int) -> list[Fields]:
    return [parse(_bytes(value)) for value in of.get(number, [])]


def _only(of: Fields, number: int) -> Fields:
    found = _messages(of, number)
    return found[0] if found else {}


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise StrategyError("a number stands where a strategy checkpoint has a message: the file is something else.")
    return value


def _text(of: Fields, number: int) -> str:
    try:
        return _bytes(of[number][0]).decode()
    except (KeyError, UnicodeDecodeError):
        raise StrategyError("an entry of the strategy checkpoint has no name: the file is something else.") from None


def _numbers(of: Fields, number: int, what: str, least: int) -> tuple[int, ...]:
    """Return a repeated field of numbers, packed or not."""
    found: list[int] = []
    for value in of.get(number, []):
        found += [signed(value)] if isinstance(value, int) else _packed(value)
        if len(found) > _MOST_AXES:
            raise StrategyError(f"{what} has more than {_MOST_AXES} numbers.")
    return tuple(_number(n, what, least) for n in found)


def _packed(data: bytes) -> list[int]:
    """Return numbers that stand one after the other without keys."""
    keyed = b"".join(b"\x08" + part for part in _varints(data))
    return [signed(v) for v in parse(keyed).get(1, []) if isinstance(v, int)]


def _varints(data: bytes) -> Iterable[bytes]:
    begin = 0
    for at, byte in enumerate(data[: _MOST_AXES * 10]):
        if byte < 0x80:
            yield data[begin : at + 1]
            begin = at + 1


def _first(of: Fields, number: int, least: int = -_MOST_RANKS) -> int:
    value = of.get(number, [0])[0]
    return _number(signed(value) if isinstance(value, int) else value, f"field {number}", least)


def _as_wire(strategies: StrategyFile) -> bytes:
    out = [number_field(1, strategies.stage)]
    for name, o in strategies.operators.items():
        cuts = b"".join(message_field(2, numbers_field(1, row)) for row in o.strategy)
        out.append(message_field(2, message_field(1, name) + message_field(2, number_field(1, o.stage) + cuts)))
    for name, p in strategies.parameters.items():
        out.append(message_field(3, message_field(1, name) + message_field(2, _layout_as_wire(p))))
    return b"".join(out)


def _layout_as_wire(p: ParameterStrategy) -> bytes:
    is_plain = all(isinstance(e, int) for e in p.tensor_map)
    axes = [(e,) if isinstance(e, int) else e for e in p.tensor_map]
    rows = [tuple(n for e in axes for n in e)] if is_plain else [e or (-1,) for e in axes]
    rows += [()] if len(rows) == 1 and not is_plain else []  # so that it is not read as one row for all axes
    maps = b"".join(message_field(2, numbers_field(1, row)) for row in rows)
    rest = number_field(5, p.field) + number_field(6, p.optimizer_step) + number_field(7, p.optimizer_size)
    fields = ((3, p.rows), (4, _starts(p.rows))) if p.rows else ()
    split = b"".join(message_field(place, numbers_field(1, numbers)) for place, numbers in fields)
    return message_field(1, numbers_field(1, p.dev_mat)) + maps + split + rest


def _starts(rows: Sequence[int]) -> list[int]:
    """Return where each field begins."""
    return [sum(rows[:i]) for i in range(len(rows))]


# --- what a number, a list, an object may be ---


def _number(value: object, what: str, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST_RANKS:
        raise StrategyError(f"{what} has {str(value)[:40]!r} where a whole number from {least} is expected.")
    return value


def _list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list) or len(cast("list[Any]", value)) > _MOST_AXES:
        raise StrategyError(f"{what} has no list, or a too long one, where one of up to {_MOST_AXES} is expected.")
    return cast("list[Any]", value)


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise StrategyError(f"{what} is not a JSON object, as MindSpore writes it.")
    return cast("dict[str, Any]", value)


def _entry(axes: int | tuple[int, ...]) -> Entry:
    """Return the entry of a tensor map; one device axis stands alone."""
    return axes if isinstance(axes, int) else axes[0] if len(axes) == 1 else axes
