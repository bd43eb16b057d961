"""The overview of a run: what it was, how it is, its four figures."""

from simpar.dashboard.findings import findings
from simpar.dashboard.groups import run_dev_mat
from simpar.dashboard.memory import planned_bytes
from simpar.dashboard.models.base import real
from simpar.dashboard.models.runs import (
    Failure,
    Figure,
    RankInfo,
    RunDetail,
    RunList,
    RunSummary,
    UnreadableRun,
)
from simpar.dashboard.parameters import placed, whole_bytes
from simpar.dashboard.problems import RequestError
from simpar.dashboard.redistributions import redistribution_list
from simpar.dashboard.store import OpenedRun, RunsFolder
from simpar.dashboard.timing import timing
from simpar.dashboard.view import main_program, program_view, sent_bytes, step_counts
from simpar.recorder import OPTIMIZER_STATE, RunInfo

__all__ = ["run_detail", "run_list"]


def run_list(folder: RunsFolder, version: str) -> RunList:
    """Return every run below a folder, the newest first."""
    found: list[RunSummary] = []
    unreadable: list[UnreadableRun] = []
    for name in folder.paths():
        try:
            with folder.opened(name) as opened:
                found.append(summary(name, opened.info))
        except RequestError as error:
            unreadable.append(UnreadableRun(run=name, message=error.message))
    newest_first = sorted(found, key=lambda s: (s.started_s, s.run), reverse=True)
    return RunList(runs=tuple(newest_first), unreadable=tuple(unreadable), version=version)


def summary(name: str, info: RunInfo) -> RunSummary:
    """Return what sums up a run.

    Args:
        name: of its folder, by which it is asked for.
        info: as its store has it.
    """
    started = info.started
    return RunSummary.model_validate(
        {
            "run": name,
            "script": started.script,
            "argv": started.argv,
            "mode": started.mode,
            "device_num": started.device_num,
            "world_size": started.world_size,
            "state": info.state,
            "steps": info.steps,
            "last_loss": None if info.last_loss is None else real(info.last_loss),
            "started_s": started.started_s,
            "ended_s": info.ended_s,
        }
    )


def run_detail(opened: OpenedRun) -> RunDetail:
    """Return the overview of one run."""
    return opened.cached("overview", lambda: _run_detail(opened))


def _run_detail(opened: OpenedRun) -> RunDetail:
    everything, started = placed(opened), opened.info.started
    own = [p for p in everything if p.kind != OPTIMIZER_STATE]
    used: dict[tuple[int, ...], int] = {}
    for p in everything:
        used[p.storage.dev_mat] = used.get(p.storage.dev_mat, 0) + 1
    failures = tuple(
        Failure(rank=f.rank, error=f.error, message=f.message, traceback=f.traceback) for f in opened.run.failures()
    )
    return RunDetail(
        summary=summary(opened.name, opened.info),
        versions=started.versions,
        options=started.options,
        dev_mat=run_dev_mat(opened),
        dev_mats=tuple(sorted(used, key=lambda d: -used[d])),
        ranks=_ranks(opened, {f.rank for f in failures}),
        hosts=tuple(dict.fromkeys(r.host for r in opened.run.ranks())),
        failures=failures,
        programs=opened.run.programs(),
        main_program=main_program(opened),
        parameters=len(own),
        optimizer_states=len(everything) - len(own),
        parameter_bytes=sum(map(whole_bytes, own)),
        figures=_figures(opened),
        findings=findings(opened),
    )


def _ranks(opened: OpenedRun, failed: set[int]) -> tuple[RankInfo, ...]:
    told = {r.rank: r for r in opened.run.ranks()}
    last: dict[int, int] = {}
    for (rank, _), count in step_counts(opened).items():
        last[rank] = last.get(rank, 0) + count
    found: list[RankInfo] = []
    for rank in range(max(opened.info.started.world_size, max(told, default=-1) + 1)):
        here = told.get(rank)
        state = "failed" if rank in failed else "silent" if here is None else opened.info.state
        found.append(
            RankInfo.model_validate(
                {
                    "rank": rank,
                    "host": here.host if here else "",
                    "pid": here.pid if here else 0,
                    "state": state if rank in failed or state != "failed" else "killed",
                    "last_step": last.get(rank, 0),
                }
            )
        )
    return tuple(found)


# --- the four figures ---


def _figures(opened: OpenedRun) -> tuple[Figure, ...]:
    program = main_program(opened)
    if program is None:
        return ()
    return (*_moved(opened, program), _memory(opened), _share(opened, program))


def _moved(opened: OpenedRun, program: str) -> tuple[Figure, Figure]:
    view, times = program_view(opened, program), timing(opened, program)
    specs = view.compiled.collectives
    written = sum(sent_bytes(s.kind, len(s.ranks), s.message_bytes) for s in specs if s.cause.startswith("written"))
    foreseen = redistribution_list(opened, program).sent_bytes + written if view.nodes else None
    ran = specs if times is None else [s for s in specs if s.index < len(times.most_s) and times.most_s[s.index] > 0]
    sent = sum(sent_bytes(s.kind, len(s.ranks), s.message_bytes) for s in ran)
    bytes_per_step = Figure(
        name="bytes_per_step",
        title="bytes that a rank sends in a step",
        unit="bytes",
        predicted=foreseen,
        measured=None if times is None else sent,
        rank=0,
        assumptions=(
            "predicted: from the layouts before and after each redistribution",
            "measured: from the buffers that rank 0 handed to the collectives that ran",
            "both by the count of ring and pairwise algorithms",
        ),
    )
    count = Figure(
        name="collectives_per_step",
        title="collectives that a rank does in a step",
        unit="count",
        predicted=len(specs),
        measured=None if times is None else len(ran),
        rank=0,
        assumptions=("measured: those for which rank 0 recorded a time",),
    )
    return bytes_per_step, count


def _memory(opened: OpenedRun) -> Figure:
    planned = planned_bytes(opened)
    measured = {m.rank: 0 for m in opened.run.memory()}
    for m in opened.run.memory():
        measured[m.rank] = max(measured[m.rank], m.rss_bytes)
    fullest = max(planned, key=lambda r: planned[r], default=None)
    return Figure(
        name="peak_memory",
        title="most memory of a rank",
        unit="bytes",
        predicted=None if fullest is None else planned[fullest],
        measured=max(measured.values(), default=None),
        rank=fullest,
        assumptions=(
            "predicted: parameters, optimizer states and what a step makes",
            "measured: the resident memory of the whole process, Python and libraries included",
        ),
    )


def _share(opened: OpenedRun, program: str) -> Figure:
    times = timing(opened, program)
    return Figure(
        name="communication_share",
        title="share of a step in which a collective is under way",
        unit="share",
        predicted=None,
        measured=None if times is None else min(1.0, times.share),
        rank=0,
        assumptions=("measured on rank 0, from the start of each collective to its end, waiting included",),
    )
