"""Views of recorded runs: well-formed, and with as many marks as the layouts, the graph and the steps say."""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from math import prod
from pathlib import Path

import pytest

from simpar import runs
from simpar.errors import RunStoreError
from simpar.layout import Layout
from simpar.recorder import open_run
from simpar.runs import RecordedRun, View
from tests.dashboard.runs import describe, write_run

SVG = "{http://www.w3.org/2000/svg}"
SIZES = {"one": (1, 1), "eight": (2, 4), "imagined": (32, 32)}
WITHOUT_TIMES = ("devices", "memory", "loss", "collectives", "buckets", "matrix", "redistributions", "redistribution")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a run of 1 rank and one of 8, and a plan for 1024 devices."""
    where = tmp_path_factory.mktemp("runs")
    write_run(where, "eight", (2, 4))
    write_run(where, "one", (1, 1), steps=3)
    write_run(where, "imagined", (32, 32), blocks=1, steps=0, world=1)
    return where


@pytest.fixture(params=SIZES)
def run(request: pytest.FixtureRequest, folder: Path) -> RecordedRun:
    return runs.find(str(request.param), folder)


@pytest.fixture
def eight(folder: Path) -> RecordedRun:
    return runs.find("eight", folder)


def drawn(view: View) -> ElementTree.Element:
    return ElementTree.fromstring(view.svg())


def roles(view: View) -> Counter[str]:
    return Counter(e.attrib["data-role"] for e in drawn(view).iter() if "data-role" in e.attrib)


# --- all views ---


@pytest.mark.parametrize("name", WITHOUT_TIMES)
def test_a_view_is_well_formed_and_says_itself_in_words_and_rows(run: RecordedRun, name: str) -> None:
    view = getattr(run, name)()
    root = drawn(view)
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title", "").startswith(f"{run.name}: ")
    assert view.sentences or name == "devices"
    json.dumps(view.table())
    assert view.text(60).startswith(f"{run.name}: ")
    assert max(map(len, view.text(60).splitlines())) <= 60


@pytest.mark.parametrize("name", WITHOUT_TIMES)
def test_a_view_needs_nothing_from_elsewhere_and_holds_in_the_dark(run: RecordedRun, name: str) -> None:
    svg = getattr(run, name)().svg()
    assert "@media (prefers-color-scheme:dark)" in svg
    assert re.findall(r'(?:href|src)="|url\((?!#)', svg) == []
    assert set(re.findall(r"https?://\S+?\"", svg)) == {'http://www.w3.org/2000/svg"'}


@pytest.mark.parametrize("name", WITHOUT_TIMES)
def test_what_a_view_draws_lies_inside_of_it(run: RecordedRun, name: str) -> None:
    root = drawn(getattr(run, name)())
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for group in root.iter():
        moved = re.match(r"translate\((\S+?),(\S+?)\)", group.attrib.get("transform", ""))
        dx, dy = (float(moved[1]), float(moved[2])) if moved else (0.0, 0.0)
        for box in group.findall(f"{SVG}rect") if moved or group is root else ():
            right = dx + float(box.attrib["x"]) + float(box.attrib["width"])
            below = dy + float(box.attrib["y"]) + float(box.attrib["height"])
            assert right <= width + 1
            assert below <= height + 1


def test_a_view_is_saved_as_svg_and_as_nothing_else(eight: RecordedRun, tmp_path: Path) -> None:
    view = eight.devices()
    assert view.save(tmp_path / "wall.svg").read_text("utf-8") == view.svg() == view._repr_svg_()
    with pytest.raises(RunStoreError, match=r"'wall\.png' does not end in \.svg"):
        view.save("wall.png")
    with pytest.raises(RunStoreError, match=r"cannot be saved as .* Name another file"):
        view.save(tmp_path / "none" / "wall.svg")


def test_names_with_markup_are_shown_as_they_are(tmp_path: Path) -> None:
    write_run(tmp_path, "a <b> & [c]", (1, 1), steps=1)
    view = runs.latest(tmp_path).loss()
    assert drawn(view).findtext(f"{SVG}title") == "a <b> & [c]: loss over 1 step"
    assert str(view).startswith("a <b> & [c]: loss over 1 step")


# --- ranks ---


def test_every_rank_has_a_tile(run: RecordedRun) -> None:
    view = run.devices()
    assert roles(view) == {"rank": prod(SIZES[run.name])}
    assert [row["rank"] for row in view.table()] == list(range(prod(SIZES[run.name])))


def test_a_rank_is_shown_with_those_that_it_works_with(eight: RecordedRun) -> None:
    view = eight.devices(rank=5)
    assert roles(view) == {"rank": 8, "chosen": 1}
    assert view.sentences == (
        "Rank 5 stands at (1, 1). It does collectives in 2 groups: "
        "{1, 5} along device axis 1; {4, 5, 6, 7} along device axis 0.",
    )


def test_in_every_tile_stands_the_slice_that_the_rank_holds(run: RecordedRun) -> None:
    view, dev_mat = run.tensor("blocks.0.w2"), SIZES[run.name]
    layout, shape = Layout(dev_mat, (0, -1)), (4096, 1024)
    found = roles(view)
    assert found["held"] == found["rank"] == prod(dev_mat)
    for row in view.table():
        box = layout.box(shape, int(str(row["rank"])))
        said = tuple(re.findall(r"(\d+):(\d+)", str(row["holds"])))
        assert said in (tuple((str(a), str(b)) for a, b in box[:1]), ())
        assert (said == ()) == (layout.cuts[0] == 1)


def test_copies_are_hatched_and_first_holders_are_not(eight: RecordedRun) -> None:
    svg = eight.tensor("blocks.0.w2").svg()  # 4 slices on 8 ranks
    assert svg.count('fill="url(#simpar-hatch)"') == 4
    assert "url(#simpar-hatch)" not in eight.tensor("blocks.0.w1").svg()  # 8 slices


def test_a_held_slice_takes_its_share_of_the_outline(eight: RecordedRun) -> None:
    (x, wide), (first, part) = (
        next((float(e.attrib["x"]), float(e.attrib["width"])) for e in boxes)
        for boxes in _glyph_of_rank(drawn(eight.devices(parameter="blocks.0.w1")), 2)
    )
    assert part == pytest.approx(wide / 4, rel=1e-3)  # (1, 0) over (2, 4): columns in 4, rank 2 the third
    assert first == pytest.approx(x + wide / 2, rel=1e-3)


def _glyph_of_rank(root: ElementTree.Element, rank: int) -> tuple[list[ElementTree.Element], list[ElementTree.Element]]:
    """Return the outline and the held part of one rank's glyph: they follow its tile."""
    rects = list(root.iter(f"{SVG}rect"))
    tiles = [i for i, e in enumerate(rects) if e.attrib.get("data-role") == "rank"]
    return [rects[tiles[rank] + 1]], [rects[tiles[rank] + 2]]


# --- memory ---


def test_bars_of_memory_stand_for_bytes(eight: RecordedRun) -> None:
    net, view = describe((2, 4)), eight.memory()
    kept = sum(p.slice_bytes for p in net.parameters if p.kind == "parameter")
    assert [row["parameter"] for row in view.table()] == [kept] * 8
    assert roles(view) == {"parameter": 8, "optimizer state": 8, "arena": 8}
    widths = {
        e.attrib["data-role"]: float(e.attrib["width"]) + 1 for e in drawn(view).iter() if "data-role" in e.attrib
    }
    arena = (8 << 20) + 7
    assert widths["parameter"] / widths["arena"] == pytest.approx(kept / arena, rel=0.02)


def test_a_thousand_ranks_share_bars(folder: Path) -> None:
    view = runs.find("imagined", folder).memory()
    assert len(view.table()) == 1024
    assert roles(view)["parameter"] == 32


# --- what moves ---


def test_every_collective_has_its_sign(run: RecordedRun) -> None:
    view, net = run.collectives(), describe(SIZES[run.name], 1 if run.name == "imagined" else 2)
    kinds = Counter(move[0] for move in net.moves)
    assert roles(view) == kinds
    assert [row["kind"] for row in view.table()] == [move[0] for move in net.moves]


def test_every_parameter_of_a_bucket_has_its_part(run: RecordedRun) -> None:
    view = run.buckets()
    net = describe(SIZES[run.name], 1 if run.name == "imagined" else 2)
    carried = [p for move in net.moves if "gradient" in move[4] or "optimizer" in move[4] for p in move[6]]
    assert [row["parameter"] for row in view.table()] == carried
    assert roles(view)["member"] == len(carried)


def test_the_matrix_draws_each_pair_once(eight: RecordedRun) -> None:
    view = eight.matrix("messages")
    pairs = {(row["sender"], row["receiver"]) for row in view.table()}
    assert roles(view) == {"pair": len(pairs)}
    assert all(s != r for s, r in pairs)
    assert {(s, r) for s, r in pairs if s == 0} == {(0, 1), (0, 4)}  # the next on both rings


def test_a_matrix_of_what_is_not_measured_is_refused(eight: RecordedRun) -> None:
    with pytest.raises(RunStoreError, match=r"no metric 'hops'\. It has bytes, messages and seconds"):
        eight.matrix("hops")  # pyright: ignore[reportArgumentType]


def test_redistributions_are_drawn_step_by_step(eight: RecordedRun) -> None:
    told = eight.redistributions().table()
    (number,) = [row["number"] for row in told if row["to"] == (-1, 1) and row["steps"] == ("all_to_all",)]
    view = eight.redistribution(int(str(number)))
    assert roles(view) == {"rank": 16, "held": 16, "all_to_all": 1}  # 8 ranks before and after
    (row,) = view.table()
    assert (row["slice_before"], row["slice_after"], row["group_size"]) == ((2048, 1024), (4096, 512), 2)
    assert row["sent_bytes"] == 2048 * 1024 * 4 // 2  # half of the slice goes to the other


def test_a_redistribution_that_is_not_there_is_told(eight: RecordedRun) -> None:
    n = len(eight.redistributions().table())
    with pytest.raises(RunStoreError, match=f"no redistribution 99. It has {n}, 0 to {n - 1}"):
        eight.redistribution(99)


# --- time ---


def test_a_step_shows_each_collective_of_each_rank(eight: RecordedRun) -> None:
    view = eight.timeline(step=7)
    per_rank = len(describe((2, 4)).moves)
    assert roles(view)["span"] == len(view.table()) == 8 * per_rank
    with open_run(eight.path) as opened:
        (step,) = [s for s in opened.steps(rank=3) if s.step == 7]
    told = [row for row in view.table() if row["rank"] == 3]
    lengths = [float(str(row["end_s"])) - float(str(row["start_s"])) for row in told]
    assert lengths == pytest.approx((step.times[:, 1] - step.times[:, 0]).tolist(), rel=1e-6)


def test_the_last_step_is_shown_unless_one_is_named(eight: RecordedRun) -> None:
    assert "step 20 of train-0" in eight.timeline().title
    with pytest.raises(RunStoreError, match="no step 21: its steps are 1 to 20"):
        eight.timeline(step=21)


def test_a_plan_that_nobody_ran_has_no_times(folder: Path) -> None:
    with pytest.raises(RunStoreError, match="ran no step, so there are no times"):
        runs.find("imagined", folder).timeline()


def test_the_curve_of_the_loss_has_a_point_for_each_step(eight: RecordedRun) -> None:
    view = eight.loss()
    (line,) = [e for e in drawn(view).iter() if e.attrib.get("data-role") == "loss"]
    heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
    assert len(heights) == 20 == len(view.table())
    assert heights == sorted(heights)  # the loss falls, so the curve goes down the page
    assert view.sentences == ("It begins at 2.5 and is 0.559017 at step 20.",)


# --- which run ---


def test_the_latest_run_is_the_one_that_started_last(tmp_path: Path) -> None:
    write_run(tmp_path, "first", (1, 1), steps=1)
    assert runs.latest(tmp_path).name == "first"
    assert runs.names(tmp_path) == ("first",)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda r: r.tensor("blocks.0.w3"), r"no parameter 'blocks.0.w3'. Did you mean blocks.0.w"),
        (lambda r: r.memory and r.buckets("train-1"), "no program 'train-1'. Did you mean train-0"),
        (lambda r: r.devices(rank=8), "no rank 8: its 8 ranks are 0 to 7"),
    ],
)
def test_what_a_run_has_not_is_told_with_what_is_near(eight: RecordedRun, ask: object, words: str) -> None:
    assert callable(ask)
    with pytest.raises(RunStoreError, match=words):
        ask(eight)


def test_a_run_that_is_not_there_is_told_with_the_nearest(folder: Path) -> None:
    with pytest.raises(RunStoreError, match=r"no run 'eigth' .* Did you mean eight\?"):
        runs.find("eigth", folder)
