"""What all answers have in common."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from simpar.layout import Layout

__all__ = ["SCHEMA", "Answer", "Item", "LayoutItem", "Problem", "Real", "real"]

SCHEMA = 1
"""The version of the shape of all answers; raised when a client must change."""

Real = float | Literal["nan", "inf", "-inf"]
"""A number as JSON can hold it: what is not finite stands as text."""


def real(value: float) -> Real:
    """Return a number as answers write it.

    >>> real(0.5), real(float("nan")), real(float("-inf"))
    (0.5, 'nan', '-inf')
    """
    if math.isfinite(value):
        return float(value)
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


class Item(BaseModel):
    """Is a part of an answer or of a request."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, json_schema_serialization_defaults_required=True
    )


class Answer(Item):
    """Is a whole answer; it says which version of the schema it follows."""

    schema_version: Annotated[int, Field(serialization_alias="schema")] = SCHEMA
    """The version of this schema."""


class LayoutItem(Item):
    """Is how a tensor is cut over the device matrix: never slices, which follow from it by arithmetic."""

    dev_mat: tuple[int, ...]
    """Ranks along each device axis, major first."""
    tensor_map: tuple[int | tuple[int, ...], ...]
    """For each tensor axis the device axis that cuts it, counted from the right; -1 for none; several, major first."""
    rank_list: tuple[int, ...] | None = None
    """The rank at each place of the device matrix, row by row; in order if null."""
    partial: tuple[int, ...] = ()
    """Device axes along which each rank holds only a term of the value."""
    combine: str = "sum"
    """What joins the terms: sum, max or min."""
    lengths: tuple[tuple[int, ...], ...] = ()
    """Of each tensor axis how long its slices are, where they are not equal; empty if they are on every axis."""

    @classmethod
    def of(cls, layout: Layout) -> "LayoutItem":
        """Return a layout as answers write it."""
        return cls(
            dev_mat=layout.dev_mat,
            tensor_map=layout.tensor_map,
            rank_list=layout.rank_list,
            partial=layout.partial,
            combine=layout.combine,
            lengths=layout.lengths,
        )

    def to_layout(self) -> Layout:
        """Return the layout that an answer writes so."""
        return Layout(self.dev_mat, self.tensor_map, self.rank_list, self.partial, self.combine, self.lengths)


class Problem(Answer):
    """Says what was wrong with a request, or with the run that it asks for, and what to do."""

    error: str
    """A short name that does not change: bad_request, no_run, unreadable_run, locked_run, layout, too_large, …"""
    message: str
    """What was wrong, what was expected, how to fix it."""
    where: tuple[str, ...] = ()
    """The parts of the request that were wrong, e.g. ``query.limit``."""
