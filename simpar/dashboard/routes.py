"""The addresses of the API, each a question with limits and the function that answers it.

Everything of one run stands below ``/api/runs/{run}``. ``{run}`` is a name from the list of runs, never a path.
Programs and parameters are asked for by name in the query, since their names may hold anything.
"""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from simpar.dashboard import memory as measured
from simpar.dashboard import whatif
from simpar.dashboard.agreement import checks
from simpar.dashboard.export import Kind, export
from simpar.dashboard.imports import import_strategies
from simpar.dashboard.matrix import Metric, dense_matrix, matrix
from simpar.dashboard.models.base import Problem
from simpar.dashboard.models.measured import Checks, Memory, ScalarList, Steps, Timeline
from simpar.dashboard.models.moving import BucketList, CollectiveList, GroupList, Matrix
from simpar.dashboard.models.planning import PlanAnswer, PlanQuestion, RedistributionAnswer, RedistributionQuestion
from simpar.dashboard.models.programs import Graph, PlanText, ProgramList, RedistributionList
from simpar.dashboard.models.repartition import (
    ImportAnswer,
    RemedyAnswer,
    RepartitionAnswer,
    RepartitionQuestion,
    StrategyBase,
)
from simpar.dashboard.models.runs import ParameterDetail, ParameterList, RunDetail, RunList
from simpar.dashboard.movement import bucket_list, collective_list, group_list
from simpar.dashboard.overview import run_detail, run_list
from simpar.dashboard.parameters import parameter_detail, parameter_list
from simpar.dashboard.problems import RequestError
from simpar.dashboard.programs import graph, plan_text, program_list
from simpar.dashboard.redistributions import redistribution_list
from simpar.dashboard.remedies import remedy
from simpar.dashboard.repartition import repartition, strategy_base
from simpar.dashboard.store import OpenedRun, RunsFolder
from simpar.dashboard.stream import CURSOR, Follower, Watched, events
from simpar.dashboard.timeline import BY, Stretch, tile, timeline

__all__ = ["PROBLEMS", "Ask", "NotModified", "OfRun", "router"]

_Answer = TypeVar("_Answer")

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": words}
    for status, words in {
        400: "the request cannot be understood, or names a host that is not allowed",
        401: "the token is missing",
        403: "the request comes from another site",
        404: "there is no such run, program, parameter or rank",
        409: "the run's store cannot be read",
        413: "too much was asked for or sent",
        414: "the address is too long",
        422: "a part of the request is out of its limits, or a layout cannot be",
        503: "the run's store is locked; ask again",
    }.items()
}
"""What every address may answer when it cannot answer as asked."""

_OCTETS = "application/octet-stream"
_BINARY: dict[int | str, dict[str, Any]] = {
    200: {"content": {_OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}

router = APIRouter(prefix="/api", responses=PROBLEMS)

RunName = Annotated[str, InPath(max_length=255, description="the run's name, from the list of runs")]
Program = Annotated[
    str | None, Query(max_length=500, description="the program's name; by default the one that ran most steps")
]
Rank = Annotated[int, Query(ge=0, lt=1 << 20)]
Since = Annotated[int, Query(ge=0, lt=1 << 62, description="the cursor of the answer before")]
Seconds = Annotated[float | None, Query(ge=-1e9, le=1e9, allow_inf_nan=False)]


class NotModified(Exception):
    """Says that the client has the answer already.

    Args:
        etag: the mark that it gave.
    """

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


class Ask:
    """Opens the run that a request names and has it answered.

    A finished run's answers carry an ``ETag``, and are not computed again for a client that has them.
    """

    def __init__(self, run: RunName, request: Request, response: Response) -> None:
        self.name, self._request, self._response = run, request, response
        self.folder: RunsFolder = request.app.state.folder

    def __call__(self, compute: Callable[[OpenedRun], _Answer]) -> _Answer:
        """Return what ``compute`` says of the run.

        Raises:
            RequestError: there is no such run, or it cannot be read.
            NotModified: the client has the answer already.
        """
        with self.folder.opened(self.name) as opened:
            etag = opened.etag
            if etag is not None:
                given = [mark.strip().removeprefix("W/") for mark in self._header("if-none-match").split(",")]
                if etag.removeprefix("W/") in given:
                    raise NotModified(etag)
                self._response.headers.update({"etag": etag, "cache-control": "private, no-cache"})
            return compute(opened)

    def _header(self, name: str) -> str:
        return self._request.headers.get(name, "")

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that an answer written by hand must carry."""
        return dict(self._response.headers)


OfRun = Annotated[Ask, Depends()]


@router.get("/runs", tags=["runs"])
def get_runs(request: Request) -> RunList:
    """Return every run below the served folder, the newest first, and those that cannot be read."""
    try:
        own = version("simpar")
    except PackageNotFoundError:
        own = "from its sources"
    return run_list(request.app.state.folder, own)


@router.get("/runs/{run}", tags=["runs"])
def get_run(ask: OfRun) -> RunDetail:
    """Return the overview of a run: device matrix, ranks, options, the four figures and the findings."""
    return ask(run_detail)


@router.get("/runs/{run}/parameters", tags=["tensors"])
def get_parameters(
    ask: OfRun,
    offset: Annotated[int, Query(ge=0, le=1 << 30)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    search: Annotated[str, Query(max_length=200, description="a part of the name")] = "",
    kind: Literal["parameter", "optimizer state"] | None = None,
) -> ParameterList:
    """Return parameters and optimizer states with their layouts, a row for each."""
    return ask(lambda opened: parameter_list(opened, offset, limit, search, kind))


@router.get("/runs/{run}/parameter", tags=["tensors"])
def get_parameter(ask: OfRun, name: Annotated[str, Query(max_length=1000)]) -> ParameterDetail:
    """Return one parameter: its layout in words, what each rank keeps, its states, copies that part."""
    return ask(lambda opened: parameter_detail(opened, name))


@router.get("/runs/{run}/programs", tags=["graph"])
def get_programs(ask: OfRun) -> ProgramList:
    """Return the compiled programs."""
    return ask(program_list)


@router.get("/runs/{run}/plan", tags=["graph"])
def get_plan(ask: OfRun, program: Program = None) -> PlanText:
    """Return the plan of a program as text."""
    return ask(lambda opened: plan_text(opened, program))


@router.get("/runs/{run}/graph", tags=["graph"])
def get_graph(ask: OfRun, program: Program = None) -> Graph:
    """Return the graph of a program: nodes in order, values with layouts, edges."""
    return ask(lambda opened: graph(opened, program))


@router.get("/runs/{run}/redistributions", tags=["graph"])
def get_redistributions(ask: OfRun, program: Program = None) -> RedistributionList:
    """Return the redistributions of a program, each a chain of steps with the layouts before and after."""
    return ask(lambda opened: redistribution_list(opened, program))


@router.get("/runs/{run}/collectives", tags=["communication"])
def get_collectives(ask: OfRun, program: Program = None, rank: Rank = 0) -> CollectiveList:
    """Return what one rank moves in a step of a program, in order, with times."""
    return ask(lambda opened: collective_list(opened, program, rank))


@router.get("/runs/{run}/groups", tags=["communication"])
def get_groups(ask: OfRun, program: Program = None) -> GroupList:
    """Return the groups that do collectives of a program, those that send most first."""
    return ask(lambda opened: group_list(opened, program))


@router.get("/runs/{run}/buckets", tags=["communication"])
def get_buckets(ask: OfRun, program: Program = None) -> BucketList:
    """Return the fusion buckets of a program, in the order in which they are launched."""
    return ask(lambda opened: bucket_list(opened, program))


@router.get("/runs/{run}/matrix", tags=["communication"], response_model=Matrix, responses=_BINARY)
def get_matrix(
    ask: OfRun,
    program: Program = None,
    metric: Metric = "bytes",
    form: Literal["json", "float32", "float64"] = "json",
    entries: Annotated[bool, Query(description="with the entries, which numbers tell in fewer bytes")] = True,
) -> Any:
    """Return who sends how much to whom in a step.

    As JSON only entries that are not zero, or none; as float32 or float64 the whole matrix, little-endian, row by row,
    a row for each sender.
    """
    if form == "json":
        return ask(lambda opened: matrix(opened, program, metric, entries))
    kind = "<f4" if form == "float32" else "<f8"
    content = ask(lambda opened: dense_matrix(opened, program, metric)[1].astype(kind).tobytes())
    return Response(content, media_type=_OCTETS, headers=ask.headers)


@router.get("/runs/{run}/steps", tags=["measured"])
def get_steps(
    ask: OfRun,
    rank: Rank = 0,
    every_rank: Annotated[bool, Query(description="of all ranks, not only of one")] = False,
    since: Since = 0,
    limit: Annotated[int, Query(ge=1, le=20_000)] = 10_000,
) -> Steps:
    """Return steps and losses that arrived after a cursor."""
    return ask(lambda opened: measured.steps(opened, None if every_rank else rank, since, limit))


@router.get("/runs/{run}/scalars", tags=["measured"])
def get_scalars(ask: OfRun, since: Since = 0) -> ScalarList:
    """Return the numbers worth a curve that arrived after a cursor."""
    return ask(lambda opened: measured.scalar_list(opened, since))


def _stretch(
    t0: Seconds = None,
    t1: Seconds = None,
    bins: Annotated[int, Query(ge=1, le=2000)] = 600,
    ranks: Annotated[list[Annotated[int, Query(ge=0, lt=1 << 20)]], Query(max_length=1024)] = [],  # noqa: B006
    by: Annotated[str, Query(pattern=BY, description="a row for each rank, for blocks, or a device axis")] = "each",
) -> Stretch:
    return Stretch(t0, t1, bins, tuple(sorted(set(ranks))), by)


OfTime = Annotated[Stretch, Depends(_stretch)]


@router.get("/runs/{run}/timeline", tags=["measured"])
def get_timeline(
    ask: OfRun,
    stretch: OfTime,
    lanes: Annotated[bool, Query(description="with the shares of bins, which the tile tells in fewer bytes")] = True,
) -> Timeline:
    """Return a stretch of time, in seconds since the first rank started; by default the last steps."""
    return ask(lambda opened: timeline(opened, stretch, lanes))


@router.get("/runs/{run}/timeline/tile", tags=["measured"], response_class=Response, responses=_BINARY)
def get_tile(ask: OfRun, stretch: OfTime) -> Response:
    """Return the shares of bins of a stretch as float32, little-endian.

    First those in which ranks computed, then moved data, then waited; of each a row for each of ``rows`` of the
    timeline, with a number for each bin.
    """
    content = ask(lambda opened: tile(opened, stretch))
    return Response(content, media_type=_OCTETS, headers=ask.headers)


@router.get("/runs/{run}/memory", tags=["measured"])
def get_memory(ask: OfRun) -> Memory:
    """Return the memory of every rank, foreseen by class and measured."""
    return ask(measured.memory)


@router.get("/runs/{run}/checks", tags=["measured"])
def get_checks(ask: OfRun) -> Checks:
    """Return the copies that should be equal and are not."""
    return ask(checks)


@router.get(
    "/runs/{run}/stream",
    tags=["runs"],
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/StreamEvent"}}}}},
)
def get_stream(
    ask: OfRun,
    request: Request,
    since: Annotated[str, Query(pattern=CURSOR, description="cursor of steps, a point, cursor of scalars")] = "0.0",
    every_rank: bool = False,
    last_event_id: Annotated[str | None, Header(pattern=CURSOR)] = None,
) -> StreamingResponse:
    """Stream what arrives, as server-sent events: ``delta`` (data: Delta), ``end`` when the run has, ``problem``.

    At most five events in two seconds, a comment every 15 seconds of silence. A reader that reconnects sends
    ``Last-Event-ID`` and loses nothing.
    """
    watched: Watched = request.app.state.watched
    if watched.open >= watched.most:
        raise RequestError(503, "too_many_streams", f"{watched.most} streams are open. Close a page.", retry_after_s=5)
    cursor = last_event_id or since
    follower = Follower(ask.folder.path(ask.name), ask.name, every_rank)
    follower.look(cursor)  # so that what is wrong becomes a status, not an event
    follower.close()  # who asked may be gone before the first event
    told = events(ask.folder, follower, cursor, watched)
    return StreamingResponse(told, media_type="text/event-stream")


@router.get(
    "/runs/{run}/export/{kind}",
    tags=["runs"],
    response_class=FileResponse,
    responses={200: {"content": {name: {} for name in ("application/json", "application/zip")}}},
)
def get_export(ask: OfRun, kind: Kind) -> FileResponse:
    """Return a run for other tools: a Chrome trace for Perfetto, CSV files in a zip, or everything as JSON."""
    made = ask(lambda opened: export(opened, kind))
    return FileResponse(
        made.path,
        media_type=made.media_type,
        filename=f"{ask.name}-{made.path.name}",
        headers={k: v for k, v in ask.headers.items() if k != "etag"},
        background=BackgroundTask(made.remove),
    )


@router.get("/runs/{run}/strategy", tags=["plan"])
def get_strategy(ask: OfRun, program: Program = None) -> StrategyBase:
    """Return a program as it can be planned: parameters over one device matrix, its operators."""
    return ask(lambda opened: strategy_base(opened, program))


@router.post("/runs/{run}/repartition", tags=["plan"])
def post_repartition(ask: OfRun, request: Request, question: RepartitionQuestion) -> RepartitionAnswer:
    """Return what a program would move and need, cut one or two other ways; nothing is run.

    ``state`` is ``working`` while it takes longer than a second or two: ask again.
    """
    return ask(lambda opened: repartition(opened, question, request.app.state.workshop))


@router.post("/runs/{run}/remedy", tags=["plan"])
def post_remedy(
    ask: OfRun, request: Request, collective: Annotated[int, Query(ge=0, le=1 << 30)], program: Program = None
) -> RemedyAnswer:
    """Return the cheapest change of one operator's strategy that removes a collective, found by trying.

    ``state`` is ``working`` while it takes longer than a second or two: ask again.
    """
    return ask(lambda opened: remedy(opened, program, collective, request.app.state.workshop))


@router.post("/runs/{run}/import", tags=["plan"])
def post_import(
    ask: OfRun, data: Annotated[bytes, Body(media_type="application/octet-stream")], program: Program = None
) -> ImportAnswer:
    """Return what a strategy file of MindSpore's, JSON or protocol buffers, says about a program."""
    return ask(lambda opened: import_strategies(opened, program, data))


@router.post("/plan", tags=["plan"])
def post_plan(question: PlanQuestion) -> PlanAnswer:
    """Return what one or two strategies cost: slices, copies, bytes, and the way from A to B."""
    return whatif.plan(question)


@router.post("/redistribution", tags=["plan"])
def post_redistribution(question: RedistributionQuestion) -> RedistributionAnswer:
    """Return the cheapest way from one layout to another, step by step, with each rank's boxes up to 64 ranks."""
    return whatif.redistribution(question)
