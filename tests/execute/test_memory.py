"""Where values live: blocks alive at the same time never overlap, in any plan."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpar.execute.buffers import Buffers, allocate_buffers, is_view, latest_waits
from simpar.execute.memory import ALIGNMENT, Block, Lifetimes, place_blocks
from simpar.partition import Plan
from tests.compile.planning import Build, plan_of, semi_auto
from tests.execute.programs import gpt
from tests.golden.programs import DATA_PARALLEL, mlp
from tests.parity.strategies import megatron, zero
from tests.partition.test_fusion import gradients_of


@st.composite
def blocks(draw: st.DrawFn) -> list[Block]:
    found: list[Block] = []
    for number in range(draw(st.integers(1, 12))):
        birth = draw(st.integers(0, 8))
        parts = [
            (10 * number + k, n) for k, n in enumerate(draw(st.lists(st.integers(0, 300), min_size=1, max_size=3)))
        ]
        found.append(Block(parts, birth, birth + draw(st.integers(0, 5))))
    return found


@given(blocks())
def test_blocks_alive_at_the_same_time_do_not_overlap(given_blocks: list[Block]) -> None:
    total = place_blocks(given_blocks)
    for a, b in combinations(given_blocks, 2):
        if a.birth <= b.death and b.birth <= a.death:
            assert a.offset + a.nbytes <= b.offset or b.offset + b.nbytes <= a.offset
    assert total == max(b.offset + b.nbytes for b in given_blocks)


@given(blocks())
def test_blocks_are_aligned_and_their_parts_stand_side_by_side(given_blocks: list[Block]) -> None:
    place_blocks(given_blocks)
    for block in given_blocks:
        assert block.offset % ALIGNMENT == 0
        at = block.offset
        for value, nbytes in block.parts:
            assert block.starts[value] == at
            at += nbytes


@given(blocks())
def test_no_arena_is_smaller_than_what_is_alive_at_once_nor_larger_than_all(given_blocks: list[Block]) -> None:
    total = place_blocks(given_blocks)
    alive = [sum(b.nbytes for b in given_blocks if b.birth <= t <= b.death) for t in range(15)]
    assert max(alive) <= total <= sum(b.nbytes for b in given_blocks)


def test_blocks_that_take_turns_share_their_bytes() -> None:
    assert place_blocks([Block([(k, 100)], k, k) for k in range(5)]) == 128


def test_values_that_share_memory_live_as_one() -> None:
    live = Lifetimes(birth={0: 0, 1: 1, 2: 2}, last_use={0: 1, 1: 2, 2: 7})
    live.share(1, 0)
    live.share(2, 1)
    assert (live.owner(2), live.death(0), live.shares()) == (0, 7, {1: 0, 2: 0})


# --- plans ---

PLANS: dict[str, tuple[Build, dict[str, object]]] = {
    "mlp": (mlp(DATA_PARALLEL), {}),
    "mlp zero": (mlp(DATA_PARALLEL), zero()),
    "gpt": (gpt(megatron(2, 2)), {}),
    "gpt zero": (gpt(megatron(2, 2)), zero()),
}


def views(plan: Plan, buffers: Buffers) -> dict[int, int]:
    """Return, for each value that is a view, of what; a reshape that numpy cannot show is a copy."""
    pairs = [(ins.outputs[0], ins.inputs[0]) for ins in plan.instructions if is_view(ins)]
    return {y: x for y, x in pairs if np.may_share_memory(buffers[y], buffers[x])}


def lives(plan: Plan, shown: dict[int, int]) -> dict[int, tuple[int, int]]:
    """Return, for each value, the instruction that makes it and the last that reads it, or a view of it."""
    end = len(plan.instructions)
    made = {v: i for i, ins in enumerate(plan.instructions) for v in ins.outputs}
    last = {v: made.get(v, -1) for v in plan.values}
    for i, ins in enumerate(plan.instructions):
        last.update((v, i) for v in ins.inputs)
    last.update((v, end) for v in (*plan.outputs, *plan.writes.values(), *plan.arguments))
    for view, base in sorted(shown.items(), key=lambda pair: -made[pair[0]]):
        last[base] = max(last[base], last[view])
    return {v: (made.get(v, -1), last[v]) for v in plan.values}


@pytest.mark.parametrize("name", PLANS)
def test_values_alive_at_the_same_time_have_memory_of_their_own(name: str) -> None:
    build, options = PLANS[name]
    plan = plan_of(build, **semi_auto(4, **options))
    state = {p.value.id: np.zeros(p.value.slice_shape, p.value.dtype.numpy) for p in plan.parameters}
    constants = {number: np.asarray(array) for number, array in plan.constants}
    buffers = allocate_buffers(plan, state, constants, lambda n: np.zeros(n, np.uint8))
    shown = views(plan, buffers)
    life = lives(plan, shown)
    values = [v for v in plan.values if v not in shown and buffers[v].size]
    shared = 0
    for u, v in combinations(values, 2):
        if np.may_share_memory(buffers[u], buffers[v]):
            shared += 1
            (born_u, last_u), (born_v, last_v) = life[u], life[v]
            assert last_u <= born_v or last_v <= born_u, f"%{u} and %{v} are alive together in the same memory"
    assert shared > 10, "memory is used again"
    needed = sum(plan.values[v].nbytes for v in values if v not in state and v not in constants)
    assert buffers.arena_bytes < 0.8 * needed


def test_a_scatter_is_awaited_before_the_second_that_follows_so_that_gradients_do_not_pile_up() -> None:
    plan = plan_of(gradients_of(6, lambda i: 0), **semi_auto(4, **zero()))
    places = [i for i, ins in enumerate(plan.instructions) if ins.op == "reduce_scatter"]
    waits = latest_waits(plan)
    assert [waits.get(p) for p in places] == [*places[2:], None, None]
