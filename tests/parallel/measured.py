"""Nets as plain data, and what MindSpore 2.10's own compiler answered for them.

A fact is one net: ``parameters`` and ``inputs`` with their shapes (``[shape, dtype]`` where it is not float32), ``ops``
as ``[name, attributes, operands, in_strategy, out_strategy]`` (what ``add_prim_attr`` added stands under ``"added"`` in
the attributes), with operands by name, by the number of the op that made
them (``"0"``, or ``"0.1"`` for one of several results), or as constants. The answer is in ``layouts``: device matrix,
tensor map, slice shape, and over how many ranks the parallel optimizer cuts further; or it is ``refused``.
"""

import json
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.common.initializer import initializer
from simpar.communication import HCCL_WORLD_COMM_GROUP
from simpar.context import Context, entered
from simpar.parallel import Layout

__all__ = ["Fact", "compiled", "facts", "is_known", "text_of"]

Fact = dict[str, Any]

FOLDER = Path(__file__).parent / "facts"
_JOINED = ("Concat", "Stack", "AddN")
"""Ops that take their operands as one tuple."""


def facts(name: str) -> list[Fact]:
    """Return the facts of one file."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def is_known(fact: Fact) -> bool:
    """Return whether simpar has every op of the net."""
    return all(hasattr(ops, op[0]) for op in fact["ops"])


def text_of(fact: Fact) -> str:
    """Return a name for a test's report."""
    op = fact["ops"][0]
    return f"{fact['about']}-{fact['devices']}-{json.dumps(op[1:4], separators=(',', ':'))}"


class _Net(nn.Cell):
    """A net made from a fact."""

    def __init__(self, fact: Fact) -> None:
        super().__init__()
        self._fact = fact
        is_drawn = "manual_split" in json.dumps(fact["ops"])  # MindSpore cuts no other table by fields
        for name, given in fact["parameters"].items():
            shape, dtype = _typed(given)
            flags = fact.get("flags", {}).get(name, {})
            values = initializer("ones", shape, getattr(ms, dtype)) if is_drawn else Tensor(np.ones(shape, dtype))
            setattr(self, name, Parameter(values, name=name, **flags))
        self._made = [_primitive(*op) for op in fact["ops"]]

    def construct(self, *inputs: Tensor) -> Any:
        named: dict[str, Any] = dict(zip(self._fact["inputs"], inputs, strict=True))
        results: list[Any] = []
        used: set[int] = set()
        for primitive, (name, _, operands, *_) in zip(self._made, self._fact["ops"], strict=True):
            found = [self._operand(x, named, results, used) for x in operands]
            results.append(primitive(tuple(found)) if name in _JOINED else primitive(*found))
        return tuple(r for i, r in enumerate(results) if i not in used)

    def _operand(self, given: Any, named: dict[str, Any], results: list[Any], used: set[int]) -> Any:
        if not isinstance(given, str):
            return _tuples(given)
        if given == "DT":
            return ms.float16
        if given[0].isdigit():
            number, _, place = given.partition(".")
            used.add(int(number))
            return results[int(number)][int(place)] if place else results[int(number)]
        return named[given] if given in named else getattr(self, given)


def _primitive(name: str, attrs: Fact, _: Any, given: Any = None, out: Any = None) -> Any:
    made = getattr(ops, name)(**{k: _tuples(v) for k, v in attrs.items() if k != "added"})
    for key, value in attrs.get("added", {}).items():
        made.add_prim_attr(key, _tuples(value))
    return made if given is None else made.shard(_strategy(given), _strategy(out))


def _strategy(given: Any) -> Any:
    if isinstance(given, dict):
        dev_mat, names, *ranks = given["layout"]
        layout = Layout(tuple(dev_mat), tuple(names), *ranks)
        return tuple(layout(*_tuples(m)) for m in given["maps"])
    return _tuples(given)


def _tuples(given: Any) -> Any:
    return tuple(_tuples(g) for g in given) if isinstance(given, list) else given


def _typed(given: Any) -> tuple[tuple[int, ...], str]:
    return (tuple(given[0]), given[1]) if given and isinstance(given[0], list) else (tuple(given), "float32")


def compiled(fact: Fact) -> dict[str, list[Any]]:
    """Compile the net for virtual devices and return the answer in the form of ``layouts``.

    Raises:
        SimparError: the net is refused.
    """
    with entered(Context(mindspore=True)):
        options = {k: _tuples(v) for k, v in fact.get("options", {}).items()}
        ms.set_auto_parallel_context(
            **{
                "parallel_mode": "semi_auto_parallel",
                "device_num": fact["devices"],
                "global_rank": fact.get("rank", 0),
                "full_batch": True,
                **options,
            }
        )
        net = _Net(fact)
        net.compile(*(Tensor(np.ones(*_typed(given))) for given in fact["inputs"].values()))
        return {name: _answer(net.parameter_layout_dict[name]) for name in fact.get("layouts", {})}


def _answer(held: Any) -> list[Any]:
    group = held.opt_shard_group
    size = prod(held.dev_mat) if group == HCCL_WORLD_COMM_GROUP else int(group.split("-")[0] or 0)
    return [held.dev_mat, held.tensor_map, held.slice_shape, size]
