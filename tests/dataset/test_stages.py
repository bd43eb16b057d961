"""Stages against what they say they do: rows in, rows out."""

from collections import Counter
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simpar import dataset as ds
from simpar.errors import DatasetError


def numbers(count: int, **options: Any) -> ds.Dataset:
    chosen: dict[str, Any] = {"shuffle": None if "sampler" in options else False} | options
    return ds.NumpySlicesDataset({"x": np.arange(count)}, **chosen)


def values(data: ds.Dataset, column: str = "x") -> list[Any]:
    rows = data.create_dict_iterator(num_epochs=1, output_numpy=True)
    return [row[column].tolist() for row in rows]


@settings(max_examples=30)
@given(rows=st.integers(1, 700), size=st.integers(1, 300), drop=st.booleans())
def test_batches_hold_the_rows_in_order(rows: int, size: int, drop: bool) -> None:
    data = numbers(rows).batch(size, drop_remainder=drop)
    whole = [list(range(i, min(i + size, rows))) for i in range(0, rows, size)]
    expected = [b for b in whole if len(b) == size or not drop]
    assert values(data) == expected
    assert data.get_dataset_size() == len(expected)


@settings(max_examples=30)
@given(rows=st.integers(2, 700), buffer=st.integers(2, 900))
def test_a_shuffle_gives_each_row_once_and_none_earlier_than_the_buffer_allows(rows: int, buffer: int) -> None:
    shuffled = values(numbers(rows).shuffle(buffer))
    assert Counter(shuffled) == Counter(range(rows))
    assert all(value < place + buffer for place, value in enumerate(shuffled))


def test_a_shuffle_leaves_little_where_it_was() -> None:
    shuffled = values(numbers(1000).shuffle(1000))
    assert sum(i == v for i, v in enumerate(shuffled)) < 20
    assert np.corrcoef(shuffled, range(1000))[0, 1] < 0.2


def test_each_epoch_has_an_order_of_its_own_and_the_same_run_the_same_orders() -> None:
    def orders() -> list[list[int]]:
        iterator = numbers(50, shuffle=True).shuffle(50).create_dict_iterator(output_numpy=True)
        return [[int(row["x"]) for row in iterator] for _ in range(3)]

    one, two = orders(), orders()
    assert one == two
    assert one[0] != one[1] != one[2]


def test_the_seed_decides_the_order() -> None:
    ds.config.set_seed(1)
    one = values(numbers(50, shuffle=True))
    ds.config.set_seed(2)
    assert values(numbers(50, shuffle=True)) != one


@settings(max_examples=30)
@given(rows=st.integers(1, 90), shards=st.integers(1, 7), shuffle=st.booleans())
def test_shards_are_equally_long_and_hold_every_row(rows: int, shards: int, shuffle: bool) -> None:
    parts = [values(numbers(rows, shuffle=shuffle, num_shards=shards, shard_id=i)) for i in range(shards)]
    assert {len(p) for p in parts} == {-(-rows // shards)}
    assert set(chain(*parts)) == set(range(rows))
    if not shuffle:
        assert parts[0] == list(range(0, rows, shards))


@settings(max_examples=30)
@given(rows=st.integers(1, 600), skip=st.integers(0, 700), take=st.integers(1, 700), count=st.integers(1, 3))
def test_skip_take_and_repeat_are_those_of_a_list(rows: int, skip: int, take: int, count: int) -> None:
    data = numbers(rows).skip(skip).take(take).repeat(count)
    assert values(data) == list(range(rows))[skip : skip + take] * count
    assert data.get_dataset_size() == len(values(data))


def test_repeat_without_end_goes_on() -> None:
    iterator = numbers(3).repeat().create_dict_iterator(output_numpy=True)
    assert [int(next(iterator)["x"]) for _ in range(8)] == [0, 1, 2, 0, 1, 2, 0, 1]


def test_rounds_of_repeat_are_shuffled_apart() -> None:
    both = values(numbers(40, shuffle=True).repeat(2))
    assert both[:40] != both[40:]
    assert Counter(both) == Counter(list(range(40)) * 2)


def test_map_takes_columns_by_name_and_names_what_it_makes() -> None:
    data = ds.NumpySlicesDataset({"a": [1, 2], "b": [10, 20], "c": [5, 6]}, shuffle=False)
    data = data.map(lambda a, b: (a + b, a * b, b), ["a", "b"], ["sum", "product", "b"])
    assert data.get_col_names() == ["sum", "product", "b", "c"]
    assert values(data, "product") == [10, 40]
    assert values(data, "c") == [5, 6]


def test_map_does_operations_one_after_the_other() -> None:
    data = numbers(3).map([lambda x: x + 1, ds.transforms.TypeCast("float32"), lambda x: x / 2], "x")
    assert values(data) == [0.5, 1.0, 1.5]


def test_map_after_batch_sees_batches() -> None:
    assert values(numbers(6).batch(3).map(lambda b: b.sum(), "x")) == [3, 12]


def test_per_batch_map_sees_the_rows_and_where_it_is() -> None:
    def tag(rows: list[Any], info: ds.BatchInfo) -> tuple[Any, Any]:
        return rows, [np.array(info.get_batch_num())] * len(rows)

    data = numbers(4).batch(2, per_batch_map=tag, input_columns=["x"], output_columns=["x", "batch"])
    assert values(data, "batch") == [[0, 0], [1, 1]]


def test_a_function_may_decide_the_size_of_each_batch() -> None:
    assert values(numbers(6).batch(lambda info: info.get_batch_num() + 1)) == [[0], [1, 2], [3, 4, 5]]


def test_padded_batch_fills_rows_up_to_the_longest() -> None:
    rows = [np.array([1]), np.array([1, 2, 3])]
    data = ds.GeneratorDataset(rows, "x", shuffle=False).padded_batch(2, pad_info={"x": ([None], -1)})
    assert values(data) == [[[1, -1, -1], [1, 2, 3]]]


def test_columns_are_renamed_kept_and_put_side_by_side() -> None:
    left = ds.NumpySlicesDataset({"a": [1, 2], "b": [3, 4]}, shuffle=False).rename("a", "z").project(["b", "z"])
    both = ds.zip((left, numbers(3)))
    assert both.get_col_names() == ["b", "z", "x"]
    assert [(int(b), int(z), int(x)) for b, z, x in both.create_tuple_iterator(output_numpy=True, num_epochs=1)] == [
        (3, 1, 0),
        (4, 2, 1),
    ]


def test_rows_are_filtered_joined_and_split() -> None:
    assert values(numbers(10).filter(lambda x: x % 3 == 0)) == [0, 3, 6, 9]
    assert values(numbers(2) + numbers(3)) == [0, 1, 0, 1, 2]
    parts = numbers(10).split([0.7, 0.3])
    assert [p.get_dataset_size() for p in parts] == [7, 3]
    assert Counter(chain(*map(values, parts))) == Counter(range(10))


def test_an_iterator_goes_through_as_many_epochs_as_asked() -> None:
    iterator = numbers(2).create_dict_iterator(num_epochs=2, output_numpy=True)
    assert [len(list(iterator)) for _ in range(3)] == [2, 2, 0]


def test_rows_are_tensors_unless_arrays_are_asked_for() -> None:
    (row,) = ds.NumpySlicesDataset({"x": np.ones((1, 3), np.float32)}).create_dict_iterator(num_epochs=1)
    assert type(row["x"]).__name__ == "Tensor"
    assert row["x"].shape == (3,)


def test_what_it_holds_is_told_without_reading() -> None:
    data = numbers(10).batch(4).repeat(3)
    assert (data.get_dataset_size(), data.get_batch_size(), data.get_repeat_count()) == (9, 4, 3)
    assert data.output_shapes() == [[4]]
    assert [t.name for t in data.output_types()] == ["int64"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: numbers(3).batch(0), "batch_size is 0"),
        (lambda: numbers(3).shuffle(1), "buffer_size is 1"),
        (lambda: numbers(3).repeat(0), "count is 0"),
        (lambda: numbers(3).project("y"), "no column 'y'"),
        (lambda: numbers(3).map([], "x"), "it got 'none'"),
        (lambda: numbers(3, num_shards=2), "give both"),
        (lambda: numbers(3, num_shards=2, shard_id=2), "shard_id 2 of num_shards 2"),
        (lambda: numbers(3, sampler=ds.SequentialSampler(), num_shards=1, shard_id=0), "the sampler decides both"),
        (lambda: ds.NumpySlicesDataset({"a": [1], "b": [1, 2]}), "different numbers of rows"),
        (lambda: ds.zip((numbers(1), numbers(1))), "there twice"),
        (lambda: numbers(3).create_dict_iterator(num_epochs=0), "num_epochs is 0"),
        (lambda: values(numbers(3).map(lambda x: (x, x), "x")), "return 2 columns"),
        (lambda: values(ds.GeneratorDataset([np.ones(2), np.ones(3)], "x").batch(2)), "have shapes [(2,), (3,)]"),
        (lambda: numbers(4).split([1, 1]), "must be positive and sum up"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(make: Any, words: str) -> None:
    with pytest.raises(DatasetError) as caught:
        make()
    assert words in str(caught.value)
