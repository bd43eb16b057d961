"""Strategy files: MindSpore's two forms are read, both ways round, and bad input is refused in words."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpar.errors import StrategyError
from simpar.layout import (
    Layout,
    OperatorStrategy,
    ParameterStrategy,
    StrategyFile,
    read_strategy_file,
    write_strategy_file,
)

OFFICIAL = bytes.fromhex(
    "0801121a0a084d61744d756c5f77120e08001204080208011204080108041a290a017712240a0408020804120d08ffffffffffffffffff0108"
    "002800300438ffffffffffffffffff011a260a017612210a06080208020802120408020801120b08ffffffffffffffffff01280030003800"
)
"""What Google's protobuf runtime writes for the message types of MindSpore's ``node_strategy.proto``."""

WANTED = StrategyFile(
    {"MatMul_w": OperatorStrategy(((2, 1), (1, 4)))},
    {
        "w": ParameterStrategy((2, 4), (-1, 0), optimizer_step=4, optimizer_size=-1),
        "v": ParameterStrategy((2, 2, 2), ((2, 1), -1)),
    },
)


def test_a_strategy_checkpoint_is_read_as_the_official_runtime_writes_it() -> None:
    assert read_strategy_file(OFFICIAL) == WANTED


BY_FIELDS = bytes.fromhex(
    "0804121a0a084761746865725f74120e080012040804080212040801080412170a054d756c5f75120e08001204080208011204080208011a2b"
    "0a017412260a04080408021204080108001a08080a0814081e080422080800080a081e083c2800300038001a240a0175121f0a040802080412"
    "0d080108ffffffffffffffffff011a002200280030003800"
)
"""What MindSpore 2.10 writes for a table t whose ``manual_split`` is (10, 20, 30, 4), and another Parameter."""


@pytest.mark.parametrize("is_json", [False, True])
def test_the_rows_of_fields_are_read_as_mindspore_writes_them_and_written(is_json: bool) -> None:
    found = read_strategy_file(BY_FIELDS)
    assert found.parameters["t"].layout == Layout((4, 2), (1, 0), lengths=((10, 20, 30, 4), ()))
    assert found.parameters["u"].layout == Layout((2, 4), (1, -1))
    assert read_strategy_file(write_strategy_file(found, is_json=is_json)) == found


def test_the_shape_beside_fields_is_that_of_the_whole_table() -> None:
    item = {"dev_matrix": [4, 2], "tensor_map": [1, 0], "param_split_shape": [10, 20, 30, 4], "tensor_shape": [80, 8]}
    found = read_strategy_file(json.dumps({"parallel_layout_item": {"t": item}}).encode())
    assert found.parameters["t"].shape == (64, 8)


def test_a_strategy_checkpoint_is_written_as_the_official_runtime_writes_it() -> None:
    assert write_strategy_file(WANTED, is_json=False) == OFFICIAL


def test_packed_numbers_are_read_like_single_ones() -> None:
    packed = bytes.fromhex("080112120a014d120d080012040a02020112030a0104")
    assert read_strategy_file(packed).operators == {"M": OperatorStrategy(((2, 1), (4,)))}


def test_json_in_the_form_of_mindspore_is_read() -> None:
    text = {
        "current_stage": 1,
        "parallel_strategy_item": {"MatMul_w": {"parallel_strategy": [[2, 1], [1, 4]], "stage": 0}},
        "parallel_layout_item": {
            "w": {
                "dev_matrix": [2, 4],
                "tensor_map": [-1, 0],
                "tensor_shape": [8, 16],
                "field": 0,
                "opt_weight_shard_step": 0,
                "opt_weight_shard_size": 0,
            }
        },
    }
    found = read_strategy_file(json.dumps(text).encode())
    assert found.operators == {"MatMul_w": OperatorStrategy(((2, 1), (1, 4)))}
    assert found.parameters["w"].shape == (8, 16)
    assert found.parameters["w"].layout == Layout((2, 4), (-1, 0))


small = st.integers(1, 8)
cuts = st.lists(small, max_size=4).map(tuple)
operators = st.builds(OperatorStrategy, st.lists(cuts, max_size=3).map(tuple), st.integers(0, 7))
entries = st.one_of(st.integers(-1, 3), st.lists(st.integers(0, 3), min_size=2, max_size=3).map(tuple))
parameters = st.builds(
    ParameterStrategy,
    st.lists(small, min_size=1, max_size=4).map(tuple),
    st.lists(entries, max_size=4).map(tuple),
    st.none(),
    st.integers(0, 9),
    st.integers(-1, 9),
    st.integers(-1, 9),
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
files = st.builds(
    StrategyFile,
    st.dictionaries(names, operators, max_size=3),
    st.dictionaries(names, parameters, max_size=3),
    st.integers(0, 9),
)


@given(files, st.booleans())
def test_what_is_written_is_read_again(file: StrategyFile, is_json: bool) -> None:
    assert read_strategy_file(write_strategy_file(file, is_json=is_json)) == file


@given(st.binary(max_size=200), st.integers(0, len(OFFICIAL)))
def test_any_bytes_are_read_or_refused_in_words(noise: bytes, at: int) -> None:
    for data in (noise, OFFICIAL[:at] + noise, b"{" + noise, OFFICIAL[:at]):
        with suppress(StrategyError):
            read_strategy_file(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"{", "begins like JSON but is none"),
        (b'{"a": 1}', "neither parallel_strategy_item nor"),
        (b'{"parallel_layout_item": {"w": {"dev_matrix": [2.5]}}}', "'w' has '2.5'"),
        (b'{"parallel_strategy_item": {"m": {"parallel_strategy": [[true]]}}}', "'m' has 'True'"),
        (b'{"parallel_layout_item": {"w": ' + b"[" * 100_000, "begins like JSON but is none"),
        (b"\x80\x04pickled", "neither JSON nor such a checkpoint"),
    ],
)
def test_what_is_no_strategy_file_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        read_strategy_file(data)
