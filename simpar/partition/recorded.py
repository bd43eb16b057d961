"""A program before it was cut, as bytes: its graph and the options of the passes, to be cut again another way.

The bytes are compressed JSON. Reading them makes numbers, text and tuples, and runs nothing.
"""

import json
import zlib
from collections.abc import Sequence
from typing import Any

from simpar.errors import LayoutError, RunStoreError, SimparError
from simpar.graph import Graph, from_record, layout_from_record, layout_record, to_record, verify_graph
from simpar.layout import Layout
from simpar.partition.strategy import BucketOptions, OptimizerSharding, PartitionOptions

__all__ = ["decode_program", "encode_program"]

FORMAT = 1
_MOST_BYTES = 256 << 20
"""Of JSON; a network of a thousand layers has less."""


def encode_program(graph: Graph, options: PartitionOptions) -> bytes:
    """Return a program as bytes; none if an op of the user's carries attributes that are not plain data."""
    try:
        record = {"format": FORMAT, "graph": to_record(graph), "options": _options_record(options)}
        return zlib.compress(json.dumps(record, separators=(",", ":")).encode(), 6)
    except TypeError:
        return b""


def decode_program(data: bytes) -> tuple[Graph, PartitionOptions]:
    """Return the graph and the options that were encoded; the graph is verified.

    Raises:
        RunStoreError: these are not the bytes of a program, or of a later version's.
    """
    try:
        unpacked = zlib.decompressobj()
        record = json.loads(unpacked.decompress(data, _MOST_BYTES))
        if record["format"] > FORMAT:
            raise RunStoreError(
                f"the program was recorded in format {record['format']}, this simpar reads up to {FORMAT}. Upgrade it."
            )
        graph, options = from_record(record["graph"]), _options_from_record(record["options"])
        return verify_graph(graph, "reading the recorded program"), options
    except (zlib.error, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        if isinstance(error, SimparError) and not isinstance(error, LayoutError):
            raise RunStoreError(f"the recorded program cannot be read: {error}") from error
        raise RunStoreError(f"the recorded program is damaged: {type(error).__name__}. Run it again.") from error


def _options_record(options: PartitionOptions) -> dict[str, Any]:
    sharding = options.sharding
    return {
        "device_num": options.device_num,
        "is_partitioned": options.is_partitioned,
        "dataset_strategy": _dataset_record(options.dataset_strategy),
        "sharding": None
        if sharding is None
        else [sharding.threshold_bytes, sharding.shard_size, sharding.gathers_again, sharding.shards_totals],
        "buckets": [[kind, b.limit_bytes, b.starts, b.is_open] for kind, b in options.buckets],
        "mindspore": options.mindspore,
        "pipeline": [options.stages, options.scheduler, options.interleave],
        "search": options.search,
        "uses_all": options.uses_all,
        "wide": [options.wide_gradients, options.wide_sums],
    }


def _dataset_record(given: str | tuple[tuple[int, ...] | Layout, ...]) -> Any:
    if isinstance(given, str):
        return given
    return [layout_record(entry) if isinstance(entry, Layout) else entry for entry in given]


def _dataset_entry(record: Sequence[Any]) -> tuple[int, ...] | Layout:
    """Return the cuts of an input, or its layout, whose record has lists in it."""
    if all(isinstance(n, int) for n in record):
        return tuple(record)
    layout = layout_from_record(record)
    assert layout is not None, "the record of a layout is not empty"
    return layout


def _options_from_record(record: dict[str, Any]) -> PartitionOptions:
    dataset, sharding, buckets = record["dataset_strategy"], record["sharding"], record["buckets"]
    stages, scheduler, interleave = record.get("pipeline", (1, "1f1b", False))
    wide_gradients, wide_sums = record.get("wide", (False, False))
    return PartitionOptions(
        device_num=record["device_num"],
        is_partitioned=record["is_partitioned"],
        dataset_strategy=dataset if isinstance(dataset, str) else tuple(map(_dataset_entry, dataset)),
        sharding=None if sharding is None else OptimizerSharding(*sharding),
        buckets=tuple((kind, BucketOptions(limit, tuple(starts), is_open)) for kind, limit, starts, is_open in buckets),
        mindspore=record.get("mindspore", False),
        stages=stages,
        scheduler=scheduler,
        interleave=interleave,
        search=record.get("search", ""),
        uses_all=record.get("uses_all", False),
        wide_gradients=wide_gradients,
        wide_sums=wide_sums,
    )
