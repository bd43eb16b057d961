"""The redistributions of a program: steps that follow each other on one value, from layout to layout."""

from collections.abc import Iterator
from dataclasses import dataclass

from simpar.dashboard.models.base import LayoutItem
from simpar.dashboard.models.programs import Cause, Chain, ChainStep, RedistributionList
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.timing import timing
from simpar.dashboard.view import SLICE, ProgramView, cause_of, item_bytes, program_view, sent_bytes
from simpar.errors import LayoutError
from simpar.layout import Layout, Step, plan_redistribution
from simpar.recorder import GraphValue

__all__ = ["Hop", "chain_of_node", "hops_of", "redistribution_list", "step_between"]


@dataclass(frozen=True, slots=True)
class Hop:
    """One value's passage through one node: a member of a bucket, or the only one.

    Args:
        place: of the node.
        source: the value before.
        target: the value after.
        step: what it does; None if one step cannot.
    """

    place: int
    source: GraphValue
    target: GraphValue
    step: Step | None

    @property
    def before(self) -> Layout:
        """The layout before."""
        assert self.source.layout is not None, "hops are made of values with layouts"
        return self.source.layout

    @property
    def after(self) -> Layout:
        """The layout after."""
        assert self.target.layout is not None, "hops are made of values with layouts"
        return self.target.layout


def step_between(kind: str, before: Layout, after: Layout, shape: tuple[int, ...], itemsize: int) -> Step | None:
    """Return the one step of a kind from a layout to another, if there is one: so a plan wrote it."""
    try:
        steps = plan_redistribution(before, after, shape, itemsize).steps
    except LayoutError:
        return None
    return steps[0] if len(steps) == 1 and steps[0].kind == kind else None


def hops_of(view: ProgramView, place: int) -> Iterator[Hop]:
    """Yield the passages of values through one node that moves or slices them; none for another node."""
    node = view.nodes[place]
    if view.role(place) not in ("redistribution", "gradient"):
        return
    for source, target in zip(map(view.value, node.inputs), map(view.value, node.outputs), strict=False):
        if source is None or target is None or source.layout is None or target.layout is None:
            continue
        step = step_between(node.op, source.layout, target.layout, source.shape, item_bytes(source.dtype))
        yield Hop(place, source, target, step)


def _chains(view: ProgramView) -> list[list[Hop]]:
    """Return hops that follow each other for one cause, in the order of the plan."""
    open_at: dict[str, list[Hop]] = {}  # chains by the value they have come to
    chains: list[list[Hop]] = []
    for place in range(len(view.nodes)):
        for hop in hops_of(view, place):
            chain = open_at.pop(hop.source.name, None)
            if chain is None or not _goes_on(view, chain, hop):
                chain = list[Hop]()
                chains.append(chain)
            chain.append(hop)
            open_at[hop.target.name] = chain
    return chains


def _goes_on(view: ProgramView, chain: list[Hop], hop: Hop) -> bool:
    """Return whether a hop belongs to a chain: nobody else reads what lies between, and both have one cause."""
    is_shared = len(view.readers.get(hop.source.name, ())) > 1
    causes = {c for c in (_recorded_cause(view, h) for h in (*chain, hop)) if c}
    return not is_shared and len(causes) <= 1


def _recorded_cause(view: ProgramView, hop: Hop) -> str:
    """Return why a hop moves data; empty for a slice, of which it is not recorded."""
    spec = view.spec(hop.place)
    return "" if spec is None else spec.cause


def chain_of_node(view: ProgramView) -> dict[int, int]:
    """Return, for the place of each node that redistributes, the first chain it is a step of."""
    found: dict[int, int] = {}
    for number, chain in enumerate(_chains(view)):
        for hop in chain:
            found.setdefault(hop.place, number)
    return found


def redistribution_list(opened: OpenedRun, program: str | None) -> RedistributionList:
    """Return every redistribution of a program, in the order of the plan."""
    view = program_view(opened, program)
    name = view.compiled.program

    def made() -> RedistributionList:
        times = timing(opened, name)
        means = {} if times is None else dict(enumerate(map(float, times.mean_s)))
        chains = tuple(_chain(view, i, hops, means) for i, hops in enumerate(_chains(view)))
        return RedistributionList(program=name, chains=chains, sent_bytes=sum(c.sent_bytes for c in chains))

    return opened.cached(("redistributions", name), made)


def _chain(view: ProgramView, number: int, hops: list[Hop], means: dict[int, float]) -> Chain:
    first, last = hops[0], hops[-1]
    node, maker = view.nodes[first.place], view.maker.get(first.source.name)
    cause, why = _why(view, hops)
    steps = tuple(_step(view, hop, means) for hop in hops)
    return Chain(
        id=number,
        value=first.source.name,
        shape=first.source.shape,
        dtype=first.source.dtype,
        source=LayoutItem.of(first.before),
        target=LayoutItem.of(last.after),
        producer=None if maker is None else view.nodes[maker].name,
        consumers=tuple(view.nodes[r].name for r in view.readers.get(last.target.name, ())),
        cause=cause,
        why=why,
        scope=node.scope,
        source_line=node.source,
        phase=node.phase,
        parameters=_parameters(view, hops),
        steps=steps,
        sent_bytes=sum(s.sent_bytes for s in steps),
    )


def _why(view: ProgramView, hops: list[Hop]) -> tuple[Cause, str]:
    """Return the cause of a chain; that of a slice alone, which is not recorded, follows from its reader."""
    for hop in hops:
        if cause := _recorded_cause(view, hop):
            return cause_of(cause), cause
    readers = view.readers.get(hops[-1].target.name, ())
    if not readers:
        return "other", "a result leaves in another layout"
    reader = view.nodes[readers[0]]
    where = f" in {reader.scope}" if reader.scope else ""
    return "mismatch", f"operand of {reader.op}{where}: cut locally, nothing is sent"


def _parameters(view: ProgramView, hops: list[Hop]) -> tuple[str, ...]:
    """Return the parameters that a chain serves: the one it starts from, else those its collective names."""
    _, _, own = hops[0].source.name.partition(" ")
    if own:
        return (own,)
    specs = (view.spec(hop.place) for hop in hops)
    return tuple(dict.fromkeys(p for spec in specs if spec is not None for p in spec.parameters))


def _step(view: ProgramView, hop: Hop, means: dict[int, float]) -> ChainStep:
    node, spec, step, shape = view.nodes[hop.place], view.spec(hop.place), hop.step, hop.source.shape
    size = 1 if node.op == SLICE else step.group_size if step else len(spec.ranks) if spec else 1
    return ChainStep(
        node=node.name,
        kind=node.op,
        before=LayoutItem.of(hop.before),
        after=LayoutItem.of(hop.after),
        slice_shape_before=hop.before.slice_shape(shape),
        slice_shape_after=hop.after.slice_shape(shape),
        device_axes=step.device_axes if step else (),
        group_size=size,
        sent_bytes=_sent(hop, size),
        words=step.describe(shape, item_bytes(hop.source.dtype)) if step else node.op,
        collective=spec.index if spec else None,
        mean_s=means.get(spec.index) if spec else None,
    )


def _sent(hop: Hop, size: int) -> int:
    itemsize, kind = item_bytes(hop.source.dtype), hop.step.kind if hop.step else ""
    if hop.step is not None:
        return hop.step.volume_bytes(hop.source.shape, itemsize)
    held = itemsize
    for n in hop.before.slice_shape(hop.source.shape):
        held *= n
    return sent_bytes(kind, size, held)
