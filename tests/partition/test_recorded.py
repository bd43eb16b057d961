"""Programs kept as bytes: what is read again is cut just as what was written."""

import json
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import simpar as ms
from simpar import Tensor
from simpar.compile import partition_graph
from simpar.compile.options import partition_options
from simpar.context import Context, current, entered
from simpar.errors import RunStoreError
from simpar.graph import Graph, graph_text
from simpar.layout import NOT_CUT, Layout
from simpar.partition import OptimizerSharding, Partitioned, PartitionOptions, decode_program, encode_program, localize
from tests.compile import planning
from tests.golden.programs import PROGRAMS
from tests.golden.test_golden import FOLDER
from tests.partition.programs import SIDE, Program, parameters, programs


def twice(graph: Graph, options: PartitionOptions) -> Partitioned:
    """Cut a program that was written and read."""
    again, options_again = decode_program(encode_program(graph, options))
    assert options_again == options
    return partition_graph(again, options_again)


def without_numbers(text: str) -> str:
    """Leave out the numbers of constants, of which only tiny ones are kept."""
    return "\n".join(line.split(" = constant")[0] if " = constant" in line else line for line in text.splitlines())


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_recorded_program_has_the_golden_plan(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "partition_graph", twice)
    golden = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert without_numbers(PROGRAMS[name]()) == without_numbers(golden)


@given(programs(4))
def test_any_recorded_program_is_cut_as_the_traced_one(program: Program) -> None:
    with entered(Context()):
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=4, full_batch=True)
        pair = parameters()
        x = [Tensor(np.zeros((SIDE, SIDE), np.float32)) for _ in range(2)]
        graph, options = planning.trace_of(lambda *given: program(pair, *given), x), partition_options(current())
    again, _ = decode_program(encode_program(graph, options))
    assert graph_text(again) == graph_text(graph)
    assert localize(twice(graph, options), 3).text == localize(partition_graph(graph, options), 3).text


def test_how_the_parallel_optimizer_cuts_is_recorded() -> None:
    options = PartitionOptions(4, sharding=OptimizerSharding(1 << 10, 2, True, True))
    assert decode_program(encode_program(decode_program(small())[0], options))[1] == options


def test_layouts_of_inputs_are_recorded() -> None:
    options = PartitionOptions(4, dataset_strategy=((4, 1), Layout((2, 2), (NOT_CUT, (1, 0)))))
    graph, _ = decode_program(small())
    assert decode_program(encode_program(graph, options))[1] == options


def small() -> bytes:
    with entered(Context()):
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=2, full_batch=True)
        x = Tensor(np.zeros((4, 4), np.float32))
        return encode_program(planning.trace_of(lambda x: x @ x, [x]), partition_options(current()))


def test_attributes_that_are_no_plain_data_are_not_recorded() -> None:
    graph, options = decode_program(small())
    node = graph.nodes[0]
    object.__setattr__(node, "attrs", {"what": object()})
    assert encode_program(graph, options) == b""


@given(st.binary(max_size=60), st.integers(0, 400))
def test_damaged_bytes_are_refused_and_never_run(noise: bytes, at: int) -> None:
    whole = small()
    text = zlib.decompress(whole)
    for data in (noise, whole[:at] + noise, zlib.compress(text[:at] + noise + text[at + len(noise) :])):
        with suppress(RunStoreError):
            decode_program(data)


def test_a_program_of_a_later_version_is_refused_in_words() -> None:
    record = json.loads(zlib.decompress(small())) | {"format": 99}
    with pytest.raises(RunStoreError, match="format 99, this simpar reads up to 1"):
        decode_program(zlib.compress(json.dumps(record).encode()))
