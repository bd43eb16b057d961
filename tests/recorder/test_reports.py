"""A recorded run as tables, as a Chrome trace and as CSV files; the figures are those of the sample run, by hand."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from simpar.layout import Layout
from simpar.recorder import (
    Checksum,
    CollectiveSpec,
    ParameterPlaced,
    ProgramCompiled,
    Run,
    StepFinished,
    disagreements,
    holding_table,
    losses_table,
    memory_table,
    movement_table,
    movements,
    open_run,
    parameter_table,
    slice_table,
    write_chrome_trace,
    write_csv_files,
)
from simpar.recorder.chrome_trace import trace_events
from tests.recorder import sample


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with open_run(sample.write_sample(tmp_path / "run" / "run.sqlite")) as opened:
        yield opened


def lines(table: Table, width: int = 120) -> list[str]:
    """Print a table and give its lines, runs of blanks made one."""
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(table)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


# --- what moved ---


def test_movements_take_groups_of_all_ranks_together(run: Run) -> None:
    first = movements(run)[0]
    assert (first.kind, first.groups, first.parameters) == ("all_gather", ((0, 2), (1, 3)), ("w1",))
    assert (first.count, first.message_bytes, first.steps, first.total_bytes) == (1, 24, 5, 120)
    assert first.mean_s == pytest.approx(1e-3, abs=1e-9)


def test_movements_keep_kinds_causes_and_buckets_apart(run: Run) -> None:
    assert [(m.phase, m.kind, m.cause, m.fusion) for m in movements(run)] == [
        ("forward", "all_gather", "parallel optimizer", 0),
        ("forward", "all_reduce", "partial", 0),
        ("forward", "all_reduce", "partial", 0),
        ("backward", "reduce_scatter", "gradient", 1),
        ("backward", "all_reduce", "gradient", 1),
    ]


def test_movements_alike_are_added_up(tmp_path: Path) -> None:
    specs = tuple(CollectiveSpec(i, "all_reduce", (0, 1), 8, "gradient", 0, (f"w{i}",)) for i in range(3))
    with sample.writing(tmp_path / "run.sqlite") as writer:
        writer.write([(0, ProgramCompiled("p", "", "d", specs)), (1, ProgramCompiled("p", "", "d", specs))])
    with open_run(tmp_path) as opened:
        (moved,) = movements(opened)
    assert (moved.count, moved.message_bytes, moved.parameters) == (3, 24, ("w0", "w1", "w2"))
    assert (moved.steps, moved.mean_s) == (0, None)


# --- tables ---


def test_parameter_table_shows_layout_slice_and_use(run: Run) -> None:
    shown = lines(parameter_table(run.parameters()))
    assert shown[0] == "3 parameters and optimizer states on 4 ranks"
    assert "w1 (4, 6) float32 (2, 2) (1, 0) (2, 3) 24 B 1 (4, 3)" in shown
    assert "w2 (6, 2) float32 (2, 2) (0, -1) (3, 2) 24 B 2 -" in shown


def test_holding_table_shows_the_part_of_each_rank(run: Run) -> None:
    shown = lines(holding_table(run.parameters()))
    assert "parameter rank 0 rank 1 rank 2 rank 3" in shown
    assert "w1 [0:2, 0:3] [0:2, 3:6] [2:4, 0:3] [2:4, 3:6]" in shown
    assert "w2 [0:3, :] [3:6, :] [0:3, :] [3:6, :]" in shown


def test_holding_table_of_many_ranks_shows_the_first_and_says_so() -> None:
    layout = Layout((1024,), (0,))
    shown = lines(holding_table([ParameterPlaced("w", (2048,), "float32", layout, layout)]))
    assert "w [0:2] [2:4] [4:6] [6:8]" in shown
    assert any("and 1020 more ranks" in line for line in shown)


def test_slice_table_names_the_ranks_that_hold_the_same(run: Run) -> None:
    shown = lines(slice_table(sample.W2))
    assert shown[0] == "w2 (6, 2) float32: cut axis 0 2 ways, 2 copies of each slice; 24 B a rank"
    assert "3 1 [3:6, :] 1" in shown


def test_slice_table_shows_what_is_gathered_for_use() -> None:
    assert "2 2 [2:4, 0:3] [:, 0:3] -" in lines(slice_table(sample.W1))


def test_names_in_tables_are_text_and_no_markup() -> None:
    layout = Layout((1,), (-1,))
    p = ParameterPlaced("layers[bold].w", (2,), "float32", layout, layout)
    assert any("layers[bold].w" in line for line in lines(parameter_table([p])))
    assert any("whole on every rank" in line for line in lines(slice_table(p)))


def test_movement_table_shows_groups_bytes_and_time(run: Run) -> None:
    shown = lines(movement_table(movements(run)))
    assert "backward reduce_scatter gradient {0, 2} {1, 3} 1 1 48 B 1 ms w1" in shown


def test_losses_table_shows_first_and_last_of_many(run: Run) -> None:
    shown = lines(losses_table([(n, 1.0 / n) for n in range(1, 1001)], most=5))
    assert [line.split()[0] for line in shown if line[:1].isdigit()] == ["1", "251", "501", "750", "1000"]
    assert any(line.startswith("1000 0.001") for line in shown)


def test_losses_table_takes_losses_that_are_not_finite() -> None:
    shown = lines(losses_table([(1, float("nan")), (2, float("inf")), (3, 0.0)]))
    assert {"1 nan", "2 inf", "3 0"} <= set(shown)


def test_memory_table_shows_the_last_measure_of_each_rank(run: Run) -> None:
    assert sum(line == f"{r} 5 3 MiB - 4 KiB" for line in lines(memory_table(run.memory())) for r in range(4)) == 4


# --- the Chrome trace ---


def slices(run: Run, rank: int) -> list[dict[str, Any]]:
    return [e for e in trace_events(run) if e["ph"] == "X" and e["pid"] == rank]


def test_trace_has_one_process_for_each_rank_in_order(run: Run) -> None:
    names = {e["pid"]: e["args"]["name"] for e in trace_events(run) if e["name"] == "process_name"}
    assert names == {0: "rank 0 on host0", 1: "rank 1 on host0", 2: "rank 2 on host1", 3: "rank 3 on host1"}


def test_trace_puts_ranks_of_all_machines_on_one_time_line(run: Run) -> None:
    assert [slices(run, r)[0]["ts"] for r in range(sample.RANKS)] == [0.0] * sample.RANKS


def test_trace_shows_steps_and_collectives_with_what_they_carry(run: Run) -> None:
    step, gather, *_ = slices(run, 0)
    assert (step["name"], step["dur"], step["tid"]) == ("step 1", pytest.approx(15_000.0), 0)
    assert step["args"] == {"program": "train", "step": 1, "loss": 2.0}
    assert (gather["name"], gather["dur"], gather["tid"]) == ("all_gather", pytest.approx(1000.0), 1)
    assert gather["args"]["group"] == [0, 2]
    assert gather["args"]["bytes"] == 24
    assert gather["args"]["cause"] == "parallel optimizer"


def test_trace_gives_collectives_that_overlap_tracks_of_their_own(tmp_path: Path) -> None:
    specs = tuple(CollectiveSpec(i, "all_reduce", (0, 1), 8) for i in range(4))
    times = np.array([[0.0, 3.0], [1.0, 2.0], [2.0, 5.0], [3.0, 4.0]])
    with sample.writing(tmp_path / "run.sqlite") as writer:
        writer.write([(0, ProgramCompiled("p", "", "d", specs)), (0, StepFinished("p", 1, 0.0, 6.0, None, times))])
    with open_run(tmp_path) as opened:
        tracks = [e["tid"] for e in slices(opened, 0) if e["cat"] == "collective"]
    assert tracks == [1, 2, 2, 1]


def test_trace_file_is_strict_json_even_when_the_loss_is_not_a_number(tmp_path: Path) -> None:
    with sample.writing(tmp_path / "run.sqlite") as writer:
        writer.write([(0, StepFinished("p", 1, 0.0, 6.0, float("nan"), np.zeros((0, 2))))])
    with open_run(tmp_path) as opened:
        count = write_chrome_trace(opened, tmp_path / "trace.json")
    read = json.loads((tmp_path / "trace.json").read_text(), parse_constant=pytest.fail)
    assert len(read["traceEvents"]) == count
    assert read["traceEvents"][0]["args"]["loss"] == "nan"


def test_trace_of_a_run_without_steps_is_empty(tmp_path: Path) -> None:
    with sample.writing(tmp_path / "run.sqlite"):
        pass
    with open_run(tmp_path) as opened:
        assert write_chrome_trace(opened, tmp_path / "trace.json") == 0
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"] == []


# --- CSV ---


def test_csv_files_hold_every_row_of_the_run(run: Run, tmp_path: Path) -> None:
    paths = write_csv_files(run, tmp_path / "out")
    tables = {p.stem: list(csv.DictReader(io.StringIO(p.read_text()))) for p in paths}
    steps = sample.RANKS * sample.STEPS
    assert {name: len(rows) for name, rows in tables.items()} == {
        "parameters": 3, "collectives": 5 * steps, "movements": 5, "steps": steps, "scalars": 4, "memory": 4,
        "values": 4,
    }  # fmt: skip
    assert tables["parameters"][0]["slice_shape"] == "(2, 3)"
    gather = tables["collectives"][0]
    assert (gather["kind"], gather["ranks"], gather["message_bytes"]) == ("all_gather", "(0, 2)", "24")
    assert float(gather["end_s"]) - float(gather["start_s"]) == pytest.approx(1e-3)


def test_programs_that_count_their_own_steps_do_not_look_like_copies_that_part(tmp_path: Path) -> None:
    """Two programs tell of step 1: the first digests of all ranks are compared, then the second."""
    told = [(rank, Checksum(rank, "w2", 1, digest)) for digest in ("before", "after") for rank in (0, 2)]
    path = sample.write_sample(tmp_path / "run" / "run.sqlite")
    with sample.writing(path) as writer:
        writer.write(told)
    with open_run(path) as run:
        assert disagreements(run) == ()
