"""Localisation: from the partitioned graph of all ranks to the plan of one.

Global shapes become slice shapes, device axes become groups of ranks, and attributes that speak of shapes or positions
(the shape of a reshape, the first row of a cut table) become this rank's own.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from simpar.graph import Graph, Local, Node, OpDef, Value, graph_text, lookup
from simpar.layout import Layout, Rule, Slice, Step
from simpar.partition.fusion import members
from simpar.partition.insert import Partitioned
from simpar.partition.plan import Collective, Instruction, Plan, PlannedParameter, PlannedValue

__all__ = ["localize"]


def localize(partitioned: Partitioned, rank: int) -> Plan:
    """Return the plan of one rank."""
    graph, layouts = partitioned.graph, partitioned.layouts
    held = {v: _held(v, layouts[v]) for v in graph.values}
    used = _compute_layouts(partitioned)
    text = graph_text(graph, layouts)
    return Plan(
        rank,
        partitioned.device_num,
        {v.id: p for v, p in held.items()},
        tuple(a.value.id for a in graph.arguments),
        tuple(PlannedParameter(held[p.value], p.spec, used.get(p.value, layouts[p.value])) for p in graph.parameters),
        tuple((c.value.id, c.array) for c in graph.constants),
        tuple(_instruction(partitioned, node, held, rank) for node in graph.nodes),
        tuple(v.id for v in graph.outputs),
        {p.id: v.id for p, v in graph.writes.items()},
        text,
        _digest(graph, text),
    )


def _held(value: Value, layout: Layout) -> PlannedValue:
    return PlannedValue(value.id, value.shape, layout.slice_shape(value.shape), value.dtype, layout)


def _digest(graph: Graph, text: str) -> str:
    """Hash the text and the constants; ranks that agree on it run the same plan."""
    whole = hashlib.sha256(text.encode())
    for constant in graph.constants:
        whole.update(
            constant.array.tobytes() if constant.array.size <= 1 << 20 else repr(constant.array.shape).encode()
        )
    return whole.hexdigest()


def _compute_layouts(partitioned: Partitioned) -> dict[Value, Layout]:
    """Return the layout in which the first op takes each parameter that an op takes."""
    origin = {p.value: p.value for p in partitioned.graph.parameters}  # of a parameter in any of its forms
    found: dict[Value, Layout] = {}
    for node in partitioned.graph.nodes:
        is_moved = bool(members(node))
        cut = partitioned.cuts.get(node.outputs[0])
        for i, value in enumerate(node.inputs):
            parameter = origin.get(value)
            if parameter is None or parameter in found:
                continue
            if is_moved:
                origin[node.outputs[i]] = parameter
            else:
                found[parameter] = partitioned.layouts[parameter] if cut is None else cut.operands[i]
    return found


def _instruction(partitioned: Partitioned, node: Node, held: Mapping[Value, PlannedValue], rank: int) -> Instruction:
    steps, moved = members(node), None
    op, attrs = node.op, node.attrs
    if steps and isinstance(steps[0], Slice):
        op, attrs = "slice", {"box": steps[0].box(node.inputs[0].shape, rank), "cause": node.attrs.get("cause", "")}
    elif steps:
        moved, attrs = _collective(node, steps, held, rank), {}
    elif lookup(node.op).rule is None:
        moved = _hand_written(node, held, partitioned.device_num)
    else:
        attrs = _local_attrs(partitioned, node, lookup(node.op), held, rank)
    return Instruction(
        op,
        tuple(v.id for v in node.inputs),
        tuple(v.id for v in node.outputs),
        attrs,
        moved,
        node.phase,
        node.where,
        node.scope,
        node.line,
        "" if node.strategy is None else ", ".join(map(str, node.strategy)),
    )


def _collective(node: Node, steps: tuple[Step, ...], held: Mapping[Value, PlannedValue], rank: int) -> Collective:
    attrs = node.attrs
    volumes = [s.volume_bytes(v.shape, v.dtype.itemsize, rank) for s, v in zip(steps, node.inputs, strict=True)]
    names = attrs.get("parameters") or ((attrs["parameter"],) if attrs.get("parameter") else ())
    return Collective(
        node.op,
        steps[0].group(rank),
        sum(volumes),
        sum(held[v].nbytes for v in node.inputs),
        str(attrs.get("cause", "")),
        int(attrs.get("fusion", 0)),
        tuple(dict.fromkeys(names)),
        steps,
        steps[0].before.combine,
    )


def _hand_written(node: Node, held: Mapping[Value, PlannedValue], device_num: int) -> Collective:
    """Return what a collective moves that the user, or the gradient reducer, wrote."""
    attrs = node.attrs
    group = tuple(attrs.get("group") or range(device_num))
    sent, received = (sum(held[v].nbytes for v in side) for side in (node.inputs, node.outputs))
    n = len(group)
    share = {
        "all_reduce": 2 * (n - 1) * sent // n,
        "all_gather": (n - 1) * sent,
        "reduce_scatter": (n - 1) * received,
        "all_to_all": (n - 1) * sent // n,
    }.get(node.op, sent)
    names = attrs.get("parameters") or ((attrs["parameter"],) if attrs.get("parameter") else ())
    cause = str(attrs.get("cause") or (f"gradient of {names[0]}" if names else f"written in {node.where}"))
    return Collective(
        node.op,
        group,
        share,
        sent,
        cause,
        int(attrs.get("fusion") or 0),
        tuple(names),
        (),
        str(attrs.get("op") or "sum"),
    )


def _local_attrs(
    partitioned: Partitioned, node: Node, definition: OpDef, held: Mapping[Value, PlannedValue], rank: int
) -> Mapping[str, Any]:
    if definition.localize is None and not definition.offsets:
        return node.attrs
    rule = definition.bind([v.shape for v in node.inputs], node.attrs)
    cut = partitioned.cuts[node.outputs[0]]
    results = tuple(lay.resolved() for lay in cut.results)
    local = Local(
        tuple(held[v].slice_shape for v in node.inputs),
        tuple(held[v].slice_shape for v in node.outputs),
        _starts(rule, cut.operands, results, rank),
        tuple(lay.box(v.shape, rank) for lay, v in zip(results, node.outputs, strict=True)),
        tuple(v.shape for v in node.outputs),
        rule.sizes,
    )
    return definition.local_attrs(node.attrs, local)


def _starts(rule: Rule, operands: tuple[Layout, ...], results: tuple[Layout, ...], rank: int) -> dict[str, int]:
    """Return where this rank's slice of each cut factor begins."""
    starts: dict[str, int] = {}
    for axes, layout in zip((*rule.operands, *rule.results), (*operands, *results), strict=True):
        for axis, cut, block in zip(axes, layout.cuts, layout.blocks(rank), strict=True):
            for f in axis:  # the major factor takes its part of the cut first
                size = rule.sizes[f]
                own = min(size, cut)
                cut = max(1, cut // own)
                starts[f] = max(starts.get(f, 0), block // cut % own * (size // own))
    return starts
