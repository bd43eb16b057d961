"""Localisation: from the partitioned graph of all ranks to the plan of one.

Of a pipeline's graph a rank keeps what its stage does. Global shapes become slice shapes, device axes become groups of
ranks, and attributes that speak of shapes or positions (the shape of a reshape, the first row of a cut table) become
this rank's own.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from simpar.graph import EVERY_STAGE, Graph, Local, Node, OpDef, Value, graph_text, lookup
from simpar.layout import Box, HaloExchange, HaloReduce, Layout, Rule, Slice, Step, on_stage, spans_of
from simpar.partition.fusion import members
from simpar.partition.insert import Partitioned
from simpar.partition.plan import Collective, Instruction, Plan, PlannedParameter, PlannedValue

__all__ = ["localize"]

BETWEEN_STAGES = ("send", "receive", "share")


def localize(partitioned: Partitioned, rank: int) -> Plan:
    """Return the plan of one rank."""
    graph = partitioned.graph
    here = _Here(partitioned, rank)
    used = _compute_layouts(partitioned) | dict(partitioned.dropped)
    text = graph_text(graph, partitioned.layouts)
    known = {*graph.outputs, *(p.value for p in graph.parameters), *(a.value for a in graph.arguments)}
    return Plan(
        rank,
        partitioned.device_num * partitioned.stages,
        {v.id: p for v, p in here.held.items()},
        tuple(a.value.id for a in graph.arguments if a.value in here.held),
        tuple(
            PlannedParameter(
                here.held[p.value], p.spec, here.of_ranks(p.value, used.get(p.value, partitioned.layouts[p.value]))
            )
            for p in graph.parameters
            if p.value in here.held
        ),
        tuple((c.value.id, c.array) for c in graph.constants),
        here.instructions(),
        tuple(v.id for v in graph.outputs),
        {p.id: v.id for p, v in graph.writes.items() if p in here.held},
        text,
        _digest(graph, text),
        {v.id: here.planned(v) for v in known if v not in here.held},
        partitioned.stages,
    )


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
            if parameter is None or parameter in found or node.op in BETWEEN_STAGES:
                continue
            if is_moved:
                origin[node.outputs[i]] = parameter
            else:
                taken = partitioned.layouts[parameter] if cut is None else cut.waiting[i]
                found[parameter] = _as_given(node, i, taken)
    return found


def _as_given(node: Node, place: int, taken: Layout) -> Layout:
    """Return the layout of an operand as the user wrote it, which may name device axes of size 1, if it was written."""
    given = node.strategy[place] if node.strategy is not None and place < len(node.strategy) else None
    return given if isinstance(given, Layout) and given.same_slices(taken) else taken


class _Here:
    """What one rank does and holds of a partitioned graph."""

    def __init__(self, partitioned: Partitioned, rank: int) -> None:
        self.partitioned, self.rank = partitioned, rank
        self.stage, self.local = divmod(rank, partitioned.device_num)
        self.stage_of = partitioned.graph.stages
        self.halos = partitioned.halos
        self.places = self._own_places()
        mine = (partitioned.graph.nodes[place] for place in self.places)
        made = (v for node in mine if node.op != "send" for v in node.outputs)
        is_here = (EVERY_STAGE, self.stage)
        inputs = (v for v in partitioned.graph.inputs if self.stage_of[v] in is_here)
        self.held = {v: self.planned(v) for v in (*inputs, *made)}

    def _own_places(self) -> list[int]:
        """Return the nodes that this rank's stage runs: its own, and of those of every stage what it needs."""
        graph = self.partitioned.graph
        if self.partitioned.stages == 1:
            return list(range(len(graph.nodes)))
        needed = {*graph.outputs, *graph.writes.values()}
        own: list[int] = []
        for place in reversed(range(len(graph.nodes))):
            node = graph.nodes[place]
            if node.stage == self.stage or (node.stage == EVERY_STAGE and not needed.isdisjoint(node.outputs)):
                own.append(place)
                needed.update(node.inputs)
        return own[::-1]

    def of_ranks(self, value: Value, layout: Layout) -> Layout:
        """Return a layout of a value, over the devices of its stage, as one over ranks."""
        return on_stage(layout, self.stage_of[value], self.partitioned.stages)

    def planned(self, value: Value) -> PlannedValue:
        """Return a value as the ranks of its stage hold it."""
        layout = self.of_ranks(value, self.partitioned.layouts[value])
        box = self._box(value)
        holder = self.rank if layout.lengths and self.rank in layout.ranks else None
        shape = layout.slice_shape(value.shape, holder) if box is None else tuple(stop - start for start, stop in box)
        return PlannedValue(value.id, value.shape, shape, value.dtype, layout)

    def _box(self, value: Value) -> Box | None:
        """Return what this rank holds of a value of which it does not hold its slice."""
        halo = self.halos.get(value)
        return None if halo is None else halo.box(self.partitioned.layouts[value], value.shape, self.local)

    def ranks(self, local: Sequence[int]) -> tuple[int, ...]:
        """Return devices of this rank's stage as ranks."""
        first = self.stage * self.partitioned.device_num
        return tuple(first + r for r in local)

    # --- instructions ---

    def instructions(self) -> tuple[Instruction, ...]:
        """Return what this rank does, in order."""
        nodes = self.partitioned.graph.nodes
        until = self._awaited()
        return tuple(self._instruction(nodes[place], until.get(place, -1)) for place in self.places)

    def _awaited(self) -> dict[int, int]:
        """Return, for each send, the first own instruction that stands behind its receive in the order of all nodes."""
        nodes = self.partitioned.graph.nodes
        received = {node.inputs[0]: place for place, node in enumerate(nodes) if node.op == "receive"}
        found: dict[int, int] = {}
        for number, place in enumerate(self.places):
            if nodes[place].op == "send":
                arrival = received[nodes[place].outputs[0]]
                found[place] = bisect_right(self.places, arrival, number + 1)
        return found

    def _instruction(self, node: Node, until: int) -> Instruction:
        steps, moved = members(node), None
        op, attrs = node.op, node.attrs
        inputs, outputs = tuple(v.id for v in node.inputs), tuple(v.id for v in node.outputs)
        if node.op in BETWEEN_STAGES:
            moved = self._transfer(node, until)
            op, attrs = moved.kind, {k: v for k, v in attrs.items() if k == "tag"} | {"root": moved.group[0]}
            inputs = inputs if node.op != "receive" and node.inputs[0] in self.held else ()
            outputs = () if node.op == "send" else outputs
        elif steps and isinstance(steps[0], Slice):
            box = steps[0].box(node.inputs[0].shape, self.local)
            op, attrs = "slice", {"box": box, "cause": node.attrs.get("cause", "")}
        elif steps:
            moved, attrs = self._collective(node, steps), {}
        elif lookup(node.op).rule is None:
            moved = _hand_written(node, self.held, self.partitioned.device_num, self.rank)
        else:
            attrs = self._local_attrs(node, lookup(node.op))
        return Instruction(
            op,
            inputs,
            outputs,
            attrs,
            moved,
            node.phase,
            node.where,
            node.scope,
            node.line,
            "" if node.strategy is None else ", ".join(map(str, node.strategy)),
            node.micro,
            node.phase == "backward" and node.adjoint_of is None,
        )

    def _transfer(self, node: Node, until: int) -> Collective:
        """Return what goes from one stage to another: from each rank to the one in its place."""
        attrs, n = node.attrs, self.partitioned.device_num
        nbytes = self.held[node.inputs[0] if node.op == "send" else node.outputs[0]].nbytes
        source = attrs["source"]
        if node.op == "share":
            others = (s for s in range(self.partitioned.stages) if s != source)
            group = tuple(s * n + self.local for s in (source, *others))
            return Collective("broadcast", group, nbytes if self.stage == source else 0, nbytes, attrs["cause"])
        group = (source * n + self.local, attrs["target"] * n + self.local)
        sent = nbytes if node.op == "send" else 0
        return Collective(node.op, group, sent, nbytes, attrs["cause"], until=until, micro=node.micro)

    def _collective(self, node: Node, steps: tuple[Step, ...]) -> Collective:
        attrs, stages = node.attrs, self.partitioned.stages
        volumes = [
            s.volume_bytes(v.shape, v.dtype.itemsize, self.local) for s, v in zip(steps, node.inputs, strict=True)
        ]
        names = attrs.get("parameters") or ((attrs["parameter"],) if attrs.get("parameter") else ())
        real = (
            replace(s, before=on_stage(s.before, self.stage, stages), after=on_stage(s.after, self.stage, stages))
            for s in steps
        )
        return Collective(
            node.op,
            self.ranks(steps[0].group(self.local)),
            sum(volumes),
            sum(volumes)
            if isinstance(steps[0], HaloExchange | HaloReduce)
            else sum(self.held[v].nbytes for v in node.inputs),
            str(attrs.get("cause", "")),
            int(attrs.get("fusion", 0)),
            tuple(dict.fromkeys(names)),
            steps if stages == 1 else tuple(real),
            steps[0].before.combine,
            micro=node.micro,
        )

    def _local_attrs(self, node: Node, definition: OpDef) -> Mapping[str, Any]:
        if definition.localize is None and not definition.offsets:
            return node.attrs
        rule = definition.bind([v.shape for v in node.inputs], node.attrs)
        cut = self.partitioned.cuts[node.outputs[0]]
        results = tuple(lay.resolved() for lay in cut.results)
        local = Local(
            tuple(self.held[v].slice_shape for v in node.inputs),
            tuple(self.held[v].slice_shape for v in node.outputs),
            _starts(rule, cut.operands, results, self.local),
            tuple(self._box(v) or lay.box(v.shape, self.local) for lay, v in zip(results, node.outputs, strict=True)),
            tuple(v.shape for v in node.outputs),
            rule.sizes,
            spans_of(rule, (*cut.operands, *results), self.local) if rule.reaches else {},
        )
        return definition.local_attrs(node.attrs, local)


def _hand_written(node: Node, held: Mapping[Value, PlannedValue], device_num: int, rank: int) -> Collective:
    """Return what a collective moves that the user, or the gradient reducer, wrote."""
    attrs = node.attrs
    group = tuple(attrs.get("group") or range(device_num))  # of messages, the ranks that this one speaks with
    to = attrs.get("to", (None,) * len(node.inputs))  # of messages, to whom each operand goes
    sent = sum(held[v].nbytes for v, other in zip(node.inputs, to, strict=False) if other != rank)
    received = sum(held[v].nbytes for v in node.outputs)
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
        micro=node.micro,
    )


def _starts(rule: Rule, operands: tuple[Layout, ...], results: tuple[Layout, ...], rank: int) -> dict[str, int]:
    """Return where this rank's slice of each cut factor begins."""
    starts: dict[str, int] = {}
    for axes, layout in zip((*rule.operands, *rule.results), (*operands, *results), strict=True):
        unequal = layout.lengths or ((),) * len(axes)
        for axis, cut, block, lengths in zip(axes, layout.cuts, layout.blocks(rank), unequal, strict=True):
            if lengths and axis[0] not in rule.lengths:
                starts[axis[0]] = sum(lengths[:block])
                continue
            for f in axis:  # the major factor takes its part of the cut first
                size = rule.sizes[f]
                own = max(1, min(size, cut))  # an axis may be empty
                cut = max(1, cut // own)
                starts[f] = max(starts.get(f, 0), block // cut % own * (size // own))
    return starts
