"""The addresses of the API that answer what slices hold."""

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from simpar.dashboard.models.values import ParameterHistory, ParameterStatistics, ParameterValues
from simpar.dashboard.routes import PROBLEMS, OfRun
from simpar.dashboard.values import parameter_history, parameter_statistics, parameter_values

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=PROBLEMS)

Name = Annotated[str, Query(max_length=1000, description="of the parameter or optimizer state")]
Writer = Annotated[
    str | None, Query(max_length=500, description="the program that wrote the values; by default that with most steps")
]
Step = Annotated[
    int | None, Query(ge=0, lt=1 << 62, description="a step that is kept; by default the newest that every slice told")
]


@router.get("/runs/{run}/parameter/statistics", tags=["tensors"])
def get_statistics(
    ask: OfRun,
    name: Name,
    program: Writer = None,
    step: Step = None,
    limit: Annotated[int, Query(ge=1, le=4096, description="ranks that are told of")] = 1024,
) -> ParameterStatistics:
    """Return which steps are kept and, of one, the sums and histogram of every rank's slice."""
    return ask(lambda opened: parameter_statistics(opened, name, program, step, limit))


@router.get(
    "/runs/{run}/parameter/values",
    tags=["tensors"],
    response_model=ParameterValues,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)
def get_values(
    ask: OfRun,
    name: Name,
    program: Writer = None,
    step: Step = None,
    rank: Annotated[int | None, Query(ge=0, lt=1 << 20, description="only the slice of this rank")] = None,
    most: Annotated[int, Query(alias="max", ge=1, le=1 << 18, description="cells; a slice has at least one")] = 1 << 14,
    form: Literal["json", "float32"] = "json",
) -> Any:
    """Return a tensor put together from its slices, as means of cells that never cross the border of a slice.

    As float32 only the cells, little-endian, row by row; the headers `x-simpar-step` and `x-simpar-cells` say of which
    step they are and how many stand along each axis.
    """
    found = ask(lambda opened: parameter_values(opened, name, program, step, rank, most))
    if form == "json":
        return found
    told = {"x-simpar-step": str(found.step), "x-simpar-cells": ",".join(map(str, found.cells))}
    content = base64.b64decode(found.values)
    return Response(content, media_type="application/octet-stream", headers=ask.headers | told)


@router.get("/runs/{run}/parameter/history", tags=["tensors"])
def get_history(
    ask: OfRun,
    name: Name,
    program: Writer = None,
    first: Annotated[int, Query(ge=0, lt=1 << 20, description="number of the first slice")] = 0,
    limit: Annotated[int, Query(ge=1, le=64, description="slices that are told of")] = 16,
) -> ParameterHistory:
    """Return how the slices changed over the steps, a curve of each sum for each different slice."""
    return ask(lambda opened: parameter_history(opened, name, program, first, limit))
